package httpapi

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/sluicehq/sluice/kernel/accounts"
	"github.com/sluicehq/sluice/kernel/domain"
)

// group makes a group with the inbounds of these tags and returns its id.
func (b *bench) group(name string, tags ...string) int64 {
	b.t.Helper()
	body, err := json.Marshal(map[string]any{"name": name, "inbound_tags": tags})
	if err != nil {
		b.t.Fatal(err)
	}
	var made struct{ ID int64 }
	if err := json.Unmarshal([]byte(b.pg(http.MethodPost, "/group", string(body), http.StatusCreated)), &made); err != nil {
		b.t.Fatal(err)
	}
	return made.ID
}

// tag is the tag of an inbound.
func (b *bench) tag(id int64) string {
	b.t.Helper()
	v, err := b.kernel.Accounts.Inbound(b.t.Context(), id)
	if err != nil {
		b.t.Fatal(err)
	}
	return v.Tag
}

// whole is every field of a user that a request can have.
const whole = `{"username":"john","proxy_settings":{"vmess":{"id":"11111111-2222-4333-8444-555555555555"},"vless":{"id":"21111111-2222-4333-8444-555555555555","flow":"xtls-rprx-vision"},"trojan":{"password":"trojan secret"},"shadowsocks":{"password":"shadowsocks secret, long","method":"chacha20-poly1305"},"hysteria":{"auth":"hysteria secret"}},"expire":"2026-10-01T00:00:00","data_limit":1073741824,"data_limit_reset_strategy":"month","note":"Premium customer","group_ids":[2,1,2],"auto_delete_in_days":3,"hwid_limit":2,"next_plan":{"data_limit":5,"expire":86400,"add_remaining_traffic":true},"unknown":1}`

// shownWhole is how such a user is shown.
const shownWhole = `{"id":1,"username":"john","status":"active","proxy_settings":{"vmess":{"id":"11111111-2222-4333-8444-555555555555"},"vless":{"id":"21111111-2222-4333-8444-555555555555","flow":"xtls-rprx-vision"},"trojan":{"password":"trojan secret"},"shadowsocks":{"password":"shadowsocks secret, long","method":"chacha20-ietf-poly1305"},"hysteria":{"auth":"hysteria secret"}},"expire":"2026-10-01T00:00:00Z","data_limit":1073741824,"data_limit_reset_strategy":"month","data_limit_reset_params":null,"reset_policy":{"id":"month","params":null,"next_at":"2026-10-21T14:13:20Z"},"on_hold_expire_duration":null,"on_hold_timeout":null,"group_ids":[2,1],"hwid_limit":2,"next_plan":{"user_template_id":null,"data_limit":5,"expire":86400,"add_remaining_traffic":true},"used_traffic":0,"lifetime_used_traffic":0,"created_at":"2026-09-21T14:13:20Z","edit_at":null,"online_at":null,"note":"Premium customer","auto_delete_in_days":3,"subscription_url":"/sub/john?token=SUB","admin":{"id":1,"username":"root"}}`

// subToken is the secret of a subscription URL, which is another one for each user.
func subToken(t *testing.T, user string) string {
	t.Helper()
	_, rest, found := strings.Cut(user, "?token=")
	token, _, _ := strings.Cut(rest, `"`)
	if !found || len(token) < 26 {
		t.Fatalf("no token in %s", user)
	}
	return token
}

func (b *bench) twoGroups() {
	b.t.Helper()
	b.inbound(1)
	b.inbound(2)
	b.group("first", b.tag(1))
	b.group("second", b.tag(2))
}

