package httpapi

import (
	"bytes"
	"compress/gzip"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/sluicehq/sluice/kernel"
)

// guests are the plugins of these tests that were built, by what they were built of.
var guests = struct {
	sync.Mutex
	built map[string]string
}{built: map[string]string{}}

// guest builds a plugin of testdata/plugins with values for its variables ("version=2.0.0").
func guest(t testing.TB, name string, variables ...string) string {
	t.Helper()
	guests.Lock()
	defer guests.Unlock()
	key := name + " " + strings.Join(variables, " ")
	if wasm, built := guests.built[key]; built {
		return wasm
	}
	flags := "-s -w"
	for _, v := range variables {
		flags += " -X main." + v
	}
	file := filepath.Join(t.TempDir(), "guest.wasm")
	build := exec.Command("go", "build", "-buildmode=c-shared", "-ldflags="+flags, "-o", file, "./testdata/plugins/"+name)
	build.Env = append(os.Environ(), "GOOS=wasip1", "GOARCH=wasm", "CGO_ENABLED=0")
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("building %s: %v\n%s", name, err, out)
	}
	wasm, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	guests.built[key] = string(wasm)
	return string(wasm)
}

// plugin is what GET /api/plugins tells of one.
type pluginSeen struct {
	Name, Version, State, Reason, File, SHA256, Secret, Trust string
	Enabled, Replaces, Builtin                                bool
	Provides                                                  []struct{ Kind, ID string }
	Permissions, Grants                                       []struct {
		Name, Reason string
		Hosts        []string
	}
	Waiting *struct {
		Version     string
		Permissions []struct {
			Name  string
			Hosts []string
		}
	}
	Settings map[string]any
}

func (b *bench) plugin(name string) (p pluginSeen) {
	b.t.Helper()
	if err := json.Unmarshal([]byte(b.pg(http.MethodGet, "/plugins/"+name, "", 200)), &p); err != nil {
		b.t.Fatal(err)
	}
	return p
}

// pluginNames lists the plugins with their states.
func (b *bench) pluginNames() (names []string) {
	b.t.Helper()
	var list struct{ Plugins []pluginSeen }
	if err := json.Unmarshal([]byte(b.pg(http.MethodGet, "/plugins", "", 200)), &list); err != nil {
		b.t.Fatal(err)
	}
	for _, p := range list.Plugins {
		names = append(names, p.Name+" "+p.Version+" "+p.State)
	}
	return names
}

func (b *bench) wantPlugins(want ...string) {
	b.t.Helper()
	if got := b.pluginNames(); !slices.Equal(got, append([]string{"sluice-builtin 1.0.0 loaded"}, want...)) {
		b.t.Fatalf("plugins: %q, want %q after the built-in one", got, want)
	}
}

