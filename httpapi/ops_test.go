package httpapi

import (
	"net/http"
	"strings"
	"testing"
)

func (b *bench) operator(name, method, path, body string, status int, want string) scenario {
	return scenario{name: name, req: httpRequest{method: method, path: "/api" + path, token: b.admin, body: body}, status: status, want: want}
}

func (b *bench) put(path, body string) string {
	b.t.Helper()
	status, _, got := httpRequest{method: http.MethodPut, path: "/api" + path, token: b.admin, body: body}.send(b.t, b.url)
	if status != http.StatusOK {
		b.t.Fatalf("PUT %s: %d %s", path, status, got)
	}
	return strings.TrimSpace(got)
}

// presets are the settings that nobody changed.
const presets = `,"time_zone":"","flush_seconds":0,"ip_grace_seconds":0,"auto_delete_limited":false,"expire_diff_days":0,"traffic_diff_gb":0` + noProfile

// noProfile is the part of them that apps are told of.
const noProfile = `,"profile_title":"","support_url":"","update_hours":0,"announcement":"","status_entry":false,"user_agent_rules":null}`

func TestSettings(t *testing.T) {
	b := newBench(t)
	b.inbound(1)
	b.client("alice")
	b.run(t, b.url, []scenario{b.operator("defaults", http.MethodGet, "/settings", "", 200, `{"public_hosts":[],"public_url":""`+presets)})
	for _, step := range []struct{ body, want string }{
		{`{"public_hosts":["one.example","two.example"]}`, `{"public_hosts":["one.example","two.example"],"public_url":""` + presets},
		{`{"public_url":"https://one.example/x"}`, `{"public_hosts":["one.example","two.example"],"public_url":"https://one.example/x"` + presets},
		{`{"public_hosts":null,"public_url":null,"unknown":7}`, `{"public_hosts":["one.example","two.example"],"public_url":"https://one.example/x"` + presets},
	} {
		if got := b.put("/settings", step.body); got != step.want {
			t.Errorf("%s answers %s, want %s", step.body, got, step.want)
		}
		b.run(t, b.url, []scenario{b.operator("after "+step.body, http.MethodGet, "/settings", "", 200, step.want)})
	}
	// Links follow at once, and a listed Host of the request wins.
	for host, want := range map[string]string{"": "@one.example:", "evil.example": "@one.example:", "two.example:8080": "@two.example:"} {
		r := httpRequest{method: http.MethodGet, path: "/panel/api/clients/links/alice", token: b.admin}
		if host != "" {
			r.headers = map[string]string{"Host": host}
		}
		if _, _, got := r.send(t, b.url); !strings.Contains(got, want) {
			t.Errorf("links for host %q: %s, want %s", host, got, want)
		}
	}
	if got := b.put("/settings", `{"public_hosts":[],"public_url":""}`); got != `{"public_hosts":[],"public_url":""`+presets {
		t.Errorf("cleared: %s", got)
	}
	life := `"time_zone":"Europe/Berlin","flush_seconds":1,"ip_grace_seconds":60,"auto_delete_limited":true,"expire_diff_days":7,"traffic_diff_gb":5`
	if got := b.put("/settings", "{"+life+"}"); got != `{"public_hosts":[],"public_url":"",`+life+noProfile {
		t.Errorf("settings of users' lives: %s", got)
	}
	profile := `"profile_title":"{USERNAME}","support_url":"https://t.me/x","update_hours":3,"announcement":"noon","status_entry":true,"user_agent_rules":[{"agent":"/^A/","format":"links"}]}`
	for _, step := range []struct{ body, want string }{
		{"{" + profile, profile},
		{`{"update_hours":3}`, profile},
		{`{"user_agent_rules":[]}`, strings.Replace(profile, `[{"agent":"/^A/","format":"links"}]`, "[]", 1)},
		{`{"user_agent_rules":null}`, strings.Replace(profile, `[{"agent":"/^A/","format":"links"}]`, "null", 1)},
	} {
		if got := b.put("/settings", step.body); got != `{"public_hosts":[],"public_url":"",`+life+","+step.want {
			t.Errorf("%s gives %s", step.body, got)
		}
	}
}

