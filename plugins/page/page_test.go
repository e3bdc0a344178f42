package page

import (
	"crypto/sha256"
	"encoding/base64"
	"flag"
	"os"
	"regexp"
	"strings"
	"testing"

	"golang.org/x/net/html"

	"github.com/sluicehq/sluice/plugins/links/linkstest"
	"github.com/sluicehq/sluice/sdk"
	"github.com/sluicehq/sluice/sdk/wire"
)

var update = flag.Bool("update", false, "write the golden page anew")

// sample is a request with ten endpoints, and everything that a page shows.
func sample() *sdk.FormatRequest {
	req := linkstest.Sample("html")
	req.URL, req.Title, req.SupportURL = "https://vpn.example.com/sub/alice_0042?token=k7v1c0q9m2x8a4z6", "Blue River", "https://t.me/blueriver"
	req.User.NextResetAt, req.User.OnlineAt = req.Now+9*day, req.Now-40*minute
	for i := range req.Accounts {
		req.Accounts[i].Remark = "Server " + string(rune('A'+i))
	}
	return req
}

// In ms.
const (
	minute = 60_000
	day    = 24 * 60 * minute
)

func render(t testing.TB, req *sdk.FormatRequest) sdk.FormatReply {
	t.Helper()
	var reply sdk.FormatReply
	if err := new(Renderer).Render(req, &reply); err != nil {
		t.Fatal(err)
	}
	return reply
}

func parse(t testing.TB, body []byte) *html.Node {
	t.Helper()
	document, err := html.Parse(strings.NewReader(string(body)))
	if err != nil {
		t.Fatal(err)
	}
	return document
}

// elements returns those that match, in the order of the document.
func elements(root *html.Node, match func(*html.Node) bool) []*html.Node {
	var found []*html.Node
	for n := range root.Descendants() {
		if n.Type == html.ElementNode && match(n) {
			found = append(found, n)
		}
	}
	return found
}

func tag(name string) func(*html.Node) bool {
	return func(n *html.Node) bool { return n.Data == name }
}

func id(value string) func(*html.Node) bool {
	return func(n *html.Node) bool { return attribute(n, "id") == value }
}

func class(value string) func(*html.Node) bool {
	return func(n *html.Node) bool { return strings.HasPrefix(attribute(n, "class")+" ", value+" ") }
}

func attribute(n *html.Node, key string) string {
	for _, a := range n.Attr {
		if a.Key == key {
			return a.Val
		}
	}
	return ""
}

// says is what an element says, with | where an element inside of it begins or ends.
func says(n *html.Node) string {
	var words []string
	for d := range n.Descendants() {
		if d.Type == html.TextNode && strings.TrimSpace(d.Data) != "" {
			words = append(words, strings.TrimSpace(d.Data))
		}
	}
	return strings.Join(words, " | ")
}

// one is the text of the only element that matches, "" if there is none.
func one(t *testing.T, root *html.Node, match func(*html.Node) bool) string {
	t.Helper()
	found := elements(root, match)
	switch len(found) {
	case 0:
		return ""
	case 1:
		return says(found[0])
	}
	t.Fatalf("%d elements", len(found))
	return ""
}

var encoded = regexp.MustCompile(`base64,[A-Za-z0-9+/=]+`)

