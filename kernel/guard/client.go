// Package guard makes the HTTP requests whose address a user or a plugin names: it reaches public addresses only.
package guard

import (
	"context"
	"io"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"syscall"
	"time"

	"code.dny.dev/ssrf"

	"github.com/sluicehq/sluice/kernel/domain"
)

const (
	maxRedirects = 3
	maxHeader    = 64 << 10         // bytes of a reply's header
	maxTime      = 30 * time.Second // for a whole request, where the caller's context sets no less
)

// Options say what a Client may reach. The zero value reaches public addresses by the system's resolver.
type Options struct {
	// Allow lets an address through that is not public, which tests on loopback need. nil allows none.
	Allow     func(netip.Addr) bool
	Resolver  *net.Resolver // finds the addresses of hosts, nil = the system's
	UserAgent string        // "" sends none
}

// Client fetches URLs that somebody else named. An address is checked when it is dialed, so neither a redirect nor a name
// that means something else the second time leads anywhere else. It takes no proxy from the environment, keeps no
// cookies and no connections, and is safe for concurrent use.
type Client struct {
	http      http.Client
	userAgent string
}

// New returns a client.
func New(o Options) *Client {
	dialer := net.Dialer{Resolver: o.Resolver, Control: o.check}
	return &Client{userAgent: o.UserAgent, http: http.Client{
		Timeout:       maxTime,
		CheckRedirect: checkRedirect,
		Transport: &http.Transport{
			DialContext:            dialer.DialContext,
			DisableKeepAlives:      true, // the next request to the same host is minutes away
			MaxResponseHeaderBytes: maxHeader,
		},
	}}
}

// special knows the ranges of the IANA registries that are not for the public: private, shared, documentation,
// multicast, and every IPv6 range that may lead to an IPv4 address in disguise.
var special = ssrf.New()

// check is asked by the dialer about the very address that it is going to connect to.
func (o Options) check(_, address string, _ syscall.RawConn) error {
	to, err := netip.ParseAddrPort(address)
	if err != nil {
		return err
	}
	if o.Allow != nil && o.Allow(to.Addr()) {
		return nil
	}
	return special.SafeAddr(to.Addr())
}

// checkRedirect lets the client follow a few redirects. The address of the next host is checked when it is dialed.
func checkRedirect(next *http.Request, before []*http.Request) error {
	from := before[len(before)-1].URL
	if len(before) > maxRedirects {
		return domain.Unavailable(before[0].URL.Hostname() + " redirects more than 3 times")
	}
	if !isHTTP(next.URL) {
		return domain.Unavailable(from.Hostname() + " redirects to what is not an http(s) URL")
	}
	next.Header.Del("Referer") // the URL before may be a secret
	return nil
}

// Get returns the body of an http or https URL, decompressed. A reply that is not a success or has more than limit bytes
// is an error. Every error is a domain.Error whose sentence names the host and nothing else of the URL: invalid for what
// is no such URL, unavailable for all others.
func (c *Client) Get(ctx context.Context, address string, limit int64) ([]byte, error) {
	if err := CheckURL(address); err != nil {
		return nil, err
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, address, nil)
	if err != nil { // CheckURL has parsed it
		return nil, errURL.Because(bare(err))
	}
	req.Header.Set("User-Agent", c.userAgent)
	resp, err := c.http.Do(req)
	if err != nil {
		return nil, explain(ctx, req.URL.Hostname(), err)
	}
	defer func() { _ = resp.Body.Close() }() // it was read as far as it matters
	host := resp.Request.URL.Hostname()
	if resp.StatusCode < 200 || resp.StatusCode > 299 {
		return nil, errStatus(host, resp.StatusCode)
	}
	body, err := io.ReadAll(io.LimitReader(resp.Body, limit+1))
	if err != nil {
		return nil, explain(ctx, host, err)
	}
	if int64(len(body)) > limit {
		return nil, errTooLarge(host, limit)
	}
	return body, nil
}

var errURL = domain.Invalid("url", "must be an http(s) URL")

// CheckURL refuses what Get could never fetch, without looking at where it leads.
func CheckURL(address string) error {
	u, err := url.Parse(address)
	if err != nil {
		return errURL.Because(bare(err))
	}
	if !isHTTP(u) {
		return errURL
	}
	return nil
}

func isHTTP(u *url.URL) bool {
	return (u.Scheme == "http" || u.Scheme == "https") && u.Hostname() != ""
}
