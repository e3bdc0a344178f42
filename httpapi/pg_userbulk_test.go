package httpapi

import (
	"fmt"
	"net/http"
	"testing"
)

// doneOn is what a bulk request answers that changed n users.
func doneOn(n int) string {
	return fmt.Sprintf(`{"detail":"operation has been successfuly done on %d users"}`, n)
}

// Each request is tried on the same users, with what it says it does, and what it did.
func TestPGBulk(t *testing.T) {
	b := crowd(t)
	const (
		quotas   = "SELECT username, quota FROM users WHERE quota IS NOT NULL ORDER BY id"
		expiries = "SELECT username, expire_at / 1000, hold_duration / 1000 FROM users WHERE expire_at IS NOT NULL OR hold_since IS NOT NULL ORDER BY id"
		flows    = "SELECT username, flow, method FROM users WHERE flow <> '' OR method IS NOT NULL ORDER BY id"
	)
	for _, c := range []struct {
		name, path, body string
		changed          int
		query, want      string
	}{
		{"everyone with a limit", "data_limit", `{"amount":10}`, 3, quotas, "[anna 110]\n[bert 310]\n[dora 210]\n"},
		{"tried only", "data_limit", `{"amount":10,"dry_run":true}`, 3, quotas, "[anna 110]\n[bert 310]\n[dora 210]\n"},
		{"nothing", "data_limit", `{"amount":0}`, 0, quotas, "[anna 110]\n[bert 310]\n[dora 210]\n"},
		{"never to nothing", "data_limit", `{"amount":-210}`, 1, quotas, "[anna 110]\n[bert 100]\n[dora 210]\n"},
		{"never beyond all numbers", "data_limit", `{"amount":9223372036854775807}`, 0, quotas, "[anna 110]\n[bert 100]\n[dora 210]\n"},
		{"some", "data_limit", `{"amount":1,"users":[1,2,99]}`, 2, quotas, "[anna 111]\n[bert 101]\n[dora 210]\n"},
		{"nobody", "data_limit", `{"amount":1,"users":[]}`, 0, quotas, "[anna 111]\n[bert 101]\n[dora 210]\n"},
		{"who matches all filters", "data_limit", `{"amount":1,"group_ids":[1],"status":["limited","active"],"admins":[1]}`, 2, quotas, "[anna 112]\n[bert 102]\n[dora 210]\n"},
		{"who matches, and who is named", "data_limit", `{"amount":1,"group_ids":[2],"users":[1]}`, 2, quotas, "[anna 113]\n[bert 103]\n[dora 210]\n"},
		{"of one admin", "data_limit", `{"amount":1,"admins":[2]}`, 0, quotas, "[anna 113]\n[bert 103]\n[dora 210]\n"},
		{"who expires in a time", "data_limit", `{"amount":1,"expire_after":"2026-08-31","expire_before":1788998400}`, 1, quotas, "[anna 113]\n[bert 103]\n[dora 211]\n"},

		{"longer", "expire", `{"amount":60}`, 3, expiries, "[bert 1790812860 0]\n[cleo <nil> 120]\n[dora 1788220860 0]\n"},
		{"shorter, but none to nothing", "expire", `{"amount":-120}`, 2, expiries, "[bert 1790812740 0]\n[cleo <nil> 120]\n[dora 1788220740 0]\n"},
		{"those of a status", "expire", `{"amount":1,"status":["on_hold"]}`, 1, expiries, "[bert 1790812740 0]\n[cleo <nil> 121]\n[dora 1788220740 0]\n"},

		{"a flow", "proxy_settings", `{"flow":"xtls-rprx-vision","users":[1,3]}`, 2, flows, "[anna xtls-rprx-vision <nil>]\n[cleo xtls-rprx-vision <nil>]\n"},
		{"a method", "proxy_settings", `{"method":"chacha20-poly1305","users":[3]}`, 1, flows, "[anna xtls-rprx-vision <nil>]\n[cleo xtls-rprx-vision chacha20-ietf-poly1305]\n"},
		{"what they have", "proxy_settings", `{"flow":"xtls-rprx-vision","method":"chacha20-ietf-poly1305","users":[3]}`, 0, flows, "[anna xtls-rprx-vision <nil>]\n[cleo xtls-rprx-vision chacha20-ietf-poly1305]\n"},
		{"no flow", "proxy_settings", `{"flow":"none"}`, 2, flows, "[cleo  chacha20-ietf-poly1305]\n"},
	} {
		t.Run(c.name, func(t *testing.T) {
			if got := b.pg(http.MethodPost, "/users/bulk/"+c.path, c.body, 200); got != doneOn(c.changed) {
				t.Errorf("answers %s, want %d", got, c.changed)
			}
			if got := b.rows(c.query); got != c.want {
				t.Errorf("then there are\n%swant\n%s", got, c.want)
			}
		})
	}
	b.run(t, b.url, []scenario{
		b.pgScenario("no amount", "POST", "/users/bulk/expire", `{}`, 422, fields("amount", "Field required")),
		b.pgScenario("ages", "POST", "/users/bulk/expire", `{"amount":3153600001}`, 422, fields("amount", "Amount must be between -3153600000 and 3153600000")),
		b.pgScenario("no status", "POST", "/users/bulk/expire", `{"amount":1,"status":["idle"]}`, 400, detail(`"idle" is not a valid status`)),
		b.pgScenario("no time", "POST", "/users/bulk/expire", `{"amount":1,"expire_after":"soon"}`, 422, fields("expire_after", "Input should be a valid datetime or timestamp")),
		b.pgScenario("no flow", "POST", "/users/bulk/proxy_settings", `{"flow":"x"}`, 422, fields("flow", "Input should be 'none' or 'xtls-rprx-vision'")),
	})
}

