package singbox_test

import (
	"encoding/json"
	"reflect"
	"testing"

	"github.com/sluicehq/sluice/plugins/profile"
	"github.com/sluicehq/sluice/plugins/profile/profiletest"
	"github.com/sluicehq/sluice/plugins/singbox"
	"github.com/sluicehq/sluice/sdk/wire"
)

// document is what the tests read of a profile.
type document struct {
	Outbounds []map[string]any
	Route     struct {
		Rules []map[string]any
		Final string
	}
}

func render(t *testing.T, req *wire.FormatRequest) (doc document, left int) {
	t.Helper()
	body, left := new(profile.Renderer).Render(&singbox.Format, req)
	if err := json.Unmarshal(body, &doc); err != nil {
		t.Fatalf("%v in %.2000s", err, body)
	}
	return doc, left
}

func TestEntries(t *testing.T) {
	profiletest.Golden(t, &singbox.Format, "testdata/entries.golden", func(body string) string {
		return profiletest.Between(t, body, "\"outbounds\":[\n", ",\n{\"type\":\"selector\"")
	})
}

func TestDocument(t *testing.T) {
	body, left := new(profile.Renderer).Render(&singbox.Format, profiletest.Sample())
	if left != 0 {
		t.Errorf("%d left out", left)
	}
	profiletest.Same(t, "testdata/document.golden", string(body))
}

func TestPreparedGivesTheSame(t *testing.T) { profiletest.Stable(t, &singbox.Format) }

// TestEveryEntryReadsBack reads the entries with a JSON parser, which must give what was put in.
func TestEveryEntryReadsBack(t *testing.T) {
	for _, c := range profiletest.Cases() {
		doc, left := render(t, c.Request())
		if left == 1 {
			continue
		}
		t.Run(c.Name, func(t *testing.T) {
			got := doc.Outbounds[0]
			want := map[string]any{"server": c.Endpoint.Address, "server_port": float64(c.Endpoint.Port)}
			switch c.Endpoint.Protocol {
			case "vless", "vmess":
				want["uuid"] = c.Account.ID
			case "trojan", "hysteria":
				want["password"] = c.Account.Password
			}
			if c.Account.Flow != "" {
				want["flow"] = c.Account.Flow
			}
			for key, value := range want {
				if !reflect.DeepEqual(got[key], value) {
					t.Errorf("%s: got %#v, want %#v", key, got[key], value)
				}
			}
			s := c.Endpoint.Security
			tls, _ := got["tls"].(map[string]any)
			if s.Kind == "reality" {
				want := map[string]any{"enabled": true, "public_key": s.PublicKey, "short_id": s.ShortID}
				if !reflect.DeepEqual(tls["reality"], want) {
					t.Errorf("reality: got %v, want %v", tls["reality"], want)
				}
			}
		})
	}
}

func TestHostileValues(t *testing.T) {
	req := profiletest.HostileRequest()
	doc, left := render(t, req)
	if left != 0 || len(doc.Outbounds) != len(req.Endpoints)+3 {
		t.Fatalf("got %d of %d, %d left out", len(doc.Outbounds), len(req.Endpoints), left)
	}
	for i, text := range profiletest.Hostile {
		text = string([]rune(text)) // what is not UTF-8 becomes U+FFFD
		out := doc.Outbounds[i]
		if out["password"] != "p"+text {
			t.Errorf("password %q came back as %q", text, out["password"])
		}
		headers := out["transport"].(map[string]any)["headers"].(map[string]any)
		if text != "" && headers["Host"] != text || headers[profiletest.HeaderName(text)] != text {
			t.Errorf("headers of %q came back as %q", text, headers)
		}
	}
}

// TestPercentSigns has the paths for which sing-box would refuse the document.
func TestPercentSigns(t *testing.T) {
	for in, want := range map[string]string{
		"/a%20b": "/a%20b", "/%": "/%25", "/%4": "/%254", "/%zz%41": "/%25zz%41", "/%%41": "/%25%41", "/100%/": "/100%25/",
	} {
		for network, key := range map[string]string{"ws": "ws", "httpupgrade": "httpupgrade", "raw": "http"} {
			c := profiletest.Case{
				Endpoint: wire.Endpoint{Protocol: "vless", Address: "a", Port: 1, Transport: wire.Transport{Network: network, Path: in, HeaderType: "http"}},
				Account:  wire.Account{ID: "i"},
			}
			doc, _ := render(t, c.Request())
			got := doc.Outbounds[0]["transport"].(map[string]any)
			if got["path"] != want || got["type"] != key {
				t.Errorf("%s over %s: got %v, want %s over %s", in, network, got, want, key)
			}
		}
	}
}

func TestNamesAreUniqueAndInTheGroups(t *testing.T) {
	same := wire.Endpoint{Protocol: "trojan", Address: "a.example.com", Port: 1}
	var req wire.FormatRequest
	for _, remark := range []string{"DE", "DE", "direct", ""} {
		req.Endpoints = append(req.Endpoints, same)
		req.Accounts = append(req.Accounts, wire.Account{Remark: remark, Password: "p"})
	}
	doc, _ := render(t, &req)
	tags := []any{"DE", "DE 2", "direct 2", "a.example.com"}
	for i, want := range append(tags, "select", "auto", "direct") {
		if got := doc.Outbounds[i]["tag"]; got != want {
			t.Errorf("outbound %d: got %v, want %v", i, got, want)
		}
	}
	if got := doc.Outbounds[4]["outbounds"]; !reflect.DeepEqual(got, append([]any{"auto"}, tags...)) {
		t.Errorf("select: got %v", got)
	}
	if got := doc.Outbounds[5]["outbounds"]; !reflect.DeepEqual(got, tags) {
		t.Errorf("auto: got %v", got)
	}
	if n := len(doc.Route.Rules); n != 3 || doc.Route.Final != "select" {
		t.Errorf("got %+v", doc.Route)
	}
}

func TestWithoutServersNothingGoesOut(t *testing.T) {
	for name, req := range map[string]*wire.FormatRequest{
		"no endpoints":   {},
		"none it can do": {Endpoints: []wire.Endpoint{{RawURI: "vless://a"}}, Accounts: make([]wire.Account, 1)},
	} {
		t.Run(name, func(t *testing.T) {
			doc, left := render(t, req)
			if len(doc.Outbounds) != 3 || left != len(req.Endpoints) {
				t.Errorf("got %v, %d left out", doc.Outbounds, left)
			}
			if last := doc.Route.Rules[len(doc.Route.Rules)-1]; !reflect.DeepEqual(last, map[string]any{"action": "reject"}) {
				t.Errorf("the last rule is %v", last)
			}
			if asked := doc.Route.Rules[1]; !reflect.DeepEqual(asked, map[string]any{"protocol": "dns", "action": "reject"}) {
				t.Errorf("questions for names go by %v", asked)
			}
		})
	}
}

func FuzzRender(f *testing.F) {
	profiletest.Fuzz(f, &singbox.Format, func(body []byte) error { return json.Unmarshal(body, new(document)) })
}

func BenchmarkRender(b *testing.B) { profiletest.Bench(b, &singbox.Format) }
