package httpapi

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
)

// groups makes n groups, grp1 and so on, that let into inbound 1.
func (b *bench) groups(n int) {
	b.t.Helper()
	b.inbound(1)
	tag := b.tag(1)
	for id := 1; id <= n; id++ {
		got := b.pg(http.MethodPost, "/group", fmt.Sprintf(`{"name":"grp%d","inbound_tags":[%q]}`, id, tag), http.StatusCreated)
		if want := fmt.Sprintf(`{"name":"grp%d","inbound_tags":[%q],"is_disabled":false,"id":%d,"total_users":0}`, id, tag, id); got != want {
			b.t.Fatalf("group: %s\nwant   %s", got, want)
		}
	}
}

// template makes a template and returns it as the API shows it.
func (b *bench) template(body string) string {
	b.t.Helper()
	return b.pg(http.MethodPost, "/user_template", body, http.StatusCreated)
}

// plainTemplate is a template that was given a name and groups alone.
func plainTemplate(id int, name, groups string) string {
	return fmt.Sprintf(`{"name":%q,"data_limit":0,"expire_duration":0,"username_prefix":null,"username_suffix":null,"group_ids":%s,`+
		`"extra_settings":null,"status":"active","reset_usages":false,"on_hold_timeout":null,"data_limit_reset_strategy":"no_reset",`+
		`"is_disabled":false,"id":%d}`, name, groups, id)
}

func TestPGCreateTemplate(t *testing.T) {
	b := newBench(t)
	b.groups(2)
	plain := func(id int) string { return plainTemplate(id, fmt.Sprintf("t%d", id), "[1]") }
	for i, c := range []struct{ name, fields, old, new string }{
		{"nothing else", ``, ``, ``},
		{
			"nulls", `"data_limit":null,"expire_duration":null,"username_prefix":null,"username_suffix":null,"extra_settings":null,` +
				`"status":null,"reset_usages":null,"on_hold_timeout":null,"data_limit_reset_strategy":null,"is_disabled":null`, ``, ``,
		},
		{"zeroes", `"data_limit":0,"expire_duration":0,"on_hold_timeout":0`, ``, ``},
		{"unknown fields", `"hwid_limit":7,"x":[1]`, ``, ``},
		{"empty affixes", `"username_prefix":"","username_suffix":""`, `"username_prefix":null,"username_suffix":null`, `"username_prefix":"","username_suffix":""`},
		{"affixes of specials", `"username_prefix":"-","username_suffix":"@"`, `"username_prefix":null,"username_suffix":null`, `"username_prefix":"-","username_suffix":"@"`},
		{"empty extra settings", `"extra_settings":{}`, `"extra_settings":null`, `"extra_settings":{"flow":null,"method":null}`},
		{"flow none", `"extra_settings":{"flow":"none"}`, `"extra_settings":null`, `"extra_settings":{"flow":"","method":null}`},
		{"flow", `"extra_settings":{"flow":"xtls-rprx-vision"}`, `"extra_settings":null`, `"extra_settings":{"flow":"xtls-rprx-vision","method":null}`},
		{"an alias of a method", `"extra_settings":{"method":"chacha20-poly1305"}`, `"extra_settings":null`, `"extra_settings":{"flow":null,"method":"chacha20-ietf-poly1305"}`},
		{"PasarGuard's name of a method", `"extra_settings":{"method":"xchacha20-poly1305"}`, `"extra_settings":null`, `"extra_settings":{"flow":null,"method":"xchacha20-poly1305"}`},
		{
			"on hold", `"status":"on_hold","expire_duration":2592000,"on_hold_timeout":3600`,
			`"expire_duration":0,"username_prefix":null,"username_suffix":null,"group_ids":[1],"extra_settings":null,"status":"active","reset_usages":false,"on_hold_timeout":null`,
			`"expire_duration":2592000,"username_prefix":null,"username_suffix":null,"group_ids":[1],"extra_settings":null,"status":"on_hold","reset_usages":false,"on_hold_timeout":3600`,
		},
		{"switches", `"reset_usages":true,"is_disabled":true`, `"reset_usages":false,"on_hold_timeout":null,"data_limit_reset_strategy":"no_reset","is_disabled":false`, `"reset_usages":true,"on_hold_timeout":null,"data_limit_reset_strategy":"no_reset","is_disabled":true`},
		{"a group twice", `"group_ids":[2,1,2]`, `"group_ids":[1]`, `"group_ids":[2,1]`},
		{"every PasarGuard period", `"data_limit_reset_strategy":"year"`, `"no_reset"`, `"year"`},
		{"3x-ui's period", `"data_limit_reset_strategy":"monthly","data_limit_reset_params":{"day":3}`, `"data_limit_reset_strategy":"no_reset"`, `"data_limit_reset_strategy":"month","data_limit_reset_params":{"day":3}`},
		{"another period", `"data_limit_reset_strategy":"every","data_limit_reset_params":{"days":10}`, `"data_limit_reset_strategy":"no_reset"`, `"data_limit_reset_strategy":"every","data_limit_reset_params":{"days":10}`},
		{"a whole number with a fraction", `"data_limit":1073741824.0`, `"data_limit":0`, `"data_limit":1073741824`},
	} {
		t.Run(c.name, func(t *testing.T) {
			b.t = t
			fields := ""
			if c.fields != "" {
				fields = "," + c.fields
			}
			got := b.template(fmt.Sprintf(`{"name":"t%d","group_ids":[1]%s}`, i+1, fields))
			if want := strings.Replace(plain(i+1), c.old, c.new, 1); got != want {
				t.Errorf("got  %s\nwant %s", got, want)
			}
			if again := b.pg(http.MethodGet, fmt.Sprintf("/user_template/%d", i+1), "", http.StatusOK); again != got {
				t.Errorf("read %s\nmade %s", again, got)
			}
		})
	}
}

