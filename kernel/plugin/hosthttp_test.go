package plugin

import (
	"context"
	"encoding/base64"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/jonboulle/clockwork"

	"github.com/sluicehq/sluice/kernel/domain"
	"github.com/sluicehq/sluice/kernel/guard"
	"github.com/sluicehq/sluice/sdk/wire"
)

// onLoopback reaches only this machine, by the very client that the server uses.
func onLoopback() Doer { return guard.New(guard.Options{Allow: netip.Addr.IsLoopback}) }

// granted is a policy that gives a file everything, http to these hosts.
func granted(wasm []byte, hosts ...string) domain.PluginPolicy {
	p := domain.PluginPolicy{
		Name: "caller", Trust: domain.TrustHash, Trusted: digest(wasm), Grants: []domain.PluginGrant{{Name: wire.PermissionKV}},
		Secret: "whsec_" + base64.StdEncoding.EncodeToString([]byte("secret")),
	}
	if len(hosts) > 0 {
		p.Grants = append(p.Grants, domain.PluginGrant{Name: wire.PermissionHTTP, Hosts: hosts})
	}
	return p
}

// worker is the caller guest on trial with everything that it may ask for.
type worker struct {
	*Trial
	said int
}

func newWorker(t testing.TB, o Options, hosts ...string) *worker {
	t.Helper()
	if o.HTTP == nil {
		o.HTTP = onLoopback()
	}
	if o.Clock == nil {
		o.Clock = clockwork.NewFakeClockAt(time.Unix(1_800_000_000, 0))
	}
	h, _ := openHost(t, o)
	wasm := callerGuest(t)
	trial, err := h.Trial(background, "caller.wasm", wasm, under(granted(wasm, hosts...)))
	if err != nil {
		t.Fatal(err)
	}
	return &worker{Trial: trial}
}

// do has the guest do lines in one event, and returns what it said.
func (w *worker) do(t testing.TB, lines ...string) []string {
	t.Helper()
	if err := w.Event(background, &wire.EventRequest{ID: "do", EventID: 12, Payload: strings.Join(lines, "\n")}); err != nil {
		t.Fatal(err)
	}
	return w.heard()
}

func (w *worker) heard() (said []string) {
	lines := w.Log()
	for _, l := range lines[w.said:] {
		if !strings.HasPrefix(l.Text, "plugin ") {
			said = append(said, l.Text)
		}
	}
	w.said = len(lines)
	return said
}

func expect(t testing.TB, got []string, want ...string) {
	t.Helper()
	if !slices.Equal(got, want) {
		t.Errorf("got  %q\nwant %q", got, want)
	}
}

// site is an HTTP server that remembers what it was asked.
type site struct {
	*httptest.Server
	host string // with the port
	mu   sync.Mutex
	seen []*http.Request // their bodies are read
	body []string
}

func newSite(t testing.TB, handler http.HandlerFunc) *site {
	t.Helper()
	s := &site{}
	s.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		s.mu.Lock()
		s.seen, s.body = append(s.seen, r), append(s.body, string(body))
		s.mu.Unlock()
		handler(w, r)
	}))
	t.Cleanup(s.Close)
	u, _ := url.Parse(s.URL)
	s.host = u.Host
	return s
}

func TestHTTPCallsAreSigned(t *testing.T) {
	s := newSite(t, func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("X-Answer", "42")
		w.WriteHeader(http.StatusTeapot)
		_, _ = io.WriteString(w, r.Method+" done")
	})
	w := newWorker(t, Options{}, s.host)
	expect(t, w.do(t,
		"POST "+s.URL+"/a?b=c hello Content-Type:text/x-test User-Agent:mine",
		"POST "+s.URL+"/a?b=c again",
		"DELETE "+s.URL+"/a?b=c",
	), "418 9 POST done", "418 9 POST done", "418 11 DELETE done")
	again := w.do(t, "DELETE "+s.URL+"/a?b=c") // the event comes again, and this time the plugin leaves something out
	expect(t, again, "418 11 DELETE done")
	if len(s.seen) != 4 {
		t.Fatalf("%d requests", len(s.seen))
	}
	first := s.seen[0].Header
	if s.body[0] != "hello" || first.Get("Content-Type") != "text/x-test" || first.Get("User-Agent") != "mine" ||
		s.seen[1].UserAgent() != "Sluice" || first.Get("webhook-timestamp") != "1800000000" {
		t.Errorf("body %q, headers %v", s.body[0], first)
	}
	ids := map[string]int{}
	for _, r := range s.seen {
		ids[r.Header.Get("webhook-id")]++
	}
	base, found := strings.CutSuffix(s.seen[1].Header.Get("webhook-id"), "_2")
	if !found || base != first.Get("webhook-id") || !strings.HasPrefix(base, "evt_12_") || len(ids) != 3 || ids[s.seen[3].Header.Get("webhook-id")] != 2 {
		t.Errorf("ids %v", ids)
	}
	for i, r := range s.seen {
		if got, want := r.Header.Get("webhook-signature"), standardSignature("secret", r.Header, s.body[i]); got != want {
			t.Errorf("request %d is signed %s, want %s", i, got, want)
		}
	}
}