// TestPluginByUpload takes a plugin from its first upload to its end.
func TestPluginByUpload(t *testing.T) {
	b := newBench(t)
	b.inbound(1)
	b.client("alice")
	first, second := guest(t, "shout"), guest(t, "shout", "version=2.0.0")
	const sub = "/sub/sub-alice"

	refused := b.pg(http.MethodPost, "/plugins", first, 409)
	if want := `{"detail":"plugin provides format links, which is built in: allow it with PUT /api/plugins/shout {\"replaces\":true} before the upload"}`; refused != want {
		t.Fatalf("got  %s\nwant %s", refused, want)
	}
	b.wantPlugins()
	b.pg(http.MethodPut, "/plugins/shout", `{"replaces":true}`, 200)
	b.pg(http.MethodPost, "/plugins", first, 201)
	b.wantPlugins("shout 1.0.0 loaded")
	if got := b.open(sub + "/shout"); got != "1.0.0 DEMO-ALICE\n" {
		t.Errorf("its format: %s", got)
	}
	if got := b.open(sub + "/links"); got != "1.0.0 DEMO-ALICE\n" {
		t.Errorf("the built-in's format: %s", got)
	}
	if status, _, got := (httpRequest{method: "GET", path: sub, headers: map[string]string{"User-Agent": "ShoutApp/7"}}).send(t, b.url); got != "1.0.0 DEMO-ALICE\n" {
		t.Errorf("by its user agent: %d %s", status, got)
	}

	for name, upload := range map[string]struct {
		body, want string
		status     int
	}{
		"nothing":           {"", `{"detail":{"body":"request body is required"}}`, 422},
		"a picture":         {"\x89PNG", `{"detail":{"body":"must be a .wasm file`, 422},
		"half of a file":    {first[:len(first)/2], `{"detail":"plugin upload.wasm is refused: `, 400},
		"a damaged archive": {"\x1f\x8bjunk", `{"detail":{"body":"can not be unpacked`, 422},
		"no plugin":         {"\x00asm\x01\x00\x00\x00", `{"detail":"plugin upload.wasm is refused: it does not export its memory as memory"}`, 400},
	} {
		t.Run(name, func(t *testing.T) {
			got := b.pg(http.MethodPost, "/plugins", upload.body, upload.status)
			if !strings.HasPrefix(got, upload.want) {
				t.Errorf("got %s, want %s", got, upload.want)
			}
			b.wantPlugins("shout 1.0.0 loaded")
		})
	}

	preview := b.pg(http.MethodPost, "/plugins/shout/preview?users=alice", second, 200)
	if want := `{"user":"alice","now":"1.0.0 DEMO-ALICE\n","would":"2.0.0 DEMO-ALICE\n","diff":"--- now\n+++ would\n@@ -1 +1 @@\n-1.0.0 DEMO-ALICE\n+2.0.0 DEMO-ALICE\n","now_error":"","would_error":""}`; !strings.Contains(preview, want) {
		t.Errorf("preview: %s", preview)
	}
	b.wantPlugins("shout 1.0.0 loaded")
	b.pg(http.MethodPost, "/plugins", zipped(t, second), 201)
	b.wantPlugins("shout 2.0.0 loaded")
	if got := b.open(sub + "/links"); got != "2.0.0 DEMO-ALICE\n" {
		t.Errorf("of the new version: %s", got)
	}

	b.pg(http.MethodPut, "/user/alice", `{"note":"break"}`, 200)
	if status, _, got := (httpRequest{method: "GET", path: sub + "/links"}).send(t, b.url); status != 200 || !strings.HasPrefix(got, "vless://") {
		t.Errorf("the built-in does not stand in: %d %s", status, got)
	}
	if status, _, got := (httpRequest{method: "GET", path: sub + "/shout"}).send(t, b.url); status != 503 {
		t.Errorf("a format that nobody stands in for: %d %s", status, got)
	}
	if p := b.plugin("shout"); p.State != "failing" || !strings.Contains(p.Reason, "out of breath") {
		t.Errorf("after a crash: %s, %s", p.State, p.Reason)
	}
	if log := b.pg(http.MethodGet, "/plugins/shout/log", "", 200); !strings.Contains(log, "out of breath") {
		t.Errorf("log: %s", log)
	}
	if word := b.open("/readyz"); word != "degraded\n" {
		t.Errorf("/readyz: %s", word)
	}

	b.pg(http.MethodPut, "/plugins/shout", `{"enabled":false}`, 200)
	b.wantPlugins("shout 2.0.0 disabled")
	if got := b.open(sub + "/links"); !strings.HasPrefix(got, "vless://") {
		t.Errorf("while it is disabled: %s", got)
	}
	b.pg(http.MethodPut, "/plugins/shout", `{"enabled":true,"replaces":false}`, 200)
	b.pg(http.MethodDelete, "/plugins/shout", "", 204)
	b.wantPlugins()
	if files, _ := os.ReadDir(b.dir.Plugins()); len(files) != 0 {
		t.Errorf("left in the folder: %v", files)
	}
	b.pg(http.MethodDelete, "/plugins/shout", "", 404)
}

