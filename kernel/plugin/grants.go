package plugin

import (
	"fmt"
	"net/url"
	"slices"
	"strings"
	"unicode"

	"github.com/sluicehq/sluice/kernel/domain"
	"github.com/sluicehq/sluice/sdk/wire"
)

// grants is what a plugin may do, after it was looked at what the grants of its policy are bound to.
type grants struct {
	kv    bool
	http  bool
	hosts []string // that it may call: of those that its manifest names
}

// grant finds out what the policy gives to this very file. The operator may grant fewer hosts than a file asks for, if
// the grants are bound to that file; under a signer's key everything that is asked for must be granted, so that a later
// version that wants more is seen.
func (p *plugin) grant() {
	p.granted = grants{}
	switch {
	case p.policy.Trusted == "":
		return
	case p.policy.Trust == domain.TrustHash && p.policy.Trusted == p.sha256:
	case p.policy.Trust == domain.TrustSigner && p.policy.Trusted == p.signer:
	default:
		return
	}
	for i := range p.manifest.Permissions {
		wanted := &p.manifest.Permissions[i]
		for _, g := range p.policy.Grants {
			switch {
			case g.Name != wanted.Name:
			case g.Name == wire.PermissionKV:
				p.granted.kv = true
			case g.Name == wire.PermissionHTTP:
				p.granted.hosts = allowed(wanted, g.Hosts)
				p.granted.http = len(p.granted.hosts) > 0
			}
		}
	}
}

// allowed are the granted hosts that the plugin has asked for. AnyHost asks for whichever the operator names.
func allowed(wanted *wire.Permission, granted []string) (hosts []string) {
	for _, host := range granted {
		if host != wire.AnyHost && (slices.Contains(wanted.Hosts, host) || slices.Contains(wanted.Hosts, wire.AnyHost)) {
			hosts = append(hosts, host)
		}
	}
	return hosts
}

// lacks says what the plugin asks for and was not granted, as a sentence; "" = nothing.
func (p *plugin) lacks() string {
	for i := range p.manifest.Permissions {
		wanted := &p.manifest.Permissions[i]
		switch {
		case wanted.Name == wire.PermissionKV && !p.granted.kv:
			return "it waits for the operator to grant kv, the key-value store"
		case wanted.Name == wire.PermissionHTTP && !p.granted.http:
			return "it waits for the operator to grant http to " + HostList(wanted.Hosts)
		case wanted.Name == wire.PermissionHTTP && p.policy.Trust == domain.TrustSigner:
			for _, host := range wanted.Hosts {
				if host != wire.AnyHost && !slices.Contains(p.granted.hosts, host) {
					return "it waits for the operator to grant http to " + host
				}
			}
		}
	}
	return ""
}

// HostName reports whether host can be granted: a name or an IPv4 address in lower case, with a port or without. Without
// one it is meant with the default port of http and https.
func HostName(host string) bool { return hostPattern.MatchString(host) }

// HostList names the hosts that a permission asks for, in a sentence.
func HostList(hosts []string) string {
	if slices.Contains(hosts, wire.AnyHost) {
		return "a host of the operator's choice"
	}
	return strings.Join(hosts, ", ")
}

// list is what is granted in the form of a policy.
func (g *grants) list() (list []domain.PluginGrant) {
	if g.kv {
		list = append(list, domain.PluginGrant{Name: wire.PermissionKV})
	}
	if g.http {
		list = append(list, domain.PluginGrant{Name: wire.PermissionHTTP, Hosts: slices.Clone(g.hosts)})
	}
	return list
}

// reaches reports whether a URL leads to a granted host. A host without a port is meant with the default one of http and
// https. A name beyond ASCII reaches none: to lower case, some are a granted name, and resolved they are another's.
func (g *grants) reaches(u *url.URL) bool {
	host, port := strings.ToLower(u.Hostname()), u.Port()
	if strings.ContainsFunc(u.Hostname(), func(r rune) bool { return r > unicode.MaxASCII }) {
		return false
	}
	if port == "" || u.Scheme == "http" && port == "80" || u.Scheme == "https" && port == "443" {
		return slices.Contains(g.hosts, host) || slices.Contains(g.hosts, host+":"+defaultPort(u.Scheme))
	}
	return slices.Contains(g.hosts, host+":"+port)
}

func defaultPort(scheme string) string {
	if scheme == "http" {
		return "80"
	}
	return "443"
}

// checkPermissions is the part of checkManifest that is about permissions; the error goes on after "its manifest".
func checkPermissions(m *wire.Manifest) error {
	seen := map[string]bool{}
	for i := range m.Permissions {
		p := &m.Permissions[i]
		switch {
		case p.Name != wire.PermissionKV && p.Name != wire.PermissionHTTP:
			return fmt.Errorf("asks for the unknown permission %q", plain(p.Name, 100))
		case seen[p.Name]:
			return fmt.Errorf("asks for the permission %s twice", p.Name)
		case plain(p.Reason, maxReason) != p.Reason || p.Reason == "":
			return fmt.Errorf("does not say in one line of at most %d bytes why it asks for the permission %s", maxReason, p.Name)
		case p.Name == wire.PermissionKV && len(p.Hosts) > 0:
			return fmt.Errorf("names hosts for the permission kv")
		case p.Name == wire.PermissionHTTP && (len(p.Hosts) == 0 || len(p.Hosts) > maxHosts):
			return fmt.Errorf("names %d hosts for the permission http; it takes 1 to %d", len(p.Hosts), maxHosts)
		}
		for _, host := range p.Hosts {
			if host != wire.AnyHost && !HostName(host) {
				return fmt.Errorf("asks for http to %q; it takes host names in lower case, with a port or without", plain(host, 100))
			}
		}
		seen[p.Name] = true
	}
	for i := range m.Provides {
		if item := &m.Provides[i]; len(m.Permissions) > 0 && item.Kind != wire.KindEvent {
			return fmt.Errorf("asks for the permission %s but provides %s %s: only plugins that handle events, and nothing else, are given permissions",
				m.Permissions[0].Name, item.Kind, item.ID)
		}
	}
	return nil
}
