package main

import (
	"fmt"
	"net/http"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/sluicehq/sluice/kernel/core/coretest"
)

// TestEveryLinkConnects makes one client on inbounds of every protocol and kind of transport, and downloads through
// each of its links as a client app would: what the plugin renders and what the core serves must be the same.
func TestEveryLinkConnects(t *testing.T) {
	dir, origin, target := t.TempDir(), coretest.Origin(t), coretest.TLSOrigin(t)
	s := start(t, dir)
	s.login()
	if _, errs, code := command(t, allowPrivate, "core", "set", "--data", dir); code != 0 {
		t.Fatalf("core set: %s", errs)
	}
	cert := coretest.TLSCert(t, filepath.Join(dir, "certs"))
	private, _ := coretest.RealityKeys(t)
	tls := fmt.Sprintf(`"security":"tls","tlsSettings":{"serverName":"localhost","certificates":[{"certificateFile":%q,"keyFile":%q}],`+
		`"settings":{"fingerprint":"chrome","pinnedPeerCertSha256":[%q]}}`, cert.CertFile, cert.KeyFile, cert.SHA256)
	h3 := strings.Replace(tls, `"serverName"`, `"alpn":["h3"],"serverName"`, 1)
	reality := fmt.Sprintf(`"security":"reality","realitySettings":{"target":%q,"serverNames":["localhost"],"privateKey":%q,"shortIds":["6ba85179e30d4fc2"]}`,
		target.Addr, private)
	key16, key32 := "MDEyMzQ1Njc4OWFiY2RlZg==", "MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY="

	for i, c := range []struct{ name, protocol, settings, stream string }{
		{"vless raw", "vless", `{"decryption":"none"}`, `{"network":"tcp"}`},
		{"vless vision tls", "vless", `{"decryption":"none"}`, `{"network":"raw",` + tls + `}`},
		{"vless vision reality", "vless", `{"decryption":"none"}`, `{"network":"raw",` + reality + `}`},
		{"vless ws tls", "vless", `{"decryption":"none"}`, `{"network":"ws","wsSettings":{"path":"/a b"},` + tls + `}`},
		{"vless grpc tls", "vless", `{"decryption":"none"}`, `{"network":"grpc","grpcSettings":{"serviceName":"svc"},` + tls + `}`},
		{"vless httpupgrade tls", "vless", `{"decryption":"none"}`, `{"network":"httpupgrade","httpupgradeSettings":{"path":"/up"},` + tls + `}`},
		{"vless xhttp tls", "vless", `{"decryption":"none"}`, `{"network":"xhttp","xhttpSettings":{"path":"/x","mode":"auto"},` + tls + `}`},
		{"vless xhttp reality", "vless", `{"decryption":"none"}`, `{"network":"xhttp","xhttpSettings":{"path":"/x"},` + reality + `}`},
		{"vless encryption", "vless", `{"decryption":"mlkem768x25519plus.native.600s.` + private + `"}`, `{}`},
		{"vless encryption vision xhttp", "vless", `{"decryption":"mlkem768x25519plus.random.600s.` + private + `"}`, `{"network":"xhttp","xhttpSettings":{"path":"/x"}}`},
		{"vless kcp", "vless", `{"decryption":"none"}`, `{"network":"kcp","kcpSettings":{"mtu":1200,"tti":30}}`},
		{"vless raw http header", "vless", `{"decryption":"none"}`, `{"network":"raw","rawSettings":{"header":{"type":"http","request":{"path":["/h"],"headers":{"Host":["a.example"]}}}}}`},
		{"vmess raw", "vmess", `{}`, `{"network":"tcp"}`},
		{"vmess ws tls", "vmess", `{}`, `{"network":"ws","wsSettings":{"path":"/ws","host":"localhost"},` + tls + `}`},
		{"trojan tls", "trojan", `{}`, `{"network":"tcp",` + tls + `}`},
		{"trojan grpc reality", "trojan", `{}`, `{"network":"grpc","grpcSettings":{"serviceName":"svc"},` + reality + `}`},
		{"shadowsocks", "shadowsocks", `{"method":"chacha20-poly1305","network":"tcp,udp"}`, `{}`},
		{"shadowsocks 2022 128", "shadowsocks", `{"method":"2022-blake3-aes-128-gcm","password":"` + key16 + `"}`, `{}`},
		{"shadowsocks 2022 256", "shadowsocks", `{"method":"2022-blake3-aes-256-gcm","password":"` + key32 + `"}`, `{}`},
		{"hysteria2 obfuscated", "hysteria", `{"version":2}`, `{"network":"hysteria","hysteriaSettings":{"version":2},"finalmask":{"udp":[{"type":"salamander","settings":{"password":"secret"}}]},` + h3 + `}`},
		{"hysteria2", "hysteria", `{"version":2}`, `{"network":"hysteria","hysteriaSettings":{"version":2},` + h3 + `}`},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := *s
			s.t = t
			var inbound struct{ ID int64 }
			s.panel(http.MethodPost, "/inbounds/add", text(t, object{
				"remark": c.name, "listen": "127.0.0.1", "port": coretest.FreePort(t), "protocol": c.protocol,
				"settings": c.settings, "streamSettings": c.stream,
			}), &inbound)
			email := fmt.Sprintf("user-%d", i)
			var made struct{ Client struct{ SubID string } }
			s.panel(http.MethodPost, "/clients/add", text(t, object{
				"client": object{"email": email, "flow": flowFor(c.name), "password": "pass:word/" + email}, "inboundIds": []int64{inbound.ID},
			}), &made)
			link := s.oneLink(email, made.Client.SubID)
			through := coretest.HTTP(t, coretest.Client(t, outboundOf(t, link)))
			attempt := *through
			attempt.Timeout = time.Second // shadowsocks 2022 keeps a user that it does not know yet waiting
			coretest.Eventually(t, "the link works: "+link, func() bool {
				resp, err := attempt.Get(origin.URL + "/bytes?n=1")
				if err != nil {
					return false
				}
				_ = resp.Body.Close()
				return resp.StatusCode == http.StatusOK
			})
			download(t, through, origin, 1_000_000)
			s.wantTraffic(email, 1_000_000)
		})
	}
}

func flowFor(name string) string {
	if strings.Contains(name, "vision") {
		return "xtls-rprx-vision"
	}
	return ""
}
