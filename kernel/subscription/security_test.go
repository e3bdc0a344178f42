package subscription

import (
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"strings"
	"testing"

	"github.com/sluicehq/sluice/kernel/core/coretest"
	"github.com/sluicehq/sluice/kernel/domain"
	"github.com/sluicehq/sluice/sdk/wire"
)

func TestRealityPublicKey(t *testing.T) {
	for range 3 {
		private, public := coretest.RealityKeys(t)
		r := realitySettings{PrivateKey: private, ServerNames: list{"", "example.com"}}
		sec, err := r.wire()
		if err != nil || sec.PublicKey != public || sec.ServerName != "example.com" || sec.Fingerprint != "chrome" {
			t.Fatalf("got %+v, %v, want the public key %s", sec, err, public)
		}
	}
}

// What goes without a browser over TLS is refused by the core over REALITY, whoever asks for it.
func TestRealityImitatesABrowser(t *testing.T) {
	private, _ := coretest.RealityKeys(t)
	for _, c := range []struct{ inbound, host, want string }{
		{"", "", "chrome"},
		{"unsafe", "", "chrome"},
		{"HelloGolang", "", "chrome"},
		{"firefox", "", "firefox"},
		{"firefox", "unsafe", "chrome"},
		{"unsafe", "safari", "safari"},
	} {
		settings := realitySettings{PrivateKey: private, realityClient: realityClient{Fingerprint: c.inbound}}
		sec, err := settings.wire()
		if err != nil {
			t.Fatal(err)
		}
		door := endpoint{Endpoint: wire.Endpoint{Security: sec}, stream: stream{network: "raw", security: "reality"}}
		h := newHost(domain.Host{Fingerprint: c.host}, door)
		if h.told.Security.Fingerprint != c.want || !strings.Contains(h.told.StreamSettings, `"fingerprint":"`+c.want+`"`) {
			t.Errorf("%q under %q: got %s", c.inbound, c.host, h.told.StreamSettings)
		}
	}
}

func TestHexPin(t *testing.T) {
	sum := sha256.Sum256([]byte("certificate"))
	want := hex.EncodeToString(sum[:])
	var colons []string
	for _, b := range sum {
		colons = append(colons, hex.EncodeToString([]byte{b}))
	}
	for name, pin := range map[string]string{
		"hex": want, "upper case": strings.ToUpper(want), "with colons": strings.Join(colons, ":"),
		"base64": base64.StdEncoding.EncodeToString(sum[:]),
	} {
		if got, err := hexPin(pin); err != nil || got != want {
			t.Errorf("%s: %q, %v", name, got, err)
		}
	}
	for _, pin := range []string{"", want[:62], want + "00", base64.StdEncoding.EncodeToString(sum[:31])} {
		if got, err := hexPin(pin); err == nil {
			t.Errorf("%q is taken for %q", pin, got)
		}
	}
}

func TestList(t *testing.T) {
	for in, want := range map[string]string{
		`["a","b,c"]`: `["a","b,c"]`, `"a, b,,c "`: `["a","b","c"]`, `""`: `null`, `[]`: `[]`, `null`: `null`,
	} {
		var l list
		if err := json.Unmarshal([]byte(in), &l); err != nil || string(mustJSON(t, l)) != want {
			t.Errorf("%s is read as %s, %v; want %s", in, mustJSON(t, l), err, want)
		}
	}
}

// random is n random bytes as keys are written.
func random(t *testing.T, n int) ([]byte, string) {
	t.Helper()
	raw := make([]byte, n)
	if _, err := rand.Read(raw); err != nil {
		t.Fatal(err)
	}
	return raw, base64.RawURLEncoding.EncodeToString(raw)
}