func TestPGUser(t *testing.T) {
	b := newBench(t)
	b.twoGroups()
	made := b.pg("POST", "/user", whole, 201)
	if got := strings.Replace(made, subToken(t, made), "SUB", 1); got != shownWhole {
		t.Errorf("made %s\nwant %s", got, shownWhole)
	}
	if read := b.pg("GET", "/user/JOHN", "", 200); read != made {
		t.Errorf("read %s\nmade %s", read, made)
	}
	b.clock.Advance(1500 * time.Millisecond)
	changed := b.pg("PUT", "/user/john", `{"note":null,"data_limit":null,"expire":0,"next_plan":null,"auto_delete_in_days":null,"hwid_limit":0,"group_ids":[],"data_limit_reset_strategy":"no_reset"}`, 200)
	want := shownWhole
	for _, change := range [][2]string{
		{`"expire":"2026-10-01T00:00:00Z"`, `"expire":null`},
		{`"data_limit":1073741824`, `"data_limit":null`},
		{`"data_limit_reset_strategy":"month"`, `"data_limit_reset_strategy":"no_reset"`},
		{`"reset_policy":{"id":"month","params":null,"next_at":"2026-10-21T14:13:20Z"}`, `"reset_policy":null`},
		{`"next_plan":{"user_template_id":null,"data_limit":5,"expire":86400,"add_remaining_traffic":true}`, `"next_plan":null`},
		{`"hwid_limit":2`, `"hwid_limit":null`},
		{`"note":"Premium customer"`, `"note":null`},
		{`"auto_delete_in_days":3`, `"auto_delete_in_days":null`},
		{`"edit_at":null`, `"edit_at":"2026-09-21T14:13:21.500000Z"`},
		{`"SUB`, `"` + subToken(t, made)},
		{`=SUB`, `=` + subToken(t, made)},
	} {
		want = strings.Replace(want, change[0], change[1], 1)
	}
	if changed != want {
		t.Errorf("changed %s\nwant    %s", changed, want)
	}
	if gone := b.pg("DELETE", "/user/john", "", 204); gone != "" {
		t.Errorf("deleted: %s", gone)
	}
	b.pg("GET", "/user/john", "", 404)
}

// A user of only a name gets one uuid and one password, and nothing else.
func TestPGUserOfANameOnly(t *testing.T) {
	b := newBench(t)
	b.pg("POST", "/user", `{"username":"ann"}`, 201)
	v, err := b.kernel.Accounts.User(t.Context(), "ann")
	if err != nil {
		t.Fatal(err)
	}
	c := v.Credentials
	if c.VLESSID == "" || c.VLESSID != c.VMessID || len(c.TrojanPassword) < 22 || c.TrojanPassword != c.ShadowsocksPassword || len(c.HysteriaAuth) < 22 {
		t.Errorf("credentials %+v", c)
	}
	if v.ExpireAt != nil || v.Quota != nil || v.Method != nil || v.Flow != "" || v.HoldSince != nil || len(v.GroupIDs) != 0 || !v.Enabled {
		t.Errorf("user %+v", v)
	}
}

