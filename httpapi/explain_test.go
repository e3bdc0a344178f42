package httpapi

import (
	"encoding/json"
	"net/http"
	"testing"
)

// Why an app gets its format can be asked over HTTP, by whoever has a token and the user.
func TestExplain(t *testing.T) {
	b := newBench(t)
	b.inbound(1)
	b.client("alice")
	b.put("/settings", `{"user_agent_rules":[{"agent":"zebra","format":"nowhere"},{"agent":"zebra","format":"links"}]}`)
	ask := func(query string) (int, string) {
		r := httpRequest{method: http.MethodGet, path: "/api/subscription/explain" + query, token: b.admin}
		status, _, body := r.send(t, b.url)
		return status, body
	}
	status, body := ask("?user=alice&ua=Zebra/1&accept=text/html")
	var got struct {
		Step, Because, Format string
		Builtin               bool
		Rules                 []struct{ Matches, Loaded, Decides bool }
	}
	if err := json.Unmarshal([]byte(body), &got); err != nil || status != http.StatusOK {
		t.Fatalf("%d %s, %v", status, body, err)
	}
	if got.Step != "rule" || got.Format != "links" || !got.Builtin || got.Because != `the User-Agent matches "zebra", rule 2 of settings` {
		t.Errorf("got %s", body)
	}
	if len(got.Rules) < 2 || !got.Rules[0].Matches || got.Rules[0].Loaded || got.Rules[0].Decides || !got.Rules[1].Decides {
		t.Errorf("rules of %s", body)
	}
	if status, body := ask("?user=nobody"); status != http.StatusNotFound {
		t.Errorf("of nobody: %d %s", status, body)
	}
	if status, body := ask(""); status != http.StatusUnprocessableEntity {
		t.Errorf("of no user: %d %s", status, body)
	}
	anonymous := httpRequest{method: http.MethodGet, path: "/api/subscription/explain?user=alice"}
	if status, _, body := anonymous.send(t, b.url); status != http.StatusUnauthorized {
		t.Errorf("without a token: %d %s", status, body)
	}
}
