package profile_test

import (
	"reflect"
	"testing"

	"github.com/sluicehq/sluice/plugins/profile"
	"github.com/sluicehq/sluice/sdk/wire"
)

func TestPlain(t *testing.T) {
	for _, c := range []struct {
		name     string
		endpoint wire.Endpoint
		want     bool
	}{
		{"nothing", wire.Endpoint{}, true},
		{"encryption none", wire.Endpoint{VLESSEncryption: "none"}, true},
		{"encryption", wire.Endpoint{VLESSEncryption: "mlkem768x25519plus.native.0rtt.x"}, false},
		{"the client's own masks", wire.Endpoint{Finalmask: `{"tcp":[{"settings":{},"type":"fragment"}],"udp":[{"type":"noise"}]}`}, true},
		{"a mask", wire.Endpoint{Finalmask: `{"tcp":[{"type":"fragment"},{"type":"sudoku"}]}`}, false},
		{"parameters of QUIC", wire.Endpoint{Finalmask: `{"quicParams":{"congestion":"brutal"}}`}, true},
		{"salamander", wire.Endpoint{Protocol: "hysteria", Finalmask: `{"udp":[{"type":"salamander"}]}`}, true},
		{"salamander elsewhere", wire.Endpoint{Protocol: "vless", Finalmask: `{"udp":[{"type":"salamander"}]}`}, false},
		{"another mask of hysteria", wire.Endpoint{Protocol: "hysteria", Finalmask: `{"udp":[{"type":"salamander"},{"type":"xdns"}]}`}, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			if got := profile.Plain(&c.endpoint); got != c.want {
				t.Errorf("got %v", got)
			}
		})
	}
}

func TestRenamed(t *testing.T) {
	insecure := []wire.Pair{{Name: "a", Value: "1"}, {Name: "allowInsecure", Value: "1"}}
	for _, c := range []struct {
		name     string
		endpoint wire.Endpoint
		want     bool
	}{
		{"no name", wire.Endpoint{Security: wire.Security{Kind: "tls", ServerName: "a"}}, false},
		{"the same", wire.Endpoint{Security: wire.Security{Kind: "tls", ServerName: "a", VerifyName: "a"}}, false},
		{"one of them", wire.Endpoint{Security: wire.Security{Kind: "tls", ServerName: "a", VerifyName: "b,a"}}, false},
		{"another", wire.Endpoint{Security: wire.Security{Kind: "tls", ServerName: "a", VerifyName: "aa,b"}}, true},
		{"another, unchecked", wire.Endpoint{Security: wire.Security{Kind: "tls", ServerName: "a", VerifyName: "b"}, Params: insecure}, false},
		{"not of tls", wire.Endpoint{Security: wire.Security{Kind: "reality", ServerName: "a", VerifyName: "b"}}, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			if got := profile.Renamed(&c.endpoint); got != c.want {
				t.Errorf("got %v", got)
			}
		})
	}
}

func TestInsecure(t *testing.T) {
	for value, want := range map[string]bool{"1": true, "0": false, "": false} {
		if got := profile.Insecure(&wire.Endpoint{Params: []wire.Pair{{Name: "allowInsecure", Value: value}}}); got != want {
			t.Errorf("%q: got %v", value, got)
		}
	}
	if profile.Insecure(new(wire.Endpoint)) {
		t.Error("insecure without a word")
	}
}

func TestALPN(t *testing.T) {
	both := []string{"h2", "http/1.1"}
	for _, c := range []struct {
		kind, network string
		want          []string
	}{
		{"tls", "raw", both},
		{"tls", "hysteria", both},
		{"tls", "grpc", nil},
		{"tls", "ws", []string{"http/1.1"}},
		{"tls", "httpupgrade", []string{"http/1.1"}},
		{"reality", "raw", nil},
		{"none", "ws", nil},
	} {
		e := wire.Endpoint{Security: wire.Security{Kind: c.kind, ALPN: both}, Transport: wire.Transport{Network: c.network}}
		if got := profile.ALPN(&e); !reflect.DeepEqual(got, c.want) {
			t.Errorf("%s over %s: got %q, want %q", c.kind, c.network, got, c.want)
		}
	}
}

func TestFingerprint(t *testing.T) {
	for _, c := range []struct{ name, tls, reality string }{
		{"firefox", "firefox", "firefox"},
		{"randomized", "randomized", "randomized"},
		{"", "", "chrome"},
		{"unsafe", "", "chrome"},
		{"hellofirefox_120", "chrome", "chrome"},
	} {
		for kind, want := range map[string]string{"tls": c.tls, "reality": c.reality} {
			if got := profile.Fingerprint(&wire.Security{Kind: kind, Fingerprint: c.name}); got != want {
				t.Errorf("%q of %s: got %q, want %q", c.name, kind, got, want)
			}
		}
	}
}

func TestEarlyData(t *testing.T) {
	for _, c := range []struct {
		path, bare string
		size       uint32
	}{
		{"", "", 0},
		{"/ws", "/ws", 0},
		{"/ws?ed=2048", "/ws", 2048},
		{"/ws?a=1&ed=512&b=2", "/ws?a=1&b=2", 512},
		{"/ws?ed=512&b=2", "/ws?b=2", 512},
		{"/ws?red=1", "/ws?red=1", 0},
		{"/ws?ed=", "/ws", 0},
		{"/ws?ed=x", "/ws", 0},
		{"/ws?ed=4294967296", "/ws", 0},
		{"/ws?", "/ws?", 0},
	} {
		if bare, size := profile.EarlyData(c.path); bare != c.bare || size != c.size {
			t.Errorf("%s: got %s, %d; want %s, %d", c.path, bare, size, c.bare, c.size)
		}
	}
}

func TestECHConfig(t *testing.T) {
	for in, want := range map[string]string{
		"": "", "AEX+DQBB": "AEX+DQBB", "AEX+DQ==": "AEX+DQ==",
		"https://1.1.1.1/dns-query": "", "a.example.com+udp://1.1.1.1": "", "AEX": "", "AEX-DQBB": "",
	} {
		if got := profile.ECHConfig(&wire.Security{ECH: in}); got != want {
			t.Errorf("%s: got %q, want %q", in, got, want)
		}
	}
}
