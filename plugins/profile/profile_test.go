package profile_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/sluicehq/sluice/plugins/profile"
	"github.com/sluicehq/sluice/sdk/wire"
)

// plain is a format that shows what an account puts into an entry: one of every hole.
var plain = profile.Format{
	Entry: func(w *profile.Writer, e *wire.Endpoint) profile.Need {
		w.Open('{')
		w.Hole("name=", profile.Name)
		w.Member("to=", e.Address)
		w.Hole("id=", profile.ID)
		w.Hole("password=", profile.Password)
		w.Hole("cipher=", profile.Cipher)
		w.Hole("method=", profile.Method)
		w.Hole("secret=", profile.Secret)
		w.FlowHole("flow=")
		w.WithoutFlow("mux=", "yes")
		w.Close('}')
		return map[string]profile.Need{"vless": profile.AnID, "trojan": profile.APassword, "shadowsocks": profile.AnAEADKey}[e.Protocol]
	},
	Document: func(d *profile.Document) {
		d.Entries("; ", 0)
		d.Str(" | ")
		d.Names("nobody")
	},
	Reserved: []string{"taken"},
}

// filled is the document of one endpoint.
func filled(e wire.Endpoint, a wire.Account) string {
	body, left := new(profile.Renderer).Render(&plain, &wire.FormatRequest{Endpoints: []wire.Endpoint{e}, Accounts: []wire.Account{a}})
	return fmt.Sprintf("%s, %d left", body, left)
}

func TestHoles(t *testing.T) {
	ss := wire.Shadowsocks{Method: "2022-blake3-aes-128-gcm", ServerKey: "S=="}
	for _, c := range []struct {
		name     string
		endpoint wire.Endpoint
		account  wire.Account
		want     string
	}{
		{
			"with a flow",
			wire.Endpoint{Protocol: "vless", Address: "a"},
			wire.Account{Remark: "r", ID: "i", Flow: "f"},
			`{name="r",to="a",id="i",password="",cipher="aes-128-gcm",method="",secret="",flow="f"} | "r", 0 left`,
		},
		{
			"without a flow",
			wire.Endpoint{Protocol: "vless", Address: "a"},
			wire.Account{Remark: "r", ID: "i", Security: "chacha20-poly1305"},
			`{name="r",to="a",id="i",password="",cipher="chacha20-poly1305",method="",secret="",mux=yes} | "r", 0 left`,
		},
		{
			"without a remark",
			wire.Endpoint{Protocol: "trojan", Address: "a"},
			wire.Account{Password: "p"},
			`{name="a",to="a",id="",password="p",cipher="aes-128-gcm",method="",secret="p",mux=yes} | "a", 0 left`,
		},
		{
			"2022",
			wire.Endpoint{Protocol: "trojan", Address: "a", Shadowsocks: ss},
			wire.Account{Password: "U=="},
			`{name="a",to="a",id="",password="U==",cipher="aes-128-gcm",method="2022-blake3-aes-128-gcm",secret="S==:U==",mux=yes} | "a", 0 left`,
		},
		{
			"a method of one's own",
			wire.Endpoint{Protocol: "shadowsocks", Address: "a", Shadowsocks: ss},
			wire.Account{Password: "p", Method: "aes-256-gcm"},
			`{name="a",to="a",id="",password="p",cipher="aes-128-gcm",method="aes-256-gcm",secret="p",mux=yes} | "a", 0 left`,
		},
		{"no id", wire.Endpoint{Protocol: "vless"}, wire.Account{Password: "p"}, ` | "nobody", 1 left`},
		{"no password", wire.Endpoint{Protocol: "trojan"}, wire.Account{ID: "i"}, ` | "nobody", 1 left`},
		{"no key", wire.Endpoint{Protocol: "shadowsocks"}, wire.Account{Method: "aes-256-gcm"}, ` | "nobody", 1 left`},
		{"another method", wire.Endpoint{Protocol: "shadowsocks", Shadowsocks: ss}, wire.Account{Password: "p"}, ` | "nobody", 1 left`},
		{"another protocol", wire.Endpoint{Protocol: "socks"}, wire.Account{ID: "i", Password: "p"}, ` | "nobody", 1 left`},
		{"a link", wire.Endpoint{RawURI: "vless://a", Protocol: "vless"}, wire.Account{ID: "i"}, ` | "nobody", 1 left`},
	} {
		t.Run(c.name, func(t *testing.T) {
			if got := filled(c.endpoint, c.account); got != c.want {
				t.Errorf("got  %s\nwant %s", got, c.want)
			}
		})
	}
}

// names are what entries with these remarks are called.
func names(remarks ...string) string {
	req := new(wire.FormatRequest)
	for _, remark := range remarks {
		req.Endpoints = append(req.Endpoints, wire.Endpoint{Protocol: "vless", Address: "host"})
		req.Accounts = append(req.Accounts, wire.Account{Remark: remark, ID: "i"})
	}
	body, _ := new(profile.Renderer).Render(&plain, req)
	_, list, _ := strings.Cut(string(body), " | ")
	return list
}

func TestNames(t *testing.T) {
	for _, c := range []struct{ in, want string }{
		{"a,b", `"a","b"`},
		{"a,a,a", `"a","a 2","a 3"`},
		{"a,a 2,a", `"a","a 2","a 3"`},
		{"a,a,a 2", `"a","a 2","a 2 2"`},
		{"taken,taken", `"taken 2","taken 3"`},
		{",host", `"host","host 2"`},
		{"A,a", `"A","a"`},
	} {
		if got := names(strings.Split(c.in, ",")...); got != c.want {
			t.Errorf("%s: got %s, want %s", c.in, got, c.want)
		}
	}
}

func TestManyOfOneName(t *testing.T) {
	remarks := make([]string, 5000)
	for i := range remarks {
		remarks[i] = "same"
	}
	got := names(remarks...)
	if !strings.HasPrefix(got, `"same","same 2","same 3",`) || !strings.HasSuffix(got, `,"same 5000"`) {
		t.Errorf("got %.60s ... %s", got, got[len(got)-20:])
	}
}

// TestNothingStays renders less and less with one renderer.
func TestNothingStays(t *testing.T) {
	var r profile.Renderer
	for n := 3; n >= 0; n-- {
		req := &wire.FormatRequest{Endpoints: make([]wire.Endpoint, n), Accounts: make([]wire.Account, n)}
		want := " | \"nobody\""
		for i := range n {
			req.Endpoints[i] = wire.Endpoint{Protocol: "socks"}
		}
		if n == 2 {
			req.Endpoints[1] = wire.Endpoint{Protocol: "vless", Address: "a"}
			req.Accounts[1] = wire.Account{ID: "i", Flow: "f"}
			want = `{name="a",to="a",id="i",password="",cipher="aes-128-gcm",method="",secret="",flow="f"} | "a"`
		}
		if body, _ := r.Render(&plain, req); string(body) != want {
			t.Errorf("%d endpoints: got %s, want %s", n, body, want)
		}
	}
}