// A name is as long in any script; of 64 characters it fits.
func TestPGTemplateNames(t *testing.T) {
	b := newBench(t)
	b.groups(1)
	for i, name := range []string{strings.Repeat("я", 64), "a", `"quoted" <b>&`, "💎"} {
		got := b.template(fmt.Sprintf(`{"name":%q,"group_ids":[1]}`, name))
		if want := fmt.Sprintf(`{"name":%q,`, name); !strings.HasPrefix(got, want) || !strings.HasSuffix(got, fmt.Sprintf(`"id":%d}`, i+1)) {
			t.Errorf("%q: %s", name, got)
		}
	}
}

func TestPGTemplateLists(t *testing.T) {
	b := newBench(t)
	b.run(t, b.url, []scenario{
		b.operator("none", http.MethodGet, "/user_templates", "", 200, `[]`),
		b.operator("none, simple", http.MethodGet, "/user_templates/simple", "", 200, `{"templates":[],"total":0}`),
	})
	b.groups(1)
	all := []string{}
	for i, name := range []string{"Zoo", "alpha", "Beta"} {
		b.template(fmt.Sprintf(`{"name":%q,"group_ids":[1]}`, name))
		all = append(all, plainTemplate(i+1, name, "[1]"))
	}
	list := func(query string, want ...string) scenario {
		return b.operator("list"+query, http.MethodGet, "/user_templates"+query, "", 200, "["+strings.Join(want, ",")+"]")
	}
	few := func(query string, total int, want ...string) scenario {
		items := []string{}
		for _, name := range want {
			items = append(items, fmt.Sprintf(`{"id":%d,"name":%q}`, map[string]int{"Zoo": 1, "alpha": 2, "Beta": 3}[name], name))
		}
		return b.operator("simple"+query, http.MethodGet, "/user_templates/simple"+query, "", 200, fmt.Sprintf(`{"templates":[%s],"total":%d}`, strings.Join(items, ","), total))
	}
	b.run(t, b.url, []scenario{
		list("", all...), list("?offset=0&limit=0", all...), list("?limit=2", all[:2]...), list("?offset=1", all[1:]...),
		list("?offset=1&limit=1", all[1]), list("?offset=9"), list("?offset=2&limit=9", all[2]),
		few("", 3, "Zoo", "alpha", "Beta"), few("?sort=name", 3, "alpha", "Beta", "Zoo"), few("?sort=-name", 3, "Zoo", "Beta", "alpha"),
		few("?sort=-id", 3, "Beta", "alpha", "Zoo"), few("?search=A", 2, "alpha", "Beta"), few("?search=a&limit=1", 2, "alpha"),
		few("?offset=1&limit=1&all=true", 3, "Zoo", "alpha", "Beta"), few("?ids=3&ids=1", 2, "Zoo", "Beta"), few("?ids=9", 0),
		b.operator("bad sort", http.MethodGet, "/user_templates/simple?sort=color", "", 400, detail(`"color" is not a valid sort option`)),
		b.operator("bad limit", http.MethodGet, "/user_templates?limit=x", "", 422, `{"detail":{"limit":"Must be integer"}}`),
		b.operator("negative", http.MethodGet, "/user_templates?offset=-1", "", 422, `{"detail":{"offset":"Input should be greater than or equal to 0"}}`),
	})
}