func TestPGBulkByIDs(t *testing.T) {
	b := crowd(t)
	const enabled = "SELECT username FROM users WHERE enabled ORDER BY id"
	for _, c := range []struct {
		method, path, body, want string
		query, rows              string
	}{
		{"POST", "disable", `{"ids":[2,1,5]}`, `{"users":["anna","bert","emil"],"count":3}`, enabled, "[cleo]\n[dora]\n"},
		{"POST", "enable", `{"ids":[1,3]}`, `{"users":["anna","cleo"],"count":2}`, enabled, "[anna]\n[cleo]\n[dora]\n"},
		{"POST", "reset", `{"ids":[1,1]}`, `{"users":["anna"],"count":1}`, "SELECT user_id FROM user_traffic WHERE up > 0", "[2]\n"},
		{"POST", "revoke_sub", `{"ids":[3]}`, `{"users":["cleo"],"count":1}`, enabled, "[anna]\n[cleo]\n[dora]\n"},
		{"PUT", "set_owner", `{"ids":[3,5],"admin_username":"kim"}`, `{"users":["cleo","emil"],"count":2}`, "SELECT username FROM users WHERE admin_id = 2 ORDER BY id", "[cleo]\n[emil]\n"},
		{"POST", "delete", `{"ids":[4,1]}`, `{"users":["anna","dora"],"count":2}`, "SELECT username FROM users ORDER BY id", "[bert]\n[cleo]\n[emil]\n"},
		{"POST", "delete", `{"ids":[]}`, `{"users":[],"count":0}`, "SELECT username FROM users ORDER BY id", "[bert]\n[cleo]\n[emil]\n"},
	} {
		t.Run(c.path, func(t *testing.T) {
			if got := b.pg(c.method, "/users/bulk/"+c.path, c.body, 200); got != c.want {
				t.Errorf("answers %s\nwant    %s", got, c.want)
			}
			if got := b.rows(c.query); got != c.rows {
				t.Errorf("then there are\n%swant\n%s", got, c.rows)
			}
		})
	}
	var scenarios []scenario
	for _, path := range []string{"disable", "enable", "reset", "revoke_sub", "delete"} {
		scenarios = append(scenarios, b.pgScenario(path+" of one who is gone", "POST", "/users/bulk/"+path, `{"ids":[2,1]}`, 404, detail("User not found")))
	}
	b.run(t, b.url, append(scenarios,
		b.pgScenario("an unknown owner", "PUT", "/users/bulk/set_owner", `{"ids":[2],"admin_username":"x"}`, 404, detail("Admin not found")),
		b.pgScenario("no ids", "POST", "/users/bulk/delete", `{}`, 422, fields("ids", "Field required")),
	))
	if got := b.pg("POST", "/users/reset", "", 200); got != "{}" {
		t.Errorf("reset of all: %s", got)
	}
	if used := b.rows("SELECT user_id FROM user_traffic WHERE up > 0"); used != "" {
		t.Errorf("users who have used something: %s", used)
	}
}
