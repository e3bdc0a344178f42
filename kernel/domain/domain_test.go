package domain

import (
	"encoding/base64"
	"errors"
	"strings"
	"testing"
)

func ptr[T any](v T) *T { return &v }

func TestStatusAt(t *testing.T) {
	const now = 1_000
	past, future := ptr(int64(now)), ptr(int64(now+1))
	for _, c := range []struct {
		name string
		f    Facts
		want Status
	}{
		{"nothing set", Facts{Enabled: true}, StatusActive},
		{"expires later", Facts{Enabled: true, ExpireAt: future}, StatusActive},
		{"expires this very millisecond", Facts{Enabled: true, ExpireAt: past}, StatusExpired},
		{"one byte left", Facts{Enabled: true, Quota: ptr(int64(10)), Used: 9}, StatusActive},
		{"quota met exactly", Facts{Enabled: true, Quota: ptr(int64(10)), Used: 10}, StatusLimited},
		{"a quota of zero is not none", Facts{Enabled: true, Quota: ptr(int64(0))}, StatusLimited},
		{"no quota, much used", Facts{Enabled: true, Used: 1 << 60}, StatusActive},
		{"held", Facts{Enabled: true, OnHold: true}, StatusOnHold},
		{"held before expired", Facts{Enabled: true, OnHold: true, ExpireAt: past}, StatusOnHold},
		{"held before limited", Facts{Enabled: true, OnHold: true, Quota: ptr(int64(1)), Used: 2}, StatusOnHold},
		{"expired before limited", Facts{Enabled: true, ExpireAt: past, Quota: ptr(int64(1)), Used: 2}, StatusExpired},
		{"disabled before all", Facts{OnHold: true, ExpireAt: past, Quota: ptr(int64(1)), Used: 2}, StatusDisabled},
	} {
		t.Run(c.name, func(t *testing.T) {
			if got := c.f.StatusAt(now); got != c.want {
				t.Errorf("StatusAt = %s, want %s", got, c.want)
			}
		})
	}
}

func TestAdmitted(t *testing.T) {
	for status, want := range map[Status]bool{
		StatusActive: true, StatusOnHold: true, StatusDisabled: false, StatusExpired: false, StatusLimited: false,
	} {
		if got := status.Admitted(); got != want {
			t.Errorf("%s admitted = %v, want %v", status, got, want)
		}
	}
}

func TestNameKey(t *testing.T) {
	for _, c := range []struct{ name, a, b string }{
		{"ASCII case", "Alice@Example.COM", "alice@example.com"},
		{"Cyrillic case", "МАРИЯ", "мария"},
		{"composed and decomposed", "Ren\u00e9e", "Rene\u0301e"},
		{"composed in lower case only", "J\u030canis", "\u01f0anis"},
	} {
		t.Run(c.name, func(t *testing.T) {
			if NameKey(c.a) != NameKey(c.b) {
				t.Errorf("NameKey(%q) = %q, NameKey(%q) = %q", c.a, NameKey(c.a), c.b, NameKey(c.b))
			}
		})
	}
}

func TestCheckName(t *testing.T) {
	const badCharacter = "username must not contain spaces, control characters, / or \\"
	for _, c := range []struct{ name, in, want string }{
		{"mail address", "alice@example.com", ""},
		{"signs that paths escape", "a#?%&+@b", ""},
		{"emoji", "👩‍💻", ""},
		{"128 characters", strings.Repeat("я", 128), ""},
		{"129 characters", strings.Repeat("я", 129), "username is longer than 128 characters"},
		{"empty", "", "username is required"},
		{"slash", "a/b", badCharacter},
		{"backslash", `a\b`, badCharacter},
		{"space", "a b", badCharacter},
		{"no-break space", "a\u00a0b", badCharacter},
		{"NUL", "a\x00b", badCharacter},
		{"newline", "a\n", badCharacter},
		{"bad UTF-8", "a\xff", "username is not valid UTF-8"},
	} {
		t.Run(c.name, func(t *testing.T) { wantSentence(t, CheckName(c.in), "username", c.want) })
	}
}

func TestCheckSubID(t *testing.T) {
	const want = "sub_id must be 1 to 128 characters without spaces, control characters, / \\ ? # % or &"
	for _, c := range []struct{ name, in, want string }{
		{"plain", "k7v1c0q9m2x8a4z6", ""},
		{"empty", "", want},
		{"question mark", "a?b", want},
		{"space", "a b", want},
		{"129 bytes", strings.Repeat("a", 129), want},
	} {
		t.Run(c.name, func(t *testing.T) { wantSentence(t, CheckSubID(c.in), "sub_id", c.want) })
	}
}

func wantSentence(t *testing.T, err error, field, want string) {
	t.Helper()
	if want == "" {
		if err != nil {
			t.Fatalf("refused: %v", err)
		}
		return
	}
	var e *Error
	if !errors.As(err, &e) || e.Code != CodeInvalid || e.Field != field || e.Error() != want {
		t.Fatalf("got %#v, want invalid %s: %s", err, field, want)
	}
}

// The derived keys were computed with another implementation of RFC 5869.
func TestShadowsocksKey(t *testing.T) {
	key16 := base64.StdEncoding.EncodeToString([]byte("0123456789abcdef"))
	for _, c := range []struct{ name, password, method, want string }{
		{"classic is the password", "secret", "aes-128-gcm", "secret"},
		{"a key of the right length stays", key16, "2022-blake3-aes-128-gcm", key16},
		{"derived, 16 bytes", "secret", "2022-blake3-aes-128-gcm", "TsxHpPMAZTQ5YD8sTLteVg=="},
		{"derived, 32 bytes", "secret", "2022-blake3-aes-256-gcm", "3boqcxIEtER2p01NcpqQjbrwP7DrHyj1rX5JAxRVcsI="},
		{"a key of another length is derived from", key16, "2022-blake3-aes-256-gcm", "+PWdl7TWUMbYAA0BSyEDRVuv1hCHKX+EIAQotWJmS4Y="},
	} {
		t.Run(c.name, func(t *testing.T) {
			if got := (Credentials{ShadowsocksPassword: c.password}).ShadowsocksKey(c.method); got != c.want {
				t.Errorf("ShadowsocksKey = %s, want %s", got, c.want)
			}
		})
	}
}