// What is absent or null stays; what is the same is no change.
func TestPGUpdateTemplate(t *testing.T) {
	b := newBench(t)
	b.groups(2)
	before := b.template(`{"name":"plan","data_limit":5,"expire_duration":60,"username_prefix":"a_","username_suffix":"_b","group_ids":[1],
		"extra_settings":{"flow":"xtls-rprx-vision","method":"aes-128-gcm"},"status":"on_hold","reset_usages":true,"on_hold_timeout":30,
		"data_limit_reset_strategy":"month","is_disabled":true}`)
	unchanged := func(name, body string) scenario {
		return b.operator(name, http.MethodPut, "/user_template/1", body, 200, before)
	}
	b.run(t, b.url, []scenario{
		unchanged("nothing", `{}`),
		unchanged("itself", before),
		unchanged("nulls", `{"name":null,"data_limit":null,"expire_duration":null,"username_prefix":null,"username_suffix":null,"group_ids":null,`+
			`"extra_settings":null,"status":null,"reset_usages":null,"on_hold_timeout":null,"data_limit_reset_strategy":null,"is_disabled":null}`),
		unchanged("no groups", `{"group_ids":[]}`),
	})
	for _, c := range []struct{ name, body, old, new string }{
		{"name", `{"name":"other"}`, `"plan"`, `"other"`},
		{"limit", `{"data_limit":7}`, `"data_limit":5`, `"data_limit":7`},
		{"no limit", `{"data_limit":0}`, `"data_limit":7`, `"data_limit":0`},
		{"duration", `{"expire_duration":90}`, `"expire_duration":60`, `"expire_duration":90`},
		{"prefix", `{"username_prefix":""}`, `"a_"`, `""`},
		{"suffix", `{"username_suffix":".z"}`, `"_b"`, `".z"`},
		{"groups", `{"group_ids":[2,1]}`, `[1]`, `[2,1]`},
		{"extra settings as a whole", `{"extra_settings":{"method":"aes-256-gcm"}}`, `{"flow":"xtls-rprx-vision","method":"aes-128-gcm"}`, `{"flow":null,"method":"aes-256-gcm"}`},
		{"timeout", `{"on_hold_timeout":31}`, `"on_hold_timeout":30`, `"on_hold_timeout":31`},
		{"active", `{"status":"active"}`, `"on_hold"`, `"active"`},
		{"no duration", `{"expire_duration":0}`, `"expire_duration":90`, `"expire_duration":0`},
		{"no timeout", `{"on_hold_timeout":0}`, `"on_hold_timeout":31`, `"on_hold_timeout":null`},
		{"usage stays", `{"reset_usages":false}`, `"reset_usages":true`, `"reset_usages":false`},
		{"period", `{"data_limit_reset_strategy":"day"}`, `"month"`, `"day"`},
		{"enabled", `{"is_disabled":false}`, `"is_disabled":true`, `"is_disabled":false`},
	} {
		t.Run(c.name, func(t *testing.T) {
			b.t = t
			want := strings.Replace(before, c.old, c.new, 1)
			if want == before {
				t.Fatalf("%s is not in %s", c.old, before)
			}
			if before = b.pg(http.MethodPut, "/user_template/1", c.body, http.StatusOK); before != want {
				t.Errorf("got  %s\nwant %s", before, want)
			}
		})
	}
}

