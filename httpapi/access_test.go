package httpapi

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/sluicehq/sluice/kernel/domain"
)

const (
	sentenceNoToken  = "the API token is missing, unknown, expired or disabled"
	sentenceReadonly = "this API token is readonly"
	sentenceNotSudo  = "this route needs a token of a sudo admin"
)

// TestAccess tries every kind of token on both dialects: the status is the same, the form is the dialect's.
func TestAccess(t *testing.T) {
	b := newBench(t)
	soon := start + 1000
	expired := b.token("expired", domain.ScopeAdmin, &soon)
	b.clock.Advance(time.Second)
	readonly, disabled, plain := b.token("readonly", domain.ScopeReadonly, nil), b.token("disabled", domain.ScopeAdmin, nil), b.token("plain", domain.ScopeAdmin, nil)
	b.exec("UPDATE tokens SET enabled = false WHERE name = 'disabled'")
	if _, err := b.kernel.Accounts.CreateAdmin(t.Context(), "helper", "a good password", false); err != nil {
		t.Fatal(err)
	}
	b.exec("UPDATE tokens SET admin_id = (SELECT id FROM admins WHERE username = 'helper') WHERE name = 'plain'")

	for _, dialect := range []struct {
		name, read, write, body string
		form                    func(string) string
		ok                      string
	}{
		{"3x-ui", "/panel/api/inbounds/list", "/panel/api/inbounds/del/99", "", envelope, `"success":true`},
		{"operator", "/api/settings", "/api/settings", "{}", detail, `"public_hosts"`},
	} {
		write := http.MethodPost
		if dialect.name == "operator" {
			write = http.MethodPut
		}
		refused := func(name, header string, method, path string, status int, sentence string) scenario {
			r := httpRequest{method: method, path: path, body: dialect.body, headers: map[string]string{}}
			if header != "" {
				r.headers["Authorization"] = header
			}
			return scenario{name: dialect.name + ": " + name, req: r, status: status, want: dialect.form(sentence)}
		}
		allowed := func(name, header string) scenario {
			r := httpRequest{method: http.MethodGet, path: dialect.read, headers: map[string]string{"Authorization": header}}
			return scenario{name: dialect.name + ": " + name, req: r, has: []string{dialect.ok}}
		}
		read := dialect.read
		b.run(t, b.url, []scenario{
			refused("no token", "", http.MethodGet, read, 401, sentenceNoToken),
			refused("unknown token", "Bearer sluice_unknown", http.MethodGet, read, 401, sentenceNoToken),
			refused("no scheme", b.admin, http.MethodGet, read, 401, sentenceNoToken),
			refused("another scheme", "Basic "+b.admin, http.MethodGet, read, 401, sentenceNoToken),
			refused("empty bearer", "Bearer ", http.MethodGet, read, 401, sentenceNoToken),
			refused("expired", "Bearer "+expired, http.MethodGet, read, 401, sentenceNoToken),
			refused("disabled", "Bearer "+disabled, http.MethodGet, read, 401, sentenceNoToken),
			refused("no token for a write", "", write, dialect.write, 401, sentenceNoToken),
			refused("readonly token for a write", "Bearer "+readonly, write, dialect.write, 403, sentenceReadonly),
			refused("not of a sudo admin", "Bearer "+plain, http.MethodGet, read, 403, sentenceNotSudo),
			refused("no token, no route", "", http.MethodGet, read+"/nowhere", 401, sentenceNoToken),
			allowed("admin token", "Bearer "+b.admin),
			allowed("scheme in lower case", "bearer "+b.admin),
			allowed("more than one space", "BEARER   "+b.admin),
			allowed("readonly token for a read", "Bearer "+readonly),
		})
	}
	if _, headers, _ := (httpRequest{method: http.MethodGet, path: "/api/settings"}).send(t, b.url); headers.Get("WWW-Authenticate") != "Bearer" {
		t.Errorf("headers of a 401: %v", headers)
	}
}

