// Package clash renders the YAML that mihomo, once Clash Meta, and the apps around it take as a profile.
//
// Every string is quoted, so that a short id such as 2351e1 does not become a number. What mihomo 1.18 can not do is left
// out: xhttp, kcp, masks, vless encryption, vmess over grpc with REALITY, trojan without TLS, shadowsocks with a
// transport, links of others. Its mux is not the core's and is not used. Pins become its fingerprint; ech-opts are for
// newer versions, which read them.
package clash

import (
	"github.com/sluicehq/sluice/plugins/profile"
	"github.com/sluicehq/sluice/sdk/wire"
)

// Format is the format.
var Format = profile.Format{
	Entry:    entry,
	Document: document,
	Reserved: []string{"select", "auto", "DIRECT", "REJECT", "REJECT-DROP", "PASS", "COMPATIBLE", "GLOBAL"},
}

// head asks the system for the addresses of the servers themselves, and others for all the rest.
const head = `mixed-port: 7890
allow-lan: false
mode: "rule"
log-level: "warning"
ipv6: true
dns:
  enable: true
  ipv6: true
  enhanced-mode: "fake-ip"
  fake-ip-range: "198.18.0.1/16"
  default-nameserver: ["system", "1.1.1.1"]
  proxy-server-nameserver: ["system"]
  nameserver: ["https://1.1.1.1/dns-query#select", "https://8.8.8.8/dns-query#select"]
proxies:`

// The groups are what the user chooses, and the fastest.
const (
	groups = `
proxy-groups:
  - {name: "select", type: "select", proxies: ["auto",`
	fastest = `]}
  - {name: "auto", type: "url-test", url: "https://www.gstatic.com/generate_204", interval: 300, tolerance: 50, proxies: [`
)

// nowhere stands in the groups when there is no server: nothing goes out, rather than past it.
const nowhere = "REJECT"

// tail keeps the user's own network where it is.
const tail = `]}
rules:
  - "IP-CIDR,10.0.0.0/8,DIRECT,no-resolve"
  - "IP-CIDR,172.16.0.0/12,DIRECT,no-resolve"
  - "IP-CIDR,192.168.0.0/16,DIRECT,no-resolve"
  - "IP-CIDR,169.254.0.0/16,DIRECT,no-resolve"
  - "IP-CIDR6,fc00::/7,DIRECT,no-resolve"
  - "IP-CIDR6,fe80::/10,DIRECT,no-resolve"
  - "MATCH,select"
`

func document(d *profile.Document) {
	d.Str(head)
	d.Entries("", 0)
	if d.Empty() {
		d.Str(" []")
	}
	d.Str(groups)
	d.Names(nowhere)
	d.Str(fastest)
	d.Names(nowhere)
	d.Str(tail)
}

// entry writes one proxy.
func entry(w *profile.Writer, e *wire.Endpoint) profile.Need {
	if !able(e) {
		return profile.Nothing
	}
	w.Str("\n  - ")
	w.Open('{')
	w.Hole("name: ", profile.Name)
	w.Member(" type: ", types[e.Protocol])
	w.Member(" server: ", e.Address)
	w.Number(" port: ", e.Port)
	w.True(" udp: ", true)
	need := profile.APassword
	switch e.Protocol {
	case "vless":
		need = profile.AnID
		w.Hole(" uuid: ", profile.ID)
		w.FlowHole(" flow: ")
		w.Member(" packet-encoding: ", "xudp")
		stream(w, e, " servername: ")
	case "vmess":
		need = profile.AnID
		w.Hole(" uuid: ", profile.ID)
		w.Key(" alterId: ")
		w.Byte('0')
		w.Hole(" cipher: ", profile.Cipher)
		w.Member(" packet-encoding: ", "xudp")
		stream(w, e, " servername: ")
	case "trojan":
		w.Hole(" password: ", profile.Password)
		stream(w, e, " sni: ")
	case "shadowsocks":
		w.Hole(" cipher: ", profile.Method)
		w.Hole(" password: ", profile.Secret)
	case "hysteria":
		w.Hole(" password: ", profile.Password)
		w.Optional(" ports: ", e.Hysteria.Ports)
		w.Optional(" obfs: ", e.Hysteria.Obfs)
		w.Optional(" obfs-password: ", e.Hysteria.ObfsPassword)
		security(w, e, " sni: ")
	}
	w.Close('}')
	return need
}

// types are the protocols that mihomo has, by their names there.
var types = map[string]string{
	"vless": "vless", "vmess": "vmess", "trojan": "trojan", "shadowsocks": "ss", "hysteria": "hysteria2",
}

// able says whether mihomo can use the endpoint.
func able(e *wire.Endpoint) bool {
	if types[e.Protocol] == "" || !profile.Plain(e) || profile.Renamed(e) && len(e.Security.PinnedCertSHA256) == 0 {
		return false
	}
	t := &e.Transport
	switch e.Protocol {
	case "hysteria":
		return e.Security.Kind == "tls"
	case "shadowsocks":
		return !profile.TLS(e) && network(t) == "tcp"
	case "trojan":
		return profile.TLS(e) && network(t) != "" && network(t) != "http"
	case "vmess": // with both it forgets REALITY: it makes the connection before it has read that option
		return network(t) != "" && (t.Network != "grpc" || e.Security.Kind != "reality")
	}
	return network(t) != ""
}
