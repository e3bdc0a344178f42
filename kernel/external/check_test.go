package external

import (
	"encoding/base64"
	"errors"
	"strings"
	"testing"

	"github.com/sluicehq/sluice/kernel/domain"
)

func inBase64(text string) string { return base64.StdEncoding.EncodeToString([]byte(text)) }

// goodLinks are links as they are found in the wild.
var goodLinks = map[string]string{
	"a placeholder":             "vless://uuid@host:443?...#srv",
	"vless":                     "vless://b831381d-6324-4d53-ad4f-8cda48b30811@de.example.com:443?encryption=none&security=reality&pbk=x&sni=a.example#DE 1",
	"IPv6":                      "trojan://password@[2001:db8::1]:443#name",
	"no port":                   "trojan://password@example.com",
	"another scheme in case":    "VLESS://uuid@example.com:443",
	"a percent in the name":     "vless://uuid@example.com:443#100%",
	"vmess":                     "vmess://" + inBase64(`{"v":"2","ps":"x","add":"example.com","port":"443","id":"uuid"}`),
	"vmess without padding":     "vmess://" + strings.TrimRight(inBase64(`{"add":"example.com"}`), "="),
	"vmess as a URL":            "vmess://uuid@example.com:443?type=ws#name",
	"vmess of iOS":              "vmess://" + inBase64("auto:uuid@example.com:443") + "?remarks=x",
	"shadowsocks":               "ss://" + inBase64("aes-256-gcm:password") + "@example.com:8388#name",
	"shadowsocks 2022":          "ss://2022-blake3-aes-128-gcm:a%3D%3D:b%3D%3D@example.com:8388#name",
	"old shadowsocks":           "ss://" + inBase64("aes-256-gcm:pass@word@example.com:8388") + "#name",
	"hysteria2":                 "hysteria2://auth@example.com:443?sni=a.example#name",
	"hysteria2 with many ports": "hysteria2://auth@example.com:443,5000-6000/?insecure=1#name",
	"hy2":                       "hy2://auth@example.com:443",
	"wireguard":                 "wireguard://key@example.com:51820?publickey=x&address=10.0.0.2%2F32#name",
	"wg":                        "wg://key@example.com:51820",
}

var badLinks = map[string]string{
	"nothing":               "",
	"no scheme":             "example.com:443",
	"no host":               "vless://",
	"no host after the id":  "vless://uuid@",
	"only a port":           "vless://uuid@:443",
	"only a name":           "trojan://#name",
	"empty brackets":        "trojan://password@[]:443",
	"another scheme":        "tuic://uuid:password@example.com:443",
	"a web page":            "https://example.com",
	"a scheme inside":       "- vless://uuid@example.com:443",
	"vmess of nothing":      "vmess://",
	"vmess without address": "vmess://" + inBase64(`{"add":""}`),
	"vmess of a number":     "vmess://" + inBase64(`{"add":1}`),
	"vmess of null":         "vmess://" + inBase64(`null`),
	"vmess, not base64":     "vmess://{}",
	"ss without host":       "ss://" + inBase64("aes-256-gcm:password"),
	"old ss without host":   "ss://" + inBase64("aes-256-gcm:password@"),
}

func TestCheck(t *testing.T) {
	for name, value := range goodLinks {
		for _, kind := range []domain.ExternalKind{"", domain.ExternalShareLink} {
			if err := Check(&domain.ExternalLink{Kind: kind, Value: value}); err != nil {
				t.Errorf("%s: %v", name, err)
			}
		}
	}
	for name, value := range badLinks {
		wantInvalid(t, name, domain.ExternalLink{Value: value}, "value must be a share link of vmess, vless, trojan, ss, hysteria2 or wireguard")
	}
	const subscription = domain.ExternalSubscription
	long := "http://a.example/" + strings.Repeat("x", maxValue-len("http://a.example/"))
	for _, good := range []domain.ExternalLink{
		{Kind: subscription, Value: "https://provider.example/sub/abc"},
		{Kind: subscription, Value: "http://127.0.0.1:1/"}, // whether it may be reached shows when it is
		{Kind: subscription, Value: long},
		{Value: link("x"), Remark: strings.Repeat("é", 128), NamePrefix: strings.Repeat("x", 256)},
	} {
		if err := Check(&good); err != nil {
			t.Errorf("%+v: %v", good, err)
		}
	}
	for _, bad := range []struct {
		name string
		link domain.ExternalLink
		want string
	}{
		{"kind", domain.ExternalLink{Kind: "clash", Value: link("x")}, "kind must be link or subscription"},
		{"scheme of a subscription", domain.ExternalLink{Kind: subscription, Value: "ftp://a.example"}, "value must be an http(s) URL"},
		{"share link as a subscription", domain.ExternalLink{Kind: subscription, Value: link("x")}, "value must be an http(s) URL"},
		{"URL too long", domain.ExternalLink{Kind: subscription, Value: long + "x"}, "value must not be longer than 8192 bytes"},
		{"link too long", domain.ExternalLink{Value: link(strings.Repeat("x", maxValue))}, "value must not be longer than 8192 bytes"},
		{"line break", domain.ExternalLink{Value: link("x\ny")}, "value must be text without control characters"},
		{"no UTF-8", domain.ExternalLink{Value: link("\xff")}, "value must be text without control characters"},
		{"remark too long", domain.ExternalLink{Value: link("x"), Remark: strings.Repeat("x", 257)}, "remark must not be longer than 256 bytes"},
		{"remark with NUL", domain.ExternalLink{Value: link("x"), Remark: "\x00"}, "remark must be text without control characters"},
		{"prefix too long", domain.ExternalLink{Value: link("x"), NamePrefix: strings.Repeat("x", 257)}, "namePrefix must not be longer than 256 bytes"},
		{"prefix in lines", domain.ExternalLink{Value: link("x"), NamePrefix: "a\r\n"}, "namePrefix must be text without control characters"},
	} {
		wantInvalid(t, bad.name, bad.link, bad.want)
	}
}

func wantInvalid(t *testing.T, name string, l domain.ExternalLink, sentence string) {
	t.Helper()
	var e *domain.Error
	if err := Check(&l); !errors.As(err, &e) || e.Code != domain.CodeInvalid || e.Error() != sentence {
		t.Errorf("%s: %v, want %s", name, err, sentence)
	}
}
