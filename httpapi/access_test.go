package httpapi

import (
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/sluicehq/sluice/kernel/domain"
)

const (
	sentenceNoToken  = "the API token is missing, unknown, expired or disabled"
	sentenceReadonly = "this API token is readonly"
	sentenceNotSudo  = "this route needs a token of a sudo admin"
)

// TestAccess tries what may stand in the Authorization header, on both dialects. Who may do what is TestMatrix.
func TestAccess(t *testing.T) {
	b := newBench(t)
	for _, dialect := range []struct {
		name, read, ok, denied string
	}{
		{"3x-ui", "/panel/api/inbounds/list", `"success":true`, envelope(sentenceNoToken)},
		{"PasarGuard", "/api/settings", `"public_hosts"`, detail(sentenceNoSession)},
	} {
		ask := func(name, header, path string) scenario {
			r := httpRequest{method: http.MethodGet, path: path, headers: map[string]string{}}
			if header != "" {
				r.headers["Authorization"] = header
			}
			return scenario{name: dialect.name + ": " + name, req: r}
		}
		refused := func(name, header, path string) scenario {
			s := ask(name, header, path)
			s.status, s.want = http.StatusUnauthorized, dialect.denied
			return s
		}
		allowed := func(name, header string) scenario {
			s := ask(name, header, dialect.read)
			s.has = []string{dialect.ok}
			return s
		}
		b.run(t, b.url, []scenario{
			refused("no scheme", b.admin, dialect.read),
			refused("another scheme", "Basic "+b.admin, dialect.read),
			refused("no token, no route", "", dialect.read+"/nowhere"),
			allowed("admin token", "Bearer "+b.admin),
			allowed("scheme in lower case", "bearer "+b.admin),
			allowed("more than one space", "BEARER   "+b.admin),
			allowed("PasarGuard's scheme for tokens", "ApiKey "+b.admin),
		})
	}
	if _, headers, _ := (httpRequest{method: http.MethodGet, path: "/api/settings"}).send(t, b.url); headers.Get("WWW-Authenticate") != "Bearer" {
		t.Errorf("headers of a 401: %v", headers)
	}
}

// A token may come in X-Api-Key, also behind a proxy that has put its own password into Authorization.
func TestAccessByKey(t *testing.T) {
	b := newBench(t)
	ask := func(name, authorization, key string) scenario {
		headers := map[string]string{"X-Api-Key": key}
		if authorization != "" {
			headers["Authorization"] = authorization
		}
		return scenario{name: name, req: httpRequest{method: http.MethodGet, path: "/api/settings", headers: headers}}
	}
	allowed := func(s scenario) scenario { s.has = []string{`"public_hosts"`}; return s }
	refused := func(s scenario) scenario { s.status, s.want = 401, detail(sentenceNoSession); return s }
	b.run(t, b.url, []scenario{
		allowed(ask("alone", "", b.admin)),
		allowed(ask("behind a proxy", "Basic cHJveHk6cHJveHk=", b.admin)),
		refused(ask("beside a bad token", "Bearer x", b.admin)),
		refused(ask("a bad one", "", "x")),
	})
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
