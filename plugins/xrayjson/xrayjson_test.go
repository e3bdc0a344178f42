package xrayjson_test

import (
	"encoding/json"
	"reflect"
	"strings"
	"testing"

	"github.com/sluicehq/sluice/plugins/profile"
	"github.com/sluicehq/sluice/plugins/profile/profiletest"
	"github.com/sluicehq/sluice/plugins/xrayjson"
	"github.com/sluicehq/sluice/sdk/wire"
)

// config is what the tests read of a configuration.
type config struct {
	Remarks  string
	Inbounds []struct {
		Protocol, Listen string
		Port             int
	}
	Outbounds []struct {
		Tag, Protocol            string
		Settings, StreamSettings map[string]any
		Mux                      map[string]any
	}
	Routing struct{ Rules []map[string]any }
}

func render(t *testing.T, req *wire.FormatRequest) (list []config, left int) {
	t.Helper()
	body, left := new(profile.Renderer).Render(&xrayjson.Format, req)
	if err := json.Unmarshal(body, &list); err != nil {
		t.Fatalf("%v in %.2000s", err, body)
	}
	return list, left
}

// TestEntries shows what is the endpoint's; what is around it is in TestDocument.
func TestEntries(t *testing.T) {
	profiletest.Golden(t, &xrayjson.Format, "testdata/entries.golden", func(body string) string {
		return profiletest.Between(t, body, `"outbounds":[`, `,{"tag":"direct"`)
	})
}

func TestDocument(t *testing.T) {
	req := profiletest.Sample()
	req.Endpoints, req.Accounts = req.Endpoints[:2], req.Accounts[:2]
	body, _ := new(profile.Renderer).Render(&xrayjson.Format, req)
	profiletest.Same(t, "testdata/document.golden", string(body))
}

func TestPreparedGivesTheSame(t *testing.T) { profiletest.Stable(t, &xrayjson.Format) }

// TestEveryEntryReadsBack finds everything that the core has for the endpoint in its configuration.
func TestEveryEntryReadsBack(t *testing.T) {
	for _, c := range profiletest.Cases() {
		list, left := render(t, c.Request())
		if c.Endpoint.RawURI != "" {
			if left != 1 || len(list) != 0 {
				t.Errorf("%s: got %d, %d left out", c.Name, len(list), left)
			}
			continue
		}
		t.Run(c.Name, func(t *testing.T) {
			out := list[0].Outbounds[0]
			if out.Tag != "proxy" || out.Protocol != c.Endpoint.Protocol {
				t.Errorf("got %s by %s", out.Tag, out.Protocol)
			}
			if remarks := c.Account.Remark; remarks != "" && list[0].Remarks != remarks || list[0].Remarks == "" {
				t.Errorf("remarks: got %q, want %q", list[0].Remarks, remarks)
			}
			server := serverOf(out.Settings)
			if server["address"] != c.Endpoint.Address || server["port"] != float64(c.Endpoint.Port) {
				t.Errorf("got %v", server)
			}
			var stream map[string]any
			if err := json.Unmarshal([]byte(c.Endpoint.StreamSettings), &stream); err != nil {
				t.Fatal(err)
			}
			if c.Endpoint.Protocol == "hysteria" {
				stream["hysteriaSettings"].(map[string]any)["auth"] = c.Account.Password
			}
			if !reflect.DeepEqual(out.StreamSettings, stream) {
				t.Errorf("streamSettings: got %v, want %v", out.StreamSettings, stream)
			}
		})
	}
}

func serverOf(settings map[string]any) map[string]any {
	for _, key := range []string{"vnext", "servers"} {
		if list, ok := settings[key].([]any); ok {
			return list[0].(map[string]any)
		}
	}
	return settings
}

