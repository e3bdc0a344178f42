package httpapi

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"
)

// listed is the answer to a page, as far as tests look at it.
type listed struct {
	Success bool
	Msg     string
	Obj     struct {
		Items           []struct{ Email string }
		Total, Filtered int
		Page, PageSize  int
		Summary         json.RawMessage
		Groups          []string
	}
}

func (b *bench) page(query string) (l listed) {
	b.t.Helper()
	if err := json.Unmarshal([]byte(b.read("/clients/list/paged"+query)), &l); err != nil {
		b.t.Fatal(err)
	}
	return l
}

// names are the emails of a page's clients.
func (l *listed) names() string {
	names := make([]string, len(l.Obj.Items))
	for i, item := range l.Obj.Items {
		names[i] = item.Email
	}
	return strings.Join(names, " ")
}

// manyClients is a bench with a client for every filter and order.
func manyClients(t *testing.T) *bench {
	t.Helper()
	b := newBench(t)
	b.reachLoopback()
	port := b.inbound(1)
	b.must("/inbounds/add", `{"listen":"127.0.0.1","port":1,"protocol":"trojan","enable":false}`)
	const gib = int64(1) << 30
	for i, c := range []struct {
		name, members, inbounds string
		used                    int64
	}{
		{"Zoe", `"totalGB":0`, "[1]", 30},
		{"adam", fmt.Sprintf(`"totalGB":%d,"comment":"Ünïcode NOTE"`, 10*gib), "[1,2]", 9*gib + 1},
		{"bert", fmt.Sprintf(`"totalGB":%d,"group":"vip"`, gib), "[2]", gib},
		{"cleo", fmt.Sprintf(`"expiryTime":%d,"tgId":7,"group":"a group, with a comma"`, start-1), "[1]", 5},
		{"dora", fmt.Sprintf(`"expiryTime":%d,"reset":30,"group":"vip"`, start+71*hourMS), "[1]", 20},
		{"emil", fmt.Sprintf(`"expiryTime":%d,"subId":"SUB_100"`, start+100*hourMS), "[1,2]", 0},
		{"finn", `"enable":false`, "[1]", 40},
		{"gerd", fmt.Sprintf(`"expiryTime":%d`, -hourMS), "[1]", 0},
		{"hugo", `"comment":"100_percent","group":"orphans"`, "[]", 10},
	} {
		b.must("/clients/add", fmt.Sprintf(`{"client":{"subId":"s%d","email":%q,%s},"inboundIds":%s}`, i, c.name, c.members, c.inbounds))
		b.do("/clients/updateTraffic/"+c.name, fmt.Sprintf(`{"upload":%d}`, c.used), "")
	}
	b.online("Zoe", b.get("zoe").obj["uuid"].(string), port)
	return b
}

