package httpapi

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
)

func groupJSON(id int, name string, disabled bool, users int, tags ...string) string {
	return fmt.Sprintf(`{"name":%q,"inbound_tags":%s,"is_disabled":%v,"id":%d,"total_users":%d}`, name, jsonList(append([]string{}, tags...)...), disabled, id, users)
}

// letsInto wants a client to be let into these inbounds.
func (b *bench) letsInto(name, inbounds string) {
	b.t.Helper()
	if got := b.panel(http.MethodGet, "/clients/get/"+name, ""); !strings.Contains(got, `"inboundIds":`+inbounds+",") {
		b.t.Errorf("%s is let into others than %s: %s", name, inbounds, got)
	}
}

// threeInbounds opens inbounds 1 to 3 and returns their tags.
func (b *bench) threeInbounds() (tags [3]string) {
	for i := range tags {
		b.inbound(i + 1)
		tags[i] = b.tag(int64(i + 1))
	}
	return tags
}

func TestPGGroups(t *testing.T) {
	b := newBench(t)
	b.run(t, b.url, []scenario{
		b.operator("none", http.MethodGet, "/groups", "", 200, `{"groups":[],"total":0}`),
		b.operator("no inbounds", http.MethodGet, "/inbounds", "", 200, `[]`),
		b.operator("no inbounds, details", http.MethodGet, "/inbounds/details", "", 200, `[]`),
	})
	tags := b.threeInbounds()
	create := func(body, want string) {
		t.Helper()
		if got := b.pg(http.MethodPost, "/group", body, 201); got != want {
			t.Errorf("made %s\nwant %s", got, want)
		}
	}
	create(`{"name":"vip","inbound_tags":`+jsonList(tags[1], tags[0], tags[1])+`}`, groupJSON(1, "vip", false, 0, tags[0], tags[1]))
	create(`{"name":"Abc","inbound_tags":`+jsonList(tags[2])+`,"is_disabled":true,"x":1}`, groupJSON(2, "Abc", true, 0, tags[2]))
	create(`{"name":"`+strings.Repeat("я", 64)+`","inbound_tags":`+jsonList(tags[2])+`,"is_disabled":null}`, groupJSON(3, strings.Repeat("я", 64), false, 0, tags[2]))
	b.pg(http.MethodDelete, "/group/3", "", http.StatusNoContent)
	b.template(`{"name":"plan","group_ids":[1]}`)
	b.pg(http.MethodPost, "/user/from_template", `{"user_template_id":1,"username":"john"}`, 201)
	one, two := groupJSON(1, "vip", false, 1, tags[0], tags[1]), groupJSON(2, "Abc", true, 0, tags[2])
	details := func(i int) string {
		port := strings.TrimSpace(b.rows("SELECT port FROM inbounds WHERE id = ?", i+1))
		return fmt.Sprintf(`{"tag":%q,"protocol":"vless","network":"tcp","security":"none","port":%s}`, tags[i], strings.Trim(port, "[]"))
	}
	b.run(t, b.url, []scenario{
		b.operator("list", http.MethodGet, "/groups", "", 200, `{"groups":[`+one+`,`+two+`],"total":2}`),
		b.operator("page", http.MethodGet, "/groups?offset=1&limit=1", "", 200, `{"groups":[`+two+`],"total":2}`),
		b.operator("simple", http.MethodGet, "/groups/simple?sort=name", "", 200, `{"groups":[{"id":2,"name":"Abc"},{"id":1,"name":"vip"}],"total":2}`),
		b.operator("get", http.MethodGet, "/group/1", "", 200, one),
		b.operator("get unknown", http.MethodGet, "/group/9", "", 404, detail("Group not found")),
		b.operator("tags", http.MethodGet, "/inbounds", "", 200, jsonList(tags[:]...)),
		b.operator("details", http.MethodGet, "/inbounds/details", "", 200, "["+details(0)+","+details(1)+","+details(2)+"]"),
	})
}

