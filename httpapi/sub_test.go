package httpapi

import (
	"encoding/base64"
	"net/http"
	"strings"
	"testing"
)

func TestSub(t *testing.T) {
	b := newBench(t)
	port := b.inbound(1)
	b.client("alice")
	got := b.panel(http.MethodPost, "/clients/add", `{"client":{"email":"bob","subId":"👩‍💻+"},"inboundIds":[1]}`)
	if !strings.HasPrefix(got, `{"success":true`) {
		t.Fatal(got)
	}
	links := linkOf("alice", port) + "\n"
	encoded := base64.StdEncoding.EncodeToString([]byte(links))
	sub := func(name, method, path string, status int, want string) scenario {
		return scenario{name: name, req: httpRequest{method: method, path: "/sub" + path}, status: status, want: want}
	}
	const unknown = "subscription not found"
	b.run(t, b.url, []scenario{
		sub("default format", http.MethodGet, "/sub-alice", 200, encoded),
		sub("links", http.MethodGet, "/sub-alice?format=links", 200, strings.TrimSpace(links)),
		sub("trailing slash", http.MethodGet, "/sub-alice/", 200, encoded),
		sub("letters encoded", http.MethodGet, "/sub-alic%65", 200, encoded),
		{name: "emoji", req: httpRequest{method: http.MethodGet, path: "/sub/%F0%9F%91%A9%E2%80%8D%F0%9F%92%BB+?format=links"}, has: []string{"#demo-bob"}},
		sub("another case", http.MethodGet, "/SUB-ALICE", 404, unknown),
		sub("unknown", http.MethodGet, "/nobody", 404, unknown),
		sub("NUL", http.MethodGet, "/%00", 404, unknown),
		sub("no UTF-8", http.MethodGet, "/%ff", 404, unknown),
		sub("bad percent", http.MethodGet, "/%zz", 404, unknown),
		sub("up", http.MethodGet, "/%2e%2e%2fapi", 404, unknown),
		sub("unknown format", http.MethodGet, "/sub-alice?format=x", 400, "format must be one of links, links-base64"),
		sub("no id", http.MethodGet, "/", 404, detail("no such route: GET /sub/")),
		sub("POST", http.MethodPost, "/sub-alice", 405, detail("no such route: POST /sub/sub-alice")),
	})
}

// HEAD and conditional requests say the same as GET, without the body.
func TestSubHeaders(t *testing.T) {
	b := newBench(t)
	b.inbound(1)
	b.client("alice")
	fetch := func(method, ifNoneMatch string) (int, http.Header, string) {
		r := httpRequest{method: method, path: "/sub/sub-alice"}
		if ifNoneMatch != "" {
			r.headers = map[string]string{"If-None-Match": ifNoneMatch}
		}
		return r.send(t, b.url)
	}
	status, headers, body := fetch(http.MethodGet, "")
	etag := headers.Get("ETag")
	for name, want := range map[string]string{
		"Content-Type": "text/plain; charset=utf-8", "Cache-Control": "private, no-cache",
		"Subscription-Userinfo":   "upload=0; download=0; total=0; expire=0",
		"Profile-Update-Interval": "12", "Profile-Title": "base64:YWxpY2U=", "Content-Disposition": "attachment; filename=alice",
	} {
		if got := headers.Get(name); got != want {
			t.Errorf("%s: %q, want %q", name, got, want)
		}
	}
	if status != http.StatusOK || body == "" || len(etag) != 34 {
		t.Fatalf("GET: %d, ETag %s, %q", status, etag, body)
	}
	for _, c := range []struct {
		method, ifNoneMatch string
		status              int
		body                string
	}{
		{http.MethodHead, "", 200, ""},
		{http.MethodGet, etag, 304, ""},
		{http.MethodGet, "W/" + etag, 304, ""},
		{http.MethodGet, `"other", ` + etag, 304, ""},
		{http.MethodGet, "*", 304, ""},
		{http.MethodHead, etag, 304, ""},
		{http.MethodGet, `"other"`, 200, body},
		{http.MethodGet, strings.Trim(etag, `"`), 200, body},
	} {
		status, again, got := fetch(c.method, c.ifNoneMatch)
		if status != c.status || got != c.body || again.Get("ETag") != etag || again.Get("Subscription-Userinfo") != headers.Get("Subscription-Userinfo") {
			t.Errorf("%s with %s: %d %v %q", c.method, c.ifNoneMatch, status, again, got)
		}
	}
}

// The link of a user who may not connect works; that of a deleted one is the link of nobody.
func TestSubOfWhoMayNotConnect(t *testing.T) {
	b := newBench(t)
	port := b.inbound(1)
	b.client("alice")
	b.exec("UPDATE users SET enabled = false")
	link := scenario{name: "disabled", req: httpRequest{method: http.MethodGet, path: "/sub/sub-alice?format=links"}, want: linkOf("alice", port)}
	b.run(t, b.url, []scenario{link})
	b.panel(http.MethodPost, "/clients/del/alice", "")
	link.name, link.status, link.want = "deleted", 404, "subscription not found"
	b.run(t, b.url, []scenario{link})
}

// A server that nobody can name says what to do about it.
func TestSubWithoutPublicHost(t *testing.T) {
	b := newBench(t)
	b.inbound(1)
	b.client("alice")
	b.kernel.Subscriptions.Loopback = false
	const want = "no address is known that clients can reach: set public_hosts in the settings, or shareAddr of the inbound"
	b.run(t, b.url, []scenario{
		{name: "sub", req: httpRequest{method: http.MethodGet, path: "/sub/sub-alice"}, status: 503, want: want},
		b.scenario("links", http.MethodGet, "/clients/links/alice", "", envelope(want)),
	})
}