func TestXUIPages(t *testing.T) {
	b := manyClients(t)
	const all = "Zoe adam bert cleo dora emil finn gerd hugo"
	for _, c := range []struct{ query, want string }{
		{"", all},
		{"?filter=&sort=&order=&search=&protocol=", all},
		{"?search=%20ZO%20", "Zoe"},
		{"?search=%C3%BCn%C3%AFcode", "adam"},
		{"?search=sub_100", "emil"},
		{"?search=_", "emil hugo"},
		{"?search=%25", ""},
		{"?search=" + url.QueryEscape(b.get("zoe").obj["password"].(string)), ""}, // no secrets
		{"?filter=online", "Zoe"},
		{"?filter=active", "Zoe emil gerd hugo"},
		{"?filter=expiring", "adam dora"},
		{"?filter=depleted", "bert cleo"},
		{"?filter=deactive", "finn"},
		{"?filter=DEACTIVE,%20depleted,", "bert cleo finn"},
		{"?protocol=vless", "Zoe adam cleo dora emil finn gerd"},
		{"?protocol=Trojan", "adam bert emil"},
		{"?protocol=vless,trojan", "Zoe adam bert cleo dora emil finn gerd"},
		{"?protocol=vmess", ""},
		{"?protocol=trojan&filter=depleted", "bert"},
		{"?inbound=2", "adam bert emil"},
		{"?inbound=1,2&protocol=trojan", "adam bert emil"},
		{"?inbound=99", ""},
		{"?group=vip", "bert dora"},
		{"?group=nobody", ""},
		{"?group=vip,orphans", "bert dora hugo"},
		{fmt.Sprintf("?expiryFrom=%d", start), "dora emil"},
		{fmt.Sprintf("?expiryTo=%d", start), "cleo"},
		{fmt.Sprintf("?expiryFrom=%d&expiryTo=%d", start-1, start+71*hourMS), "cleo dora"},
		{"?usageFrom=20&usageTo=40", "Zoe dora finn"},
		{"?usageTo=5", "cleo emil gerd"},
		{"?autoRenew=on", "dora"},
		{"?autoRenew=OFF&filter=expiring", "adam"},
		{"?hasTgId=yes", "cleo"},
		{"?hasComment=yes", "adam hugo"},
		{"?hasComment=no&filter=expiring", "dora"},
		{"?sort=email", "adam bert cleo dora emil finn gerd hugo Zoe"},
		{"?sort=email&order=descend", "Zoe hugo gerd finn emil dora cleo bert adam"},
		{"?sort=enable", "bert cleo finn Zoe adam dora emil gerd hugo"},
		{"?sort=inboundIds&order=descend", "adam emil Zoe bert cleo dora finn gerd hugo"},
		{"?sort=traffic&order=descend&filter=active,deactive,depleted", "bert finn Zoe hugo cleo emil gerd"},
		{"?sort=remaining", "bert adam Zoe cleo dora emil finn gerd hugo"},
		{"?sort=expiryTime", "cleo dora emil Zoe adam bert finn gerd hugo"},
		{"?sort=createdAt&order=descend", "hugo gerd finn emil dora cleo bert adam Zoe"},
		{"?sort=id&order=ascend", all},
		{"?sort=updatedAt", all},
		{"?sort=lastOnline", all},
		{"?pageSize=2", "Zoe adam"},
		{"?pageSize=2&page=2", "bert cleo"},
		{"?pageSize=2&page=5", "hugo"},
		{"?pageSize=2&page=6", ""},
		{"?page=9223372036854775807", ""},
		{"?page=0&pageSize=0", all},
		{"?page=-1&pageSize=-9", all},
		{"?unknown=1", all},
	} {
		t.Run(c.query, func(t *testing.T) {
			before := b.version()
			if l := b.page(c.query); !l.Success || l.names() != c.want {
				t.Errorf("%s %s, want %s", l.names(), l.Msg, c.want)
			}
			if b.version() != before {
				t.Error("something was written")
			}
		})
	}
}

// A page says how many there are, how many match, and what it was clamped to.
func TestXUIPageNumbers(t *testing.T) {
	b := manyClients(t)
	for _, c := range []struct {
		query                           string
		page, size, total, filtered, is int
	}{
		{"", 1, 25, 9, 9, 9},
		{"?page=-5&pageSize=0", 1, 25, 9, 9, 9},
		{"?pageSize=1000", 1, 200, 9, 9, 9},
		{"?page=2&pageSize=4&filter=active", 2, 4, 9, 4, 0},
		{"?page=1&pageSize=3&filter=active", 1, 3, 9, 4, 3},
		{"?search=o", 1, 25, 9, 5, 5},
	} {
		t.Run(c.query, func(t *testing.T) {
			o := b.page(c.query).Obj
			got := [...]int{o.Page, o.PageSize, o.Total, o.Filtered, len(o.Items)}
			if want := [...]int{c.page, c.size, c.total, c.filtered, c.is}; got != want {
				t.Errorf("page, pageSize, total, filtered, items: %v, want %v", got, want)
			}
		})
	}
	l := b.page("?pageSize=1&filter=depleted")
	const want = `{"total":9,"active":4,"online":["Zoe"],"depleted":["bert","cleo"],"expiring":["adam","dora"],"deactive":["finn"],` +
		`"onlineCount":1,"depletedCount":2,"expiringCount":2,"deactiveCount":1}`
	if string(l.Obj.Summary) != want {
		t.Errorf("summary %s\nwant    %s", l.Obj.Summary, want)
	}
	if got := strings.Join(l.Obj.Groups, "; "); got != "a group, with a comma; orphans; vip" {
		t.Errorf("groups %s", got)
	}
}