func TestHTTPIsRefused(t *testing.T) {
	s := newSite(t, func(w http.ResponseWriter, r *http.Request) {
		http.Redirect(w, r, r.URL.Query().Get("to"), http.StatusFound)
	})
	other := newSite(t, func(http.ResponseWriter, *http.Request) { t.Error("a host that was not granted was reached") })
	closed, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	nobody := closed.Addr().String()
	_ = closed.Close()
	w := newWorker(t, Options{}, s.host, nobody, "169.254.169.254", "plain.example.com")
	_, port, _ := strings.Cut(s.host, ":")
	for name, c := range map[string]struct{ line, want string }{
		"another host":       {"GET " + other.URL, "url leads to " + other.host + ", which was not granted"},
		"the same, by name":  {"GET http://localhost:" + port, "url leads to localhost:" + port + ", which was not granted"},
		"another port":       {"GET http://plain.example.com:8080/", "url leads to plain.example.com:8080, which was not granted"},
		"a part of a name":   {"GET http://x.plain.example.com/", "url leads to x.plain.example.com, which was not granted"},
		"a method":           {"TRACE " + s.URL, "method must be one of GET, HEAD, POST, PUT, PATCH, DELETE"},
		"a file":             {"GET file:///etc/passwd", "url must be an absolute http or https URL without a user"},
		"a user":             {"GET http://a:b@" + s.host, "url must be an absolute http or https URL without a user"},
		"relative":           {"GET /etc/passwd", "url must be an absolute http or https URL without a user"},
		"Host":               {"GET " + s.URL + " x Host:inside", "headers can not have host, which is the host's"},
		"a hop-by-hop":       {"GET " + s.URL + " x Transfer-Encoding:chunked", "headers can not have transfer-encoding, which is the host's"},
		"a length":           {"GET " + s.URL + " x content-length:9", "headers can not have content-length, which is the host's"},
		"a signature":        {"GET " + s.URL + " x Webhook-Signature:v1", "headers can not have webhook-signature, which is the host's"},
		"no header":          {"GET " + s.URL + " x a(b:c", `headers can not have "a(b": it is not a header of HTTP`},
		"redirect elsewhere": {"GET " + s.URL + "/?to=" + other.URL, "127.0.0.1 redirects to another host: the URL leads to " + other.host + ", which was not granted"},
		"redirect to a file": {"GET " + s.URL + "/?to=file:///etc/passwd", "127.0.0.1 redirects to what is not an http or https URL"},
		"redirects for ever": {"GET " + s.URL + "/?to=?to=%3Fto=%253Fto=%25253Fto=x", "127.0.0.1 redirects more than 3 times"},
		"nobody there":       {"GET http://" + nobody, "127.0.0.1 can not be reached"},
		"metadata":           {"GET http://169.254.169.254/", "the address of 169.254.169.254 is not public"},
	} {
		t.Run(name, func(t *testing.T) { expect(t, w.do(t, c.line), "error: "+c.want) })
	}
	expect(t, newWorker(t, Options{}).do(t, "GET "+s.URL), "error: the permission http was not granted")
}

func TestLongAnswersAreCutOff(t *testing.T) {
	s := newSite(t, func(w http.ResponseWriter, _ *http.Request) {
		for i := range 50 {
			w.Header().Add("X-"+strconv.Itoa(i), "v")
		}
		_, _ = w.Write(make([]byte, 20<<20))
	})
	w := newWorker(t, Options{}, s.host)
	got := w.do(t, "GET "+s.URL)
	var status, size int
	if _, err := fmt.Sscan(got[0], &status, &size); err != nil || status != 200 || size > wire.MaxRequest || size < wire.MaxRequest-4096 {
		t.Errorf("the guest got %d with %d bytes, %v", status, size, err)
	}
	expect(t, w.do(t, "delete x"), "error: there is no key-value store here")
}

// The time of a request is not the plugin's: it may take longer than the event may. It has a budget of its own.
func TestHTTPTimeIsBudgetedApart(t *testing.T) {
	release := make(chan struct{})
	s := newSite(t, func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/slow" {
			select {
			case <-release:
			case <-r.Context().Done():
			}
		}
	})
	limits := Limits{
		Call: map[wire.Op]time.Duration{wire.OpEvent: time.Second},
		HTTP: Budget{Calls: 4, Call: 1200 * time.Millisecond, Total: 2 * time.Second},
	}
	w := newWorker(t, Options{Limits: limits}, s.host)
	slow, quick := "GET "+s.URL+"/slow", "GET "+s.URL
	late := "error: 127.0.0.1 did not answer in time"
	spent := "error: the 2000 ms that sluice.http may take for one event are used up"
	expect(t, w.do(t, slow, slow, quick), late, late, spent)
	expect(t, w.do(t, quick, quick, quick, quick, quick), "200 0", "200 0", "200 0", "200 0",
		"error: one event may make 4 calls of sluice.http")
	err := w.Event(background, &wire.EventRequest{ID: "do", Payload: slow + "\nspin"}) // its own deadline still holds
	check(t, err, ErrTimeout, "plugin caller: event do took longer than 1000 ms")
	ctx, cancel := context.WithCancel(background)
	cancel()
	w.heard()
	if err := w.Event(ctx, &wire.EventRequest{ID: "do", Payload: slow}); err != nil { // who asks has gone: no request outlives that
		t.Error(err)
	}
	expect(t, w.heard(), late)
	close(release)
}
