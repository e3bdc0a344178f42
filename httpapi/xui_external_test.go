package httpapi

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/sluicehq/sluice/kernel"
	"github.com/sluicehq/sluice/kernel/core/coretest"
)

// provider is somebody's subscription server.
type provider struct {
	*httptest.Server
	body   atomic.Value  // string
	hangs  chan struct{} // it answers when this is closed
	asked  atomic.Int64
	status atomic.Int64
}

// newProvider starts one that answers body. Its address is not public: see reachable.
func newProvider(t *testing.T, body string) *provider {
	t.Helper()
	answers := make(chan struct{})
	close(answers)
	return newHangingProvider(t, body, answers)
}

func newHangingProvider(t *testing.T, body string, hangs chan struct{}) *provider {
	t.Helper()
	p := &provider{hangs: hangs}
	p.body.Store(body)
	p.status.Store(http.StatusOK)
	p.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		p.asked.Add(1)
		select {
		case <-p.hangs:
		case <-r.Context().Done():
		}
		w.WriteHeader(int(p.status.Load()))
		_, _ = fmt.Fprint(w, p.body.Load())
	}))
	t.Cleanup(p.Close)
	return p
}

// reachable lets a kernel reach providers on this machine.
func reachable(o *kernel.Options) {
	o.Reach = func(a netip.Addr) bool { return a.IsLoopback() }
}

// External links are in subscriptions, in their order and with their names, and never in the client's own links.
func TestXUIExternalLinks(t *testing.T) {
	b := newBench(t, reachable)
	port := b.inbound(1)
	b.client("alice")
	p := newProvider(t, "vless://id@one.example:443#one\nnot a link\ntrojan://p@two.example:443#two\n")
	b.do("/clients/alice/externalLinks", fmt.Sprintf(`{"externalLinks":[
		{"kind":"link","value":"vless://uuid@host:443?...#srv","remark":"DE"},
		{"value":" trojan://p@own.example:443#own ","enable":true},
		{"value":"trojan://p@off.example:443","enable":false},
		{"value":"trojan://p@over.example:443","expiryTime":%d},
		{"value":"trojan://p@soon.example:443#soon","expiryTime":%d},
		{"value":"  "},
		{"kind":"subscription","value":%q,"remark":"Provider","namePrefix":"P-"}]}`, start, start+1, p.URL), "")
	own := linkOf("alice", port)
	want := []string{
		own, "vless://uuid@host:443?...#DE", "trojan://p@own.example:443#own", "trojan://p@soon.example:443#soon",
		"vless://id@one.example:443#P-one", "trojan://p@two.example:443#P-two",
	}
	for range 2 { // fetched once
		if got := b.read("/clients/subLinks/sub-alice"); got != success("", jsonList(want...)) {
			t.Errorf("subLinks %s\nwant     %s", got, jsonList(want...))
		}
	}
	_, _, sub := httpRequest{method: http.MethodGet, path: "/sub/sub-alice?format=links"}.send(t, b.url)
	if strings.TrimSpace(sub) != strings.Join(want, "\n") {
		t.Errorf("the subscription is %s\nwant %s", sub, strings.Join(want, "\n"))
	}
	if p.asked.Load() != 1 {
		t.Errorf("the provider was asked %d times", p.asked.Load())
	}
	b.run(t, b.url, []scenario{b.scenario("its own links", http.MethodGet, "/clients/links/alice", "", success("", jsonList(own)))})
	link := func(id, position int, rest string) string {
		return fmt.Sprintf(`{"id":%d,"clientId":1,%s,"sortIndex":%d,"createdAt":%d}`, id, rest, position, start)
	}
	const never = `"lastFetchAt":0,"lastFetchError":""`
	shown := strings.Join([]string{
		link(1, 0, `"kind":"link","value":"vless://uuid@host:443?...#srv","remark":"DE","enable":true,"expiryTime":0,"namePrefix":"",`+never),
		link(2, 1, `"kind":"link","value":"trojan://p@own.example:443#own","remark":"","enable":true,"expiryTime":0,"namePrefix":"",`+never),
		link(3, 2, `"kind":"link","value":"trojan://p@off.example:443","remark":"","enable":false,"expiryTime":0,"namePrefix":"",`+never),
		link(4, 3, fmt.Sprintf(`"kind":"link","value":"trojan://p@over.example:443","remark":"","enable":true,"expiryTime":%d,"namePrefix":"",`, start)+never),
		link(5, 4, fmt.Sprintf(`"kind":"link","value":"trojan://p@soon.example:443#soon","remark":"","enable":true,"expiryTime":%d,"namePrefix":"",`, start+1)+never),
		link(6, 5, fmt.Sprintf(`"kind":"subscription","value":%q,"remark":"Provider","enable":true,"expiryTime":0,"namePrefix":"P-","lastFetchAt":%d,"lastFetchError":""`, p.URL, start)),
	}, ",")
	if got := b.member(b.member(b.read("/clients/get/alice"), "obj"), "externalLinks"); got != "["+shown+"]" {
		t.Errorf("get shows %s\nwant      [%s]", got, shown)
	}
	b.do("/clients/alice/externalLinks", `{"externalLinks":[]}`, "")
	b.run(t, b.url, []scenario{b.scenario("taken away", http.MethodGet, "/clients/subLinks/sub-alice", "", success("", jsonList(own)))})
}