func TestShadowsocksMethod(t *testing.T) {
	for _, c := range []struct {
		name    string
		own     *string
		inbound string
		want    string
	}{
		{"none of its own", nil, "aes-128-gcm", "aes-128-gcm"},
		{"its own wins on classic", ptr("aes-256-gcm"), "aes-128-gcm", "aes-256-gcm"},
		{"never on 2022", ptr("aes-256-gcm"), "2022-blake3-aes-128-gcm", "2022-blake3-aes-128-gcm"},
	} {
		t.Run(c.name, func(t *testing.T) {
			if got := (Credentials{Method: c.own}).ShadowsocksMethod(c.inbound); got != c.want {
				t.Errorf("ShadowsocksMethod = %s, want %s", got, c.want)
			}
		})
	}
}

func TestEffectiveFlow(t *testing.T) {
	const encryption = `{"decryption":"mlkem768x25519plus.native.600s.abc"}`
	for _, c := range []struct {
		name, flow, stream, settings, want string
		protocol                           Protocol
	}{
		{"raw tls", FlowVision, `{"network":"tcp","security":"tls"}`, `{}`, FlowVision, VLESS},
		{"raw reality", FlowVision, `{"security":"reality"}`, `{}`, FlowVision, VLESS},
		{"raw none", FlowVision, ``, `{"decryption":"none"}`, "", VLESS},
		{"ws tls", FlowVision, `{"network":"ws","security":"tls"}`, `{}`, "", VLESS},
		{"xhttp with encryption", FlowVision, `{"network":"splithttp"}`, encryption, FlowVision, VLESS},
		{"xhttp without", FlowVision, `{"network":"xhttp","security":"tls"}`, `{}`, "", VLESS},
		{"trojan", FlowVision, `{"security":"tls"}`, `{}`, "", Trojan},
		{"no flow", "", `{"security":"tls"}`, `{}`, "", VLESS},
	} {
		t.Run(c.name, func(t *testing.T) {
			in := Inbound{Protocol: c.protocol, Settings: c.settings, StreamSettings: c.stream}
			if got := in.EffectiveFlow(c.flow); got != c.want {
				t.Errorf("EffectiveFlow = %q, want %q", got, c.want)
			}
		})
	}
}

func TestDefaultTag(t *testing.T) {
	for stream, want := range map[string]string{
		``: "in-443-tcp", `{"network":"ws"}`: "in-443-tcp", `{"network":"hysteria"}`: "in-443-udp", `{"network":"mkcp"}`: "in-443-udp",
	} {
		if got := (&Inbound{Port: 443, StreamSettings: stream}).DefaultTag(); got != want {
			t.Errorf("DefaultTag of %s = %s, want %s", stream, got, want)
		}
	}
}

func TestCollides(t *testing.T) {
	ss := func(network string) Inbound {
		return Inbound{Protocol: Shadowsocks, Port: 443, Settings: `{"network":"` + network + `"}`}
	}
	for _, c := range []struct {
		name string
		a, b Inbound
		want bool
	}{
		{"same port on all addresses", Inbound{Port: 443}, Inbound{Port: 443}, true},
		{"one address and all", Inbound{Port: 443, Listen: "127.0.0.1"}, Inbound{Port: 443, Listen: "0.0.0.0"}, true},
		{"two addresses", Inbound{Port: 443, Listen: "127.0.0.1"}, Inbound{Port: 443, Listen: "127.0.0.2"}, false},
		{"two ports", Inbound{Port: 443}, Inbound{Port: 444}, false},
		{"tcp and udp", Inbound{Port: 443}, Inbound{Port: 443, StreamSettings: `{"network":"hysteria"}`}, false},
		{"tcp and both", Inbound{Port: 443}, ss("tcp,udp"), true},
		{"udp and both", ss("udp"), ss("tcp,udp"), true},
	} {
		t.Run(c.name, func(t *testing.T) {
			if c.a.Collides(&c.b) != c.want || c.b.Collides(&c.a) != c.want {
				t.Errorf("Collides is not %v in both directions", c.want)
			}
		})
	}
}

func TestTokenUsableAt(t *testing.T) {
	for _, c := range []struct {
		name string
		tok  Token
		want bool
	}{
		{"enabled for ever", Token{Enabled: true}, true},
		{"expires later", Token{Enabled: true, ExpiresAt: ptr(int64(11))}, true},
		{"expires now", Token{Enabled: true, ExpiresAt: ptr(int64(10))}, false},
		{"disabled", Token{}, false},
	} {
		if got := c.tok.UsableAt(10); got != c.want {
			t.Errorf("%s: usable = %v", c.name, got)
		}
	}
}

func TestErrorHidesItsCause(t *testing.T) {
	cause := errors.New("dial tcp: secret")
	err := error(Unavailable("the database does not answer").Because(cause))
	if err.Error() != "the database does not answer" || !errors.Is(err, cause) || CodeOf(err) != CodeUnavailable {
		t.Fatalf("got %v, %v, %s", err, errors.Is(err, cause), CodeOf(err))
	}
	if CodeOf(cause) != "" {
		t.Fatal("a foreign error has a code")
	}
}
