// Package singbox renders the JSON that sing-box, from version 1.12 on, and the apps around it take as a profile.
//
// What sing-box can not do is left out: xhttp, kcp, the http header under TLS, masks, vless encryption, shadowsocks with
// a transport, links of others. Its multiplex is not the core's mux and is not used; it knows pins of public keys, not
// of certificates, so that a certificate that is good by its pin alone is refused.
package singbox

import (
	"github.com/sluicehq/sluice/plugins/profile"
	"github.com/sluicehq/sluice/sdk/wire"
)

// Format is the format.
var Format = profile.Format{
	Entry:    entry,
	Document: document,
	Reserved: []string{"select", "auto", "direct"},
}

// head has two ways in: the tunnel that apps make, and a local proxy. The addresses of the servers themselves come from
// the system, all others through the server.
const head = `{"log":{"level":"warn"},
"dns":{"servers":[{"type":"https","tag":"remote","server":"1.1.1.1","detour":"select"},{"type":"local","tag":"local"}],"final":"remote"},
"inbounds":[{"type":"tun","tag":"tun-in","address":["172.19.0.1/30","fdfe:dcba:9876::1/126"],"auto_route":true,"strict_route":true},` +
	`{"type":"mixed","tag":"mixed-in","listen":"127.0.0.1","listen_port":2080}],
"outbounds":[
`

// The groups are what the user chooses, and the fastest.
const (
	groups  = `{"type":"selector","tag":"select","outbounds":["auto",`
	fastest = `]},
{"type":"urltest","tag":"auto","outbounds":[`
)

// tail keeps the user's own network where it is. Behind it comes what is done with questions for names.
const (
	tail = `]},
{"type":"direct","tag":"direct"}],
"route":{"rules":[{"action":"sniff"},{"protocol":"dns","action":"`
	private = `"},{"ip_cidr":["10.0.0.0/8","172.16.0.0/12","192.168.0.0/16","169.254.0.0/16","fc00::/7","fe80::/10"],"outbound":"direct"}`
	end     = `],"final":"select","default_domain_resolver":"local","auto_detect_interface":true}}
`
)

func document(d *profile.Document) {
	d.Str(head)
	d.Entries(",\n", 0)
	if !d.Empty() {
		d.Str(",\n")
	}
	d.Str(groups)
	d.Names("direct")
	d.Str(fastest)
	d.Names("direct")
	d.Str(tail)
	if d.Empty() { // nothing goes out, rather than past the server, and no question for a name either
		d.Str("reject" + private + `,{"action":"reject"}`)
	} else {
		d.Str("hijack-dns" + private)
	}
	d.Str(end)
}

// entry writes one outbound.
func entry(w *profile.Writer, e *wire.Endpoint) profile.Need {
	if !able(e) {
		return profile.Nothing
	}
	w.Open('{')
	w.Member(`"type":`, types[e.Protocol])
	w.Hole(`"tag":`, profile.Name)
	w.Member(`"server":`, e.Address)
	w.Number(`"server_port":`, e.Port)
	need := profile.APassword
	switch e.Protocol {
	case "vless":
		need = profile.AnID
		w.Hole(`"uuid":`, profile.ID)
		w.FlowHole(`"flow":`)
		w.Member(`"packet_encoding":`, "xudp")
	case "vmess":
		need = profile.AnID
		w.Hole(`"uuid":`, profile.ID)
		w.Hole(`"security":`, profile.Cipher)
		w.Member(`"packet_encoding":`, "xudp")
	case "trojan":
		w.Hole(`"password":`, profile.Password)
	case "shadowsocks":
		w.Hole(`"method":`, profile.Method)
		w.Hole(`"password":`, profile.Secret)
	case "hysteria":
		hysteria(w, &e.Hysteria)
	}
	tls(w, e)
	transport(w, &e.Transport)
	w.Close('}')
	return need
}

// types are the protocols that sing-box has, by their names there.
var types = map[string]string{
	"vless": "vless", "vmess": "vmess", "trojan": "trojan", "shadowsocks": "shadowsocks", "hysteria": "hysteria2",
}

// able says whether sing-box can use the endpoint.
func able(e *wire.Endpoint) bool {
	if types[e.Protocol] == "" || !profile.Plain(e) || profile.Renamed(e) {
		return false
	}
	t := &e.Transport
	switch e.Protocol {
	case "hysteria":
		return e.Security.Kind == "tls"
	case "shadowsocks":
		return !profile.TLS(e) && (t.Network == "" || t.Network == "raw") && t.HeaderType == ""
	}
	return carries(t, profile.TLS(e))
}