// TestPluginByFile does what an operator does with cp and rm.
func TestPluginByFile(t *testing.T) {
	b := newBench(t)
	first, second := guest(t, "bell"), guest(t, "bell", "version=2.0.0")
	put := func(name, content string) {
		t.Helper()
		if err := os.WriteFile(filepath.Join(b.dir.Plugins(), name), []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	put("first.wasm", first)
	b.eventuallyPlugins("bell 1.0.0 waiting")
	put("broken.wasm", first[:1000])
	b.eventuallyPlugins("  refused", "bell 1.0.0 waiting")
	put("first.wasm", second)
	b.eventuallyPlugins("  refused", "bell 2.0.0 waiting")
	put("twin.wasm", second)
	b.eventuallyPlugins("  refused", "bell 2.0.0 waiting", "bell 2.0.0 refused")
	if err := os.Remove(filepath.Join(b.dir.Plugins(), "first.wasm")); err != nil {
		t.Fatal(err)
	}
	b.eventuallyPlugins("  refused", "bell 2.0.0 waiting") // the twin, which has its chance now
	put("broken.wasm", second)
	put("notes.txt", "not looked at")
	if err := os.Rename(filepath.Join(b.dir.Plugins(), "broken.wasm"), filepath.Join(b.dir.Plugins(), "gone.txt")); err != nil {
		t.Fatal(err)
	}
	b.eventuallyPlugins("bell 2.0.0 waiting")
}

// open is the answer to whoever asks.
func (b *bench) open(path string) string {
	b.t.Helper()
	_, _, got := httpRequest{method: http.MethodGet, path: path}.send(b.t, b.url)
	return got
}

// eventuallyPlugins waits for the folder to be followed. The watcher waits for the clock, which stands still here.
func (b *bench) eventuallyPlugins(want ...string) {
	b.t.Helper()
	want = append([]string{"sluice-builtin 1.0.0 loaded"}, want...)
	var got []string
	for deadline := time.Now().Add(30 * time.Second); time.Now().Before(deadline); {
		b.clock.Advance(time.Second)
		if got = b.pluginNames(); slices.Equal(got, want) {
			return
		}
	}
	b.t.Fatalf("plugins: %q, want %q", got, want)
}

// TestPermissions has an operator grant, and a new version ask for more.
func TestPermissions(t *testing.T) {
	server := newListener(t)
	b := newBench(t, func(o *kernel.Options) { o.Reach = func(netip.Addr) bool { return true } })
	b.inbound(1)
	host := strings.TrimPrefix(server.URL, "http://")
	b.pg(http.MethodPost, "/plugins", guest(t, "bell", "hosts="+host), 201)
	b.wantPlugins("bell 1.0.0 waiting")
	if p := b.plugin("bell"); len(p.Permissions) != 2 || p.Permissions[0].Name != "http" || p.Permissions[0].Reason != "tells your server" || p.Secret != "" {
		t.Errorf("what it asks for: %+v", p)
	}
	b.client("too-early")
	for name, c := range map[string]struct{ body, want string }{
		"a host that it does not name":    {`{"grants":[{"name":"http","hosts":["example.com"]}]}`, `{"detail":{"grants[0].hosts":"grants[0].hosts has example.com, which the plugin does not ask for; it asks for ` + host + `"}}`},
		"no host":                         {`{"grants":[{"name":"http"}]}`, `{"detail":{"grants[0].hosts":"grants[0].hosts can not be empty; the plugin asks for ` + host + `"}}`},
		"settings that it does not take":  {`{"settings":{"url":5}}`, `{"detail":{"settings.url":"settings.url must be a string"}}`},
		"a setting that it does not have": {`{"settings":{"url":"x","urn":"y"}}`, `{"detail":{"settings.urn":"settings.urn is not a known parameter"}}`},
		"a signer, of what is not signed": {`{"trust":"signer"}`, `{"detail":{"trust":"trust can not be signer: the plugin is not signed"}}`},
	} {
		t.Run(name, func(t *testing.T) {
			if got := b.pg(http.MethodPut, "/plugins/bell", c.body, 422); !strings.HasPrefix(got, c.want) {
				t.Errorf("got %s, want %s", got, c.want)
			}
		})
	}
	b.pg(http.MethodPut, "/plugins/bell",
		`{"settings":{"url":"`+server.URL+`"},"grants":[{"name":"kv"},{"name":"http","hosts":["`+host+`"]}]}`, 200)
	b.wantPlugins("bell 1.0.0 loaded")
	secret := b.plugin("bell").Secret
	if !strings.HasPrefix(secret, "whsec_") {
		t.Errorf("secret %q", secret)
	}
	b.client("alice")
	got := server.next(t)
	if got.URL.Path != "/user.created/1" || !strings.Contains(server.body, `"username":"alice"`) {
		t.Errorf("told %s %s", got.URL.Path, server.body)
	}
	server.verify(t, secret, got)

	b.pg(http.MethodPost, "/plugins", guest(t, "bell", "version=2.0.0", "hosts="+host+",example.com"), 201)
	p := b.plugin("bell")
	if p.Version != "1.0.0" || p.State != "loaded" || p.Waiting == nil || p.Waiting.Version != "2.0.0" {
		t.Fatalf("the old one does not serve while the new one waits: %+v", p)
	}
	b.client("bob")
	if got := server.next(t); got.URL.Path != "/user.created/2" {
		t.Errorf("told %s", got.URL.Path)
	}
	b.pg(http.MethodPut, "/plugins/bell", `{"grants":[{"name":"kv"},{"name":"http","hosts":["`+host+`","example.com"]}]}`, 200)
	b.wantPlugins("bell 2.0.0 loaded")

	server.answer(http.StatusBadGateway)
	b.client("carol")
	failed := server.next(t)
	if waiting := b.events("waiting"); len(waiting) != 1 {
		t.Fatalf("waiting: %v", waiting)
	}
	server.answer(http.StatusOK)
	b.clock.Advance(10 * time.Second)
	again := server.next(t)
	if failed.Header.Get("webhook-id") != again.Header.Get("webhook-id") || again.URL.Path != "/user.created/3" {
		t.Errorf("%s comes again as %s, %s", failed.Header.Get("webhook-id"), again.Header.Get("webhook-id"), again.URL.Path)
	}
	b.pg(http.MethodPut, "/plugins/bell", `{"grants":[]}`, 200)
	b.wantPlugins("bell 2.0.0 waiting")
}

// eventSeen is what GET /api/events tells of one.
type eventSeen struct {
	ID        int64
	Type      string
	LastError string `json:"last_error"`
}

// events are those in a state, once an attempt at the first of them has failed.
func (b *bench) events(state string) []eventSeen {
	b.t.Helper()
	var list struct{ Events []eventSeen }
	settled := func() bool { return len(list.Events) > 0 && list.Events[0].LastError != "" }
	for deadline := time.Now().Add(20 * time.Second); time.Now().Before(deadline) && !settled(); {
		if err := json.Unmarshal([]byte(b.pg(http.MethodGet, "/events?state="+state, "", 200)), &list); err != nil {
			b.t.Fatal(err)
		}
	}
	return list.Events
}

// listener is a server that a plugin calls.
type listener struct {
	*httptest.Server
	calls chan *http.Request
	body  string // of the request that next returned last

	mu     sync.Mutex
	status int
}

func newListener(t *testing.T) *listener {
	l := &listener{calls: make(chan *http.Request, 100), status: http.StatusOK}
	l.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		kept := r.Clone(r.Context())
		kept.Body = io.NopCloser(bytes.NewReader(body))
		l.mu.Lock()
		status := l.status
		l.mu.Unlock()
		w.WriteHeader(status)
		l.calls <- kept
	}))
	t.Cleanup(l.Close)
	return l
}

