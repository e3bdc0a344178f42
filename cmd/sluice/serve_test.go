package main

import (
	"net"
	"testing"

	"github.com/sluicehq/sluice/httpapi"
)

// bound is a listener of which only the address matters.
type bound struct {
	net.Listener
	ip net.IP
}

func (b bound) Addr() net.Addr { return &net.TCPAddr{IP: b.ip, Port: 1} }

// A Host header may stand in links only while nobody else can send one.
func TestLoopback(t *testing.T) {
	api, subs, metrics := httpapi.Options{API: true, Sub: true}, httpapi.Options{Sub: true}, httpapi.Options{Metrics: true}
	local, all := net.IPv4(127, 0, 0, 1), net.IPv4zero
	for _, c := range []struct {
		name  string
		doors []door
		want  bool
	}{
		{"the API on loopback", []door{{"", bound{ip: local}, api}}, true},
		{"IPv6", []door{{"", bound{ip: net.IPv6loopback}, api}}, true},
		{"the API for all", []door{{"", bound{ip: all}, api}}, false},
		{"subscriptions for all beside it", []door{{"", bound{ip: local}, api}, {"", bound{ip: all}, subs}}, false},
		{"metrics for all beside it", []door{{"", bound{ip: local}, api}, {"", bound{ip: all}, metrics}}, true},
	} {
		if got := loopback(c.doors); got != c.want {
			t.Errorf("%s: %v", c.name, got)
		}
	}
}
