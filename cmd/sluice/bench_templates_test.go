package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"
)

// BenchmarkTemplates is BenchmarkClients for the PasarGuard dialect, among 1,000, 100,000 and 1,000,000 users: using templates,
// the first page of users with each filter and in each order, one user, and a login, whose cost is the hash of a password.
func BenchmarkTemplates(b *testing.B) {
	sizes := []int{1000, 100_000, 1_000_000}
	costs := slices.Concat(templateCosts, pageCosts(), []cost{{"login", 3, (*panel).login, flat, [3]time.Duration{}}})
	panels := make([]*panel, len(sizes))
	for i, users := range sizes {
		panels[i] = newSellingPanel(b, users)
		for _, c := range costs {
			panels[i].measure(c) // what is built when it is first asked for is built now
		}
	}
	table := append([]string{fmt.Sprintf("%-22s %10s %10s %10s %8s", "CPU per request, µs", "1k", "100k", "1M", "1M/1k")},
		compare(b, panels, costs)...)
	fmt.Println("\n" + strings.Join(table, "\n")) // of what a benchmark logs, ten lines are kept
}

const benchPassword = "CORRECT-horse-77"

var templateCosts = []cost{
	{"bulk of 500, random", 2, (*panel).sellRandom, bulky, [3]time.Duration{0, 60 * time.Millisecond, 0}},
	{"bulk of 500, sequence", 2, (*panel).sellSequence, bulky, [3]time.Duration{0, 60 * time.Millisecond, 0}},
	{"one from a template", 40, (*panel).sellOne, flat, [3]time.Duration{}},
	{"apply a template", 40, (*panel).applyTemplate, flat, [3]time.Duration{2 * time.Millisecond, 2 * time.Millisecond, 2 * time.Millisecond}},
	{"one user", 40, (*panel).readUser, flat, [3]time.Duration{}},
}

// pageCosts are first pages with a single filter or a single order. A search looks at every user, and the first page in an
// order that changes all the time sorts anew: these two have no limit.
func pageCosts() []cost {
	ms := [3]time.Duration{time.Millisecond, time.Millisecond, time.Millisecond}
	month := url.QueryEscape(time.Now().AddDate(0, 1, 0).UTC().Format(time.RFC3339))
	costs := []cost{{"no filter", 40, firstPage(""), flat, ms}, {"search", 5, firstPage("search=NeEdLe"), 0, [3]time.Duration{}}}
	for _, filter := range []string{
		"username=user0000017", "usernames=user0000017", "ids=17", "status=active", "status=on_hold", "status=limited", "status=expired",
		"status=disabled", "admin=root", "admin_ids=1", "group=1", "group_ids=1", "data_limit_reset_strategy=month",
		"data_limit_min=1", "data_limit_max=1", "no_data_limit=true", "expire_after=" + month, "expire_before=" + month,
		"no_expire=true", "online_after=1", "online_before=" + month, "online=true",
	} {
		name, _, _ := strings.Cut(filter, "="+month)
		costs = append(costs, cost{name, 40, firstPage(filter), flat, ms})
	}
	for _, sort := range []string{"username", "used_traffic", "data_limit", "expire", "created_at", "edit_at", "online_at"} {
		limit := ms
		if sort == "used_traffic" || sort == "online_at" {
			limit = [3]time.Duration{}
		}
		costs = append(costs, cost{"sort=" + sort, 40, firstPage("sort=" + sort), flat, limit},
			cost{"sort=-" + sort, 40, firstPage("sort=-" + sort), flat, limit})
	}
	return costs
}

