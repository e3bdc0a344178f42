package core

import (
	"encoding/base64"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/sluicehq/sluice/kernel/core/coretest"
	"github.com/sluicehq/sluice/kernel/domain"
)

// combination is an inbound and a client of it, in the way that a share link would configure one.
type combination struct {
	name     string
	protocol domain.Protocol
	network  string
	security string
	settings string // of the inbound
	flow     string
	method   string // shadowsocks
	inner    bool   // the client speaks TLS inside, as a browser does
}

var combinations = []combination{
	{name: "vless raw", protocol: domain.VLESS, network: "raw"},
	{name: "vless raw tls vision", protocol: domain.VLESS, network: "raw", security: "tls", flow: domain.FlowVision, inner: true},
	{name: "vless raw reality vision", protocol: domain.VLESS, network: "raw", security: "reality", flow: domain.FlowVision, inner: true},
	{name: "vless ws tls", protocol: domain.VLESS, network: "ws", security: "tls"},
	{name: "vless grpc tls", protocol: domain.VLESS, network: "grpc", security: "tls"},
	{name: "vless xhttp tls", protocol: domain.VLESS, network: "xhttp", security: "tls"},
	{name: "vless httpupgrade tls", protocol: domain.VLESS, network: "httpupgrade", security: "tls"},
	{name: "vmess raw", protocol: domain.VMess, network: "raw", settings: `{}`},
	{name: "trojan tls", protocol: domain.Trojan, network: "raw", security: "tls", settings: `{}`},
	{name: "shadowsocks", protocol: domain.Shadowsocks, network: "raw", method: "aes-256-gcm"},
	{name: "shadowsocks 2022 16", protocol: domain.Shadowsocks, network: "raw", method: "2022-blake3-aes-128-gcm"},
	{name: "shadowsocks 2022 32", protocol: domain.Shadowsocks, network: "raw", method: "2022-blake3-aes-256-gcm"},
	{name: "hysteria2", protocol: domain.Hysteria, network: "hysteria", security: "tls", settings: `{"version": 2}`},
}

// scene is what a combination needs around it.
type scene struct {
	dir             string
	cert            coretest.Cert
	target          *coretest.Server // of REALITY, and the origin of inner TLS
	private, public string
}

func newScene(t testing.TB, dir string) scene {
	s := scene{dir: dir, cert: coretest.TLSCert(t, dir), target: coretest.TLSOrigin(t)}
	s.private, s.public = coretest.RealityKeys(t)
	return s
}

// serverKey is the password of a shadowsocks 2022 inbound.
func serverKey(method string) string {
	return base64.StdEncoding.EncodeToString([]byte(strings.Repeat("s", domain.ShadowsocksKeySize(method))))
}

func (c combination) inbound(s scene, id int64, port int) domain.Inbound {
	in := vlessInbound(id, port)
	in.Protocol = c.protocol
	if c.settings != "" {
		in.Settings = c.settings
	}
	if c.method != "" {
		in.Settings = toJSON(jsonObject{"method": c.method, "password": serverKey(c.method), "network": "tcp,udp"})
	}
	stream := c.stream()
	switch c.security {
	case "tls":
		// Loaded once: the core looks for renewed files in a goroutine that races with its handshakes.
		tls := jsonObject{"certificates": []jsonObject{
			{"certificateFile": s.cert.CertFile, "keyFile": s.cert.KeyFile, "oneTimeLoading": true},
		}}
		if c.network == "hysteria" {
			tls["alpn"] = []string{"h3"}
		}
		stream["tlsSettings"] = tls
	case "reality":
		stream["realitySettings"] = jsonObject{
			"target": s.target.Addr, "serverNames": []string{"localhost"}, "privateKey": s.private,
			"shortIds": []string{"0123456789abcdef"},
			"settings": jsonObject{"publicKey": s.public, "fingerprint": "chrome", "spiderX": "/"},
		}
	}
	in.StreamSettings = toJSON(stream)
	return in
}

// stream is what both sides say alike.
func (c combination) stream() jsonObject {
	stream := jsonObject{"network": c.network, "security": c.security}
	switch c.network {
	case "ws", "httpupgrade", "xhttp":
		stream[c.network+"Settings"] = jsonObject{"path": "/path", "host": "localhost"}
	case "grpc":
		stream["grpcSettings"] = jsonObject{"serviceName": "service"}
	case "hysteria":
		stream["hysteriaSettings"] = jsonObject{"version": 2}
	}
	return stream
}