// Each case is a user made from a body, changed by others, and what it is then.
func TestPGStatus(t *testing.T) {
	b := newBench(t)
	for i, c := range []struct {
		name, made string
		changes    []string
		want       string // status, expire, hold duration and timeout
	}{
		{"unlimited", ``, nil, `active never - -`},
		{"a past expiry", `"expire":1000`, nil, `expired 1970-01-01T00:16:40Z - -`},
		{"seconds since the epoch", `"expire":1790003600`, nil, `active 2026-09-21T15:13:20Z - -`},
		{"a zone", `"expire":"2026-09-21T17:13:20+02:00"`, nil, `active 2026-09-21T15:13:20Z - -`},
		{"a day", `"expire":"2026-09-22"`, nil, `active 2026-09-22T00:00:00Z - -`},
		{"a fraction", `"expire":"2026-09-22 00:00:00.25"`, nil, `active 2026-09-22T00:00:00.250000Z - -`},
		{"on hold", `"status":"on_hold","on_hold_expire_duration":2592000`, nil, `on_hold never 2592000 -`},
		{"on hold for an hour", `"status":"on_hold","on_hold_expire_duration":2592000,"on_hold_timeout":3600`, nil, `on_hold never 2592000 2026-09-21T15:13:20Z`},
		{"on hold until", `"status":"on_hold","on_hold_expire_duration":60,"on_hold_timeout":"2026-09-22T00:00:00","expire":0`, nil, `on_hold never 60 2026-09-22T00:00:00Z`},
		{"durations of who is active", `"on_hold_expire_duration":60,"on_hold_timeout":60`, nil, `active never - -`},
		{"a hold that is made active", `"status":"on_hold","on_hold_expire_duration":3600`, []string{`{"status":"active"}`}, `active 2026-09-21T15:13:20Z - -`},
		{"with another expiry", `"status":"on_hold","on_hold_expire_duration":3600`, []string{`{"status":"active","expire":"2026-09-30"}`}, `active 2026-09-30T00:00:00Z - -`},
		{"a hold that is disabled", `"status":"on_hold","on_hold_expire_duration":3600`, []string{`{"status":"disabled"}`}, `disabled never 3600 -`},
		{"and enabled", `"status":"on_hold","on_hold_expire_duration":3600`, []string{`{"status":"disabled"}`, `{"status":"active"}`}, `on_hold never 3600 -`},
		{"and held", `"status":"on_hold","on_hold_expire_duration":3600`, []string{`{"status":"disabled"}`, `{"status":"on_hold"}`}, `on_hold never 3600 -`},
		{"a hold of another length", `"status":"on_hold","on_hold_expire_duration":3600`, []string{`{"on_hold_expire_duration":7200,"on_hold_timeout":60}`}, `on_hold never 7200 2026-09-21T14:14:20Z`},
		{"a hold without its end", `"status":"on_hold","on_hold_expire_duration":3600,"on_hold_timeout":60`, []string{`{"on_hold_timeout":0}`}, `on_hold never 3600 -`},
		{"an expiry that is taken away", `"expire":"2026-09-30"`, []string{`{"expire":null}`}, `active never - -`},
		{"a hold without its end, as null", `"status":"on_hold","on_hold_expire_duration":3600,"on_hold_timeout":60`, []string{`{"on_hold_timeout":null}`}, `on_hold never 3600 -`},
		{"put on hold", `"expire":"2026-09-30"`, []string{`{"status":"on_hold","on_hold_expire_duration":5}`}, `on_hold never 5 -`},
		{"put on hold with the expiry as it was", `"expire":"2026-09-30"`, []string{`{"status":"on_hold","on_hold_expire_duration":5,"expire":"2026-09-30T00:00:00Z"}`}, `on_hold never 5 -`},
		{"disabled", ``, []string{`{"status":"disabled"}`}, `disabled never - -`},
		{"enabled", ``, []string{`{"status":"disabled"}`, `{"status":"active"}`}, `active never - -`},
		{"an expired one that is enabled", `"expire":1000`, []string{`{"status":"disabled"}`, `{"status":"active"}`}, `expired 1970-01-01T00:16:40Z - -`},
		{"an expired one that is renewed", `"expire":1000`, []string{`{"status":"active","expire":"2026-09-30"}`}, `active 2026-09-30T00:00:00Z - -`},
		{"an expired one that is called so", `"expire":1000`, []string{`{"status":"expired"}`}, `expired 1970-01-01T00:16:40Z - -`},
	} {
		t.Run(c.name, func(t *testing.T) {
			name := fmt.Sprintf("user-%d", i)
			got := b.pg("POST", "/user", `{"username":"`+name+`",`+strings.TrimPrefix(c.made+`,"note":""}`, ","), 201)
			for _, change := range c.changes {
				got = b.pg("PUT", "/user/"+name, change, 200)
			}
			if life := lifeOf(t, got); life != c.want {
				t.Errorf("is  %s\nwant %s", life, c.want)
			}
		})
	}
}

func lifeOf(t *testing.T, user string) string {
	t.Helper()
	var u struct {
		Status, Expire string
		Duration       *int   `json:"on_hold_expire_duration"`
		Timeout        string `json:"on_hold_timeout"`
	}
	if err := json.Unmarshal([]byte(user), &u); err != nil {
		t.Fatalf("%s: %v", user, err)
	}
	or := func(text, none string) string {
		if text == "" {
			return none
		}
		return text
	}
	duration := "-"
	if u.Duration != nil {
		duration = fmt.Sprint(*u.Duration)
	}
	return strings.Join([]string{u.Status, or(u.Expire, "never"), duration, or(u.Timeout, "-")}, " ")
}