func TestXUIPageRefuses(t *testing.T) {
	b := newBench(t)
	page := func(query, sentence string) scenario {
		return b.scenario(query, http.MethodGet, "/clients/list/paged"+query, "", envelope(sentence))
	}
	const sorts = "createdAt, email, enable, expiryTime, id, inboundIds, lastOnline, remaining, traffic, updatedAt"
	b.run(t, b.url, []scenario{
		page("?filter=sleepy", `filter must be one of active, deactive, depleted, expiring, online, not "sleepy"`),
		page("?filter=active,sleepy", `filter must be one of active, deactive, depleted, expiring, online, not "sleepy"`),
		page("?protocol=gopher", `protocol must be one of vless, vmess, trojan, shadowsocks, hysteria, not "gopher"`),
		page("?inbound=x", "inbound must be ids of inbounds, separated by commas"),
		page("?sort=age", `sort must be one of `+sorts+`, not "age"`),
		page("?sort=Email", `sort must be one of `+sorts+`, not "Email"`),
		page("?order=up", `order must be ascend or descend, not "up"`),
		page("?autoRenew=yes", `autoRenew must be one of off, on, not "yes"`),
		page("?hasTgId=on", `hasTgId must be one of no, yes, not "on"`),
		page("?hasComment=1", `hasComment must be one of no, yes, not "1"`),
		page("?page=x", "page must be an integer"),
		page("?pageSize=1.5", "pageSize must be an integer"),
		page("?page=9223372036854775808", "page must be an integer"),
		page("?expiryFrom=soon", "expiryFrom must be an integer"),
	})
}

// What depends on the time of day follows the clock: nobody has to change a client for that.
func TestXUIPagesFollowTheClock(t *testing.T) {
	b := newBench(t)
	b.inbound(1)
	b.client("alice")
	b.update("alice", fmt.Sprintf(`{"expiryTime":%d}`, start+100*hourMS))
	for _, s := range []struct {
		later  time.Duration
		bucket string
	}{{0, "active"}, {27 * time.Hour, "active"}, {2 * time.Hour, "expiring"}, {72 * time.Hour, "depleted"}} {
		b.clock.Advance(s.later)
		for _, bucket := range []string{"active", "expiring", "depleted", "deactive"} {
			l := b.page("?filter=" + bucket)
			if (l.Obj.Filtered == 1) != (bucket == s.bucket) {
				t.Errorf("after %s more: %d are %s", s.later, l.Obj.Filtered, bucket)
			}
		}
	}
}

// What is soon over is what the settings say.
func TestXUIPagesFollowTheSettings(t *testing.T) {
	b := newBench(t)
	b.inbound(1)
	b.client("alice")
	b.update("alice", fmt.Sprintf(`{"totalGB":%d,"expiryTime":%d}`, int64(5)<<30, start+100*hourMS))
	for _, s := range []struct {
		settings string
		expiring int
	}{
		{`{}`, 0},
		{`{"expire_diff_days":5}`, 1},
		{`{"expire_diff_days":4}`, 0},
		{`{"traffic_diff_gb":6}`, 1},
		{`{"traffic_diff_gb":5}`, 0},
	} {
		status, _, body := httpRequest{method: http.MethodPut, path: "/api/settings", token: b.admin, body: s.settings}.send(t, b.url)
		if status != http.StatusOK {
			t.Fatalf("%d %s", status, body)
		}
		if got := b.page("?filter=expiring").Obj.Filtered; got != s.expiring {
			t.Errorf("with %s %d are expiring", s.settings, got)
		}
	}
}

// A page and the lists of its summary end at 200, the counts and the list of all do not.
func TestXUIManyPages(t *testing.T) {
	const many = 201
	b := newBench(t)
	b.inbound(1)
	items := make([]string, many)
	for i := range items {
		items[i] = fmt.Sprintf(`{"client":{"email":"c%03d","enable":false},"inboundIds":[1]}`, i)
	}
	b.must("/clients/bulkCreate", "["+strings.Join(items, ",")+"]")
	l := b.page("?pageSize=201")
	var s struct {
		Deactive      []string
		DeactiveCount int
	}
	if err := json.Unmarshal(l.Obj.Summary, &s); err != nil {
		t.Fatal(err)
	}
	if len(l.Obj.Items) != 200 || len(s.Deactive) != 200 || s.DeactiveCount != many || s.Deactive[199] != "c199" {
		t.Errorf("%d items, %d of %d names", len(l.Obj.Items), len(s.Deactive), s.DeactiveCount)
	}
	if got := b.page("?pageSize=200&page=2"); got.names() != "c200" {
		t.Errorf("the second page is %s", got.names())
	}
	for _, path := range []string{"/clients/list", "/clients/export"} {
		var all struct{ Obj []json.RawMessage }
		if err := json.Unmarshal([]byte(b.read(path)), &all); err != nil || len(all.Obj) != many {
			t.Errorf("%s has %d, %v", path, len(all.Obj), err)
		}
	}
}

