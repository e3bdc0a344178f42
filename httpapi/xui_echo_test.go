package httpapi

import (
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/sluicehq/sluice/kernel/accounts"
)

// state is one that a client can be in: made with members of a client in JSON, and brought there by change.
type state struct {
	name, members string
	change        func(b *bench, name string)
}

const hourMS = int64(time.Hour / time.Millisecond)

// states are everything that a client can be.
func states() []state {
	disable := func(b *bench, name string) { b.update(name, `{"enable":false}`) }
	used := func(b *bench, name string) { b.do("/clients/updateTraffic/"+name, `{"upload":60,"download":40}`, "") }
	inside := func(edit func(*accounts.UserView)) func(*bench, string) {
		return func(b *bench, name string) {
			_, err := b.kernel.Accounts.UpdateUser(b.t.Context(), name, func(v *accounts.UserView) error {
				edit(v)
				return nil
			})
			if err != nil {
				b.t.Fatal(err)
			}
		}
	}
	held, over := fmt.Sprintf(`"expiryTime":%d`, -hourMS), fmt.Sprintf(`"expiryTime":%d`, start-1)
	list := []state{
		{"active", `"comment":""`, nil},
		{"disabled", `"enable":false`, nil},
		{"held", held, nil},
		{"held-disabled", held, disable},
		{"held-until", held, inside(func(v *accounts.UserView) { timeout := start + hourMS; v.Hold(start, hourMS, &timeout) })},
		{"expired", over, nil},
		{"expired-disabled", over + `,"enable":false`, nil},
		{"limited", `"totalGB":100`, used},
		{"limited-disabled", `"totalGB":100,"enable":false`, used},
		{"limited-expired", `"totalGB":100,` + over, used},
		{"limited-reset", `"totalGB":100,"trafficReset":"daily"`, used},
		{"half-used", `"totalGB":200`, used},
		{"renewed", `"reset":30,"resetMax":2,"expiryTime":` + fmt.Sprint(start+hourMS), nil},
		{"renewed-on-a-day", `"reset":1,"resetDay":31,"expiryTime":` + fmt.Sprint(start+hourMS), nil},
		{"auto-deleted", `"autoDeleteInDays":0`, nil},
		{"grouped", `"group":"vip"`, nil},
		{"in-two-groups", `"group":"vip"`, func(b *bench, name string) {
			b.must("/clients/groups/create", `{"name":"second"}`)
			b.exec("INSERT INTO user_groups SELECT u.id, g.id, 1 FROM users u, groups g WHERE u.username = ? AND g.name = 'second'", name)
		}},
		{"two-uuids", `"comment":""`, inside(func(v *accounts.UserView) { v.VMessID = "2f6f0b6e-0c5c-4f43-9a3a-7a4a2f6c5d10" })},
		{"two-passwords", `"comment":""`, inside(func(v *accounts.UserView) { v.ShadowsocksPassword = "another one" })},
		{"own-method", `"comment":""`, inside(func(v *accounts.UserView) { m := "aes-256-gcm"; v.Method = &m })},
		{"kept-for-scripts", `"reverse":{"tag":"r-1","deep":{"n":1.5,"list":[1,null]}},"adTag":"0123abcd","secret":"ee00ff","limitHwid":3,"tgId":-5`, nil},
		{"no-reverse", `"reverse":{}`, nil},
		{"credentials", `"flow":"xtls-rprx-vision","security":"aes-128-gcm","password":"p@ss <&>","auth":"a\"b","limitIp":2`, nil},
		{"vielsprachig-é-👩‍💻", `"comment":"ملاحظة 👩‍💻 <b>&amp;</b> \"q\" \\ \n zwei\u2028drei"`, nil},
		{"linked", `"comment":""`, func(b *bench, name string) {
			b.do("/clients/"+name+"/externalLinks", `{"externalLinks":[{"value":"trojan://p@example.com:443#x","remark":"DE"}]}`, "")
		}},
	}
	for _, policy := range []string{"hourly", "daily", "weekly", "monthly", "no_reset", "day", "week", "month", "year"} {
		list = append(list, state{"resets-" + policy, fmt.Sprintf(`"totalGB":9,"trafficReset":%q`, policy), nil})
	}
	return append(list,
		state{"resets-on-the-31st", `"trafficReset":"monthly","trafficResetDay":31`, nil},
		state{"resets-every-two-days", `"trafficReset":"every","trafficResetParams":{"days":2}`, nil},
		state{"resets-by-calendar", `"trafficReset":"calendar","trafficResetParams":{"day_of_month":1,"time_zone":"Asia/Tehran"}`, nil},
	)
}