func (l *listener) answer(status int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.status = status
}

func (l *listener) next(t *testing.T) *http.Request {
	t.Helper()
	select {
	case r := <-l.calls:
		body, err := io.ReadAll(r.Body)
		if err != nil {
			t.Fatal(err)
		}
		l.body = string(body)
		return r
	case <-time.After(20 * time.Second):
		t.Fatal("nobody calls")
	}
	return nil
}

// verify checks the signature of the last request as a receiver does.
func (l *listener) verify(t *testing.T, secret string, r *http.Request) {
	t.Helper()
	if want := signature(t, secret, r.Header.Get("webhook-id"), r.Header.Get("webhook-timestamp"), l.body); r.Header.Get("webhook-signature") != want {
		t.Errorf("signature %s, want %s", r.Header.Get("webhook-signature"), want)
	}
}

// signature is that of Standard Webhooks, version 1.
func signature(t *testing.T, secret, id, timestamp, body string) string {
	t.Helper()
	key, err := base64.StdEncoding.DecodeString(strings.TrimPrefix(secret, "whsec_"))
	if err != nil {
		t.Fatal(err)
	}
	mac := hmac.New(sha256.New, key)
	mac.Write([]byte(id + "." + timestamp + "." + body))
	return "v1," + base64.StdEncoding.EncodeToString(mac.Sum(nil))
}

