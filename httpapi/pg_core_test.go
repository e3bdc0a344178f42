package httpapi

import (
	"net/http"
	"testing"
)

func TestPGCore(t *testing.T) {
	b := newBench(t)
	const config = `{"outbounds":[{"tag":"exit","protocol":"freedom"}]}`
	const want = `{"id":1,"name":"default","config":` + config + `}`
	b.run(t, b.url, []scenario{{
		name: "default", req: httpRequest{method: http.MethodGet, path: "/api/core/1", token: b.admin},
		has: []string{`{"id":1,"name":"default","config":{"outbounds":[`},
	}})
	if got := b.put("/core/1", `{"config":`+config+`}`); got != want {
		t.Errorf("set %s, want %s", got, want)
	}
	put := func(name, body string, status int, parts ...string) scenario {
		return scenario{name: name, req: httpRequest{method: http.MethodPut, path: "/api/core/1", token: b.admin, body: body}, status: status, has: parts}
	}
	const gone = "Core config not found"
	b.run(t, b.url, []scenario{
		b.operator("get", http.MethodGet, "/core/1", "", 200, want),
		b.operator("list", http.MethodGet, "/cores", "", 200, `{"count":1,"cores":[`+want+`]}`),
		b.operator("simple", http.MethodGet, "/cores/simple", "", 200, `{"cores":[{"id":1,"name":"default"}],"total":1}`),
		b.operator("another core", http.MethodGet, "/core/2", "", 404, detail(gone)),
		b.operator("change another core", http.MethodPut, "/core/2", `{"config":{}}`, 404, detail(gone)),
		b.operator("delete another core", http.MethodDelete, "/core/2", "", 404, detail(gone)),
		b.operator("restart another core", http.MethodPost, "/core/2/restart", "", 404, detail(gone)),
		b.operator("no id", http.MethodGet, "/core/x", "", 422, fields("core_id", "Must be integer")),
		b.operator("delete", http.MethodDelete, "/core/1", "", 403, detail("Cannot delete default core config")),
		b.operator("a second core", http.MethodPost, "/core", `{"name":"x","config":{}}`, 409, detail("there is one core, with id 1: change it instead")),
		put("no body", "", 422, fields("body", "request body is required")),
		put("no config", "{}", 422, fields("config", "Field required")),
		put("null", `{"config":null}`, 422, fields("config", "Input should be a valid dictionary")),
		put("text", `{"config":"{}"}`, 422, fields("config", "Input should be a valid dictionary")),
		put("inbounds", `{"config":{"inbounds":[]}}`, 422, `{"detail":{"inbounds":"inbounds are kept in the database`),
		put("unknown protocol", `{"config":{"outbounds":[{"protocol":"gopher"}]}}`, 422, `gopher`),
		b.operator("unchanged", http.MethodGet, "/core/1", "", 200, want),
	})
}

// After a restart the core runs with what it had, and its inbounds answer.
func TestPGCoreRestart(t *testing.T) {
	b := newBench(t)
	b.inbound(1)
	if got := b.pg(http.MethodPost, "/core/1/restart", "", http.StatusNoContent); got != "" {
		t.Errorf("restarted: %s", got)
	}
	b.run(t, b.url, []scenario{{
		name: "inbound", req: httpRequest{method: http.MethodGet, path: "/panel/api/inbounds/get/1", token: b.admin}, has: []string{`"problem":""`},
	}})
}