func TestPGUserActions(t *testing.T) {
	b := newBench(t)
	b.twoGroups()
	before := b.pg("POST", "/user", whole, 201)
	up, down := int64(600<<20), int64(500<<20)
	if err := b.kernel.Accounts.SetTraffic(t.Context(), "john", &up, &down); err != nil {
		t.Fatal(err)
	}
	wantParts(t, b.pg("GET", "/user/john", "", 200), `"status":"limited"`, `"used_traffic":1153433600`)
	wantParts(t, b.pg("POST", "/user/john/reset", "", 200), `"status":"active"`, `"used_traffic":0`, `"next_plan":null`)
	if log := b.rows("SELECT up, down, reason FROM usage_resets"); log != fmt.Sprintf("[%d %d manual]\n", up, down) {
		t.Errorf("log of resets: %s", log)
	}
	wantParts(t, b.pg("PUT", "/user/john/disabled", `{"disabled":true}`, 200), `"status":"disabled"`)
	wantParts(t, b.pg("PUT", "/user/john/disabled", `{"disabled":false}`, 200), `"status":"active"`)
	after := b.pg("POST", "/user/john/revoke_sub", "", 200)
	if subToken(t, after) == subToken(t, before) {
		t.Error("the subscription has the same token")
	}
	for _, old := range []string{"11111111-2222", "21111111-2222", "trojan secret", "shadowsocks secret", "hysteria secret"} {
		if strings.Contains(after, old) {
			t.Errorf("still %s", old)
		}
	}
	wantParts(t, after, `"flow":"xtls-rprx-vision"`, `"method":"chacha20-ietf-poly1305"`)
	b.pg("POST", "/user/john/active_next", "", 404)
	b.pg("PUT", "/user/john", `{"next_plan":{"data_limit":7,"expire":60}}`, 200)
	wantParts(t, b.pg("PUT", "/user/john", `{"note":"later"}`, 200), `"next_plan":{"user_template_id":null,"data_limit":7,"expire":60,"add_remaining_traffic":false}`)
	wantParts(t, b.pg("POST", "/user/john/active_next", "", 200), `"next_plan":null`, `"data_limit":7`, `"expire":"2026-09-21T14:14:20Z"`)

	b.newOperator("kim", false)
	wantParts(t, b.pg("PUT", "/user/john/set_owner?admin_username=kim", "", 200), `"admin":{"id":2,"username":"kim"}`)
}

func wantParts(t *testing.T, body string, parts ...string) {
	t.Helper()
	for _, part := range parts {
		if !strings.Contains(body, part) {
			t.Errorf("%s\nhas no %s", body, part)
		}
	}
}

func TestPGUsage(t *testing.T) {
	b := newBench(t)
	b.pg("POST", "/user", `{"username":"john"}`, 201)
	hour := start / hourMS * hourMS
	for i, h := range []int64{hour - 40*24*hourMS, hour - 24*hourMS, hour - hourMS, hour} {
		b.exec("INSERT INTO usage_hourly (user_id, hour, up, down) VALUES (1, ?, ?, ?)", h, 1<<i, 100<<i)
	}
	const month = `"start":"2026-08-22T14:13:20Z","end":"2026-09-21T14:13:20Z"`
	b.run(t, b.url, []scenario{
		b.pgScenario("by the hour", "GET", "/user/john/usage", "", 200, `{"period":"hour",`+month+`,"stats":{"-1":[{"period_start":"2026-09-20T14:00:00Z","total_traffic":202},{"period_start":"2026-09-21T13:00:00Z","total_traffic":404},{"period_start":"2026-09-21T14:00:00Z","total_traffic":808}]}}`),
		b.pgScenario("by the minute", "GET", "/user/john/usage?period=minute&start=1789994000", "", 200, `{"period":"hour","start":"2026-09-21T12:33:20Z","end":"2026-09-21T14:13:20Z","stats":{"-1":[{"period_start":"2026-09-21T13:00:00Z","total_traffic":404},{"period_start":"2026-09-21T14:00:00Z","total_traffic":808}]}}`),
		b.pgScenario("by the day", "GET", "/user/john/usage?period=day", "", 200, `{"period":"day",`+month+`,"stats":{"-1":[{"period_start":"2026-09-20T00:00:00Z","total_traffic":202},{"period_start":"2026-09-21T00:00:00Z","total_traffic":1212}]}}`),
		b.pgScenario("by the month", "GET", "/user/john/usage?period=month&start=2026-08-01&end=2026-09-21T14:00:00Z", "", 200, `{"period":"month","start":"2026-08-01T00:00:00Z","end":"2026-09-21T14:00:00Z","stats":{"-1":[{"period_start":"2026-08-01T00:00:00Z","total_traffic":101},{"period_start":"2026-09-01T00:00:00Z","total_traffic":606}]}}`),
		b.pgScenario("of a time without any", "GET", "/user/john/usage?start=2025-01-01&end=2025-01-02", "", 200, `{"period":"hour","start":"2025-01-01T00:00:00Z","end":"2025-01-02T00:00:00Z","stats":{"-1":[]}}`),
		b.pgScenario("backwards", "GET", "/user/john/usage?start=2026-01-02&end=2026-01-01", "", 400, detail("Start date must be before end date")),
		b.pgScenario("no period", "GET", "/user/john/usage?period=week", "", 400, detail("period must be minute, hour, day or month")),
		b.pgScenario("no time", "GET", "/user/john/usage?start=soon", "", 400, detail("start must be ISO-8601 or seconds since the epoch")),
		b.pgScenario("of nobody", "GET", "/user/nobody/usage", "", 404, detail("User not found")),
	})
	if _, err := b.kernel.Accounts.ResetUsageOf(t.Context(), accounts.Principal{Admin: domain.Admin{Sudo: true}}, "john"); err != nil {
		t.Fatal(err)
	}
	wantParts(t, b.pg("GET", "/user/john/usage", "", 200), `"stats":{"-1":[]}`)
}