// list, export and get/tgId say of a client what get does.
func TestXUIListsAgree(t *testing.T) {
	b := everyState(t)
	type record = map[string]any
	var list, paged struct{ Obj []record }
	var pages struct{ Obj struct{ Items []record } }
	for path, into := range map[string]any{"/clients/list": &list, "/clients/export": &paged, "/clients/list/paged?pageSize=200": &pages} {
		if err := json.Unmarshal([]byte(b.read(path)), into); err != nil {
			t.Fatal(err)
		}
	}
	if n := len(states()); len(list.Obj) != n || len(paged.Obj) != n || len(pages.Obj.Items) != n {
		t.Fatalf("%d, %d and %d clients, want %d", len(list.Obj), len(paged.Obj), len(pages.Obj.Items), n)
	}
	same := func(how string, got, want record, besides ...string) {
		t.Helper()
		names := map[string]string{"id": "uuid", "created_at": "createdAt", "updated_at": "updatedAt"} // of an export
		for member, value := range got {
			if other, ok := names[member]; ok && how == "export" {
				member = other
			}
			if fmt.Sprint(value) != fmt.Sprint(want[member]) && !strings.Contains(" "+strings.Join(besides, " ")+" ", " "+member+" ") {
				t.Errorf("%s of %s: %s is %v, want %v", how, want["email"], member, value, want[member])
			}
		}
	}
	for i, s := range states() {
		want := b.get(s.name).obj
		same("list", list.Obj[i], want, "inboundIds", "traffic")
		same("export", paged.Obj[i]["client"].(record), want, "enable", "trafficReset",
			"vmessId", "shadowsocksPassword", "method", "groups", "holdTimeout") // which get does not show
		same("page", pages.Obj.Items[i], want, "inboundIds", "traffic")
		for how, inbounds := range map[string]any{"list": list.Obj[i]["inboundIds"], "export": paged.Obj[i]["inboundIds"], "page": pages.Obj.Items[i]["inboundIds"]} {
			if fmt.Sprint(inbounds) != "[1 2]" {
				t.Errorf("%s of %s: inbounds %v", how, s.name, inbounds)
			}
		}
		var traffic struct{ Obj record }
		if err := json.Unmarshal([]byte(b.read("/clients/traffic/"+s.name)), &traffic); err != nil {
			t.Fatal(err)
		}
		if fmt.Sprint(list.Obj[i]["traffic"]) != fmt.Sprint(traffic.Obj) || fmt.Sprint(pages.Obj.Items[i]["traffic"]) != fmt.Sprint(traffic.Obj) {
			t.Errorf("traffic of %s is %v in the list, want %v", s.name, list.Obj[i]["traffic"], traffic.Obj)
		}
	}
}

func TestXUIByTgID(t *testing.T) {
	b := newBench(t)
	b.inbound(1)
	for _, name := range []string{"alice", "bob", "carol"} {
		b.client(name)
	}
	b.update("alice", `{"tgId":5}`)
	b.update("carol", `{"tgId":5}`)
	both := b.member(b.read("/clients/get/alice"), "obj") + "," + b.member(b.read("/clients/get/carol"), "obj")
	by := func(id, want string) scenario {
		return b.scenario(id, http.MethodGet, "/clients/get/tgId/"+id, "", want)
	}
	b.run(t, b.url, []scenario{
		by("5", success("", "["+both+"]")),
		by("6", success("", "[]")),
		by("0", envelope("tgId must be a number >= 1")),
		by("-5", envelope("tgId must be a number >= 1")),
		by("x", envelope("tgId must be an integer")),
		by("99999999999999999999", envelope("tgId must be an integer")),
	})
}

// Nobody is an empty list everywhere.
func TestXUIListsOfNobody(t *testing.T) {
	b := newBench(t)
	b.run(t, b.url, []scenario{
		b.scenario("list", http.MethodGet, "/clients/list", "", success("", "[]")),
		b.scenario("export", http.MethodGet, "/clients/export", "", success("", "[]")),
		b.scenario("groups", http.MethodGet, "/clients/groups", "", success("", "[]")),
		b.scenario("page", http.MethodGet, "/clients/list/paged", "", success("", `{"items":[],"total":0,"filtered":0,"page":1,"pageSize":25,`+
			`"summary":{"total":0,"active":0,"online":[],"depleted":[],"expiring":[],"deactive":[],"onlineCount":0,"depletedCount":0,`+
			`"expiringCount":0,"deactiveCount":0},"groups":[]}`)),
	})
}
