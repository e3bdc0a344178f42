package httpapi

import (
	"encoding/json"
	"fmt"
	"net/http"
	"reflect"
	"strings"
	"testing"
	"time"
)

// userJSON is a user as the PasarGuard dialect shows it.
func (b *bench) userJSON(name string) (user map[string]any) {
	b.t.Helper()
	if err := json.Unmarshal([]byte(b.pg(http.MethodGet, "/user/"+name, "", http.StatusOK)), &user); err != nil {
		b.t.Fatal(err)
	}
	return user
}

// A user who is brought to a template is what the template says: but for name, credentials, owner and creation.
func TestPGApplyTemplate(t *testing.T) {
	for _, c := range []struct {
		name, template, body string
		want                 string // members that the user has then; the others are as they were
	}{
		{
			"an upgrade", `"group_ids":[3,2],"data_limit":1073741824,"expire_duration":2592000,"data_limit_reset_strategy":"month"`, `"note":"Upgraded to premium"`,
			`"group_ids":[3,2],"data_limit":1073741824,"expire":"2024-01-31T01:00:00Z","data_limit_reset_strategy":"month",` +
				`"reset_policy":{"id":"month","params":null,"next_at":"2024-01-31T00:00:00Z"},"note":"Upgraded to premium"`,
		},
		{
			"unlimited", `"group_ids":[1]`, `"note":null`,
			`"data_limit":null,"expire":null,"data_limit_reset_strategy":"no_reset","reset_policy":null`,
		},
		{
			"on hold", `"group_ids":[1],"status":"on_hold","expire_duration":120,"on_hold_timeout":3600,"data_limit":100,"data_limit_reset_strategy":"day"`, ``,
			`"status":"on_hold","expire":null,"on_hold_expire_duration":120,"on_hold_timeout":"2024-01-01T02:00:00Z"`,
		},
		{
			"flow and method", `"group_ids":[1],"extra_settings":{"flow":"none","method":"xchacha20-poly1305"},"data_limit":100,"data_limit_reset_strategy":"day"`, `"note":""`,
			`"expire":null,"note":null,"flow":"","method":"xchacha20-poly1305"`,
		},
		{
			"a reset", `"group_ids":[1],"reset_usages":true,"data_limit":100,"data_limit_reset_strategy":"day"`, ``,
			`"expire":null,"used_traffic":0`,
		},
		{
			"a lower limit", `"group_ids":[1],"data_limit":5,"data_limit_reset_strategy":"day"`, ``,
			`"expire":null,"data_limit":5,"status":"limited"`,
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			b := newBenchAt(t, newYear)
			b.groups(3)
			b.template(`{"name":"basic","group_ids":[1],"data_limit":100,"expire_duration":86400,"data_limit_reset_strategy":"day",` +
				`"extra_settings":{"flow":"xtls-rprx-vision","method":"aes-128-gcm"}}`)
			b.template(`{"name":"better",` + c.template + `}`)
			b.pg(http.MethodPost, "/user/from_template", `{"user_template_id":1,"username":"john","note":"a note"}`, 201)
			b.pg(http.MethodPut, "/user/john", `{"next_plan":{"data_limit":1}}`, 200)
			b.panel(http.MethodPost, "/clients/updateTraffic/john", `{"upload":3,"download":4}`)
			want := b.userJSON("john")
			b.clock.Advance(time.Hour)
			answer := b.pg(http.MethodPut, "/user/john/from_template", strings.Replace(`{"user_template_id":2,`+c.body+`}`, ",}", "}", 1), 200)

			want["next_plan"], want["edit_at"], want["status"] = nil, "2024-01-01T01:00:00Z", "active"
			var changed, got map[string]any
			for text, into := range map[string]*map[string]any{"{" + c.want + "}": &changed, answer: &got} {
				if err := json.Unmarshal([]byte(text), into); err != nil {
					t.Fatalf("%s: %v", text, err)
				}
			}
			for name, value := range changed {
				proxies := want["proxy_settings"].(map[string]any)
				switch name {
				case "flow":
					proxies["vless"].(map[string]any)["flow"] = value
				case "method":
					proxies["shadowsocks"].(map[string]any)["method"] = value
				default:
					want[name] = value
				}
			}
			for name := range want {
				if !reflect.DeepEqual(got[name], want[name]) {
					t.Errorf("%s is %v, want %v", name, got[name], want[name])
				}
			}
			if read := b.userJSON("john"); !reflect.DeepEqual(read, got) {
				t.Errorf("read %v\nanswered %v", read, got)
			}
			resets := b.rows("SELECT COUNT(*) FROM usage_resets")
			if want := map[bool]string{true: "[1]\n", false: "[0]\n"}[c.name == "a reset"]; resets != want {
				t.Errorf("logged resets: %s", resets)
			}
		})
	}
}

