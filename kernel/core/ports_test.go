package core

import (
	"testing"

	"github.com/sluicehq/sluice/kernel/domain"
)

func TestPortsThatClash(t *testing.T) {
	of := func(id int64, listen string, p domain.Protocol, settings, stream string) *domain.Inbound {
		return &domain.Inbound{ID: id, Port: 443, Listen: listen, Protocol: p, Settings: settings, StreamSettings: stream}
	}
	tcp := of(1, "", domain.VLESS, "", "")
	for _, c := range []struct {
		name string
		a, b *domain.Inbound
		want bool
	}{
		{"two on all addresses", tcp, of(2, "", domain.Trojan, "", ""), true},
		{"one address and all", tcp, of(2, "127.0.0.1", domain.VLESS, "", ""), true},
		{"two addresses", of(1, "127.0.0.2", domain.VLESS, "", ""), of(2, "127.0.0.1", domain.VLESS, "", ""), false},
		{"tcp and hysteria", tcp, of(2, "", domain.Hysteria, "", `{"network": "hysteria"}`), false},
		{"tcp and h3", tcp, of(2, "", domain.VLESS, "", `{"network": "xhttp", "security": "tls", "tlsSettings": {"alpn": ["h3"]}}`), false},
		{"tcp and xhttp", tcp, of(2, "", domain.VLESS, "", `{"network": "xhttp"}`), true},
		{"hysteria and kcp", of(1, "", domain.Hysteria, "", `{"network": "hysteria"}`), of(2, "", domain.VMess, "", `{"network": "mkcp"}`), true},
		{"hysteria and shadowsocks", of(1, "", domain.Hysteria, "", `{"network": "hysteria"}`), of(2, "", domain.Shadowsocks, `{"network": "tcp,udp"}`, ""), true},
		{"tcp and shadowsocks over udp", tcp, of(2, "", domain.Shadowsocks, `{"network": ["udp"]}`, ""), false},
		{"itself", tcp, tcp, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			if got := clash(c.b, []*listener{{in: *c.a}}) != nil; got != c.want {
				t.Errorf("got %t, want %t", got, c.want)
			}
		})
	}
}