// everyState is a bench with a client in each state, named like it.
func everyState(t *testing.T) *bench {
	t.Helper()
	b := newBench(t)
	b.inbound(1)
	b.inbound(2)
	for _, s := range states() {
		b.must("/clients/add", fmt.Sprintf(`{"client":{"email":%q,%s},"inboundIds":[2,1]}`, s.name, s.members))
		if s.change != nil {
			s.change(b, s.name)
		}
	}
	b.clock.Advance(time.Millisecond) // a change would show in updatedAt
	return b
}

// row is what the database has of a client, but for what any change changes.
func (b *bench) row(name string) map[string]any {
	b.t.Helper()
	var columns []string
	for _, column := range strings.Fields(b.rows("SELECT name FROM pragma_table_info('users')")) {
		if column = strings.Trim(column, "[]"); column != "revision" && column != "updated_at" {
			columns = append(columns, fmt.Sprintf("'%s', %s", column, column))
		}
	}
	row := map[string]any{}
	text := b.rows("SELECT json_object("+strings.Join(columns, ", ")+", 'inbounds', (SELECT json_group_array(inbound_id) FROM user_inbounds"+
		" WHERE user_id = id), 'groups', (SELECT json_group_array(group_id) FROM user_groups WHERE user_id = id)) FROM users WHERE username = ?", name)
	if err := json.Unmarshal([]byte(strings.TrimSuffix(strings.TrimPrefix(text, "["), "]\n")), &row); err != nil {
		b.t.Fatalf("%s: %v", text, err)
	}
	return row
}

// What get shows is no change, whole or member by member, in any state (decisions.md §1.2, echo rule).
func TestXUIEcho(t *testing.T) {
	b := everyState(t)
	for _, s := range states() {
		t.Run(s.name, func(t *testing.T) {
			whole, shown, before := b.read("/clients/get/"+s.name), b.get(s.name), b.version()
			bodies := []string{shown.text}
			for _, member := range slices.Sorted(maps.Keys(shown.obj)) {
				one, err := json.Marshal(map[string]any{member: json.RawMessage(b.member(shown.text, member))})
				if err != nil {
					t.Fatal(err)
				}
				bodies = append(bodies, string(one))
			}
			for _, body := range bodies {
				b.update(s.name, body)
				if b.version() != before {
					t.Fatalf("%s is a change", body)
				}
			}
			if after := b.read("/clients/get/" + s.name); after != whole {
				t.Errorf("it is %s\nand was %s", after, whole)
			}
		})
	}
}

// member is the text of one member of an object.
func (b *bench) member(object, name string) string {
	b.t.Helper()
	var members map[string]json.RawMessage
	if err := json.Unmarshal([]byte(object), &members); err != nil {
		b.t.Fatal(err)
	}
	return string(members[name])
}

// A whole client that is sent back with one member changed changes nothing else, also of what is not shown.
func TestXUIEchoWithAChange(t *testing.T) {
	type change struct {
		member, value string   // %d in the value is another number for each client
		columns       []string // that may change
	}
	for _, changes := range [][]change{
		{ // one after the other, because none of them brings a client into another state, but for the last
			{"comment", `"changed"`, []string{"note"}},
			{"email", `"renamed-%d"`, []string{"username", "username_key"}},
			{"limitIp", `7`, []string{"limit_ip"}},
			{"uuid", `"3f6f0b6e-0c5c-4f43-9a3a-%012d"`, []string{"vless_id", "vmess_id"}},
			{"password", `"new one %d"`, []string{"trojan_password", "shadowsocks_password"}},
			{"reset", `9`, []string{"renew_days"}},
			{"trafficReset", `"hourly"`, []string{"reset_policy", "reset_params", "reset_anchor", "next_reset_at"}},
			{"totalGB", `123456`, []string{"quota", "status", "status_since"}},
		},
		{{"expiryTime", fmt.Sprint(start + 99*hourMS), []string{"expire_at", "hold_since", "hold_duration", "hold_timeout", "status", "status_since"}}},
		{{"enable", `false`, []string{"enabled", "status", "status_since"}}},
	} {
		b := everyState(t)
		for i, s := range states() {
			name := s.name
			for _, c := range changes {
				t.Run(c.member+" of "+s.name, func(t *testing.T) {
					before, value := b.row(name), c.value
					if strings.Contains(value, "%") {
						value = fmt.Sprintf(value, i)
					}
					body := map[string]json.RawMessage{}
					if err := json.Unmarshal([]byte(b.get(name).text), &body); err != nil {
						t.Fatal(err)
					}
					body[c.member] = json.RawMessage(value)
					text, err := json.Marshal(body)
					if err != nil {
						t.Fatal(err)
					}
					b.update(name, string(text))
					if c.member == "email" {
						name = strings.Trim(value, `"`)
					}
					for column, is := range b.row(name) {
						if was := before[column]; fmt.Sprint(is) != fmt.Sprint(was) && !slices.Contains(c.columns, column) {
							t.Errorf("the column %s was %v and is %v", column, was, is)
						}
					}
				})
			}
		}
	}
}

