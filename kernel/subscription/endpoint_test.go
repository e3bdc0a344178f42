package subscription

import (
	"bytes"
	"encoding/json"
	"flag"
	"fmt"
	"maps"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/txtar"

	"github.com/sluicehq/sluice/kernel/core"
	"github.com/sluicehq/sluice/kernel/core/coretest"
	"github.com/sluicehq/sluice/kernel/domain"
	"github.com/sluicehq/sluice/sdk/wire"
)

var update = flag.Bool("update", false, "write what comes out into the golden file")

// inboundJSON is an inbound as the golden file has it.
type inboundJSON struct {
	Protocol       domain.Protocol `json:"protocol"`
	Listen         string          `json:"listen"`
	ShareAddr      string          `json:"shareAddr"`
	Settings       json.RawMessage `json:"settings"`
	StreamSettings json.RawMessage `json:"streamSettings"`
}

func (j *inboundJSON) inbound() domain.Inbound {
	return domain.Inbound{
		ID: 7, Tag: "door", Port: 443, Enabled: true, Protocol: j.Protocol, Listen: j.Listen, ShareAddress: j.ShareAddr,
		Settings: string(j.Settings), StreamSettings: string(j.StreamSettings),
	}
}

// TestNewEndpoint compares every protocol, transport and security with the golden file, in which each inbound stands
// above the endpoint that clients are told. The core must accept the inbound too, and nothing that is marked SECRET in
// an inbound may reach a client.
func TestNewEndpoint(t *testing.T) {
	const file = "testdata/endpoints.txtar"
	certs := t.TempDir()
	coretest.TLSCert(t, certs)
	archive, err := txtar.ParseFile(file)
	if err != nil {
		t.Fatal(err)
	}
	for i := 0; i+1 < len(archive.Files); i += 2 {
		in, want := archive.Files[i], &archive.Files[i+1]
		t.Run(in.Name, func(t *testing.T) {
			var j inboundJSON
			if err := json.Unmarshal(in.Data, &j); err != nil {
				t.Fatal(err)
			}
			inbound := j.inbound()
			if err := core.CheckInbound(inbound, certs); err != nil {
				t.Errorf("the core refuses it: %v", err)
			}
			e, err := newEndpoint(inbound)
			if err != nil {
				t.Fatal(err)
			}
			got := readable(t, e.Endpoint)
			if *update {
				want.Data = got
			}
			if !bytes.Equal(got, want.Data) {
				t.Errorf("got\n%swant\n%s", got, want.Data)
			}
			if bytes.Contains(got, []byte("SECRET")) {
				t.Errorf("a secret of the server in\n%s", got)
			}
		})
	}
	if *update {
		if err := os.WriteFile(file, txtar.Format(archive), 0o600); err != nil {
			t.Fatal(err)
		}
	}
}

// readable writes an endpoint as JSON with a line for each field; JSON that it holds as strings is written out.
func readable(t *testing.T, e wire.Endpoint) []byte {
	t.Helper()
	var doc map[string]any
	decode(t, mustJSON(t, e), &doc)
	for _, holder := range []any{doc, doc["transport"]} {
		holder := holder.(map[string]any)
		for _, key := range []string{"finalmask", "stream_settings", "extra"} {
			if text, ok := holder[key].(string); ok {
				holder[key] = json.RawMessage(text)
			}
		}
	}
	var lines []string
	for _, key := range slices.Sorted(maps.Keys(doc)) {
		lines = append(lines, fmt.Sprintf("  %q: %s", key, mustJSON(t, doc[key])))
	}
	return []byte("{\n" + strings.Join(lines, ",\n") + "\n}\n")
}

func mustJSON(t *testing.T, v any) []byte {
	t.Helper()
	text, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return text
}

func decode(t *testing.T, text []byte, to any) {
	t.Helper()
	if err := json.Unmarshal(text, to); err != nil {
		t.Fatalf("%v in %s", err, text)
	}
}

