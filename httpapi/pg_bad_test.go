package httpapi

import (
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/sluicehq/sluice/kernel/domain"
)

// fields is what the PasarGuard dialect answers to a request whose fields are wrong: names and sentences in turn.
func fields(pairs ...string) string {
	var parts []string
	for i := 0; i < len(pairs); i += 2 {
		parts = append(parts, fmt.Sprintf("%q:%q", pairs[i], pairs[i+1]))
	}
	return `{"detail":{` + strings.Join(parts, ",") + `}}`
}

const (
	sentenceNoGroup   = "you must select at least one group"
	sentenceNoHold    = "User cannot be on hold without a valid on_hold_expire_duration"
	sentenceSpelling  = "Username can only contain alphanumeric characters, -, _, @, and ."
	sentenceSpecials  = "Username cannot have consecutive special characters"
	sentenceNameRange = "Username only can be 3 to 128 characters."
)

// The table of what is refused, word for word, for a new template and, where it is not about what is missing, for a stored
// one.
func TestPGBadTemplates(t *testing.T) {
	b := newBench(t)
	b.groups(1)
	b.template(`{"name":"taken","group_ids":[1]}`)
	b.template(`{"name":"plan","group_ids":[1]}`)
	const long21 = "abcdefghijklmnopqrstu"
	var scenarios []scenario
	create := func(name, body string, status int, want string) {
		scenarios = append(scenarios, b.operator(name, http.MethodPost, "/user_template", body, status, want))
	}
	both := func(name, field string, status int, want string) {
		whole := fmt.Sprintf(`{"group_ids":[1],%s}`, field)
		if !strings.Contains(field, `"name"`) {
			whole = fmt.Sprintf(`{"name":"new","group_ids":[1],%s}`, field)
		}
		create(name, whole, status, want)
		scenarios = append(scenarios, b.operator("PUT: "+name, http.MethodPut, "/user_template/2", "{"+field+"}", status, want))
	}
	create("name missing", `{"group_ids":[1]}`, 422, fields("name", "name can't be empty"))
	create("name null", `{"name":null,"group_ids":[1]}`, 422, fields("name", "name can't be empty"))
	both("name empty", `"name":""`, 422, fields("name", "name can't be empty"))
	both("name of spaces", `"name":"  "`, 422, fields("name", "name can't be empty"))
	both("name too long", `"name":"`+strings.Repeat("я", 65)+`"`, 422, fields("name", "Name too long"))
	both("name with NUL", `"name":"a\u0000"`, 422, fields("name", "Invalid characters"))
	both("name of another type", `"name":7`, 422, fields("name", "Input should be a valid string"))
	both("name in use", `"name":"taken"`, 409, detail("Template by this name already exists"))
	create("no groups", `{"name":"new"}`, 422, fields("group_ids", sentenceNoGroup))
	create("groups null", `{"name":"new","group_ids":null}`, 422, fields("group_ids", sentenceNoGroup))
	create("groups empty", `{"name":"new","group_ids":[]}`, 422, fields("group_ids", sentenceNoGroup))
	create("nothing", `{}`, 422, fields("group_ids", sentenceNoGroup, "name", "name can't be empty"))
	both("groups of another type", `"group_ids":1`, 422, fields("group_ids", "Input should be a valid list"))
	both("a group of another type", `"group_ids":["1"]`, 422, fields("group_ids", "Must be integer"))
	both("unknown group", `"group_ids":[1,99]`, 404, detail("Group not found"))
	both("unknown group and a name in use", `"name":"taken","group_ids":[99]`, 404, detail("Group not found"))
	both("too many groups", `"group_ids":[`+strings.Repeat("1,", 1000)+`1]`, 422, fields("group_ids", "List should have at most 1000 items"))
	both("prefix too long", `"username_prefix":"`+long21+`"`, 422, fields("username_prefix", "Prefix too long"))
	both("suffix too long", `"username_suffix":"`+long21+`"`, 422, fields("username_suffix", "Suffix too long"))
	for _, affix := range []string{"a b", "é", "a--b", "_@", `a\n`} {
		both("prefix "+affix, `"username_prefix":"`+affix+`"`, 422, fields("username_prefix", "Invalid characters"))
		both("suffix "+affix, `"username_suffix":"`+affix+`"`, 422, fields("username_suffix", "Invalid characters"))
	}
	both("limit below 0", `"data_limit":-1`, 422, fields("data_limit", "Data limit must be 0 or greater"))
	both("duration below 0", `"expire_duration":-1`, 422, fields("expire_duration", "Expire duration must be 0 or greater"))
	both("timeout below 0", `"on_hold_timeout":-1`, 422, fields("on_hold_timeout", "On hold timeout must be 0 or greater"))
	both("duration of more than 100 years", `"expire_duration":3153600001`, 422, fields("expire_duration", "Expire duration is too large"))
	for _, field := range []string{"data_limit", "expire_duration", "on_hold_timeout"} {
		for _, value := range []string{`"10"`, `1.5`, `true`, `[]`} {
			both(field+" "+value, fmt.Sprintf("%q:%s", field, value), 422, fields(field, "Must be integer"))
		}
	}
	both("limit out of range", `"data_limit":99999999999999999999`, 422, fields("data_limit", "data_limit is out of range: 99999999999999999999"))
	both("unknown status", `"status":"limited"`, 422, fields("status", "Input should be 'active' or 'on_hold'"))
	both("on hold for no time", `"status":"on_hold","on_hold_timeout":3600`, 422, fields("status", sentenceNoHold))
	both("on hold for ever", `"status":"on_hold","expire_duration":60`, 422, fields("status", sentenceNoHold))
	both("on hold until now", `"status":"on_hold","expire_duration":60,"on_hold_timeout":0`, 422, fields("status", sentenceNoHold))
	both("unknown flow", `"extra_settings":{"flow":"x"}`, 422, fields("flow", "Input should be 'none' or 'xtls-rprx-vision'"))
	both("unknown method", `"extra_settings":{"method":"rc4"}`, 422, fields("method", "Input should be 'aes-128-gcm', 'aes-256-gcm', 'chacha20-ietf-poly1305' or 'xchacha20-poly1305'"))
	both("extra settings of another type", `"extra_settings":[]`, 422, fields("extra_settings", "Input should be a valid dictionary"))
	both("switch of another type", `"is_disabled":"yes"`, 422, fields("is_disabled", "Input should be a valid boolean"))
	both("several at once", `"name":"","data_limit":-1,"username_suffix":"a b"`, 422,
		fields("data_limit", "Data limit must be 0 or greater", "name", "name can't be empty", "username_suffix", "Invalid characters"))
	both("unknown period", `"data_limit_reset_strategy":"fortnight"`, 422, fields("data_limit_reset_strategy",
		`data_limit_reset_strategy must be one of calendar, daily, day, every, hourly, month, monthly, no_reset, week, weekly, year: "fortnight" is not loaded`))
	both("parameters that the period has not", `"data_limit_reset_strategy":"every","data_limit_reset_params":{"days":0}`, 422, fields("data_limit_reset_params.days", "data_limit_reset_params.days must be at least 1"))
	for method, path := range map[string]string{http.MethodPost: "/user_template", http.MethodPut: "/user_template/2"} {
		scenarios = append(
			scenarios,
			b.operator(method+" no body", method, path, "", 422, fields("body", "request body is required")),
			b.operator(method+" cut off", method, path, `{"name":`, 422, fields("body", "is not valid JSON: unexpected end of JSON input")),
			b.operator(method+" a list", method, path, `[]`, 422, fields("body", "Input should be a valid dictionary")),
		)
	}
	for _, id := range []string{"x", "1.5", "99999999999999999999"} {
		for method, body := range map[string]string{http.MethodGet: "", http.MethodPut: "{}", http.MethodDelete: ""} {
			scenarios = append(scenarios, b.operator(method+" "+id, method, "/user_template/"+id, body, 422, fields("template_id", "Must be integer")))
		}
	}
	b.run(t, b.url, scenarios)
}