// newSellingPanel starts a server with users of every kind that the filters know, a group with a twentieth of them, and two
// templates.
func newSellingPanel(b *testing.B, users int) *panel {
	b.Helper()
	month := time.Now().Add(30 * 24 * time.Hour).UnixMilli()
	p := openPanel(b, users, append(variety(),
		variation{"UPDATE users SET hold_since = created_at, hold_duration = 86400000, status = 'on_hold' WHERE id % 20 = 6", nil},
		variation{"UPDATE users SET reset_policy = 'month', reset_anchor = created_at, next_reset_at = ? WHERE id % 20 = 7", []any{month}},
		variation{"UPDATE users SET expire_at = ? WHERE id % 20 = 8", []any{month + 30*dayMS}},
		variation{"UPDATE user_traffic SET online_at = 1700000000000 + user_id * 7919 % 1000003 WHERE user_id % 3 > 0", nil},
		variation{"INSERT INTO groups (id, name, base_up, base_down, revision, created_at, updated_at) VALUES (1, 'plan', 0, 0, 1, 1, 1)", nil},
		variation{"INSERT INTO group_inbounds (group_id, inbound_id) VALUES (1, 1)", nil},
		variation{"INSERT INTO user_groups (user_id, group_id, position) SELECT id, 1, 0 FROM users WHERE id % 20 = 9", nil},
	))
	for _, plan := range []object{
		{"name": "one", "group_ids": []int{1}, "data_limit": 1 << 30, "expire_duration": 2592000, "data_limit_reset_strategy": "month"},
		{"name": "two", "group_ids": []int{1}, "data_limit": 2 << 30, "expire_duration": 2592000, "reset_usages": true},
	} {
		p.api(http.MethodPost, "/user_template", plan)
	}
	p.api(http.MethodPost, "/admin", object{"username": "seller", "password": benchPassword, "is_sudo": true})
	p.tidy = (*panel).takeBack
	return p
}

// api sends a request of the PasarGuard dialect, which must succeed.
func (p *panel) api(method, path string, body any) []byte {
	p.b.Helper()
	return p.send(method, "../../api"+path, body)
}

func (p *panel) sellRandom() { p.sellMany(object{"strategy": "random"}) }

func (p *panel) sellSequence() {
	p.sellMany(object{"strategy": "sequence", "username": fmt.Sprintf("series-%d-", p.next)})
}

func (p *panel) sellMany(fields object) {
	p.b.Helper()
	answer := p.api(http.MethodPost, "/users/bulk/from_template", merged(fields, object{"user_template_id": 1, "count": bulkSize}))
	p.want(answer, `"created":500`)
	var made soldMany
	if err := json.Unmarshal(answer, &made); err != nil {
		p.b.Fatal(err)
	}
	for _, link := range made.URLs {
		name, _, _ := strings.Cut(strings.TrimPrefix(link, "/sub/"), "?")
		p.added = append(p.added, name)
	}
}

func (p *panel) sellOne() {
	name := fmt.Sprintf("single-%d", p.next)
	p.api(http.MethodPost, "/user/from_template", object{"user_template_id": 1, "username": name})
	p.added = append(p.added, name)
}

// takeBack deletes those who were added, so that there are as many users as there were.
func (p *panel) takeBack() {
	if len(p.added) > 0 {
		p.send(http.MethodPost, "clients/bulkDel", object{"emails": p.added})
		p.added = nil
	}
}

// applyTemplate brings a user to either of the templates in turn, so that there is always something to change.
func (p *panel) applyTemplate() {
	name := fmt.Sprintf("user%07d", 9+20*(p.next*7919%(p.users/20)))
	p.want(p.api(http.MethodPut, "/user/"+name+"/from_template", object{"user_template_id": 1 + p.next%2}), name)
}

func (p *panel) readUser() { p.api(http.MethodGet, fmt.Sprintf("/user/user%07d", p.user()), nil) }

// firstPage asks for 20 users, of whom there must be some.
func firstPage(query string) func(*panel) {
	return func(p *panel) {
		p.b.Helper()
		if answer := p.api(http.MethodGet, "/users?limit=20&"+query, nil); bytes.Contains(answer, []byte(`"users":[]`)) {
			p.b.Fatalf("%s answers %.300s", query, answer)
		}
	}
}

func (p *panel) login() {
	p.want(p.api(http.MethodPost, "/admin/token", object{"username": "seller", "password": benchPassword}), `"token_type":"bearer"`)
}
