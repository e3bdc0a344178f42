package core

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/sluicehq/sluice/kernel/core/coretest"
	"github.com/sluicehq/sluice/kernel/domain"
)

func TestCheckInboundAccepts(t *testing.T) {
	dir := t.TempDir()
	s := newScene(t, dir)
	for _, c := range combinations {
		t.Run(c.name, func(t *testing.T) { check(t, CheckInbound(c.inbound(s, 1, 443), dir)) })
	}
	for name, change := range map[string]func(*domain.Inbound){
		"what 3x-ui sends": func(in *domain.Inbound) {
			in.Settings = `{"decryption": "none", "encryption": "none", "fallbacks": [{"dest": 8080}]}`
			in.StreamSettings = `{"network": "tcp", "security": "tls", "externalProxy": [], "tcpSettings": {"header": {"type": "none"}},
				"tlsSettings": {"serverName": "a", "alpn": ["h2"], "certificates": [{"certificateFile": "cert.pem", "keyFile": "key.pem"}],
				"settings": {"allowInsecure": false, "fingerprint": "chrome"}}}`
			in.Sniffing = `{"enabled": true, "destOverride": ["http", "tls"], "metadataOnly": false, "routeOnly": false}`
		},
		"what its pages send for reality": func(in *domain.Inbound) {
			in.Settings = `{"decryption": "none", "encryption": "none", "fallbacks": []}`
			in.StreamSettings = `{"network": "tcp", "security": "reality", "externalProxy": [], "realitySettings": {"show": false,
				"xver": 0, "dest": "example.com:443", "serverNames": ["example.com"], "minClient": "", "maxClient": "", "maxTimediff": 0,
				"privateKey": "wIc7zBUiTXBGxM7S7wl0nCZ663OAvzTDNqS7-bsxV3A", "shortIds": ["47595474"], "settings": {
				"publicKey": "2UqLjQFhlvLcY7VzaKRotIDQFOgAJe1dYD1njigp9wk", "fingerprint": "random", "serverName": "", "spiderX": "/"}},
				"tcpSettings": {"acceptProxyProtocol": false, "header": {"type": "none"}}}`
		},
		"kcp of an older page": func(in *domain.Inbound) {
			in.StreamSettings = `{"network": "kcp", "kcpSettings": {"mtu": 1350, "tti": 20, "uplinkCapacity": 5, "downlinkCapacity": 20,
				"congestion": false, "readBufferSize": 2, "writeBufferSize": 2}}`
		},
		"nothing but a protocol": func(in *domain.Inbound) { in.Protocol, in.Settings = domain.VMess, "" },
		"an IPv6 address":        func(in *domain.Inbound) { in.Listen = "::1" },
		"kcp with a mask": func(in *domain.Inbound) {
			in.StreamSettings = `{"network": "kcp", "kcpSettings": {"mtu": 1350},
				"finalmask": {"udp": [{"type": "salamander", "settings": {"password": "x"}}]}}`
		},
	} {
		t.Run(name, func(t *testing.T) {
			in := vlessInbound(1, 443)
			change(&in)
			check(t, CheckInbound(in, dir))
		})
	}
}