// A readonly token may ask what 3x-ui asks with a POST, and change no client of whatever name.
func TestReadonlyPosts(t *testing.T) {
	b := newBench(t)
	b.inbound(1)
	readonly := b.token("readonly", domain.ScopeReadonly, nil)
	var scenarios []scenario
	add := func(path string, allowed bool) {
		s := scenario{name: path, req: httpRequest{method: http.MethodPost, path: "/panel/api/clients/" + path, token: readonly, body: "{}"}}
		if allowed {
			s.has = []string{`"success":true`}
		} else {
			s.status, s.want = 403, envelope(sentenceReadonly)
		}
		scenarios = append(scenarios, s)
	}
	for _, name := range []string{"onlines", "onlinesByGuid", "activeInbounds", "lastOnline", "clientIpsByGuid", "ips"} {
		b.panel(http.MethodPost, "/clients/add", fmt.Sprintf(`{"client":{"email":%q},"inboundIds":[1]}`, name))
		add(name, name != "ips")
		for _, change := range []string{"attach", "detach", "externalLinks"} {
			if name != "ips" {
				add(name+"/"+change, false)
			}
		}
	}
	for _, word := range []string{"onlines", "attach", "detach"} { // clients with the names of routes
		if word != "onlines" {
			b.panel(http.MethodPost, "/clients/add", fmt.Sprintf(`{"client":{"email":%q},"inboundIds":[1]}`, word))
		}
		add("ips/"+word, true)
	}
	add("ips/attach/x", false)
	add("ips/", false)
	add("clearIps/onlines", false)
	add("del/ips", false)
	b.run(t, b.url, scenarios)
}

// A token of an admin who was disabled opens nothing, at once.
func TestAdminIsDisabled(t *testing.T) {
	b := newBench(t)
	b.exec("UPDATE admins SET enabled = false")
	b.run(t, b.url, []scenario{{
		name: "list", req: httpRequest{method: http.MethodGet, path: "/panel/api/inbounds/list", token: b.admin},
		status: 401, want: envelope(sentenceNoToken),
	}})
}

// A database that does not answer is no reason to say that a token is wrong.
func TestAccessWithoutDatabase(t *testing.T) {
	b := newBench(t)
	b.exec("ALTER TABLE tokens RENAME TO gone")
	b.run(t, b.url, []scenario{{
		name: "list", req: httpRequest{method: http.MethodGet, path: "/panel/api/inbounds/list", token: b.admin},
		status: 503, want: envelope("the token can not be checked now, because the database does not answer"),
	}})
}

// Health shows its details only to who may see them; the word itself needs no token.
func TestHealthAccess(t *testing.T) {
	b := newBench(t)
	readonly := b.token("readonly", domain.ScopeReadonly, nil)
	details := []string{`"database":{"name":"database","state":"up"}`, `"core":{"name":"core","state":"up"}`, `"inbounds":[]`, `"state":"loaded"`}
	b.run(t, b.url, []scenario{
		{name: "healthz", req: httpRequest{method: http.MethodGet, path: "/healthz"}, want: "ok"},
		{name: "healthz, unknown token", req: httpRequest{method: http.MethodGet, path: "/healthz", token: "x"}, want: "ok"},
		{name: "healthz, token", req: httpRequest{method: http.MethodGet, path: "/healthz", token: b.admin}, has: details},
		{name: "readyz", req: httpRequest{method: http.MethodGet, path: "/readyz"}, want: "ready"},
		{name: "readyz, unknown token", req: httpRequest{method: http.MethodGet, path: "/readyz", token: "x"}, want: "ready"},
		{name: "readyz, token", req: httpRequest{method: http.MethodGet, path: "/readyz", token: readonly}, has: append(details, `{"status":"ready"`)},
		{name: "HEAD readyz", req: httpRequest{method: http.MethodHead, path: "/readyz"}},
		{name: "metrics", req: httpRequest{method: http.MethodGet, path: "/metrics"}, status: 401, want: detail(sentenceNoToken)},
		{name: "metrics, token", req: httpRequest{method: http.MethodGet, path: "/metrics", token: b.admin}, has: metrics},
	})
}

