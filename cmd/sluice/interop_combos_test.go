//go:build interop

package main

import (
	"fmt"
	"net/http"
	"path/filepath"
	"testing"

	"github.com/sluicehq/sluice/kernel/core/coretest"
)

// combination is one inbound of the server under test.
type combination struct {
	name     string // also the inbound's remark: "vless ws tls"
	protocol string
	settings object
	stream   object
	user     string // vision where the flow is part of the combination, else plain
	id       int64  // of the inbound, when the server has it
}

// Users of the interop tests. A flow belongs to a user, so that it takes two to have every inbound with and without.
const (
	plain  = "plain"
	vision = "vision"
)

// secured are the ways in which an inbound proves who it is.
type secured map[string]object

// interopSecurity makes a certificate and keys in dir. The REALITY inbounds stand in front of target.
func interopSecurity(t *testing.T, dir string, target *coretest.Server) (secured, coretest.Cert) {
	t.Helper()
	cert := coretest.TLSCert(t, dir)
	tls := func(alpn ...string) object {
		return object{"security": "tls", "tlsSettings": object{
			"serverName": "localhost", "alpn": alpn,
			"certificates": []any{object{"certificateFile": cert.CertFile, "keyFile": cert.KeyFile}},
			"settings":     object{"fingerprint": "chrome", "pinnedPeerCertSha256": []string{cert.SHA256}},
		}}
	}
	private, _ := coretest.RealityKeys(t)
	reality := func(minClient string) object {
		// A short id that YAML would read as a number with an exponent.
		r := object{"target": target.Addr, "serverNames": []string{"localhost"}, "privateKey": private, "shortIds": []string{"2351e1"}}
		if minClient != "" {
			r["minClientVer"] = minClient
		}
		return object{"security": "reality", "realitySettings": r}
	}
	return secured{
		"none": {}, "tls": tls(), "tls h3": tls("h3"),
		"reality": reality("1.8.0"), "reality default version": reality(""), // see knownFailures
	}, cert
}

// network is a transport with the kinds of security that the core allows under it.
type network struct {
	name     string
	stream   object
	security []string
}

var (
	noneTLS  = []string{"none", "tls"}
	all      = []string{"none", "tls", "reality"}
	networks = []network{
		{"raw", object{"network": "raw"}, all},
		{"http header", object{"network": "raw", "rawSettings": object{"header": object{
			"type": "http", "request": object{"path": []string{"/h"}, "headers": object{"Host": []string{"a.example"}}},
		}}}, []string{"none"}},
		{"ws", object{"network": "ws", "wsSettings": object{"path": "/a b", "host": "localhost"}}, noneTLS},
		{"ws early data", object{"network": "ws", "wsSettings": object{"path": "/ed?ed=2048"}}, []string{"tls"}},
		{"httpupgrade", object{"network": "httpupgrade", "httpupgradeSettings": object{"path": "/up", "host": "localhost"}}, noneTLS},
		{"grpc", object{"network": "grpc", "grpcSettings": object{"serviceName": "svc"}}, all},
		{"xhttp", object{"network": "xhttp", "xhttpSettings": object{"path": "/x", "mode": "auto"}}, all},
		{"kcp", object{"network": "kcp", "kcpSettings": object{"mtu": 1200, "tti": 30}}, []string{"none"}},
	}
)