func TestVLESSUser(t *testing.T) {
	for _, c := range []struct {
		name, encryption, flow string
		want                   map[string]any
		mux                    bool
	}{
		{"with neither", "", "", map[string]any{"id": "i", "encryption": "none"}, true},
		{"flow", "", "xtls-rprx-vision", map[string]any{"id": "i", "encryption": "none", "flow": "xtls-rprx-vision"}, false},
		{"encryption", "mlkem.x", "", map[string]any{"id": "i", "encryption": "mlkem.x"}, true},
	} {
		t.Run(c.name, func(t *testing.T) {
			list, _ := render(t, &wire.FormatRequest{
				Endpoints: []wire.Endpoint{{Protocol: "vless", Address: "a", Port: 1, VLESSEncryption: c.encryption, Mux: `{"enabled":true}`}},
				Accounts:  []wire.Account{{ID: "i", Flow: c.flow}},
			})
			out := list[0].Outbounds[0]
			if got := serverOf(out.Settings)["users"]; !reflect.DeepEqual(got, []any{c.want}) {
				t.Errorf("got %v, want %v", got, c.want)
			}
			if (out.Mux["enabled"] == true) != c.mux {
				t.Errorf("mux: got %v, want %v", out.Mux, c.mux)
			}
		})
	}
}

// TestHysteriaSecret has every form in which the kernel could hand over the settings around it.
func TestHysteriaSecret(t *testing.T) {
	for in, want := range map[string]string{
		"": `{"network":"hysteria","hysteriaSettings":{"auth":"p\"w","version":2}}`,
		`{"network":"hysteria","security":"tls"}`:                           `{"network":"hysteria","hysteriaSettings":{"auth":"p\"w","version":2},"security":"tls"}`,
		`{"hysteriaSettings":{},"network":"hysteria"}`:                      `{"hysteriaSettings":{"auth":"p\"w"},"network":"hysteria"}`,
		`{"hysteriaSettings":{"version":2},"network":"hysteria"}`:           `{"hysteriaSettings":{"auth":"p\"w","version":2},"network":"hysteria"}`,
		`{"finalmask":{"a":"\"hysteriaSettings\":{"},"network":"hysteria"}`: `{"finalmask":{"a":"\"hysteriaSettings\":{"},"network":"hysteria","hysteriaSettings":{"auth":"p\"w","version":2}}`,
	} {
		list, left := render(t, &wire.FormatRequest{
			Endpoints: []wire.Endpoint{{Protocol: "hysteria", Address: "a", Port: 1, StreamSettings: in}},
			Accounts:  []wire.Account{{Password: `p"w`}},
		})
		var object map[string]any
		if err := json.Unmarshal([]byte(want), &object); err != nil {
			t.Fatal(err)
		}
		if got := list[0].Outbounds[0].StreamSettings; left != 0 || !reflect.DeepEqual(got, object) {
			t.Errorf("of %s: got %v, want %s", in, got, want)
		}
	}
}

func TestHostileValues(t *testing.T) {
	req := profiletest.HostileRequest()
	list, left := render(t, req)
	if left != 0 || len(list) != len(req.Endpoints) {
		t.Fatalf("got %d of %d, %d left out", len(list), len(req.Endpoints), left)
	}
	for i, text := range profiletest.Hostile {
		text = string([]rune(text)) // what is not UTF-8 becomes U+FFFD
		if got := serverOf(list[i].Outbounds[0].Settings)["password"]; got != "p"+text {
			t.Errorf("password %q came back as %q", text, got)
		}
		if text != "" && list[i].Remarks != text {
			t.Errorf("remark %q came back as %q", text, list[i].Remarks)
		}
	}
}

func TestWithoutServers(t *testing.T) {
	body, left := new(profile.Renderer).Render(&xrayjson.Format, &wire.FormatRequest{
		Endpoints: []wire.Endpoint{{RawURI: "vless://a"}, {Protocol: "socks"}, {Protocol: "vless"}}, Accounts: make([]wire.Account, 3),
	})
	if strings.TrimSpace(string(body)) != "[]" || left != 3 {
		t.Errorf("got %s, %d left out", body, left)
	}
}

func FuzzRender(f *testing.F) {
	profiletest.Fuzz(f, &xrayjson.Format, func(body []byte) error { return json.Unmarshal(body, new([]config)) })
}

func BenchmarkRender(b *testing.B) { profiletest.Bench(b, &xrayjson.Format) }