// The same list sent twice is the same links, and one that is refused changes nothing.
func TestXUIExternalLinksReplace(t *testing.T) {
	b := newBench(t)
	b.inbound(1)
	b.client("alice")
	set := func(name, body, sentence string) scenario {
		return b.scenario(name, http.MethodPost, "/clients/alice/externalLinks", body, envelope(sentence))
	}
	b.do("/clients/alice/externalLinks", `{"externalLinks":[{"value":"trojan://p@example.com:443"}]}`, "")
	b.run(t, b.url, []scenario{
		set("one of two is bad", `{"externalLinks":[{"value":"trojan://p@b.example:443"},{"value":"gopher://x"}]}`,
			"externalLinks[1].value must be a share link of vmess, vless, trojan, ss, hysteria2 or wireguard"),
		b.scenario("unknown client", http.MethodPost, "/clients/nobody/externalLinks", `{"externalLinks":[]}`, envelope("client not found")),
	})
	if got := b.read("/clients/get/alice"); !strings.Contains(got, "trojan://p@example.com:443") || strings.Contains(got, "b.example") {
		t.Error(got)
	}
}

// A provider that answers badly is told of, and what it answered before is used.
func TestXUIExternalLinksOfABadProvider(t *testing.T) {
	b := newBench(t, reachable)
	port := b.inbound(1)
	b.client("alice")
	p := newProvider(t, "trojan://p@example.com:443#one")
	b.do("/clients/alice/externalLinks", fmt.Sprintf(`{"externalLinks":[{"kind":"subscription","value":%q}]}`, p.URL), "")
	want := success("", jsonList(linkOf("alice", port), "trojan://p@example.com:443#one"))
	if got := b.read("/clients/subLinks/sub-alice"); got != want {
		t.Fatalf("subLinks %s, want %s", got, want)
	}
	p.status.Store(http.StatusBadGateway)
	b.clock.Advance(2 * time.Hour)
	if got := b.read("/clients/subLinks/sub-alice"); got != want {
		t.Errorf("of a provider that is down: %s, want %s", got, want)
	}
	shown := b.read("/clients/get/alice")
	if part := fmt.Sprintf(`"lastFetchAt":%d,"lastFetchError":"`, start+2*hourMS); !strings.Contains(shown, part) || strings.Contains(shown, part+`"`) {
		t.Errorf("get shows %s", shown)
	}
}

// A provider that does not answer delays a subscription by its budget and not more.
func TestXUIExternalLinksOfADeadProvider(t *testing.T) {
	b := newBench(t, reachable)
	port := b.inbound(1)
	b.client("alice")
	p := newHangingProvider(t, "trojan://p@example.com:443#one", make(chan struct{}))
	b.do("/clients/alice/externalLinks", fmt.Sprintf(`{"externalLinks":[{"kind":"subscription","value":%q}]}`, p.URL), "")
	answer := make(chan string, 1)
	go func() { answer <- b.read("/clients/subLinks/sub-alice") }()
	coretest.Eventually(t, "the provider is asked", func() bool { return p.asked.Load() == 1 })
	var got string
	coretest.Eventually(t, "the subscription is there", func() bool {
		select {
		case got = <-answer:
			return true
		default:
			b.clock.Advance(time.Second)
			return false
		}
	})
	if want := success("", jsonList(linkOf("alice", port))); got != want {
		t.Errorf("subLinks %s, want %s", got, want)
	}
	close(p.hangs)
}

// Without leave nothing that a user named is asked on this machine.
func TestXUIExternalLinksReachNoPrivateAddress(t *testing.T) {
	b := newBench(t)
	port := b.inbound(1)
	b.client("alice")
	p := newProvider(t, "trojan://p@example.com:443#one")
	b.do("/clients/alice/externalLinks", fmt.Sprintf(`{"externalLinks":[{"kind":"subscription","value":%q}]}`, p.URL), "")
	if got, want := b.read("/clients/subLinks/sub-alice"), success("", jsonList(linkOf("alice", port))); got != want {
		t.Errorf("subLinks %s, want %s", got, want)
	}
	if p.asked.Load() != 0 {
		t.Error("it was asked")
	}
	if got := b.read("/clients/get/alice"); strings.Contains(got, `"lastFetchError":""`) {
		t.Errorf("get does not say why: %s", got)
	}
}