// The merged template is checked: what is stored counts too.
func TestPGBadTemplateMerged(t *testing.T) {
	b := newBench(t)
	b.groups(1)
	b.template(`{"name":"plan","group_ids":[1],"expire_duration":60,"on_hold_timeout":30}`)
	b.pg(http.MethodPut, "/user_template/1", `{"status":"on_hold"}`, 200)
	b.run(t, b.url, []scenario{
		b.operator("no duration left", http.MethodPut, "/user_template/1", `{"expire_duration":0}`, 422, fields("status", sentenceNoHold)),
		b.operator("no timeout left", http.MethodPut, "/user_template/1", `{"on_hold_timeout":0}`, 422, fields("status", sentenceNoHold)),
	})
}

func TestPGBadFromTemplate(t *testing.T) {
	b := newBench(t)
	b.groups(2)
	b.template(`{"name":"plain","group_ids":[1]}`)
	b.template(`{"name":"affixed","group_ids":[1],"username_prefix":"a_","username_suffix":"_z"}`)
	b.template(`{"name":"disabled","group_ids":[1],"is_disabled":true}`)
	b.template(`{"name":"groupless","group_ids":[2]}`)
	b.pg(http.MethodDelete, "/group/2", "", http.StatusNoContent)
	b.pg(http.MethodPost, "/user/from_template", `{"user_template_id":1,"username":"john"}`, 201)
	from := func(name string, template int, username string, status int, want string) scenario {
		return b.operator(name, http.MethodPost, "/user/from_template", fmt.Sprintf(`{"user_template_id":%d,"username":%q}`, template, username), status, want)
	}
	note501 := `"note":"` + strings.Repeat("я", 501) + `"`
	const longNote = "String should have at most 500 characters"
	scenarios := []scenario{
		from("unknown template", 99, "new", 404, detail("User Template not found")),
		from("disabled template", 3, "new", 403, detail("this template is disabled")),
		from("a template whose groups are gone", 4, "new", 400, detail(sentenceNoGroup)),
		from("name in use", 1, "JOHN", 409, detail("User already exists")),
		from("too short", 1, "jo", 400, detail(sentenceNameRange)),
		from("empty", 1, "", 400, detail(sentenceNameRange)),
		from("too long", 2, strings.Repeat("a", 125), 400, detail(sentenceNameRange)),
		from("characters", 1, "jöhn", 400, detail(sentenceSpelling)),
		from("a line", 1, "john\n", 400, detail(sentenceSpelling)),
		from("specials that meet the prefix", 2, "_john", 400, detail(sentenceSpecials)),
		from("specials that meet the suffix", 2, "john.", 400, detail(sentenceSpecials)),
		b.operator("nothing", http.MethodPost, "/user/from_template", `{}`, 422, fields("user_template_id", "Field required", "username", "Field required")),
		b.operator("a template of another type", http.MethodPost, "/user/from_template", `{"user_template_id":"1","username":"new"}`, 422, fields("user_template_id", "Must be integer")),
		b.operator("long note", http.MethodPost, "/user/from_template", `{"user_template_id":1,"username":"new",`+note501+`}`, 422, fields("note", longNote)),
	}
	for _, path := range []string{"/user/%s/from_template", "/user/from_template/%s"} {
		apply := func(name, user, body string, status int, want string) {
			path := fmt.Sprintf(path, user)
			scenarios = append(scenarios, b.operator("PUT "+path+": "+name, http.MethodPut, path, body, status, want))
		}
		apply("unknown user", "nobody", `{"user_template_id":1}`, 404, detail("User not found"))
		apply("unknown template", "john", `{"user_template_id":99}`, 404, detail("User Template not found"))
		apply("disabled template", "john", `{"user_template_id":3}`, 403, detail("this template is disabled"))
		apply("groups are gone", "john", `{"user_template_id":4}`, 400, detail(sentenceNoGroup))
		apply("nothing", "john", `{}`, 422, fields("user_template_id", "Field required"))
		apply("long note", "john", `{"user_template_id":1,`+note501+`}`, 422, fields("note", longNote))
	}
	b.run(t, b.url, scenarios)
}

