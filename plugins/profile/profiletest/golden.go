package profiletest

import (
	"bytes"
	"flag"
	"os"
	"strings"
	"testing"

	"github.com/sluicehq/sluice/plugins/profile"
	"github.com/sluicehq/sluice/sdk/wire"
)

var update = flag.Bool("update", false, "write golden files instead of comparing them")

// Golden compares what becomes of each case with the file: its name, and below it the entry, which must be one line, or
// "left out". entry cuts it out of a document with one endpoint.
func Golden(t *testing.T, f *profile.Format, file string, entry func(body string) string) {
	t.Helper()
	var got strings.Builder
	var r profile.Renderer // one for all: nothing may stay from the case before
	for _, c := range Cases() {
		body, left := r.Render(f, c.Request())
		text := "left out"
		if left == 0 {
			text = entry(string(body))
		}
		if strings.Contains(text, "\n") {
			t.Errorf("%s: the entry is more than a line: %s", c.Name, text)
		}
		got.WriteString(c.Name + "\n\t" + text + "\n")
	}
	Same(t, file, got.String())
}

// Same compares got with the file.
func Same(t *testing.T, file, got string) {
	t.Helper()
	if *update {
		if err := os.WriteFile(file, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	gotLines, wantLines := strings.Split(got, "\n"), strings.Split(string(want), "\n")
	for i, line := range gotLines {
		if i >= len(wantLines) || line != wantLines[i] {
			t.Fatalf("%s, line %d:\ngot  %s\nwant %s", file, i+1, line, strings.Join(wantLines[i:min(i+1, len(wantLines))], ""))
		}
	}
	if len(gotLines) != len(wantLines) {
		t.Errorf("%s: got %d lines, want %d", file, len(gotLines), len(wantLines))
	}
}

// Between is what stands in s between two texts; the test fails if they are not there.
func Between(t *testing.T, s, before, after string) string {
	t.Helper()
	_, rest, found := strings.Cut(s, before)
	entry, _, ends := strings.Cut(rest, after)
	if !found || !ends {
		t.Fatalf("there is no %q before a %q in %s", before, after, s)
	}
	return entry
}

// Stable checks that a prepared set gives the same bytes as a request, again and again.
func Stable(t *testing.T, f *profile.Format) {
	t.Helper()
	req := All()
	want, wantLeft := new(profile.Renderer).Render(f, req)
	set := f.Prepare(req.Endpoints)
	var r profile.Renderer
	for range 3 {
		if got, left := r.Fill(set, req.Accounts); !bytes.Equal(got, want) || left != wantLeft {
			t.Errorf("got\n%s\nwant\n%s\n%d and %d left out", got, want, left, wantLeft)
		}
		r.Render(f, Sample())
	}
}

// Hostile are remarks and values that a careless writer would break over.
var Hostile = []string{
	"\"", "\\", "'", "a\nb", "\r\n", "\t", "\x00\x01\x1f", "\x7f", "\u0085", "\u2028\u2029", "\ufeff", "\ufffe\uffff", "\xff\xc0\xaf",
	"#", ": ", "- a", "{a: b}", "[]", "*a", "&a", "!!int 1", "|", ">", "%YAML", "@", "`", "~", "null", "true", "NO", "1e3", "0x1f",
	"2351e1", "1_000", "12:30:45", "2001-01-01", "---", "...", "<script>", "</script>", "🏳️‍🌈", "語", "\U0010ffff", "é", " a ", "", "auto",
	"select", "direct", "DIRECT", "REJECT", "proxy", "\\u0041", "${a}", strings.Repeat("x", 5000),
}

// HostileRequest has an endpoint for every hostile text, which is its remark, password, path, host and header.
func HostileRequest() *wire.FormatRequest {
	req := new(wire.FormatRequest)
	for _, text := range Hostile {
		c := Case{
			Endpoint: wire.Endpoint{
				Protocol: "trojan", Address: "a", Port: 1, Security: wire.Security{Kind: "tls", ServerName: text},
				Transport: wire.Transport{Network: "ws", Path: text, Host: text, Headers: []wire.Pair{{Name: HeaderName(text), Value: text}}},
			},
			Account: wire.Account{Remark: text, Password: "p" + text},
		}
		dress(&c.Endpoint)
		req.Endpoints, req.Accounts = append(req.Endpoints, c.Endpoint), append(req.Accounts, c.Account)
	}
	return req
}

// HeaderName is a header's name with the text in it, of a length that servers take: a YAML key ends at 1024.
func HeaderName(text string) string { return "X-" + text[:min(len(text), 100)] }

// Bench compares the two ways to render ten endpoints.
func Bench(b *testing.B, f *profile.Format) {
	req := Sample()
	b.Run("whole", func(b *testing.B) {
		var r profile.Renderer
		for b.Loop() {
			r.Render(f, req)
		}
	})
	b.Run("prepared", func(b *testing.B) {
		var r profile.Renderer
		set := f.Prepare(req.Endpoints)
		for b.Loop() {
			r.Fill(set, req.Accounts)
		}
	})
}

// Fuzz feeds every text of an endpoint and an account, for every protocol and network, and hands the documents to parse.
func Fuzz(f *testing.F, format *profile.Format, parse func(body []byte) error) {
	protocols := []string{"vless", "vmess", "trojan", "shadowsocks", "hysteria"}
	networks := []string{"raw", "ws", "grpc", "httpupgrade"}
	kinds := []string{"none", "tls", "reality"}
	for i, text := range Hostile {
		f.Add(text, Hostile[len(Hostile)-1-i], byte(i))
	}
	f.Fuzz(func(t *testing.T, one, two string, choice byte) {
		e := wire.Endpoint{
			Protocol: protocols[choice%5], Address: one, Port: 443,
			Transport:   wire.Transport{Network: networks[choice/5%4], Path: two, Host: one, ServiceName: two, HeaderType: []string{"", "http"}[choice%2]},
			Security:    wire.Security{Kind: kinds[choice%3], ServerName: two, ALPN: []string{one, two}, ECH: one, PublicKey: two, ShortID: one},
			Hysteria:    wire.Hysteria{Obfs: "salamander", ObfsPassword: one, Ports: two},
			Shadowsocks: wire.Shadowsocks{Method: "2022-x", ServerKey: one},
		}
		e.Transport.Headers = []wire.Pair{{Name: HeaderName(one), Value: two}}
		dress(&e)
		a := wire.Account{Remark: one, ID: two, Password: two}
		plain := wire.Account{Remark: one, ID: one, Password: "p", Method: "aes-128-gcm"}
		body, _ := new(profile.Renderer).Render(format, &wire.FormatRequest{
			Endpoints: []wire.Endpoint{e, e}, Accounts: []wire.Account{a, plain},
		})
		if err := parse(body); err != nil {
			t.Errorf("%v in %q", err, body)
		}
	})
}