func (c combination) outbound(s scene, user int64, port int) string {
	stream := c.stream()
	switch c.security {
	case "tls":
		tls := jsonObject{"serverName": "localhost", "pinnedPeerCertSha256": s.cert.SHA256}
		if c.network == "hysteria" {
			tls["alpn"] = []string{"h3"}
			stream["hysteriaSettings"] = jsonObject{"version": 2, "auth": credentials(user).HysteriaAuth}
		}
		stream["tlsSettings"] = tls
	case "reality":
		stream["realitySettings"] = jsonObject{
			"serverName": "localhost", "publicKey": s.public, "shortId": "0123456789abcdef", "fingerprint": "chrome",
		}
	}
	out := jsonObject{"protocol": c.protocol, "settings": c.client(user, port), "streamSettings": stream}
	if c.network != "hysteria" {
		out["sendThrough"] = fmt.Sprintf("127.0.0.%d", user)
	}
	return toJSON(out)
}

func (c combination) client(user int64, port int) jsonObject {
	creds := credentials(user)
	settings := jsonObject{"address": "127.0.0.1", "port": port}
	switch c.protocol {
	case domain.VLESS:
		settings["id"], settings["encryption"], settings["flow"] = creds.VLESSID, "none", c.flow
	case domain.VMess:
		settings["id"], settings["security"] = creds.VMessID, "auto"
	case domain.Trojan:
		settings["password"] = creds.TrojanPassword
	case domain.Shadowsocks:
		settings["method"], settings["password"] = c.method, creds.ShadowsocksKey(c.method)
		if domain.ShadowsocksKeySize(c.method) > 0 {
			settings["password"] = serverKey(c.method) + ":" + creds.ShadowsocksKey(c.method)
		}
	case domain.Hysteria:
		settings["version"] = 2
	}
	return settings
}

// TestTraffic takes every protocol through the life of a user: added while it runs, counted, removed during a download.
func TestTraffic(t *testing.T) {
	for _, c := range combinations {
		t.Run(c.name, func(t *testing.T) { testTraffic(t, c) })
	}
}

func testTraffic(t *testing.T, c combination) {
	const size = 5_000_000
	dir := t.TempDir()
	s := newScene(t, dir)
	origin := coretest.Origin(t)
	if c.inner {
		origin = s.target
	}
	port := coretest.FreePort(t)
	e := start(t, Options{CertDir: dir}, []domain.Inbound{c.inbound(s, 1, port)}, account(8, 1, 1))
	if p := e.Problems(); len(p) != 0 {
		t.Fatalf("problems: %+v", p)
	}
	quota := int64(1 << 40) // a quota makes bytes count while they pass, not when the connection ends
	alice := account(7, 2, 1)
	alice.User.Flow, alice.User.Quota = c.flow, &quota
	check(t, e.ApplyUsers(t.Context(), []domain.Account{alice}, nil))
	proxy := coretest.Client(t, c.outbound(s, 7, port))
	client := coretest.HTTP(t, proxy)

	live(t, proxy, origin)
	settle(t, e, 7)
	upBefore, before := e.Unflushed(7)
	if n, err := download(client, origin.URL+fmt.Sprintf("/bytes?warm=1&n=%d", size)); err != nil || n != size {
		t.Fatalf("downloaded %d bytes: %v", n, err)
	}
	settle(t, e, 7)
	up, down := e.Unflushed(7)
	if counted := down - before; counted < size || counted > size+size/100 {
		t.Errorf("counted %d bytes down for %d", counted, size)
	}
	if counted := up - upBefore; counted <= 0 || counted > size/100 {
		t.Errorf("counted %d bytes up for one request", counted)
	}
	if inUp, inDown := e.UnflushedInbound(1); inUp != up || inDown != down {
		t.Errorf("the inbound counted %d up and %d down, its only user %d and %d", inUp, inDown, up, down)
	}

	held := hold(t, proxy, origin)
	_, before = e.Unflushed(7)
	coretest.Eventually(t, "bytes count while they pass", func() bool {
		_, down := e.Unflushed(7)
		return down > before+20_000
	})
	check(t, e.ApplyUsers(t.Context(), nil, []int64{7}))
	if online := e.Online(); len(online) != 0 {
		t.Errorf("online after the removal: %+v", online)
	}
	held.isCut(t)
	refused(t, proxy, origin)
}

// live waits until a user gets through. Who comes too early to a shadowsocks inbound gets no answer at all.
func live(t *testing.T, proxy string, origin *coretest.Server) {
	t.Helper()
	client := coretest.HTTP(t, proxy)
	client.Timeout = time.Second
	coretest.Eventually(t, "the user is live", func() bool {
		n, err := download(client, origin.URL+"/bytes?n=10")
		return err == nil && n == 10
	})
}

// settle waits until the connections of a user are over, and with them its counting.
func settle(t *testing.T, e *Engine, user int64) {
	t.Helper()
	coretest.Eventually(t, "the connections are over", func() bool { return len(e.Online()) == 0 })
	if up, _ := e.Unflushed(user); up == 0 {
		t.Fatal("nothing was counted")
	}
}