func TestPGBadBulk(t *testing.T) {
	b := newBench(t)
	b.groups(2)
	b.template(`{"name":"plain","group_ids":[1]}`)
	b.template(`{"name":"disabled","group_ids":[1],"is_disabled":true}`)
	b.template(`{"name":"groupless","group_ids":[2]}`)
	b.pg(http.MethodDelete, "/group/2", "", http.StatusNoContent)
	many := func(name, fields string, status int, want string) scenario {
		return b.operator(name, http.MethodPost, "/users/bulk/from_template", `{"user_template_id":1,`+fields+`}`, status, want)
	}
	const counts = "count must be between 1 and 500"
	ids := `"ids":[` + strings.Repeat("1,", 5000) + `1]`
	apply := func(name, body string, status int, want string) scenario {
		return b.operator("apply: "+name, http.MethodPost, "/users/bulk/apply_template", body, status, want)
	}
	b.run(t, b.url, []scenario{
		many("count 0", `"count":0`, 422, fields("count", counts)),
		many("count -1", `"count":-1`, 422, fields("count", counts)),
		many("count 501", `"count":501`, 422, fields("count", counts)),
		many("count of digits", `"count":"10"`, 422, fields("count", "Must be integer")),
		many("count with a fraction", `"count":1.5`, 422, fields("count", "Must be integer")),
		many("no count", `"strategy":"random"`, 422, fields("count", "Field required")),
		many("start of digits", `"count":1,"strategy":"sequence","username":"u","start_number":"1"`, 422, fields("start_number", "Must be integer")),
		many("start below 0", `"count":1,"strategy":"sequence","username":"u","start_number":-1`, 422, fields("start_number", "start_number must be between 0 and 1000000000000000")),
		many("unknown strategy", `"count":1,"strategy":"shuffle"`, 422, fields("strategy", "strategy must be one of append, random, sequence")),
		many("a strategy of another type", `"count":1,"strategy":7`, 422, fields("strategy", "Input should be a valid string")),
		many("random takes no base", `"count":1,"strategy":"random","username":"x"`, 422, fields("username", "username must be empty when strategy is 'random'")),
		many("random takes no start", `"count":1,"start_number":1`, 422, fields("start_number", "start_number must not be given when strategy is 'random'")),
		many("sequence needs a base", `"count":1,"strategy":"sequence"`, 422, fields("username", "username is required when strategy is 'sequence'")),
		many("append needs a base", `"count":1,"strategy":"append","username":""`, 422, fields("username", "username is required when strategy is 'append'")),
		many("parameters of none", `"count":1,"params":{"x":1}`, 422, fields("params.x", "params.x is not a known parameter")),
		many("long note", `"count":1,"note":"`+strings.Repeat("a", 501)+`"`, 422, fields("note", "String should have at most 500 characters")),
		many("unknown template", `"count":1,"user_template_id":99`, 404, detail("User Template not found")),
		many("disabled template", `"count":1,"user_template_id":2`, 403, detail("this template is disabled")),
		many("a template whose groups are gone", `"count":1,"user_template_id":3`, 400, detail(sentenceNoGroup)),
		apply("nothing", `{}`, 422, fields("ids", "Field required", "user_template_id", "Field required")),
		apply("unknown user", `{"ids":[99],"user_template_id":1}`, 404, detail("User not found")),
		apply("unknown template", `{"ids":[],"user_template_id":99}`, 404, detail("User Template not found")),
		apply("disabled template", `{"ids":[],"user_template_id":2}`, 403, detail("this template is disabled")),
		apply("of nobody", `{"ids":[],"user_template_id":1}`, 200, `{"users":[],"count":0}`),
		apply("too many", `{`+ids+`,"user_template_id":1}`, 422, fields("ids", "ids must be at most 5000 users")),
	})
}