// metrics are lines that a healthy server has.
var metrics = []string{
	`sluice_up{part="core"} 1`, `sluice_up{part="database"} 1`, "sluice_inbounds_down 0", "sluice_users_online 0",
	"sluice_users ", "sluice_directory_bytes ", "sluice_traffic_flushes_total ", "sluice_reconciled_total 0",
	`sluice_connections_refused_total{reason="ip_limit"} 0`,
	`sluice_panics_total{part="core"} 0`, `sluice_panics_total{part="plugins"} 0`,
	"sluice_traffic_flush_age_seconds 0", "sluice_plugin_loaded{plugin=", "go_goroutines ",
}

// What is down is seen in health, readiness and metrics.
func TestHealthOfABrokenServer(t *testing.T) {
	b := newBench(t)
	if err := b.kernel.Core.Stop(t.Context()); err != nil {
		t.Fatal(err)
	}
	b.run(t, b.url, []scenario{
		{name: "healthz", req: httpRequest{method: http.MethodGet, path: "/healthz"}, want: "ok"},
		{name: "readyz", req: httpRequest{method: http.MethodGet, path: "/readyz"}, status: 503, want: "unready"},
		{
			name: "readyz, token", req: httpRequest{method: http.MethodGet, path: "/readyz", token: b.admin}, status: 503,
			has: []string{`"core":{"name":"core","state":"down","problem":"the core is not running"}`},
		},
		{name: "metrics", req: httpRequest{method: http.MethodGet, path: "/metrics", token: b.admin}, has: []string{`sluice_up{part="core"} 0`}},
	})
}

// Every listener serves what it is for and nothing else.
func TestListeners(t *testing.T) {
	b := newBench(t)
	b.inbound(1)
	b.client("alice")
	noRoute := func(path string) scenario {
		return scenario{name: "no " + path, req: httpRequest{method: http.MethodGet, path: path, token: b.admin}, status: 404, has: []string{"no such route: GET " + path}}
	}
	sub := httpRequest{method: http.MethodGet, path: "/sub/sub-alice?format=links"}
	link := "vless://" + uuidOf("alice") + "@127.0.0.1:"
	t.Run("subscriptions", func(t *testing.T) {
		b.run(t, b.serve(Options{Sub: true}), []scenario{
			{name: "sub", req: sub, has: []string{link}},
			noRoute("/panel/api/inbounds/list"), noRoute("/api/settings"), noRoute("/healthz"), noRoute("/readyz"),
			noRoute("/metrics"), noRoute("/openapi.json"), noRoute("/"),
		})
	})
	t.Run("metrics", func(t *testing.T) {
		b.run(t, b.serve(Options{Metrics: true}), []scenario{
			{name: "metrics", req: httpRequest{method: http.MethodGet, path: "/metrics"}, has: metrics},
			{name: "readyz", req: httpRequest{method: http.MethodGet, path: "/readyz"}, has: []string{`{"status":"ready"`}},
			{name: "healthz", req: httpRequest{method: http.MethodGet, path: "/healthz"}, has: []string{`{"status":"ready"`}},
			noRoute("/panel/api/inbounds/list"), noRoute("/api/settings"), noRoute("/sub/sub-alice"), noRoute("/openapi.json"),
		})
	})
	t.Run("API", func(t *testing.T) {
		b.run(t, b.serve(Options{API: true}), []scenario{
			{name: "list", req: httpRequest{method: http.MethodGet, path: "/panel/api/inbounds/list", token: b.admin}, has: []string{`"success":true`}},
			noRoute("/sub/sub-alice"),
		})
	})
}

// What a proxy says of a request counts for nothing as long as no proxy is trusted.
func TestForwardedHostIsNotBelieved(t *testing.T) {
	b := newBench(t)
	b.inbound(1)
	b.client("alice")
	headers := map[string]string{"X-Forwarded-Host": "evil.example"}
	for _, path := range []string{"/sub/sub-alice?format=links", "/panel/api/clients/links/alice"} {
		_, _, body := httpRequest{method: http.MethodGet, path: path, token: b.admin, headers: headers}.send(t, b.url)
		if !strings.Contains(body, "@127.0.0.1:") || strings.Contains(body, "evil") {
			t.Errorf("%s: %s", path, body)
		}
	}
}
