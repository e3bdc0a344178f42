package httpapi

import (
	"strings"
	"testing"
)

// Whatever is wrong with a request, it says what and changes nothing.
func TestPGBadUser(t *testing.T) {
	b := newBench(t)
	b.twoGroups()
	b.pg("POST", "/user", whole, 201)
	b.pg("POST", "/user", `{"username":"held","status":"on_hold","on_hold_expire_duration":60}`, 201)
	const (
		badDate   = "Input should be a valid datetime or timestamp"
		noExpiry  = "User cannot be on hold with specified expire"
		badMethod = "Input should be 'aes-128-gcm', 'aes-256-gcm', 'chacha20-ietf-poly1305' or 'xchacha20-poly1305'"
	)
	var scenarios []scenario
	for _, c := range []struct {
		name, member string // beside the username, of a new user and of one that is there
		status       int
		want         string
	}{
		{"a negative limit", `"data_limit":-1`, 422, fields("data_limit", "Data limit must be 0 or greater")},
		{"a limit in words", `"data_limit":"10"`, 422, fields("data_limit", "Must be integer")},
		{"a limit of 20 digits", `"hwid_limit":99999999999999999999`, 422, fields("hwid_limit", "hwid_limit is out of range: 99999999999999999999")},
		{"a long note", `"note":"` + strings.Repeat("é", 501) + `"`, 422, fields("note", "String should have at most 500 characters")},
		{"a status that is none", `"status":"limited"`, 422, ""},
		{"on hold without a duration", `"status":"on_hold"`, 422, fields("status", sentenceNoHold)},
		{"on hold for 0 seconds", `"status":"on_hold","on_hold_expire_duration":0`, 422, fields("status", sentenceNoHold)},
		{"on hold for less", `"status":"on_hold","on_hold_expire_duration":-5`, 422, fields("status", sentenceNoHold)},
		{"on hold with an expiry", `"status":"on_hold","on_hold_expire_duration":60,"expire":1790000001`, 422, fields("status", noExpiry)},
		{"on hold for ages", `"status":"on_hold","on_hold_expire_duration":9223372036854775807`, 422, fields("on_hold_expire_duration", "on_hold_expire_duration must be more than 0 and at most 100 years")},
		{"on hold until soon", `"status":"on_hold","on_hold_expire_duration":60,"on_hold_timeout":"soon"`, 422, fields("on_hold_timeout", badDate)},
		{"an expiry that is no time", `"expire":"soon"`, 422, fields("expire", badDate)},
		{"an expiry in ms", `"expire":1790000000000`, 422, fields("expire", badDate)},
		{"an expiry that is an object", `"expire":{}`, 422, fields("expire", badDate)},
		{"an expiry that is true", `"expire":true`, 422, fields("expire", badDate)},
		{"an expiry before the epoch", `"expire":-1`, 422, fields("expire", "expire must not be negative")},
		{"an unknown strategy", `"data_limit_reset_strategy":"decade"`, 422, ""},
		{"an unknown flow", `"proxy_settings":{"vless":{"flow":"x"}}`, 422, fields("flow", "Input should be 'none' or 'xtls-rprx-vision'")},
		{"an unknown method", `"proxy_settings":{"shadowsocks":{"method":"rc4"}}`, 422, fields("method", badMethod)},
		{"no uuid", `"proxy_settings":{"vmess":{"id":"x"}}`, 422, fields("id", "id is not a valid UUID")},
		{"an unknown group", `"group_ids":[9]`, 404, detail("Group not found")},
		{"groups that are none", `"group_ids":["a"]`, 422, fields("group_ids", "Must be integer")},
		{"a deletion before it", `"auto_delete_in_days":-1`, 422, fields("auto_delete_in_days", "auto_delete_in_days must be between 0 and 3650 days")},
		{"a negative next limit", `"next_plan":{"data_limit":-1}`, 422, ""},
		{"an unknown next template", `"next_plan":{"user_template_id":9}`, 404, detail("User Template not found")},
	} {
		scenarios = append(scenarios,
			b.pgScenario(c.name+", made", "POST", "/user", `{"username":"new",`+c.member+`}`, c.status, c.want),
			b.pgScenario(c.name+", changed", "PUT", "/user/john", `{`+c.member+`}`, c.status, c.want))
	}
	b.run(t, b.url, append(scenarios,
		b.pgScenario("no name", "POST", "/user", `{}`, 422, fields("username", "Field required")),
		b.pgScenario("null", "POST", "/user", `{"username":null}`, 422, fields("username", "Input should be a valid string")),
		b.pgScenario("a short name", "POST", "/user", `{"username":"jo"}`, 422, fields("username", sentenceNameRange)),
		b.pgScenario("a long name", "POST", "/user", `{"username":"`+strings.Repeat("x", 129)+`"}`, 422, fields("username", sentenceNameRange)),
		b.pgScenario("a line", "POST", "/user", `{"username":"abc\n"}`, 422, fields("username", sentenceSpelling)),
		b.pgScenario("two specials", "POST", "/user", `{"username":"a__b"}`, 422, fields("username", sentenceSpecials)),
		b.pgScenario("two faults", "POST", "/user", `{"username":"a","group_ids":[]}`, 422, fields("group_ids", sentenceNoGroup, "username", sentenceNameRange)),
		b.pgScenario("disabled from the start", "POST", "/user", `{"username":"new","status":"disabled"}`, 422, fields("status", "Input should be 'active' or 'on_hold'")),
		b.pgScenario("a name that is taken", "POST", "/user", `{"username":"JOHN"}`, 409, detail("User already exists")),
		b.pgScenario("an expiry of who is on hold", "PUT", "/user/held", `{"expire":1790000001}`, 422, fields("status", noExpiry)),
		b.pgScenario("a hold that lost its duration", "PUT", "/user/held", `{"on_hold_expire_duration":null}`, 422, fields("status", sentenceNoHold)),
		b.pgScenario("a change of nobody", "PUT", "/user/nobody", `{}`, 404, detail("User not found")),
		b.pgScenario("a deletion of nobody", "DELETE", "/user/nobody", ``, 404, detail("User not found")),
		b.pgScenario("nothing to activate", "POST", "/user/held/active_next", ``, 404, detail("User doesn't have next plan")),
		b.pgScenario("an unknown admin", "PUT", "/user/john/set_owner?admin_username=x", ``, 404, detail("Admin not found")),
		b.pgScenario("no admin", "PUT", "/user/john/set_owner", ``, 422, fields("admin_username", "Field required")),
		b.pgScenario("neither disabled nor enabled", "PUT", "/user/john/disabled", `{}`, 422, fields("disabled", "Field required")),
	))
}

