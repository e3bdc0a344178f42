package links_test

import (
	"encoding/base64"
	"net/url"
	"strconv"
	"strings"
	"testing"

	"github.com/sluicehq/sluice/plugins/links"
	"github.com/sluicehq/sluice/plugins/links/linkstest"
	"github.com/sluicehq/sluice/sdk/wire"
)

func TestCases(t *testing.T) {
	var r links.Renderer // one for all: nothing may stay from the case before
	for _, c := range linkstest.Cases() {
		t.Run(c.Name, func(t *testing.T) {
			body, left := r.Links(c.Request("links"))
			if string(body) != c.Link+"\n" || left != 0 {
				t.Errorf("got  %s(%d left out)\nwant %s", body, left, c.Link)
			}
		})
	}
}

func TestPreparedSetGivesTheSame(t *testing.T) {
	req := linkstest.All("links")
	want, _ := new(links.Renderer).Links(req)
	set := links.Prepare(req.Endpoints)
	var r links.Renderer
	for range 2 {
		if got, left := r.List(set, req.Accounts); string(got) != string(want) || left != 0 {
			t.Errorf("got\n%s\nwant\n%s\n%d left out", got, want, left)
		}
	}
}

func TestListKeepsTheOrder(t *testing.T) {
	var want strings.Builder
	for _, c := range linkstest.Cases() {
		want.WriteString(c.Link + "\n")
	}
	body, left := new(links.Renderer).Links(linkstest.All("links"))
	if string(body) != want.String() || left != 0 {
		t.Errorf("got\n%s\nwant\n%s\n%d left out", body, &want, left)
	}
}

func TestBase64(t *testing.T) {
	var r links.Renderer
	for size := range 70 { // every length of the last group, with every byte
		text := make([]byte, size)
		for i := range text {
			text[i] = byte(i*37 + size)
		}
		if got, want := string(r.Base64(text)), base64.StdEncoding.EncodeToString(text); got != want {
			t.Errorf("%d bytes: got %s, want %s", size, got, want)
		}
	}
}

// TestRoomForTheWorstCase gives values in which every byte becomes three in a URL and six in JSON.
func TestRoomForTheWorstCase(t *testing.T) {
	const size = 100_000
	worst, inURL := strings.Repeat("\x01", size), strings.Repeat("%01", size)
	inJSON := strings.Repeat(`\u0001`, size)
	for _, c := range []struct {
		name     string
		endpoint wire.Endpoint
		account  wire.Account
		want     string
	}{
		{
			"remark",
			wire.Endpoint{Protocol: "trojan", Address: "a", Port: 1},
			wire.Account{Password: "p", Remark: worst},
			"trojan://p@a:1?security=none&type=tcp#" + inURL,
		},
		{
			"parameter",
			wire.Endpoint{Protocol: "trojan", Address: "a", Port: 1, Finalmask: worst},
			wire.Account{Password: "p"},
			"trojan://p@a:1?fm=" + inURL + "&security=none&type=tcp",
		},
		{
			"object",
			wire.Endpoint{Protocol: "vmess", Address: "a", Port: 1},
			wire.Account{ID: "i", Remark: worst},
			"vmess://" + base64.StdEncoding.EncodeToString([]byte(`{"add":"a","aid":"0","id":"i","net":"tcp","port":1,"ps":"`+
				inJSON+`","scy":"auto","tls":"none","type":"none","v":"2"}`)),
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			body, left := new(links.Renderer).Links(&wire.FormatRequest{
				Endpoints: []wire.Endpoint{c.endpoint}, Accounts: []wire.Account{c.account},
			})
			if string(body) != c.want+"\n" || left != 0 {
				t.Errorf("got %d bytes, want %d, %d left out", len(body), len(c.want)+1, left)
			}
		})
	}
}

func TestWithoutEndpoints(t *testing.T) {
	var r links.Renderer
	if body, left := r.Links(&wire.FormatRequest{}); len(body) != 0 || left != 0 {
		t.Errorf("links: %q, %d left out", body, left)
	}
}