func TestPGBadGroups(t *testing.T) {
	b := newBench(t)
	tags := b.threeInbounds()
	b.pg(http.MethodPost, "/group", `{"name":"vip","inbound_tags":`+jsonList(tags[0])+`}`, 201)
	tag := jsonList(tags[0])
	create := func(name, body string, status int, want string) scenario {
		return b.operator(name, http.MethodPost, "/group", body, status, want)
	}
	change := func(name, body string, status int, want string) scenario {
		return b.operator("PUT: "+name, http.MethodPut, "/group/1", body, status, want)
	}
	const few, many = "String should have at least 3 characters", "String should have at most 64 characters"
	b.run(t, b.url, []scenario{
		create("nothing", `{}`, 422, fields("inbound_tags", "you must select at least one inbound", "name", "Field required")),
		create("nulls", `{"name":null,"inbound_tags":null}`, 422, fields("inbound_tags", "you must select at least one inbound", "name", "Field required")),
		create("short", `{"name":"ab","inbound_tags":`+tag+`}`, 422, fields("name", few)),
		create("long", `{"name":"`+strings.Repeat("a", 65)+`","inbound_tags":`+tag+`}`, 422, fields("name", many)),
		create("spaces", `{"name":"   ","inbound_tags":`+tag+`}`, 422, fields("name", few)),
		create("control character", `{"name":"new\u0007","inbound_tags":`+tag+`}`, 422, fields("name", "Invalid characters")),
		create("no inbounds", `{"name":"new","inbound_tags":[]}`, 422, fields("inbound_tags", "you must select at least one inbound")),
		create("unknown inbound", `{"name":"new","inbound_tags":["nowhere"]}`, 400, detail("nowhere not found")),
		create("an inbound of another type", `{"name":"new","inbound_tags":[1]}`, 422, fields("inbound_tags", "Input should be a valid string")),
		create("name in use", `{"name":"vip","inbound_tags":`+tag+`}`, 409, detail("name already exists: vip")),
		change("short", `{"name":"ab"}`, 422, fields("name", few)),
		change("long", `{"name":"`+strings.Repeat("a", 65)+`"}`, 422, fields("name", many)),
		change("unknown inbound", `{"inbound_tags":["nowhere"]}`, 400, detail("nowhere not found")),
		change("nothing", `{}`, 200, groupJSON(1, "vip", false, 0, tags[0])),
		change("nulls", `{"name":null,"inbound_tags":null,"is_disabled":null}`, 200, groupJSON(1, "vip", false, 0, tags[0])),
		change("itself", groupJSON(1, "vip", false, 0, tags[0]), 200, groupJSON(1, "vip", false, 0, tags[0])),
		b.operator("unknown", http.MethodPut, "/group/9", `{}`, 404, detail("Group not found")),
		b.operator("delete unknown", http.MethodDelete, "/group/9", "", 404, detail("Group not found")),
		b.operator("no id", http.MethodDelete, "/group/x", "", 422, fields("group_id", "Must be integer")),
		b.operator("bulk", http.MethodPost, "/groups/bulk/delete", `{"ids":[1,9]}`, 404, detail("Group not found")),
		b.operator("members of no group", http.MethodPost, "/groups/bulk/add", `{}`, 422, fields("group_ids", "Field required")),
	})
}

// Both dialects know a group by one name, and a client that is sent back as it is shown, or imported as it was exported,
// has no more of its own than before.
func TestPGGroupInXUI(t *testing.T) {
	b := newBench(t)
	tags := b.threeInbounds()
	if got, want := b.pg(http.MethodPost, "/group", `{"name":"  gold ","inbound_tags":`+jsonList(tags[0])+`}`, 201), groupJSON(1, "gold", false, 0, tags[0]); got != want {
		t.Errorf("made %s\nwant %s", got, want)
	}
	if _, err := b.kernel.Accounts.NewGroup(t.Context(), " old ", []int64{2}, false); err != nil {
		t.Fatal(err)
	}
	b.pg(http.MethodPost, "/user", `{"username":"john","group_ids":[2]}`, 201)
	before := b.version()
	b.must("/clients/update/john", `{"group":" old "}`)
	if b.version() != before {
		t.Error("the group as it is shown is a change")
	}
	b.must("/clients/update/john", `{"group":" gold "}`)
	exported := b.exportText()
	b.must("/clients/del/john", "")
	b.importText("?atomic=1", exported)
	b.letsInto("john", "[1,2]")
	b.pg(http.MethodPut, "/group/1", `{"is_disabled":true}`, 200)
	b.letsInto("john", "[2]")
}