// exportText is the obj of export.
func (b *bench) exportText() string {
	b.t.Helper()
	return b.member(b.read("/clients/export"), "obj")
}

func (b *bench) importText(query, text string) string {
	b.t.Helper()
	data, err := json.Marshal(map[string]string{"data": text})
	if err != nil {
		b.t.Fatal(err)
	}
	return b.post("/clients/import"+query, string(data))
}

// An export that is imported where its clients are is no change; where they are not, it brings them back, with what only
// the other dialect sets.
func TestXUIExportImport(t *testing.T) {
	b, names := everyPGState(t)
	b.template(`{"name":"next","group_ids":[1]}`)
	b.pg("POST", "/user", `{"username":"followed","group_ids":[3,1],"next_plan":{"user_template_id":1}}`, 201)
	names = append(names, "followed")
	exported := b.exportText()
	before, content := b.version(), b.checksum()
	var skips []string
	for _, name := range names {
		skips = append(skips, `{"email":"`+name+`","reason":"email already in use: `+name+`"}`)
	}
	if got, want := b.importText("", exported), success("", `{"created":0,"skipped":[`+strings.Join(skips, ",")+`]}`); got != want {
		t.Errorf("imported %s\nwant     %s", got, want)
	}
	if b.version() != before || b.checksum() != content {
		t.Error("that changed something")
	}

	was, rows := map[string]map[string]any{}, map[string]map[string]any{}
	for _, name := range names {
		was[name], rows[name] = b.get(name).obj, b.row(name)
	}
	all, err := json.Marshal(map[string]any{"emails": names})
	if err != nil {
		t.Fatal(err)
	}
	b.must("/clients/bulkDel", string(all))
	if got := b.exportText(); got != "[]" {
		t.Fatalf("there are still %s", got)
	}
	if got, want := b.importText("?atomic=1", exported), success("", fmt.Sprintf(`{"created":%d,"skipped":[]}`, len(names))); got != want {
		t.Fatalf("imported %s, want %s", got, want)
	}
	if again := b.exportText(); plainExport(again) != plainExport(exported) {
		t.Errorf("exported again it is %s\nand was %s", again, exported)
	}
	for _, name := range names {
		is := b.get(name).obj
		for member, value := range was[name] {
			if !slices.Contains([]string{"id", "updatedAt", "status", "enable", "reset_policy"}, member) && fmt.Sprint(is[member]) != fmt.Sprint(value) {
				t.Errorf("%s: %s was %v and is %v", name, member, value, is[member])
			}
		}
		for column, value := range b.row(name) {
			if !slices.Contains(anew, column) && fmt.Sprint(value) != fmt.Sprint(rows[name][column]) {
				t.Errorf("%s: the column %s was %v and is %v", name, column, rows[name][column], value)
			}
		}
		if strings.HasPrefix(name, "limited") && is["status"] == "limited" { // usage is not in an export
			t.Errorf("%s is still limited", name)
		}
	}
}

// anew are the columns of a client that begin again when it is made again.
var anew = []string{"id", "hold_since", "reset_anchor", "next_reset_at", "status", "status_since"}

// plainExport is an export without its times of change.
func plainExport(text string) string {
	parts := strings.Split(text, `"updated_at":`)
	for i := range parts[1:] {
		parts[i+1] = strings.TrimLeft(parts[i+1], "0123456789")
	}
	return strings.Join(parts, "")
}

// An empty list is imported as what it is, and null too, as 3x-ui does.
func TestXUIImportOfNothing(t *testing.T) {
	b := newBench(t)
	nothing := success("", `{"created":0,"skipped":[]}`)
	b.run(t, b.url, []scenario{
		b.scenario("an empty list", http.MethodPost, "/clients/import", `{"data":"[]"}`, nothing),
		b.scenario("null", http.MethodPost, "/clients/import", `{"data":"null"}`, nothing),
		b.scenario("bulkCreate of an empty list", http.MethodPost, "/clients/bulkCreate", `[]`, nothing),
	})
}