// Who is no sudo admin reads templates and uses them, and changes nothing about them, nor about groups, hosts and the core.
func TestPGSudoOnly(t *testing.T) {
	b := newBench(t)
	b.groups(1)
	b.template(`{"name":"plan","group_ids":[1]}`)
	if _, err := b.kernel.Accounts.CreateAdmin(t.Context(), "helper", "a good password", false); err != nil {
		t.Fatal(err)
	}
	token := b.token("helper's", domain.ScopeAdmin, nil)
	b.exec("UPDATE tokens SET admin_id = (SELECT id FROM admins WHERE username = 'helper') WHERE name = 'helper''s'")
	var scenarios []scenario
	for _, route := range strings.Fields(`POST/user_template PUT/user_template/1 DELETE/user_template/1 POST/user_templates/bulk/delete
		POST/user_templates/bulk/disable POST/user_templates/bulk/enable POST/group PUT/group/1 DELETE/group/1 POST/groups/bulk/delete
		POST/groups/bulk/disable POST/groups/bulk/enable POST/groups/bulk/add POST/groups/bulk/remove GET/hosts PUT/hosts GET/host/1 POST/host
		PUT/host/1 DELETE/host/1 GET/cores GET/cores/simple POST/core GET/core/1 PUT/core/1 DELETE/core/1 POST/core/1/restart`) {
		method, path, _ := strings.Cut(route, "/")
		s := b.operator(route, method, "/"+path, `not looked at`, 403, detail("You're not allowed"))
		s.req.token = token
		scenarios = append(scenarios, s)
	}
	for _, path := range strings.Fields(`/user_templates /user_templates/simple /user_template/1 /username_strategies /groups /groups/simple /group/1 /inbounds /inbounds/details`) {
		s := b.operator(path, http.MethodGet, path, "", 200, "")
		s.req.token = token
		scenarios = append(scenarios, s)
	}
	b.run(t, b.url, scenarios)
	made := httpRequest{method: http.MethodPost, path: "/api/user/from_template", token: token, body: `{"user_template_id":1,"username":"john"}`}
	if status, _, got := made.send(t, b.url); status != 201 || !strings.Contains(got, `"admin":{"id":2,"username":"helper"}`) {
		t.Errorf("%d %s", status, got)
	}
	if other := b.pg(http.MethodPost, "/user/from_template", `{"user_template_id":1,"username":"mary"}`, 201); !strings.Contains(other, `"admin":{"id":1,"username":"root"}`) {
		t.Errorf("made %s", other)
	}
	made.method, made.path, made.body = http.MethodPut, "/api/user/mary/from_template", `{"user_template_id":1}`
	if status, _, got := made.send(t, b.url); status != 404 || strings.TrimSpace(got) != detail("User not found") {
		t.Errorf("another admin's user: %d %s", status, got)
	}
}