func TestLeftOut(t *testing.T) {
	body, left := new(links.Renderer).Links(&wire.FormatRequest{
		Endpoints: []wire.Endpoint{
			{Protocol: "socks"},
			{RawURI: "first"},
			{Protocol: "vless"},
			{Protocol: "vmess"},
			{Protocol: "trojan"},
			{Protocol: "shadowsocks"},
			{Protocol: "hysteria"},
			{RawURI: "second"},
		},
		Accounts: make([]wire.Account, 8),
	})
	if string(body) != "first\nsecond\n" || left != 6 {
		t.Errorf("got %q, %d left out", body, left)
	}
}

// TestEveryCaseParses reads the links back with net/url, which must give what was put in.
func TestEveryCaseParses(t *testing.T) {
	for _, c := range linkstest.Cases() {
		if c.Endpoint.RawURI != "" || c.Endpoint.Protocol == "vmess" {
			continue
		}
		t.Run(c.Name, func(t *testing.T) {
			u, err := url.Parse(c.Link)
			if err != nil {
				t.Fatal(err)
			}
			q, err := url.ParseQuery(u.RawQuery)
			if err != nil {
				t.Fatal(err)
			}
			if u.RawQuery != strings.ReplaceAll(q.Encode(), "+", "%20") {
				t.Errorf("the query is not sorted: %s", u.RawQuery)
			}
			equal(t, "remark", u.Fragment, c.Account.Remark)
			equal(t, "address", u.Hostname(), c.Endpoint.Address)
			equal(t, "port", u.Port(), strconv.FormatUint(uint64(c.Endpoint.Port), 10))
			equal(t, "credential", credential(t, u), wantCredential(c))
			equal(t, "fm", q.Get("fm"), c.Endpoint.Finalmask)
			if c.Endpoint.Security.Kind != "" && c.Endpoint.Security.Kind != "none" {
				equal(t, "sni", q.Get("sni"), c.Endpoint.Security.ServerName)
				equal(t, "spx", q.Get("spx"), c.Endpoint.Security.SpiderX)
			}
			if c.Endpoint.Transport.Network == "ws" {
				equal(t, "path", q.Get("path"), c.Endpoint.Transport.Path)
				equal(t, "host", q.Get("host"), c.Endpoint.Transport.Host)
			}
		})
	}
}

func equal(t *testing.T, what, got, want string) {
	t.Helper()
	if got != want {
		t.Errorf("%s: got %q, want %q", what, got, want)
	}
}

// credential is what stands before the @, unescaped.
func credential(t *testing.T, u *url.URL) string {
	t.Helper()
	secret, split := u.User.Password()
	if split {
		return u.User.Username() + ":" + secret
	}
	if u.Scheme == "ss" {
		plain, err := base64.RawURLEncoding.DecodeString(u.User.Username())
		if err != nil {
			t.Fatal(err)
		}
		return string(plain)
	}
	return u.User.Username()
}

func wantCredential(c linkstest.Case) string {
	method := c.Account.Method
	if method == "" {
		method = c.Endpoint.Shadowsocks.Method
	}
	switch {
	case c.Endpoint.Protocol == "vless":
		return c.Account.ID
	case strings.HasPrefix(method, "2022-"):
		return method + ":" + c.Endpoint.Shadowsocks.ServerKey + ":" + c.Account.Password
	case method != "":
		return method + ":" + c.Account.Password
	}
	return c.Account.Password
}

func TestNothingIsAllocatedAgain(t *testing.T) {
	var r links.Renderer
	req := linkstest.Sample("links")
	render := func() {
		body, _ := r.Links(req)
		r.Base64(body)
	}
	if n := testing.AllocsPerRun(10, render); n != 0 {
		t.Errorf("a render allocates %v times", n)
	}
}

func BenchmarkLinks(b *testing.B) {
	var r links.Renderer
	req := linkstest.Sample("links")
	for b.Loop() {
		r.Links(req)
	}
}

func BenchmarkPrepared(b *testing.B) {
	var r links.Renderer
	req := linkstest.Sample("links")
	set := links.Prepare(req.Endpoints)
	for b.Loop() {
		r.List(set, req.Accounts)
	}
}

func BenchmarkBase64(b *testing.B) {
	var r links.Renderer
	body, _ := new(links.Renderer).Links(linkstest.Sample("links"))
	for b.Loop() {
		r.Base64(body)
	}
}