// combinations lists what one server can serve at the same time.
func combinations(s secured, encryption string) []*combination {
	var list []*combination
	add := func(name, protocol string, settings object, parts ...object) {
		stream := object{}
		for _, p := range parts {
			stream = merged(stream, p)
		}
		list = append(list, &combination{name: name, protocol: protocol, settings: settings, stream: stream, user: plain})
	}
	flow := func() { list[len(list)-1].user = vision }
	for _, protocol := range []string{"vless", "vmess", "trojan"} {
		settings := object{}
		if protocol == "vless" {
			settings["decryption"] = "none"
		}
		for _, n := range networks {
			for _, security := range n.security {
				add(protocol+" "+n.name+" "+security, protocol, settings, n.stream, s[security])
			}
		}
	}
	raw, none := object{"network": "raw"}, object{"decryption": "none"}
	encrypted := func(mode string) object {
		return object{"decryption": "mlkem768x25519plus." + mode + ".600s." + encryption}
	}
	add("vless raw tls vision", "vless", none, raw, s["tls"])
	flow()
	add("vless raw reality vision", "vless", none, raw, s["reality"])
	flow()
	add("vless raw reality default version", "vless", none, raw, s["reality default version"])
	add("vless encryption", "vless", encrypted("native"), raw)
	add("vless encryption xhttp vision", "vless", encrypted("random"), object{"network": "xhttp", "xhttpSettings": object{"path": "/x"}})
	flow()
	for _, method := range []string{"aes-128-gcm", "aes-256-gcm", "chacha20-poly1305", "xchacha20-poly1305"} {
		add("shadowsocks "+method, "shadowsocks", object{"method": method, "network": "tcp,udp"})
	}
	add("shadowsocks 2022 128", "shadowsocks", object{"method": "2022-blake3-aes-128-gcm", "password": "MDEyMzQ1Njc4OWFiY2RlZg=="})
	add("shadowsocks 2022 256", "shadowsocks", object{"method": "2022-blake3-aes-256-gcm", "password": "MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY="})
	hysteria := object{"network": "hysteria", "hysteriaSettings": object{"version": 2}}
	add("hysteria2", "hysteria", object{"version": 2}, hysteria, s["tls h3"])
	add("hysteria2 obfuscated", "hysteria", object{"version": 2}, hysteria, s["tls h3"], object{
		"finalmask": object{"udp": []any{object{"type": "salamander", "settings": object{"password": "secret"}}}},
	})
	return list
}

// interop is a server with an inbound for each combination and a user for each of plain and vision.
type interop struct {
	*server
	origin       *coretest.Server
	cert         coretest.Cert
	combinations []*combination
	subs         map[string]string // sub id by user
	ports        map[int]bool      // that are given away, whether something listens there yet or not
}

// port is a free one that nobody else of this test gets.
func (i *interop) port() int {
	i.t.Helper()
	port := coretest.FreePort(i.t)
	for i.ports[port] {
		port = coretest.FreePort(i.t)
	}
	i.ports[port] = true
	return port
}

func startInterop(t *testing.T) *interop {
	t.Helper()
	dir := t.TempDir()
	i := &interop{origin: coretest.Origin(t), server: start(t, dir), subs: map[string]string{}, ports: map[int]bool{}}
	i.login()
	if _, errs, code := command(t, allowPrivate, "core", "set", "--data", dir); code != 0 {
		t.Fatalf("core set: %s", errs)
	}
	var security secured
	security, i.cert = interopSecurity(t, filepath.Join(dir, "certs"), coretest.TLSOrigin(t))
	encryption, _ := coretest.RealityKeys(t) // any X25519 key
	i.combinations = combinations(security, encryption)
	ids := map[string][]int64{}
	for _, c := range i.combinations {
		var inbound struct{ ID int64 }
		i.panel(http.MethodPost, "/inbounds/add", text(t, object{
			"remark": c.name, "listen": "127.0.0.1", "port": i.port(), "protocol": c.protocol,
			"settings": text(t, c.settings), "streamSettings": text(t, c.stream),
		}), &inbound)
		c.id = inbound.ID
		ids[c.user] = append(ids[c.user], c.id)
	}
	for user, flow := range map[string]string{plain: "", vision: "xtls-rprx-vision"} {
		var made struct{ Client struct{ SubID string } }
		i.panel(http.MethodPost, "/clients/add", text(t, object{
			"client": object{"email": user, "flow": flow, "password": "pass:word/" + user}, "inboundIds": ids[user],
		}), &made)
		i.subs[user] = made.Client.SubID
	}
	return i
}

// document gets the subscription of a user in one format.
func (i *interop) document(user, format string) string {
	i.t.Helper()
	status, body := i.do(http.MethodGet, fmt.Sprintf("/sub/%s/%s", i.subs[user], format), "")
	if status != http.StatusOK {
		i.t.Fatalf("the %s of %s answers %d %s", format, user, status, body)
	}
	return body
}

// downloaded is what each inbound has counted, by its id.
func (i *interop) downloaded() map[int64]int64 {
	i.t.Helper()
	var inbounds []struct{ ID, Down int64 }
	i.panel(http.MethodGet, "/inbounds/list", "", &inbounds)
	down := map[int64]int64{}
	for _, in := range inbounds {
		down[in.ID] = in.Down
	}
	return down
}
