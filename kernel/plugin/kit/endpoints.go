package kit

import (
	"strconv"

	"github.com/sluicehq/sluice/sdk/wire"
)

// A key of the form that each protocol has; nobody uses them.
const (
	uuid       = "5783a3e7-e373-51cd-8642-c83782b807c5"
	key32      = "MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY="
	realityKey = "jNXHt1yRo0vDuchQlIP6Z0ZvjT3KtzVI-T4E7RoLJS0"
)

// endpoint is one way to connect with the account that a user has on it.
type endpoint struct {
	wire.Endpoint
	account wire.Account
}

// one is what most subscriptions have.
func one() []endpoint {
	return []endpoint{{wire.Endpoint{
		InboundID: 1, InboundTag: "in-443", Protocol: "vless", Address: "de.example.com", Port: 443,
		Transport: wire.Transport{Network: "raw"},
		Security: wire.Security{
			Kind: "reality", ServerName: "www.example.org", Fingerprint: "chrome", PublicKey: realityKey, ShortID: "2351e1",
		},
		StreamSettings: `{"network":"raw","security":"reality"}`,
	}, wire.Account{Remark: "🇩🇪 Berlin", ID: uuid, Flow: "xtls-rprx-vision"}}}
}

// many are all protocols over several transports, an address of each form, and an external link.
func many() []endpoint {
	tls := wire.Security{Kind: "tls", ServerName: "de.example.com", ALPN: []string{"h2", "http/1.1"}, Fingerprint: "firefox"}
	uses := func(protocol, network string, security wire.Security) wire.Endpoint {
		return wire.Endpoint{Protocol: protocol, Transport: wire.Transport{Network: network}, Security: security}
	}
	list := one()
	for _, t := range []wire.Transport{
		{Network: "raw", HeaderType: "http", Path: "/", Host: "a.example.com"},
		{Network: "ws", Path: "/ws?ed=2048", Host: "cdn.example.com", Headers: []wire.Pair{{Name: "X-Kit", Value: "1"}}},
		{Network: "grpc", ServiceName: "svc", Authority: "cdn.example.com", MultiMode: true},
		{Network: "httpupgrade", Path: "/up", Host: "cdn.example.com"},
		{Network: "xhttp", Path: "/x", Host: "cdn.example.com", Mode: "auto", Padding: "100-1000", Extra: `{"noGRPCHeader":true}`},
		{Network: "kcp", Seed: "seed", MTU: 1350, TTI: 50},
	} {
		e := uses("vless", t.Network, tls)
		e.Transport = t
		list = append(list, endpoint{e, wire.Account{ID: uuid}})
	}
	ss2022 := uses("shadowsocks", "raw", wire.Security{})
	ss2022.Shadowsocks = wire.Shadowsocks{Method: "2022-blake3-aes-256-gcm", ServerKey: key32}
	ss := uses("shadowsocks", "raw", wire.Security{})
	hysteria := uses("hysteria", "hysteria", tls)
	hysteria.Hysteria = wire.Hysteria{Obfs: "salamander", ObfsPassword: "obfs", Ports: "20000-30000", Up: "100 mbps"}
	wireguard := uses("wireguard", "", wire.Security{})
	wireguard.WireGuard = wire.WireGuard{PublicKey: key32, MTU: 1420, DNS: []string{"1.1.1.1"}, AllowedIPs: []string{"0.0.0.0/0"}}
	list = append(list,
		endpoint{uses("vmess", "raw", tls), wire.Account{ID: uuid, Security: "auto"}},
		endpoint{uses("trojan", "raw", tls), wire.Account{Password: "p:ss/w@rd?#"}},
		endpoint{ss2022, wire.Account{Password: key32}},
		endpoint{ss, wire.Account{Password: "secret", Method: "chacha20-ietf-poly1305"}},
		endpoint{hysteria, wire.Account{Password: "secret"}},
		endpoint{wireguard, wire.Account{PrivateKey: key32, Addresses: []string{"10.0.0.2/32"}}})
	for i := range list {
		e := &list[i]
		e.InboundID, e.InboundTag, e.Port = int64(i+1), "in-"+strconv.Itoa(i+1), uint32(443+i)
		e.Address = []string{"de.example.com", "192.0.2.1", "2001:db8::1"}[i%3]
		e.account.Remark = "Server " + strconv.Itoa(i+1)
	}
	return append(list, endpoint{wire.Endpoint{RawURI: "trojan://secret@elsewhere.example.com:443?sni=a.example.com#else"}, wire.Account{}})
}

// sting is in remarks and names of hostile; in a page it must not be found as it is.
const sting = `<script>alert(1)</script>`

// hostile are remarks that break what they are put into, without and with the help of a document's syntax.
func hostile() []endpoint {
	var list []endpoint
	for _, remark := range []string{
		sting, `"><img src=x onerror=alert(1)>`, `"`, `'`, `\`, `\u0000`, "line\nbreak: [1, 2]", "tab\tand\r", "- item", "key: value # no",
		"&anchor *alias !tag", "{a: b}", "%d %s {{.}} ${x} `id`", "2351e1", "null", "~", "yes", "", " ", "\u202egnirts\u202c",
		"👨‍👩‍👧‍👦🇩🇪", "ünï", "同一个", "\x7f", "a,b;c|d&e=f?g#h/i",
	} {
		e := one()[0]
		e.account.Remark = remark
		list = append(list, e)
	}
	return list
}

// split makes the lists of a request.
func split(list []endpoint) (endpoints []wire.Endpoint, accounts []wire.Account) {
	for _, e := range list {
		endpoints, accounts = append(endpoints, e.Endpoint), append(accounts, e.account)
	}
	return endpoints, accounts
}
