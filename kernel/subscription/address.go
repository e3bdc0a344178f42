package subscription

import (
	"net"
	"net/netip"
	"net/url"
	"slices"
	"strings"

	"github.com/sluicehq/sluice/kernel/domain"
)

// errNoAddress says what to do about links that nobody could connect to.
var errNoAddress = domain.Unavailable("no address is known that clients can reach: set public_hosts in the settings, or shareAddr of the inbound")

// publicHost is the host that links carry for inbounds without a share address: the request's own if it is one of
// public_hosts, else the first of those, else that of public_url, else, while the server is bound to loopback, the
// request's. requested is a Host header, with or without a port. Source: decisions.md §4.
func (s *snapshot) publicHost(requested string, loopback bool) string {
	host := bareHost(requested)
	hosts := s.settings.PublicHosts
	switch {
	case slices.ContainsFunc(hosts, func(h string) bool { return strings.EqualFold(h, host) }):
		return host
	case len(hosts) > 0:
		return hosts[0]
	case s.settings.PublicURL != "":
		u, err := url.Parse(s.settings.PublicURL)
		if err != nil { // it was checked when it was set
			return ""
		}
		return u.Hostname()
	case loopback:
		return host
	}
	return ""
}

// bareHost cuts port and brackets off.
func bareHost(host string) string {
	if h, _, err := net.SplitHostPort(host); err == nil {
		host = h
	}
	return strings.Trim(host, "[]")
}

// address is where clients reach the endpoint: its share address, else the public host, else the one address it
// listens on if the world could reach that; "" when none is known.
func (e *endpoint) address(public string) string {
	if e.Address != "" {
		return e.Address
	}
	if public != "" {
		return public
	}
	if ip, err := netip.ParseAddr(e.inbound.Listen); err == nil && ip.IsGlobalUnicast() && !ip.IsPrivate() {
		return ip.String()
	}
	return ""
}