// TestGolden holds the markup still. Style and script are files of their own, and codes are decoded by TestCodes.
func TestGolden(t *testing.T) {
	body := string(render(t, sample()).Body)
	body = strings.Replace(body, style, "(style)", 1)
	body = strings.Replace(body, script, "(script)", 1)
	got := encoded.ReplaceAllString(body, "base64,(image)")
	got = strings.NewReplacer("<section", "\n<section", "<li", "\n<li", "<dl", "\n<dl", "<div", "\n<div").Replace(got)
	const file = "testdata/page.html"
	if *update {
		if err := os.WriteFile(file, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if got != string(want) {
		t.Errorf("the page is not %s; see what has changed with -update and git diff:\n%s", file, got)
	}
}

func TestPolicyAllowsJustThePage(t *testing.T) {
	reply := render(t, sample())
	if len(reply.Headers) != 1 || reply.Headers[0].Name != "content-security-policy" {
		t.Fatalf("headers %+v", reply.Headers)
	}
	document := parse(t, reply.Body)
	want := "default-src 'none'"
	for _, name := range []string{"style", "script"} {
		found := elements(document, tag(name))
		if len(found) != 1 || len(found[0].Attr) > 0 {
			t.Fatalf("%d elements %s", len(found), name)
		}
		sum := sha256.Sum256([]byte(found[0].FirstChild.Data))
		want += "; " + name + "-src 'sha256-" + base64.StdEncoding.EncodeToString(sum[:]) + "'"
	}
	want += "; img-src data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
	if got := reply.Headers[0].Value; got != want {
		t.Errorf("a file has changed, so its hash must\ngot  %s\nwant %s", got, want)
	}
}

func TestKeepsWhatTheReplyCameWith(t *testing.T) {
	reply := sdk.FormatReply{Body: make([]byte, 0, 1<<20)}
	if err := new(Renderer).Render(sample(), &reply); err != nil {
		t.Fatal(err)
	}
	if cap(reply.Body) != 1<<20 {
		t.Errorf("the room of the last call was not used")
	}
}

func TestSameRequestSamePage(t *testing.T) {
	var r Renderer
	var first, other, second sdk.FormatReply
	few := sample()
	few.Endpoints, few.Accounts = few.Endpoints[3:4], few.Accounts[3:4]
	for _, call := range []struct {
		req   *sdk.FormatRequest
		reply *sdk.FormatReply
	}{{sample(), &first}, {few, &other}, {sample(), &second}} {
		if err := r.Render(call.req, call.reply); err != nil {
			t.Fatal(err)
		}
	}
	if string(first.Body) != string(second.Body) {
		t.Error("something stays from call to call")
	}
}

func TestOptions(t *testing.T) {
	if o := Options(); o.Cache != wire.CacheNone || o.ContentType != "text/html; charset=utf-8" || o.UserAgents != nil {
		t.Errorf("%+v", o)
	}
}

// TestNothingFromElsewhere looks at every attribute that could load or run something.
func TestNothingFromElsewhere(t *testing.T) {
	for n := range parse(t, render(t, sample()).Body).Descendants() {
		for _, a := range n.Attr {
			switch {
			case strings.HasPrefix(a.Key, "on"), a.Key == "style":
				t.Errorf("%s has %s, which the policy forbids", n.Data, a.Key)
			case a.Key == "src", a.Key == "href" && n.Data != "a":
				if !strings.HasPrefix(a.Val, "data:image/") {
					t.Errorf("%s loads %s", n.Data, a.Val)
				}
			case a.Key == "srcset", a.Key == "action", a.Key == "ping", a.Key == "poster", a.Key == "data":
				t.Errorf("%s has %s", n.Data, a.Key)
			}
		}
	}
	for name, source := range map[string]string{"page.css": style, "page.js": script} {
		for _, sign := range []string{"://", "url(", "@import", "fetch(", "</", "innerHTML"} {
			if strings.Contains(source, sign) {
				t.Errorf("%s has %s", name, sign)
			}
		}
	}
}

// TestLabels: what a control or an image is called must be there for those who do not see it, and ids must be unique.
func TestLabels(t *testing.T) {
	document := parse(t, render(t, sample()).Body)
	ids := map[string]bool{}
	for n := range document.Descendants() {
		if v := attribute(n, "id"); v != "" {
			if ids[v] {
				t.Errorf("id %s twice", v)
			}
			ids[v] = true
		}
	}
	names := map[string]bool{}
	for _, b := range elements(document, tag("button")) {
		if names[says(b)] || !ids[attribute(b, "data-copy")] {
			t.Errorf("button %q copies %q", says(b), attribute(b, "data-copy"))
		}
		names[says(b)] = true
	}
	if len(names) != 11 || !names["Copy | Server J"] {
		t.Errorf("buttons %v", names)
	}
	for _, s := range elements(document, tag("section")) {
		if !ids[attribute(s, "aria-labelledby")] {
			t.Errorf("section %q has no name", says(s))
		}
	}
	for _, i := range elements(document, tag("img")) {
		if !strings.HasPrefix(attribute(i, "alt"), "QR code of ") {
			t.Errorf("alt %q", attribute(i, "alt"))
		}
	}
}
