// Package examples builds each example as its README says and runs it in the real plugin host. Those that need more than
// Go are run under the build tag integration.
package examples

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/sluicehq/sluice/kernel/domain"
	"github.com/sluicehq/sluice/kernel/plugin"
	"github.com/sluicehq/sluice/kernel/plugin/kit"
	"github.com/sluicehq/sluice/sdk/wire"
)

// command returns the first block of commands in an example's README: how it is built.
func command(t *testing.T, dir string) string {
	t.Helper()
	readme, err := os.ReadFile(filepath.Join(dir, "README.md"))
	if err != nil {
		t.Fatal(err)
	}
	block := regexp.MustCompile("(?s)```sh\n(.*?)```").FindSubmatch(readme)
	if block == nil {
		t.Fatalf("the README of %s has no commands", dir)
	}
	return string(block[1])
}

// build runs the commands in dir and returns the plugin.
func build(t *testing.T, dir, commands, result string) []byte {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), "sh", "-e", "-c", commands)
	cmd.Dir = dir
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%s: %v\n%s", commands, err, out)
	}
	wasm, err := os.ReadFile(result)
	if err != nil {
		t.Fatal(err)
	}
	return wasm
}

// buildGo builds an example of this module; what comes out of it stays out of the source.
func buildGo(t *testing.T, name string) []byte {
	t.Helper()
	result := filepath.Join(t.TempDir(), name+".wasm")
	commands := strings.Replace(command(t, name), "-o "+name+".wasm", "-o "+result, 1)
	return build(t, name, commands, result)
}

// direct makes the HTTP calls of plugins, to whatever they were granted.
type direct struct{}

func (direct) Do(req *http.Request) (*http.Response, error) {
	return http.DefaultTransport.RoundTrip(req)
}

// patient gives every call as long as it takes on a busy machine.
func patient() plugin.Limits {
	limits := plugin.Limits{Init: time.Minute, Call: map[wire.Op]time.Duration{}}
	for _, op := range []wire.Op{wire.OpUsername, wire.OpPeriod, wire.OpFormat, wire.OpEvent, wire.OpConfigure} {
		limits.Call[op] = time.Minute
	}
	return limits
}

// load loads a plugin into a host of its own, to which the policy applies; its grants are bound to this very file.
func load(t *testing.T, wasm []byte, policy domain.PluginPolicy) *plugin.Host {
	t.Helper()
	sum := sha256.Sum256(wasm)
	policy.Trust, policy.Trusted = domain.TrustHash, hex.EncodeToString(sum[:])
	host, err := plugin.Open(t.Context(), plugin.Options{
		Policy: func(name string) domain.PluginPolicy { p := policy; p.Name = name; return p }, HTTP: direct{}, Limits: patient(),
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := host.Close(context.Background()); err != nil {
			t.Error(err)
		}
	})
	if err := host.Load(t.Context(), "example.wasm", wasm); err != nil {
		t.Fatal(err)
	}
	if info := host.Plugins()[0]; info.State != plugin.StateLoaded {
		t.Fatalf("it is %s: %s", info.State, info.Reason)
	}
	return host
}

// conforms holds a plugin against the rules of its kind.
func conforms(t *testing.T, wasm []byte, o kit.Options) {
	t.Helper()
	o.Limits = patient()
	report, err := kit.Check(t.Context(), "example.wasm", wasm, o)
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range report.Findings {
		if f.Verdict == kit.Fail {
			t.Errorf("%s %s: %s", f.Item, f.Rule, f.Reason)
		}
	}
}

// wantLines fails if the source is longer than it is promised to be.
func wantLines(t *testing.T, file string, most int) {
	t.Helper()
	source, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if n := bytes.Count(source, []byte("\n")); n > most {
		t.Errorf("%s has %d lines, more than %d", file, n, most)
	}
}

func TestPronounceable(t *testing.T) {
	wantLines(t, "pronounceable/main.go", 25)
	wasm := buildGo(t, "pronounceable")
	conforms(t, wasm, kit.Options{})
	names, err := load(t, wasm, domain.PluginPolicy{}).Usernames(t.Context(), &wire.UsernameRequest{
		ID: "pronounceable", Count: 3, Entropy: bytes.Repeat([]byte{1}, wire.EntropySize),
	})
	if want := []string{"kogivu", "nupoki", "zozina"}; err != nil || !slices.Equal(names, want) {
		t.Errorf("it names %q, %v, want %q", names, err, want)
	}
}

func TestSummary(t *testing.T) {
	wasm := buildGo(t, "summary")
	conforms(t, wasm, kit.Options{})
	got, err := load(t, wasm, domain.PluginPolicy{}).Render(t.Context(), &wire.FormatRequest{
		ID: "summary", User: wire.User{Username: "alice", Status: "active", Up: 1, Down: 2, HasQuota: true, Quota: 10},
		Endpoints: []wire.Endpoint{{Protocol: "trojan", Address: "::1", Port: 443}}, Accounts: []wire.Account{{Remark: "DE <1> \"x\""}},
	})
	want := `{"username":"alice","status":"active","used":3,"left":7,"expire_at":null,` +
		`"servers":[{"name":"DE \u003c1\u003e \"x\"","protocol":"trojan","address":"::1","port":443}]}`
	if err != nil || string(got.Body) != want || got.ContentType != "application/json" || got.Filename != "summary.json" {
		t.Errorf("it renders %s (%+v), %v", got.Body, got, err)
	}
}

// TestWebhook has a server on loopback answer what a busy and a willing one would.
func TestWebhook(t *testing.T) {
	type call struct{ path, contentType, id, signature, body string }
	var calls []call
	statuses := []int{503, 204}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body) // what arrived is compared
		calls = append(calls, call{r.URL.Path, r.Header.Get("Content-Type"), r.Header.Get("webhook-id"), r.Header.Get("webhook-signature"), string(body)})
		w.WriteHeader(statuses[len(calls)-1])
	}))
	t.Cleanup(server.Close)
	wasm := buildGo(t, "webhook")
	settings := fmt.Sprintf(`{"url":"%s/hook","template":"{\"text\":\"{type}: {data.user.username}\"}"}`, server.URL)
	conforms(t, wasm, kit.Options{Settings: `{"url":"https://shop.example/hook"}`})
	host := load(t, wasm, domain.PluginPolicy{
		Settings: settings, Secret: "whsec_MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIz",
		Grants: []domain.PluginGrant{{Name: wire.PermissionHTTP, Hosts: []string{server.Listener.Addr().String()}}},
	})
	event := wire.EventRequest{ID: "post", Type: "user.created", EventID: 42, Payload: `{"user":{"username":"alice"}}`}
	var reported *plugin.PluginError
	if err := host.Event(t.Context(), &event); !errors.As(err, &reported) || *reported != (plugin.PluginError{Code: wire.CodeRetry, Message: "the server answers 503"}) {
		t.Errorf("a busy server: %v", err)
	}
	event.Attempt = 1
	if err := host.Event(t.Context(), &event); err != nil {
		t.Error(err)
	}
	if len(calls) != 2 {
		t.Fatalf("the server was called as %+v", calls)
	}
	for _, c := range calls {
		if c.path != "/hook" || c.contentType != "application/json" || c.body != `{"text":"user.created: alice"}` ||
			c.id != calls[0].id || !strings.HasPrefix(c.id, "evt_42") || !strings.HasPrefix(c.signature, "v1,") {
			t.Errorf("the server was called as %+v", c)
		}
	}
}