// An admin sees and changes only its own users; those of others are not there for it.
func TestPGOwnUsers(t *testing.T) {
	b := newBench(t)
	b.newOperator("kim", false)
	kim := b.session("kim")
	b.pg("POST", "/user", `{"username":"roots","note":"x"}`, 201)
	as := func(name, method, path, body string, status int, want string) scenario {
		s := b.pgScenario(name, method, path, body, status, want)
		s.req.token = kim
		return s
	}
	var scenarios []scenario
	for _, c := range [][3]string{
		{"GET", "/user/roots"},
		{"PUT", "/user/roots", `{"note":"y"}`},
		{"DELETE", "/user/roots"},
		{"PUT", "/user/roots/disabled", `{"disabled":true}`},
		{"POST", "/user/roots/reset"},
		{"POST", "/user/roots/revoke_sub"},
		{"POST", "/user/roots/active_next"},
		{"GET", "/user/roots/usage"},
		{"GET", "/user/roots/sub_update"},
		{"POST", "/users/bulk/delete", `{"ids":[1]}`},
		{"POST", "/users/bulk/reset", `{"ids":[1]}`},
		{"POST", "/users/bulk/revoke_sub", `{"ids":[1]}`},
		{"POST", "/users/bulk/disable", `{"ids":[1]}`},
		{"POST", "/users/bulk/enable", `{"ids":[1]}`},
	} {
		scenarios = append(scenarios, as(c[0]+" "+c[1], c[0], c[1], c[2], 404, detail("User not found")))
	}
	const nobody = `{"detail":"operation has been successfuly done on 0 users"}`
	b.run(t, b.url, append(scenarios,
		as("the list", "GET", "/users", "", 200, `{"users":[],"total":0}`),
		as("the list of the other", "GET", "/users?admin=root", "", 200, `{"users":[],"total":0}`),
		as("by id", "GET", "/users/simple?ids=1", "", 200, `{"users":[],"total":0}`),
		as("everyone", "POST", "/users/bulk/data_limit", `{"amount":5}`, 200, nobody),
		as("by id, in bulk", "POST", "/users/bulk/proxy_settings", `{"flow":"xtls-rprx-vision","users":[1]}`, 200, nobody),
		as("of the other", "POST", "/users/bulk/expire", `{"amount":5,"admins":[1]}`, 200, nobody),
		as("a new owner", "PUT", "/user/roots/set_owner?admin_username=kim", "", 403, detail("You're not allowed")),
		as("new owners", "PUT", "/users/bulk/set_owner", `{"ids":[1],"admin_username":"kim"}`, 403, detail("You're not allowed")),
		as("all", "POST", "/users/reset", "", 403, detail("You're not allowed")),
	))
}
