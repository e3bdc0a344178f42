package httpapi

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"testing"
)

// living is what the PasarGuard routes can be asked about while requests delete it again and again.
type living struct {
	*bench
	group, template, host, user int64
	tag                         string // of an inbound
	made                        int    // users of the template
}

// revive makes whatever is missing that the route may be about.
func (l *living) revive(route string) {
	l.t.Helper()
	id := func(method, path, body string) (id int64) {
		var made struct{ ID int64 }
		_, _, text := httpRequest{method: method, path: "/api" + path, token: l.admin, body: body}.send(l.t, l.url)
		_ = json.Unmarshal([]byte(text), &made) // a conflict has no id: it is there
		return made.ID
	}
	there := func(was *int64, path, body string) {
		if made := id(http.MethodGet, fmt.Sprintf("%s/%d", path, *was), ""); made == 0 {
			*was = id(http.MethodPost, path, body)
		}
	}
	var tags []string
	if err := json.Unmarshal([]byte(l.pg(http.MethodGet, "/inbounds", "", http.StatusOK)), &tags); err != nil {
		l.t.Fatal(err)
	}
	l.tag = tags[0]
	l.user = id(http.MethodGet, "/user/alice", "")
	there(&l.group, "/group", fmt.Sprintf(`{"name":"group after %d","inbound_tags":[%q]}`, l.group, l.tag))
	there(&l.template, "/user_template", fmt.Sprintf(`{"name":"template after %d","group_ids":[%d]}`, l.template, l.group))
	there(&l.host, "/host", fmt.Sprintf(`{"remark":"r","priority":0,"inbound_tag":%q}`, l.tag))
	switch {
	case strings.Contains(route, "admin"), strings.Contains(route, "owner"):
		id(http.MethodPost, "/admin", `{"username":"helper","password":"`+strong+`","is_sudo":false}`)
	case strings.HasPrefix(route, "/api/plugins/"):
		if status, _, _ := (httpRequest{method: http.MethodGet, path: "/api/plugins/bell", token: l.admin}).send(l.t, l.url); status != http.StatusOK {
			id(http.MethodPost, "/plugins", guest(l.t, "bell", "hosts=shop.example"))
		}
	case strings.HasSuffix(route, "/active_next"):
		id(http.MethodPut, "/user/alice", `{"next_plan":{"data_limit":5}}`)
	}
	id(http.MethodPut, fmt.Sprintf("/user_template/%d", l.template), fmt.Sprintf(`{"is_disabled":false,"group_ids":[%d]}`, l.group))
}

// of fills in what is there in the path of a route.
func (l *living) of(route, part string) string {
	switch part {
	case "{username}":
		if strings.HasPrefix(route, "/api/admin/") {
			return "helper"
		}
		return "alice"
	case "{group_id}":
		return strconv.FormatInt(l.group, 10)
	case "{template_id}":
		return strconv.FormatInt(l.template, 10)
	case "{host_id}":
		return strconv.FormatInt(l.host, 10)
	case "{core_id}":
		return "1"
	case "{name}":
		if strings.HasPrefix(route, "/api/plugins/") {
			return "bell"
		}
	}
	return ""
}

// example is the example of a route's body with what is there in the place of what it names.
func (l *living) example(route, body string) string {
	if !strings.HasPrefix(route, "/api/") || body == "" {
		return body
	}
	var v any
	if err := json.Unmarshal([]byte(body), &v); err != nil {
		l.t.Fatal(err)
	}
	list, isList := v.([]any)
	if !isList {
		list = []any{v}
	}
	ids := l.user
	switch {
	case strings.HasPrefix(route, "/api/user_templates"):
		ids = l.template
	case strings.HasPrefix(route, "/api/groups"):
		ids = l.group
	}
	names := map[string]any{
		"group_ids": []int64{l.group}, "user_template_id": l.template, "ids": []int64{ids}, "users": []int64{l.user},
		"inbound_tag": l.tag, "inbound_tags": []string{l.tag}, "admin_username": "helper",
	}
	switch route {
	case "/api/admin/token":
		names["username"], names["password"] = "helper", strong
	case "/api/user/from_template":
		l.made++
		names["username"] = fmt.Sprintf("john%d", l.made)
	}
	for _, item := range list {
		for name, value := range names {
			if object, ok := item.(map[string]any); ok && object[name] != nil {
				object[name] = value
			}
		}
	}
	text, err := json.Marshal(v)
	if err != nil {
		l.t.Fatal(err)
	}
	return string(text)
}

// wantDetail checks that a refusal of the routes under /api is a whole one, and tells nothing of what is inside.
func wantDetail(t *testing.T, request string, status int, got string) {
	t.Helper()
	if status < http.StatusBadRequest {
		return
	}
	var answer struct{ Detail any }
	if err := json.Unmarshal([]byte(got), &answer); err != nil || answer.Detail == nil {
		t.Fatalf("%s answers %d %s: %v", request, status, got, err)
	}
	told, _, _ := strings.Cut(got, "the base configuration") // after which the core speaks
	for _, inside := range []string{"something went wrong", "the database", "json:", "Go struct", "Go value", "sql", "constraint", "panic"} {
		if strings.Contains(told, inside) {
			t.Fatalf("%s tells of an error inside: %s", request, got)
		}
	}
}
