package subscription

import (
	"testing"

	"github.com/sluicehq/sluice/kernel/domain"
	"github.com/sluicehq/sluice/sdk/wire"
)

func TestPublicHost(t *testing.T) {
	two := []string{"one.example", "two.example"}
	for _, c := range []struct {
		name      string
		hosts     []string
		requested string
		loopback  bool
		want      string
	}{
		{"nothing known", nil, "example.com", false, ""},
		{"the request's, on loopback", nil, "localhost:8080", true, "localhost"},
		{"the request's, IPv6", nil, "[::1]:8080", true, "::1"},
		{"the request's, IPv6 without a port", nil, "[::1]", true, "::1"},
		{"no Host header on loopback", nil, "", true, ""},
		{"the first", two, "evil.example", false, "one.example"},
		{"the first, on loopback too", two, "localhost", true, "one.example"},
		{"the request's if it is one of ours", two, "two.example:443", false, "two.example"},
		{"in any case", two, "TWO.example", false, "TWO.example"},
		{"an address of ours", []string{"one.example", "2001:db8::1"}, "[2001:db8::1]:443", false, "2001:db8::1"},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := &snapshot{settings: domain.Settings{PublicHosts: c.hosts}}
			if got := s.publicHost(c.requested, c.loopback); got != c.want {
				t.Errorf("publicHost = %q, want %q", got, c.want)
			}
		})
	}
}

func TestPublicHostOfThePublicURL(t *testing.T) {
	s := &snapshot{settings: domain.Settings{PublicURL: "https://vpn.example:8443/path"}}
	if got := s.publicHost("localhost", true); got != "vpn.example" {
		t.Errorf("without public hosts: %q", got)
	}
	s.settings.PublicHosts = []string{"one.example"}
	if got := s.publicHost("localhost", true); got != "one.example" {
		t.Errorf("with a public host: %q", got)
	}
}

func TestAddress(t *testing.T) {
	for _, c := range []struct{ name, share, listen, public, want string }{
		{"share address first", "share.example", "203.0.113.7", "public.example", "share.example"},
		{"then the public host", "", "203.0.113.7", "public.example", "public.example"},
		{"then where it listens", "", "203.0.113.7", "", "203.0.113.7"},
		{"then where it listens, IPv6", "", "2001:db8::1", "", "2001:db8::1"},
		{"not on all addresses", "", "", "", ""},
		{"not 0.0.0.0", "", "0.0.0.0", "", ""},
		{"not loopback", "", "127.0.0.1", "", ""},
		{"not private", "", "192.168.1.1", "", ""},
		{"not link-local", "", "169.254.1.1", "", ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			e := &endpoint{Endpoint: wire.Endpoint{Address: c.share}, inbound: domain.Inbound{Listen: c.listen}}
			if got := e.address(c.public); got != c.want {
				t.Errorf("address = %q, want %q", got, c.want)
			}
		})
	}
}