func TestSettingsRefuse(t *testing.T) {
	b := newBench(t)
	put := func(name, body string, status int, detail string) scenario {
		return b.operator(name, http.MethodPut, "/settings", body, status, `{"detail":`+detail+`}`)
	}
	b.run(t, b.url, []scenario{
		put("no body", "", 422, `{"body":"request body is required"}`),
		put("cut off", "{", 422, `{"body":"is not valid JSON: unexpected end of JSON input"}`),
		put("null", "null", 422, `{"body":"Input should be a valid dictionary"}`),
		put("wrong types", `{"public_url":7,"public_hosts":7}`, 422, `{"public_hosts":"Input should be a valid list","public_url":"Input should be a valid string"}`),
		put("wrong type in a list", `{"public_hosts":[7]}`, 422, `{"public_hosts":"Input should be a valid string"}`),
		put("bad host", `{"public_hosts":["a","b:1"]}`, 422, `{"public_hosts[1]":"public_hosts[1] is not a host name or an IP address: \"b:1\""}`),
		put("bad zone", `{"time_zone":"Mars/Olympus"}`, 422, `{"time_zone":"time_zone is not an IANA time zone such as Europe/Berlin: \"Mars/Olympus\""}`),
		put("the machine's zone", `{"time_zone":"Local"}`, 422, `{"time_zone":"time_zone is not an IANA time zone such as Europe/Berlin: \"Local\""}`),
		put("flush", `{"flush_seconds":61}`, 422, `{"flush_seconds":"flush_seconds must be between 1 and 60, or 0 for the default"}`),
		put("grace", `{"ip_grace_seconds":-1}`, 422, `{"ip_grace_seconds":"ip_grace_seconds must be between 1 and 3600, or 0 for the default"}`),
		put("expiring", `{"expire_diff_days":366}`, 422, `{"expire_diff_days":"expire_diff_days must be between 1 and 365, or 0 for the default"}`),
		put("traffic left", `{"traffic_diff_gb":-1}`, 422, `{"traffic_diff_gb":"traffic_diff_gb must be between 1 and 1000000, or 0 for the default"}`),
		put("title", `{"profile_title":"{X}"}`, 422, `{"profile_title":"profile_title has an unknown variable: {X}"}`),
		put("script", `{"support_url":"javascript:a"}`, 422, `{"support_url":"support_url must be like https://example.com/help, tg://resolve?domain=name or mailto:name@example.com"}`),
		put("a rule", `{"user_agent_rules":[{"agent":"","format":"links"}]}`, 422, `{"user_agent_rules[0].agent":"user_agent_rules[0].agent cannot be empty: it would match every app"}`),
		put("half a rule", `{"user_agent_rules":[{"agent":"a"}]}`, 422, `{"user_agent_rules[0].format":"user_agent_rules[0].format cannot be empty"}`),
		put("rules that are none", `{"user_agent_rules":"a"}`, 422, `{"user_agent_rules":"Input should be a valid list"}`),
		put("bad URL", `{"public_url":"x"}`, 422, `{"public_url":"public_url must be like https://example.com or https://example.com/path"}`),
	})
}

func TestOperatorRoutes(t *testing.T) {
	b := newBench(t)
	no := func(name, method, path string, status int) scenario {
		return scenario{
			name: name, req: httpRequest{method: method, path: path, token: b.admin}, status: status, want: detail("no such route: " + method + " " + path),
		}
	}
	b.run(t, b.url, []scenario{
		no("nothing", http.MethodGet, "/api", 404),
		no("unknown", http.MethodGet, "/api/nowhere", 404),
		no("another method", http.MethodPost, "/api/settings", 405),
		no("root", http.MethodGet, "/", 404),
		no("bad percent", http.MethodGet, "/%zz", 404),
		no("beside the dialect", http.MethodGet, "/panel/other", 404),
		no("another case of the dialect", http.MethodGet, "/Panel/api/inbounds/list", 404),
	})
}