// What becomes of a group's inbounds becomes of those who are in it.
func TestPGChangeGroup(t *testing.T) {
	b := newBench(t)
	tags := b.threeInbounds()
	b.pg(http.MethodPost, "/group", `{"name":"vip","inbound_tags":`+jsonList(tags[0])+`}`, 201)
	b.template(`{"name":"plan","group_ids":[1]}`)
	b.pg(http.MethodPost, "/user/from_template", `{"user_template_id":1,"username":"john"}`, 201)
	b.panel(http.MethodPost, "/clients/groups/create", `{"name":"x"}`)
	for _, c := range []struct{ name, method, path, body, want, inbounds string }{
		{"more inbounds", http.MethodPut, "/group/1", `{"inbound_tags":` + jsonList(tags[2], tags[1]) + `}`, groupJSON(1, "vip", false, 1, tags[1], tags[2]), "[2,3]"},
		{"another name", http.MethodPut, "/group/1", `{"name":"gold"}`, groupJSON(1, "gold", false, 1, tags[1], tags[2]), "[2,3]"},
		{"disabled", http.MethodPut, "/group/1", `{"is_disabled":true}`, groupJSON(1, "gold", true, 1, tags[1], tags[2]), "[]"},
		{"enabled with others", http.MethodPost, "/groups/bulk/enable", `{"ids":[2,1]}`, `{"groups":["x","gold"],"count":2}`, "[2,3]"},
		{"disabled with others", http.MethodPost, "/groups/bulk/disable", `{"ids":[1]}`, `{"groups":["gold"],"count":1}`, "[]"},
		{"enabled", http.MethodPut, "/group/1", `{"is_disabled":false}`, groupJSON(1, "gold", false, 1, tags[1], tags[2]), "[2,3]"},
		{"no inbounds", http.MethodPut, "/group/1", `{"inbound_tags":[]}`, groupJSON(1, "gold", false, 1), "[]"},
		{"a short name of 3x-ui stays", http.MethodPut, "/group/2", `{"name":"x","inbound_tags":` + jsonList(tags[0]) + `}`, groupJSON(2, "x", false, 0, tags[0]), "[]"},
		{"deleted", http.MethodPost, "/groups/bulk/delete", `{"ids":[1]}`, `{"groups":["gold"],"count":1}`, "[]"},
	} {
		t.Run(c.name, func(t *testing.T) {
			b.t = t
			if got := b.pg(c.method, c.path, c.body, 200); got != c.want {
				t.Errorf("got  %s\nwant %s", got, c.want)
			}
			b.letsInto("john", c.inbounds)
		})
	}
	b.t = t
	if got := b.pg(http.MethodGet, "/user_template/1", "", 200); got != plainTemplate(1, "plan", "[]") {
		t.Errorf("its template is %s", got)
	}
}

func TestPGGroupMembers(t *testing.T) {
	b := newBench(t)
	b.groups(3)
	b.template(`{"name":"one","group_ids":[1]}`)
	b.template(`{"name":"two","group_ids":[2]}`)
	b.pg(http.MethodPost, "/users/bulk/from_template", `{"user_template_id":1,"count":2,"strategy":"sequence","username":"one"}`, 201)
	b.pg(http.MethodPost, "/users/bulk/from_template", `{"user_template_id":2,"count":2,"strategy":"sequence","username":"two"}`, 201)
	for _, c := range []struct {
		name, what, body string
		count            int
		want             string // groups of each user, in order
	}{
		{"named", "add", `{"group_ids":[3],"users":[1]}`, 1, "1,3 1 2 2"},
		{"who is in it already", "add", `{"group_ids":[3],"users":[1,2]}`, 1, "1,3 1,3 2 2"},
		{"nobody", "add", `{"group_ids":[3],"users":[]}`, 0, "1,3 1,3 2 2"},
		{"a list that came out empty", "remove", `{"group_ids":[3],"has_group_ids":[]}`, 0, "1,3 1,3 2 2"},
		{"tried", "remove", `{"group_ids":[3],"dry_run":true}`, 2, "1,3 1,3 2 2"},
		{"members of a group", "remove", `{"group_ids":[3,1],"has_group_ids":[1]}`, 2, "none none 2 2"},
		{"members, and who is named", "add", `{"group_ids":[1],"has_group_ids":[2],"users":[1]}`, 3, "1 none 2,1 2,1"},
		{"of another admin", "add", `{"group_ids":[3],"admins":[99]}`, 0, "1 none 2,1 2,1"},
		{"of an admin who are in a group", "add", `{"group_ids":[3],"admins":[1],"has_group_ids":[2]}`, 2, "1 none 2,1,3 2,1,3"},
		{"everyone", "add", `{"group_ids":[3],"users":null,"admins":null}`, 2, "1,3 3 2,1,3 2,1,3"},
	} {
		t.Run(c.name, func(t *testing.T) {
			b.t = t
			want := fmt.Sprintf(`{"detail":"operation has been successfuly done on %d users"}`, c.count)
			if got := b.pg(http.MethodPost, "/groups/bulk/"+c.what, c.body, 200); got != want {
				t.Errorf("got %s\nwant %s", got, want)
			}
			groups := b.rows(`SELECT COALESCE((SELECT group_concat(group_id) FROM
				(SELECT group_id FROM user_groups WHERE user_id = users.id ORDER BY position)), 'none') FROM users ORDER BY id`)
			if got := strings.Join(strings.Fields(strings.NewReplacer("[", "", "]", "").Replace(groups)), " "); got != c.want {
				t.Errorf("they are in %s\nwant %s", got, c.want)
			}
		})
	}
	b.t = t
	b.run(t, b.url, []scenario{
		b.operator("unknown group", http.MethodPost, "/groups/bulk/add", `{"group_ids":[1,99]}`, 404, detail("Group not found")),
	})
}
