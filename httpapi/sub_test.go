package httpapi

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/sluicehq/sluice/httpapi/sub"
	"github.com/sluicehq/sluice/kernel/domain"
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
	ask := func(name, method, path string, status int, want string) scenario {
		return scenario{name: name, req: httpRequest{method: method, path: "/sub" + path}, status: status, want: want}
	}
	const unknown = "subscription not found"
	b.run(t, b.url, []scenario{
		ask("default format", http.MethodGet, "/sub-alice", 200, encoded),
		ask("links", http.MethodGet, "/sub-alice?format=links", 200, strings.TrimSpace(links)),
		ask("trailing slash", http.MethodGet, "/sub-alice/", 200, encoded),
		ask("letters encoded", http.MethodGet, "/sub-alic%65", 200, encoded),
		{name: "emoji", req: httpRequest{method: http.MethodGet, path: "/sub/%F0%9F%91%A9%E2%80%8D%F0%9F%92%BB+?format=links"}, has: []string{"#demo-bob"}},
		ask("another case", http.MethodGet, "/SUB-ALICE", 404, unknown),
		ask("unknown", http.MethodGet, "/nobody", 404, unknown),
		ask("NUL", http.MethodGet, "/%00", 404, unknown),
		ask("no UTF-8", http.MethodGet, "/%ff", 404, unknown),
		ask("bad percent", http.MethodGet, "/%zz", 404, unknown),
		ask("up", http.MethodGet, "/%2e%2e%2fapi", 404, unknown),
		ask("unknown format", http.MethodGet, "/sub-alice?format=x", 400, "format must be one of clash, html, links, links-base64, outline, sing-box, sip008, xray-json"),
		ask("no id", http.MethodGet, "/", 404, detail("no such route: GET /sub/")),
		ask("POST", http.MethodPost, "/sub-alice", 405, detail("no such route: POST /sub/sub-alice")),
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

// subscriptions serves the routes with answers for info and usage that say what they were asked.
func (b *bench) subscriptions() string {
	app := newApp(b.log)
	sub.Register(app, sub.Options{
		Subscriptions: b.kernel.Subscriptions, Log: b.log,
		Info: func(_ context.Context, user int64) (any, error) { return map[string]int64{"id": user}, nil },
		Usage: func(_ context.Context, user int64, q sub.UsageQuery) (any, error) {
			switch q.Start {
			case "late":
				return nil, domain.Invalid("", "Start date must be before end date")
			case "broken":
				return nil, errors.New("secret")
			}
			return map[string]any{"id": user, "query": q}, nil
		},
	})
	return serve(b.t, &Server{app})
}

// Every suffix works on every form of the URL, and whatever is wrong about who is asked for is answered alike.
func TestSubForms(t *testing.T) {
	b := newBench(t)
	port := b.inbound(1)
	b.client("alice")
	b.client("Bob")
	got := b.panel(http.MethodPost, "/clients/add", `{"client":{"email":"carol+é","subId":"c+;="},"inboundIds":[1]}`)
	if !strings.HasPrefix(got, `{"success":true`) {
		t.Fatal(got)
	}
	server := b.subscriptions()
	links := linkOf("alice", port)
	encoded := base64.StdEncoding.EncodeToString([]byte(links + "\n"))
	const unknown = "subscription not found"
	const formats = "format must be one of clash, html, links, links-base64, outline, sing-box, sip008, xray-json"
	var scenarios []scenario
	for _, c := range []struct {
		suffix string
		status int
		want   string
	}{
		{"", 200, encoded},
		{"/", 200, encoded},
		{"/info", 200, `{"id":1}`},
		{"/info/", 200, `{"id":1}`},
		{"/usage", 200, `{"id":1,"query":{"Period":"","Start":"","End":""}}`},
		{"/apps", 200, `[]`},
		{"/links", 200, links},
		{"/links-base64", 200, encoded},
		{"/links_base64", 200, encoded},
		{"/clash", 200, ""},
		{"/clash_meta", 200, ""},
		{"/sing_box", 200, ""},
		{"/xray", 200, ""},
		{"/outline", 200, ""},
		{"/INFO", 400, formats},
	} {
		for form, urls := range map[string][2]string{ // with a right token, and with a wrong one
			"by id":    {"/sub/sub-alice" + c.suffix, "/sub/sub-nobody" + c.suffix},
			"by name":  {"/sub/alice" + c.suffix + "?token=sub-alice", "/sub/alice" + c.suffix + "?token=sub-Bob"},
			"appended": {"/sub/ALICE?token=sub-alice" + c.suffix, "/sub/nobody?token=sub-alice" + c.suffix},
			"escaped":  {"/sub/alic%65?token=sub-alice" + strings.ReplaceAll(c.suffix, "/", "%2F"), "/sub/alice?token=sub-alice%20" + c.suffix},
		} {
			for _, method := range []string{http.MethodGet, http.MethodHead} {
				right := scenario{name: method + " " + form + c.suffix, req: httpRequest{method: method, path: urls[0]}, status: c.status, want: c.want}
				wrong := scenario{name: method + " wrong " + form + c.suffix, req: httpRequest{method: method, path: urls[1]}, status: 404, want: unknown}
				if method == http.MethodHead {
					right.want, wrong.want = "", ""
				}
				scenarios = append(scenarios, right, wrong)
			}
		}
	}
	ask := func(path string, status int, want string) scenario {
		return scenario{name: path, req: httpRequest{method: http.MethodGet, path: path}, status: status, want: want}
	}
	b.run(t, server, append(scenarios,
		ask("/sub/alice?token=sub-alice&format=links", 200, links),
		ask("/sub/alice?format=links&token=sub-alice", 200, links),
		ask("/sub/sub-alice/links?format=links-base64", 200, links),
		ask("/sub/carol+%C3%A9/info?token=c%2B%3B%3D", 200, `{"id":3}`),
		ask("/sub/c+;=/info", 200, `{"id":3}`),
		ask("/sub/alice?token=", 404, unknown),
		ask("/sub/sub-alice?token=sub-alice", 404, unknown),
		ask("/sub/alice?token=%00", 404, unknown),
		ask("/sub/%00?token=sub-alice", 404, unknown),
		ask("/sub/sub-alice/%zz", 404, unknown),
		ask("/sub/sub-alice/info/more", 404, detail("no such route: GET /sub/sub-alice/info/more")),
		ask("/sub/alice?token=sub-alice/info/more", 400, formats),
		ask("/sub/sub-alice/usage?period=day&start=a&end=b", 200, `{"id":1,"query":{"Period":"day","Start":"a","End":"b"}}`),
		ask("/sub/alice?token=sub-alice/usage?period=day&start=a", 200, `{"id":1,"query":{"Period":"day","Start":"a","End":""}}`),
		ask("/sub/sub-alice/usage?start=late", 400, "Start date must be before end date"),
		ask("/sub/sub-alice/usage?start=broken", 500, "something went wrong inside the server"),
	))
}

// The URL that the API shows of a user is one that works.
func TestSubURL(t *testing.T) {
	b := newBench(t)
	b.inbound(1)
	for i, name := range []string{"alice", "Renée+?#%&;=", "..", "."} {
		user := &domain.User{Username: name, SubID: fmt.Sprintf("a+b;=é%d", i)}
		body := b.panel(http.MethodPost, "/clients/add", `{"client":{"email":"`+user.Username+`","subId":"`+user.SubID+`"},"inboundIds":[1]}`)
		if !strings.HasPrefix(body, `{"success":true`) {
			t.Fatal(body)
		}
		url := b.kernel.Subscriptions.URL(user)
		if status, headers, _ := (httpRequest{method: http.MethodGet, path: url}).send(t, b.url); status != http.StatusOK {
			t.Errorf("%s of %q: %d %v", url, name, status, headers)
		}
	}
}

// HEAD is GET without the body: every other header is there, its length too.
func TestSubHead(t *testing.T) {
	b := newBench(t)
	b.inbound(1)
	b.client("alice")
	server := b.subscriptions()
	for _, path := range []string{"/sub/sub-alice", "/sub/alice?token=sub-alice", "/sub/sub-alice/info", "/sub/sub-alice/apps", "/sub/nobody", "/sub/sub-alice/x"} {
		get, want, body := httpRequest{method: http.MethodGet, path: path}.send(t, server)
		head, got, none := httpRequest{method: http.MethodHead, path: path}.send(t, server)
		if head != get || none != "" || body == "" {
			t.Errorf("%s: HEAD %d %q, GET %d %q", path, head, none, get, body)
		}
		for name := range want {
			if name != "X-Request-Id" && got.Get(name) != want.Get(name) {
				t.Errorf("%s: %s is %q after HEAD, %q after GET", path, name, got.Get(name), want.Get(name))
			}
		}
	}
}

// Only an app that reads the subscription is noted as one.
func TestSubFetchesThatAreNoted(t *testing.T) {
	b := newBench(t)
	b.inbound(1)
	b.client("alice")
	server := b.subscriptions()
	noted := func() string {
		if err := b.kernel.Subscriptions.FlushFetches(t.Context()); err != nil {
			t.Fatal(err)
		}
		return b.rows("SELECT sub_agent FROM users")
	}
	fetch := func(method, path, agent string) {
		t.Helper()
		request := httpRequest{method: method, path: path, headers: map[string]string{"User-Agent": agent}}
		if status, _, body := request.send(t, server); status != http.StatusOK {
			t.Fatalf("%s %s: %d %s", method, path, status, body)
		}
	}
	fetch(http.MethodHead, "/sub/sub-alice", "head")
	for _, suffix := range []string{"/info", "/usage", "/apps"} {
		fetch(http.MethodGet, "/sub/sub-alice"+suffix, "page")
	}
	if got := noted(); got != "[]\n" {
		t.Errorf("noted %q", got)
	}
	fetch(http.MethodGet, "/sub/alice?token=sub-alice/links", "app")
	if got := noted(); got != "[app]\n" {
		t.Errorf("noted %q", got)
	}
}