func TestCheckInboundRefuses(t *testing.T) {
	dir := t.TempDir()
	coretest.TLSCert(t, dir)
	if err := os.WriteFile(filepath.Join(dir, "other.pem"), []byte("not a key"), 0o600); err != nil {
		t.Fatal(err)
	}
	stream := func(text string) func(*domain.Inbound) {
		return func(in *domain.Inbound) { in.StreamSettings = text }
	}
	settings := func(p domain.Protocol, text string) func(*domain.Inbound) {
		return func(in *domain.Inbound) { in.Protocol, in.Settings = p, text }
	}
	certificate := func(cert, key string) func(*domain.Inbound) {
		return stream(`{"security": "tls", "tlsSettings": {"certificates": [{"certificateFile": "` + cert + `", "keyFile": "` + key + `"}]}}`)
	}
	const certs = "streamSettings.tlsSettings.certificates"
	for _, c := range []struct {
		name           string
		change         func(*domain.Inbound)
		field, message string
	}{
		{"wireguard", settings("wireguard", `{}`), "protocol", "protocol wireguard is not served yet"},
		{"protocol", settings("carrier", `{}`), "protocol", `protocol "carrier" is not served: use vless, vmess, trojan, shadowsocks or hysteria`},
		{"port", func(in *domain.Inbound) { in.Port = 0 }, "port", "port must be between 1 and 65535"},
		{"listen", func(in *domain.Inbound) { in.Listen = "/run/socket" }, "listen", "listen must be an IP address, or empty for all"},
		{"tag", func(in *domain.Inbound) { in.Tag = "a>>>b" }, "tag", "tag must not be empty and must not contain >>> or control characters"},
		{"broken JSON", settings(domain.VLESS, `{"decryption"`), "settings", "settings is not a valid JSON object"},
		{"two objects", settings(domain.VLESS, `{} {}`), "settings", "settings is not a valid JSON object"},
		{"a list", stream(`[]`), "streamSettings", "streamSettings is not a valid JSON object"},
		{"users", settings(domain.VLESS, `{"decryption": "none", "clients": []}`), "settings.clients", "settings.clients is not a setting of an inbound: users are attached to it"},
		{"users in capitals", settings(domain.VMess, `{"USERS": []}`), "settings.USERS", "settings.USERS is not a setting of an inbound: users are attached to it"},
		{"unknown setting", settings(domain.Trojan, `{"colour": 1}`), "settings.colour", "settings.colour is not a field of a trojan inbound"},
		{"unknown field below", stream(`{"wsSettings": {"path": "/", "colour": 1}}`), "streamSettings.wsSettings.colour", "streamSettings.wsSettings.colour is not a field of a vless inbound"},
		{"unknown field in a list", settings(domain.VLESS, `{"decryption": "none", "fallbacks": [{"dest": 80}, {"colour": 1}]}`), "settings.fallbacks[1].colour", "settings.fallbacks[1].colour is not a field of a vless inbound"},
		{"unknown sniffing", func(in *domain.Inbound) { in.Sniffing = `{"nose": 1}` }, "sniffing.nose", "sniffing.nose is not a field of a vless inbound"},
		{"no decryption", settings(domain.VLESS, `{}`), "", `the inbound can not be used: failed to build inbound handler for protocol vless: VLESS settings: please add/set "decryption":"none" to every settings`},
		{"wrong type", stream(`{"wsSettings": []}`), "streamSettings.wsSettings", "streamSettings.wsSettings must be an object"},
		{"no list", stream(`{"tlsSettings": {"certificates": {}}}`), certs, certs + " must be a list"},
		{"a file elsewhere", certificate("/etc/passwd", "key.pem"), certs + "[0].certificateFile", certs + "[0].certificateFile must be a file below the certificate directory"},
		{"a file above", certificate("../cert.pem", "key.pem"), certs + "[0].certificateFile", certs + "[0].certificateFile must be a file below the certificate directory"},
		{"a file in another spelling", stream(`{"tlsSettings": {"certificates": [{"CERTIFICATEFILE": "/etc/passwd"}]}}`), certs + "[0].CERTIFICATEFILE", certs + "[0].CERTIFICATEFILE must be a file below the certificate directory"},
		{"a key that is none", certificate("cert.pem", "other.pem"), certs + "[0]", certs + "[0] is not a certificate with its key"},
		{"no certificate", stream(`{"security": "tls"}`), certs, "streamSettings.tlsSettings.certificates is required by the security tls"},
		{"a log of keys", stream(`{"tlsSettings": {"masterKeyLog": "x"}}`), "streamSettings.tlsSettings.masterKeyLog", "streamSettings.tlsSettings.masterKeyLog may not be set"},
		{"a folder to serve", stream(`{"hysteriaSettings": {"masquerade": {"type": "file", "dir": "/etc"}}}`), "streamSettings.hysteriaSettings.masquerade.dir", "streamSettings.hysteriaSettings.masquerade.dir must be a file below the certificate directory"},
		{"a socket to fall back to", settings(domain.Trojan, `{"fallbacks": [{"dest": "/run/docker.sock"}]}`), "settings.fallbacks[0].dest", "settings.fallbacks[0].dest must be an address with a port, not a socket of this machine"},
		{"a socket as target", stream(`{"realitySettings": {"target": "@abstract"}}`), "streamSettings.realitySettings.target", "streamSettings.realitySettings.target must be an address with a port, not a socket of this machine"},
		{"reality without target", stream(`{"security": "reality", "realitySettings": {}}`), "streamSettings.realitySettings.target", "streamSettings.realitySettings.target is required by the security reality"},
		{"reality with a bad key", stream(`{"security": "reality", "realitySettings": {"target": "a:1", "serverNames": ["a"], "privateKey": "secret"}}`), "", `the inbound can not be used: Failed to build REALITY config: invalid "privateKey": …`},
		{"unknown transport", stream(`{"network": "pigeon"}`), "", "the inbound can not be used: Config: unknown transport protocol: pigeon"},
		{"hysteria on raw", settings(domain.Hysteria, `{"version": 2}`), "streamSettings.network", "streamSettings.network hysteria and the protocol hysteria go together"},
		{"no method", settings(domain.Shadowsocks, `{"password": "x"}`), "settings.method", `settings.method "" is not a method of the core`},
		{"chacha 2022", settings(domain.Shadowsocks, `{"method": "2022-blake3-chacha20-poly1305", "password": "x"}`), "settings.method", "settings.method 2022-blake3-chacha20-poly1305 is not served: the core has no users for it"},
		{"a short key", settings(domain.Shadowsocks, `{"method": "2022-blake3-aes-256-gcm", "password": "AAAAAAAAAAAAAAAAAAAAAA=="}`), "settings.password", "settings.password must be 32 bytes in base64 for 2022-blake3-aes-256-gcm"},
	} {
		t.Run(c.name, func(t *testing.T) {
			in := vlessInbound(1, 443)
			c.change(&in)
			wantError(t, CheckInbound(in, dir), domain.CodeInvalid, c.field, c.message)
		})
	}
}

func TestNoFilesWithoutCertificateDirectory(t *testing.T) {
	in := vlessInbound(1, 443)
	in.StreamSettings = `{"security": "tls", "tlsSettings": {"certificates": [{"certificateFile": "cert.pem"}]}}`
	const at = "streamSettings.tlsSettings.certificates[0].certificateFile"
	wantError(t, CheckInbound(in, ""), domain.CodeInvalid, at, at+" must be a file below the certificate directory")
}