// A period of the other dialect is shown in this one's words, and sent back in them it stays what it is.
func TestPGTemplatePolicyEcho(t *testing.T) {
	b := newBench(t)
	b.groups(1)
	shown := b.template(`{"name":"plan","group_ids":[1],"data_limit_reset_strategy":"monthly","data_limit_reset_params":{"day":5}}`)
	b.run(t, b.url, []scenario{b.operator("itself", http.MethodPut, "/user_template/1", shown, 200, shown)})
	if got := b.rows("SELECT reset_policy, reset_params FROM templates"); got != `[monthly {"day":5}]`+"\n" {
		t.Errorf("stored %s", got)
	}
	b.pg(http.MethodPut, "/user_template/1", `{"data_limit_reset_strategy":"week"}`, 200)
	if got := b.rows("SELECT reset_policy, reset_params FROM templates"); got != "[week ]\n" {
		t.Errorf("another period took along %s", got)
	}
}

func TestPGTemplateDelete(t *testing.T) {
	b := newBench(t)
	b.groups(1)
	for _, name := range []string{"a", "b", "c", "d"} {
		b.template(fmt.Sprintf(`{"name":%q,"group_ids":[1]}`, name))
	}
	b.pg(http.MethodPost, "/user/from_template", `{"user_template_id":1,"username":"john"}`, 201)
	if got := b.pg(http.MethodDelete, "/user_template/1", "", http.StatusNoContent); got != "" {
		t.Errorf("deleted: %s", got)
	}
	if got := b.rows("SELECT username FROM users"); got != "[john]\n" {
		t.Errorf("its users are %s", got)
	}
	const gone = "User Template not found"
	bulk := func(name, what, ids string, status int, want string) scenario {
		return b.operator(name, http.MethodPost, "/user_templates/bulk/"+what, `{"ids":`+ids+`}`, status, want)
	}
	b.run(t, b.url, []scenario{
		b.operator("delete again", http.MethodDelete, "/user_template/1", "", 404, detail(gone)),
		b.operator("read", http.MethodGet, "/user_template/1", "", 404, detail(gone)),
		b.operator("change", http.MethodPut, "/user_template/1", `{}`, 404, detail(gone)),
		bulk("one is missing", "delete", "[2,1]", 404, detail(gone)),
		bulk("one is missing for disable", "disable", "[2,1]", 404, detail(gone)),
		bulk("one is missing for enable", "enable", "[2,1]", 404, detail(gone)),
		bulk("of none", "delete", "[]", 200, `{"templates":[],"count":0}`),
		bulk("enable what is", "enable", "[2,2,3]", 200, `{"templates":["b","c"],"count":2}`),
		b.operator("no ids", http.MethodPost, "/user_templates/bulk/delete", `{}`, 422, `{"detail":{"ids":"Field required"}}`),
		bulk("texts", "delete", `["2"]`, 422, `{"detail":{"ids":"Must be integer"}}`),
	})
	for _, step := range []struct{ what, ids, want, left string }{
		{"disable", "[3,2]", `{"templates":["c","b"],"count":2}`, "[b 1]\n[c 1]\n[d 0]\n"},
		{"enable", "[2]", `{"templates":["b"],"count":1}`, "[b 0]\n[c 1]\n[d 0]\n"},
		{"delete", "[4,2]", `{"templates":["d","b"],"count":2}`, "[c 1]\n"},
	} {
		if got := b.pg(http.MethodPost, "/user_templates/bulk/"+step.what, `{"ids":`+step.ids+`}`, 200); got != step.want {
			t.Errorf("%s: %s", step.what, got)
		}
		if got := b.rows("SELECT name, disabled FROM templates ORDER BY id"); got != step.left {
			t.Errorf("after %s: %s", step.what, got)
		}
	}
}