// pgScenario is a request of the sudo admin to the PasarGuard dialect.
func (b *bench) pgScenario(name, method, path, body string, status int, want string) scenario {
	return scenario{name: name, req: httpRequest{method: method, path: "/api" + path, token: b.admin, body: body}, status: status, want: want}
}

func TestPGSubUpdates(t *testing.T) {
	b := newBench(t)
	b.pg("POST", "/user", `{"username":"john"}`, 201)
	for i := range 12 {
		b.exec("INSERT INTO sub_fetches (user_id, at, agent) VALUES (1, ?, ?)", start+int64(i)*1000, fmt.Sprintf("app/%d", i))
	}
	b.run(t, b.url, []scenario{
		b.pgScenario("two", "GET", "/user/john/sub_update?offset=1&limit=2", "", 200, `{"updates":[{"created_at":"2026-09-21T14:13:30Z","user_agent":"app/10"},{"created_at":"2026-09-21T14:13:29Z","user_agent":"app/9"}],"count":12}`),
		b.pgScenario("behind the last", "GET", "/user/john/sub_update?offset=12", "", 200, `{"updates":[],"count":12}`),
		b.pgScenario("of nobody", "GET", "/user/nobody/sub_update", "", 404, detail("User not found")),
	})
	if n := strings.Count(b.pg("GET", "/user/john/sub_update", "", 200), "user_agent"); n != 10 {
		t.Errorf("%d updates, want 10", n)
	}
}

// Whoever has the subscription reads of its user what is not its admin's.
func TestPGSubscriptionInfo(t *testing.T) {
	b := newBench(t)
	b.twoGroups()
	made := b.pg("POST", "/user", whole, 201)
	token := subToken(t, made)
	b.exec("INSERT INTO usage_hourly (user_id, hour, up, down) VALUES (1, ?, 1, 2)", start/hourMS*hourMS)
	public, _, _ := strings.Cut(made, `,"note":`)
	get := func(name, path string, status int, want string) scenario {
		return scenario{name: name, req: httpRequest{method: http.MethodGet, path: "/sub/" + path}, status: status, want: want}
	}
	b.run(t, b.url, []scenario{
		get("info", token+"/info", 200, public+"}"),
		get("info by name", "john/info?token="+token, 200, public+"}"),
		get("usage", token+"/usage?period=day&start=2026-09-21&end=2026-09-22", 200, `{"period":"day","start":"2026-09-21T00:00:00Z","end":"2026-09-22T00:00:00Z","stats":{"-1":[{"period_start":"2026-09-21T00:00:00Z","total_traffic":3}]}}`),
		get("usage backwards", token+"/usage?start=2026-09-22&end=2026-09-21", 400, "Start date must be before end date"),
		get("of nobody", "x"+token+"/info", 404, "subscription not found"),
	})
}