// What can not be described says which field is at fault.
func TestNewEndpointRefuses(t *testing.T) {
	stream := func(text string) domain.Inbound { return domain.Inbound{Protocol: domain.VLESS, StreamSettings: text} }
	for _, c := range []struct {
		name string
		in   domain.Inbound
		want string
	}{
		{"streamSettings", stream(`[`), "streamSettings is not a valid JSON object"},
		{"settings", domain.Inbound{Protocol: domain.VLESS, Settings: `[]`}, "settings: "},
		{"a network's settings", stream(`{"network":"ws","wsSettings":[]}`), "wsSettings: "},
		{"finalmask", stream(`{"finalmask":[]}`), "finalmask: "},
		{"tlsSettings", stream(`{"security":"tls","tlsSettings":[]}`), "tlsSettings: "},
		{"client's part of tls", stream(`{"security":"tls","tlsSettings":{"settings":[]}}`), "tlsSettings.settings: "},
		{"alpn", stream(`{"security":"tls","tlsSettings":{"alpn":7}}`), "tlsSettings: is neither a list of strings nor a string: "},
		{
			"pin", stream(`{"security":"tls","tlsSettings":{"settings":{"pinnedPeerCertSha256":["abcd"]}}}`),
			`tlsSettings.pinnedPeerCertSha256: "abcd" is not a SHA-256 in hex or base64`,
		},
		{"client's part of reality", stream(`{"security":"reality","realitySettings":{"settings":[]}}`), "realitySettings.settings: "},
		{
			"reality key that is no base64", stream(`{"security":"reality","realitySettings":{"privateKey":"?"}}`),
			"realitySettings.privateKey: is not unpadded URL base64: ",
		},
		{"no reality key", stream(`{"security":"reality"}`), "realitySettings.privateKey: is not an X25519 key: "},
		{
			"decryption",
			domain.Inbound{Protocol: domain.VLESS, Settings: `{"decryption":"mlkem768x25519plus.native"}`},
			"settings.decryption has 2 parts, not 4 or more",
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, err := newEndpoint(c.in)
			if err == nil || !strings.HasPrefix(err.Error(), c.want) {
				t.Errorf("got  %v\nwant %s...", err, c.want)
			}
		})
	}
}

func TestAccount(t *testing.T) {
	method := "aes-256-gcm"
	user := &domain.User{Username: "alice", Credentials: domain.Credentials{
		VLESSID: "vless-id", VMessID: "vmess-id", TrojanPassword: "trojan-pw", ShadowsocksPassword: "ss-pw", HysteriaAuth: "hy-auth",
		Flow: domain.FlowVision, VMessSecurity: "zero", Method: &method,
	}}
	const key16 = "MDEyMzQ1Njc4OWFiY2RlZg=="
	for _, c := range []struct {
		name string
		in   domain.Inbound
		want wire.Account
	}{
		{"vless with a flow", domain.Inbound{Protocol: domain.VLESS, StreamSettings: `{"security":"tls"}`}, wire.Account{ID: "vless-id", Flow: domain.FlowVision}},
		{"vless where no flow can be", domain.Inbound{Protocol: domain.VLESS}, wire.Account{ID: "vless-id"}},
		{"vmess", domain.Inbound{Protocol: domain.VMess}, wire.Account{ID: "vmess-id", Security: "zero"}},
		{"trojan", domain.Inbound{Protocol: domain.Trojan}, wire.Account{Password: "trojan-pw"}},
		{
			"shadowsocks with a method of its own",
			domain.Inbound{Protocol: domain.Shadowsocks, Settings: `{"method":"aes-128-gcm"}`},
			wire.Account{Method: "aes-256-gcm", Password: "ss-pw"},
		},
		{
			"shadowsocks 2022",
			domain.Inbound{Protocol: domain.Shadowsocks, Settings: `{"method":"2022-blake3-aes-128-gcm","password":"` + key16 + `"}`},
			wire.Account{Method: "2022-blake3-aes-128-gcm", Password: user.ShadowsocksKey("2022-blake3-aes-128-gcm")},
		},
		{"hysteria", domain.Inbound{Protocol: domain.Hysteria, StreamSettings: `{"network":"hysteria"}`}, wire.Account{Password: "hy-auth"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			c.in.Remark, c.want.Remark = "DE", "DE-alice"
			e, err := newEndpoint(c.in)
			if err != nil {
				t.Fatal(err)
			}
			if got := string(mustJSON(t, e.account(&viewer{user: user}))); got != string(mustJSON(t, c.want)) {
				t.Errorf("got %s", got)
			}
		})
	}
}

// An inbound's name is followed by the user's, unless it says itself what it wants to.
func TestRemarkOfAnInbound(t *testing.T) {
	v := &viewer{user: &domain.User{Username: "alice"}, status: domain.StatusActive, zone: time.UTC}
	for raw, want := range map[string]string{
		"": "alice", "DE": "DE-alice", "DE {STATUS_EMOJI}": "DE ✅", "{USERNAME} {DATA_LEFT}": "alice ∞", "{TYPO}": "<missing>",
		"{not a variable}": "{not a variable}-alice", "*": "*-alice",
	} {
		if got := newRemark(raw).tell(v); got != want {
			t.Errorf("%q: %q, want %q", raw, got, want)
		}
	}
}