func zipped(t *testing.T, content string) string {
	t.Helper()
	var packed bytes.Buffer
	w := gzip.NewWriter(&packed)
	if _, err := w.Write([]byte(content)); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return packed.String()
}

// TestEventsByHandler has a receiver down until its event is given up, and an operator who sends it again, and drops the next.
func TestEventsByHandler(t *testing.T) {
	server := newListener(t)
	b := newBench(t, func(o *kernel.Options) { o.Reach = func(netip.Addr) bool { return true } })
	b.inbound(1)
	host := strings.TrimPrefix(server.URL, "http://")
	b.pg(http.MethodPost, "/plugins", guest(t, "bell", "hosts="+host), 201)
	b.pg(http.MethodPut, "/plugins/bell",
		`{"settings":{"url":"`+server.URL+`"},"grants":[{"name":"kv"},{"name":"http","hosts":["`+host+`"]}]}`, 200)
	server.answer(http.StatusBadGateway)
	b.client("alice")
	for attempt := range 11 {
		for called := false; !called; { // the next attempt is put off at some moment after the answer
			select {
			case <-server.calls:
				called = true
			case <-time.After(20 * time.Millisecond):
				if attempt > 0 {
					b.clock.Advance(time.Hour)
				}
			}
		}
	}
	dead := b.events("dead")
	if len(dead) != 1 || dead[0].Type != "user.created" || !strings.Contains(dead[0].LastError, "the server answers 502") {
		t.Fatalf("dead: %+v", dead)
	}
	_, _, health := httpRequest{method: http.MethodGet, path: "/readyz", token: b.admin}.send(t, b.url)
	if !strings.HasPrefix(health, `{"status":"degraded"`) || !strings.Contains(health, `"failing":[{"name":"bell/ring","state":"failing since 20`) {
		t.Errorf("after hours without a success: %s", health)
	}
	for body, want := range map[string]string{
		`{}`:                                `{"detail":{"ids":"either ids or a handler must be given"}}`,
		`{"ids":[1],"handler":"bell/ring"}`: `{"detail":{"ids":"either ids or a handler must be given"}}`,
	} {
		if got := b.pg(http.MethodPost, "/events/retry", body, 422); got != want {
			t.Errorf("%s: %s", body, got)
		}
	}
	if got := b.pg(http.MethodPost, "/events/retry", `{"handler":"bell/other"}`, 200); got != `{"count":0}` {
		t.Errorf("of a handler that there is not: %s", got)
	}
	server.answer(http.StatusOK)
	if got := b.pg(http.MethodPost, "/events/retry", `{"handler":"bell/ring"}`, 200); got != `{"count":1}` {
		t.Errorf("of the handler: %s", got)
	}
	if got := server.next(t); got.URL.Path != "/user.created/1" {
		t.Errorf("told %s", got.URL.Path)
	}
	for deadline := time.Now().Add(20 * time.Second); b.open("/readyz") != "ready\n"; {
		if time.Now().After(deadline) {
			t.Fatal("not ready after a success")
		}
	}
	server.answer(http.StatusBadGateway)
	b.client("bob")
	server.next(t)
	b.events("waiting")
	if got := b.pg(http.MethodPost, "/events/drop", `{"handler":"bell/ring"}`, 200); got != `{"count":1}` {
		t.Errorf("dropped: %s", got)
	}
	if got := b.pg(http.MethodGet, "/events?state=waiting", "", 200); got != `{"events":[]}` {
		t.Errorf("left: %s", got)
	}
}
