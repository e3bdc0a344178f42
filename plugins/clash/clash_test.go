package clash_test

import (
	"fmt"
	"reflect"
	"testing"

	"go.yaml.in/yaml/v3"

	"github.com/sluicehq/sluice/plugins/clash"
	"github.com/sluicehq/sluice/plugins/profile"
	"github.com/sluicehq/sluice/plugins/profile/profiletest"
	"github.com/sluicehq/sluice/sdk/wire"
)

// document is what the tests read of a profile.
type document struct {
	Proxies []map[string]any `yaml:"proxies"`
	Groups  []struct {
		Name, Type string
		Proxies    []string
	} `yaml:"proxy-groups"`
	Rules []string `yaml:"rules"`
}

func render(t *testing.T, req *wire.FormatRequest) (doc document, left int) {
	t.Helper()
	body, left := new(profile.Renderer).Render(&clash.Format, req)
	if err := yaml.Unmarshal(body, &doc); err != nil {
		t.Fatalf("%v in %.2000s", err, body)
	}
	return doc, left
}

func TestEntries(t *testing.T) {
	profiletest.Golden(t, &clash.Format, "testdata/entries.golden", func(body string) string {
		return profiletest.Between(t, body, "\nproxies:\n  - ", "\nproxy-groups:")
	})
}

func TestDocument(t *testing.T) {
	body, left := new(profile.Renderer).Render(&clash.Format, profiletest.Sample())
	if left != 0 {
		t.Errorf("%d left out", left)
	}
	profiletest.Same(t, "testdata/document.golden", string(body))
}

func TestPreparedGivesTheSame(t *testing.T) { profiletest.Stable(t, &clash.Format) }

// TestEveryEntryReadsBack reads the entries with a YAML parser, which must give what was put in.
func TestEveryEntryReadsBack(t *testing.T) {
	for _, c := range profiletest.Cases() {
		doc, left := render(t, c.Request())
		if left == 1 {
			continue
		}
		t.Run(c.Name, func(t *testing.T) {
			got := doc.Proxies[0]
			want := map[string]any{"server": c.Endpoint.Address, "port": int(c.Endpoint.Port), "udp": true}
			switch c.Endpoint.Protocol {
			case "vless", "vmess":
				want["uuid"] = c.Account.ID
			case "trojan", "hysteria":
				want["password"] = c.Account.Password
			}
			if c.Account.Flow != "" {
				want["flow"] = c.Account.Flow
			}
			if s := c.Endpoint.Security; s.Kind == "reality" {
				want["reality-opts"] = map[string]any{"public-key": s.PublicKey, "short-id": s.ShortID}
			}
			for key, value := range want {
				if !reflect.DeepEqual(got[key], value) {
					t.Errorf("%s: got %#v, want %#v", key, got[key], value)
				}
			}
		})
	}
}

func TestHostileValues(t *testing.T) {
	req := profiletest.HostileRequest()
	doc, left := render(t, req)
	if left != 0 || len(doc.Proxies) != len(req.Endpoints) {
		t.Fatalf("got %d of %d, %d left out", len(doc.Proxies), len(req.Endpoints), left)
	}
	for i, text := range profiletest.Hostile {
		text = string([]rune(text)) // what is not UTF-8 becomes U+FFFD
		p := doc.Proxies[i]
		if p["password"] != "p"+text {
			t.Errorf("password %q came back as %q", text, p["password"])
		}
		headers := p["ws-opts"].(map[string]any)["headers"].(map[string]any)
		if text != "" && headers["Host"] != text || headers[profiletest.HeaderName(text)] != text {
			t.Errorf("headers of %q came back as %q", text, headers)
		}
	}
}

func TestNamesAreUniqueAndInTheGroups(t *testing.T) {
	same := wire.Endpoint{Protocol: "trojan", Address: "a.example.com", Port: 1, Security: wire.Security{Kind: "tls"}}
	var req wire.FormatRequest
	for _, remark := range []string{"DE", "DE", "DE 2", "auto", "", "GLOBAL", "DE"} {
		req.Endpoints = append(req.Endpoints, same)
		req.Accounts = append(req.Accounts, wire.Account{Remark: remark, Password: "p"})
	}
	doc, _ := render(t, &req)
	want := []string{"DE", "DE 2", "DE 2 2", "auto 2", "a.example.com", "GLOBAL 2", "DE 3"}
	var got []string
	for _, p := range doc.Proxies {
		got = append(got, fmt.Sprint(p["name"]))
	}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
	if g := doc.Groups[0]; g.Name != "select" || g.Type != "select" || !reflect.DeepEqual(g.Proxies, append([]string{"auto"}, want...)) {
		t.Errorf("got %+v", g)
	}
	if g := doc.Groups[1]; g.Name != "auto" || g.Type != "url-test" || !reflect.DeepEqual(g.Proxies, want) {
		t.Errorf("got %+v", g)
	}
	if last := doc.Rules[len(doc.Rules)-1]; last != "MATCH,select" {
		t.Errorf("the last rule is %s", last)
	}
}

func TestWithoutServersNothingGoesOut(t *testing.T) {
	for name, req := range map[string]*wire.FormatRequest{
		"no endpoints":   {},
		"none it can do": {Endpoints: []wire.Endpoint{{RawURI: "vless://a"}}, Accounts: make([]wire.Account, 1)},
	} {
		t.Run(name, func(t *testing.T) {
			doc, left := render(t, req)
			if len(doc.Proxies) != 0 || left != len(req.Endpoints) {
				t.Errorf("got %v, %d left out", doc.Proxies, left)
			}
			if g := doc.Groups; !reflect.DeepEqual(g[0].Proxies, []string{"auto", "REJECT"}) || !reflect.DeepEqual(g[1].Proxies, []string{"REJECT"}) {
				t.Errorf("got %+v", g)
			}
		})
	}
}

func FuzzRender(f *testing.F) {
	profiletest.Fuzz(f, &clash.Format, func(body []byte) error { return yaml.Unmarshal(body, new(document)) })
}

func BenchmarkRender(b *testing.B) { profiletest.Bench(b, &clash.Format) }