// A user may be called like a part of a path.
func TestPGApplyTemplateNames(t *testing.T) {
	b := newBench(t)
	b.groups(1)
	b.template(`{"name":"plan","group_ids":[1]}`)
	for _, name := range []string{"disabled", "set_owner", "from_template", "a@b.c"} {
		b.pg(http.MethodPost, "/user/from_template", fmt.Sprintf(`{"user_template_id":1,"username":%q}`, name), 201)
		for _, path := range []string{"/user/from_template/" + name, "/user/" + strings.ReplaceAll(name, "@", "%40") + "/from_template"} {
			got := b.pg(http.MethodPut, path, `{"user_template_id":1,"note":"`+path+`"}`, 200)
			if !strings.Contains(got, fmt.Sprintf(`"username":%q`, name)) || !strings.Contains(got, fmt.Sprintf(`"note":%q`, path)) {
				t.Errorf("%s: %s", path, got)
			}
		}
	}
}

func TestPGApplyTemplateToMany(t *testing.T) {
	b := newBench(t)
	b.groups(2)
	b.template(`{"name":"plain","group_ids":[1]}`)
	b.template(`{"name":"better","group_ids":[2],"data_limit":5}`)
	b.pg(http.MethodPost, "/users/bulk/from_template", `{"user_template_id":1,"count":3,"strategy":"sequence","username":"user","note":"n"}`, 201)
	if got, want := b.pg(http.MethodPost, "/users/bulk/apply_template", `{"ids":[3,1,1],"user_template_id":2}`, 200), `{"users":["user1","user3"],"count":2}`; got != want {
		t.Errorf("applied: %s", got)
	}
	b.pg(http.MethodPost, "/users/bulk/apply_template", `{"ids":[1],"user_template_id":2,"note":"other"}`, 200)
	if got := b.rows(`SELECT username, COALESCE(quota, 0), note, group_id FROM users JOIN user_groups ON user_id = users.id ORDER BY users.id`); got != "[user1 5 other 2]\n[user2 0 n 1]\n[user3 5 n 2]\n" {
		t.Errorf("they are %s", got)
	}
	before := b.version()
	if got := b.pg(http.MethodPost, "/users/bulk/apply_template", `{"ids":[2,99],"user_template_id":2}`, 404); got != detail("User not found") || b.version() != before {
		t.Errorf("one is missing: %s", got)
	}
}

// Users of a template are clients of the other dialect.
func TestPGTemplateUsersInXUI(t *testing.T) {
	b := newBench(t)
	b.groups(1)
	b.template(`{"name":"plan","group_ids":[1],"data_limit":7,"data_limit_reset_strategy":"month","extra_settings":{"flow":"xtls-rprx-vision"}}`)
	b.pg(http.MethodPost, "/user/from_template", `{"user_template_id":1,"username":"john","note":"hi"}`, 201)
	b.get("john").want(`"email":"john","totalGB":7,"comment":"hi","flow":"xtls-rprx-vision","group":"grp1","trafficReset":"monthly"`)
	b.letsInto("john", "[1]")
}
