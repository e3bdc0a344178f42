package httpapi

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"
)

// listed are the names in a list of users, and its total.
func (b *bench) listed(path string) string {
	b.t.Helper()
	var list struct {
		Users []struct{ Username string }
		Total int
	}
	if err := json.Unmarshal([]byte(b.pg("GET", path, "", 200)), &list); err != nil {
		b.t.Fatal(err)
	}
	names := []string{}
	for _, u := range list.Users {
		names = append(names, u.Username)
	}
	return fmt.Sprintf("%d: %s", list.Total, strings.Join(names, " "))
}

// crowd is a bench with a few users who differ in everything that lists ask for.
func crowd(t *testing.T) *bench {
	t.Helper()
	b := newBench(t)
	b.twoGroups()
	b.newOperator("kim", false)
	for _, body := range []string{
		`{"username":"anna","note":"The First","group_ids":[1],"data_limit":100,"data_limit_reset_strategy":"day"}`,
		`{"username":"bert","group_ids":[2,1],"data_limit":300,"expire":"2026-10-01"}`,
		`{"username":"cleo","status":"on_hold","on_hold_expire_duration":60}`,
		`{"username":"dora","data_limit":200,"expire":"2026-09-01"}`,
		`{"username":"emil","group_ids":[2]}`,
	} {
		b.pg("POST", "/user", body, 201)
		b.clock.Advance(time.Second)
	}
	b.pg("PUT", "/user/emil/set_owner?admin_username=kim", "", 200)
	b.pg("PUT", "/user/emil", `{"status":"disabled"}`, 200)
	for name, used := range map[string]int64{"anna": 100, "bert": 50} {
		if err := b.kernel.Accounts.SetTraffic(t.Context(), name, &used, nil); err != nil {
			t.Fatal(err)
		}
	}
	b.must("/clients/update/dora", `{"trafficReset":"daily"}`)
	b.clock.Advance(time.Minute) // every order has caught up
	return b
}

// userCredentials are those in a shown user.
type userCredentials struct {
	Proxies map[string]struct{ ID, Password, Auth string } `json:"proxy_settings"`
}

func (u userCredentials) all() (all []string) {
	for _, name := range []string{"vless", "vmess", "trojan", "shadowsocks", "hysteria"} {
		p := u.Proxies[name]
		all = append(all, p.ID+p.Password+p.Auth)
	}
	return all
}

func TestPGList(t *testing.T) {
	b := crowd(t)
	const everyone = "5: anna bert cleo dora emil"
	for query, want := range map[string]string{
		"":                                       everyone,
		"?offset=1&limit=2":                      "5: bert cleo",
		"?offset=0&limit=0":                      everyone,
		"?offset=9":                              "5: ",
		"?offset=9223372036854775807":            "5: ",
		"?username=BERT&username=dora":           "2: bert dora",
		"?usernames=anna&username=nobody":        "1: anna",
		"?ids=1&ids=3&ids=99":                    "2: anna cleo",
		"?search=FIRST":                          "1: anna",
		"?search=er":                             "1: bert",
		"?status=active":                         "1: bert",
		"?status=limited&status=expired":         "2: anna dora",
		"?status=on_hold":                        "1: cleo",
		"?status=disabled":                       "1: emil",
		"?admin=KIM":                             "1: emil",
		"?admin=nobody":                          "0: ",
		"?admin=root&admin=kim":                  everyone,
		"?admin_ids=2":                           "1: emil",
		"?group=1":                               "2: anna bert",
		"?group=1&group_ids=2":                   "3: anna bert emil",
		"?data_limit_reset_strategy=day":         "2: anna dora",
		"?data_limit_reset_strategy=no_reset":    "3: bert cleo emil",
		"?data_limit_min=150":                    "2: bert dora",
		"?data_limit_min=150&data_limit_max=250": "1: dora",
		"?no_data_limit=true":                    "2: cleo emil",
		"?no_expire=true":                        "3: anna cleo emil",
		"?expire_after=2026-09-15":               "1: bert",
		"?expire_before=1788998400":              "1: dora",
		"?online=true":                           "0: ",
		"?sort=-username&limit=2":                "5: emil dora",
		"?sort=used_traffic&limit=2&offset=3":    "5: bert anna",
		"?sort=-data_limit&limit=3":              "5: bert dora anna",
		"?sort=-created_at,username":             "5: emil dora cleo bert anna",
		"?sort=data_limit,-username":             "5: emil cleo anna dora bert",
		"?sort=expire&limit=2":                   "5: dora bert",
	} {
		t.Run(query, func(t *testing.T) {
			if got := b.listed("/users" + query); got != want {
				t.Errorf("users:  %s, want %s", got, want)
			}
			if got := b.listed("/users/simple" + query); got != want {
				t.Errorf("simple: %s, want %s", got, want)
			}
		})
	}
	shown := b.pg("GET", "/user/anna", "", 200)
	if got, want := b.pg("GET", "/users?username=anna&load_sub=true", "", 200), `{"users":[`+shown+`],"total":1}`; got != want {
		t.Errorf("listed %s\nwant   %s", got, want)
	}
	var anna userCredentials
	if err := json.Unmarshal([]byte(shown), &anna); err != nil {
		t.Fatal(err)
	}
	for _, credential := range anna.all() {
		if got := b.listed("/users/simple?proxy_id=" + credential); got != "1: anna" {
			t.Errorf("with %s: %s", credential, got)
		}
	}
	if got := b.listed("/users/simple?ids=2&proxy_id=" + anna.all()[0]); got != "0: " {
		t.Errorf("with anna's credential among others: %s", got)
	}
	withoutURL := strings.Replace(shown, "/sub/anna?token="+subToken(t, shown), "", 1)
	if got, want := b.pg("GET", "/users?username=anna", "", 200), `{"users":[`+withoutURL+`],"total":1}`; got != want {
		t.Errorf("listed %s\nwant   %s", got, want)
	}
	b.run(t, b.url, []scenario{
		b.pgScenario("names and ids", "GET", "/users/simple?ids=2", "", 200, `{"users":[{"id":2,"username":"bert"}],"total":1}`),
		b.pgScenario("no such order", "GET", "/users?sort=invalid_x", "", 400, detail(`"invalid_x" is not a valid sort option`)),
		b.pgScenario("an order with a mistake", "GET", "/users?sort=username,", "", 400, detail(`"" is not a valid sort option`)),
		b.pgScenario("no such status", "GET", "/users?status=idle", "", 400, detail(`"idle" is not a valid status`)),
		b.pgScenario("nobody's credential", "GET", "/users/simple?proxy_id=x%00", "", 200, `{"users":[],"total":0}`),
		b.pgScenario("no time", "GET", "/users?expire_after=soon", "", 422, fields("expire_after", "Input should be a valid datetime or timestamp")),
		b.pgScenario("no id", "GET", "/users?ids=x", "", 422, fields("ids", "Must be integer")),
		b.pgScenario("whose time is over", "GET", "/users/expired", "", 200, `["dora"]`),
		b.pgScenario("and was over then", "GET", "/users/expired?expired_before=2026-08-31", "", 200, `[]`),
	})
	if got, want := b.pg("DELETE", "/users/expired?expired_after=2026-08-31", "", 200), `{"users":["dora"],"count":1}`; got != want {
		t.Errorf("deleted %s", got)
	}
	if got := b.listed("/users"); got != "4: anna bert cleo emil" {
		t.Errorf("then there are %s", got)
	}
}

// A list without a limit is read and sent in portions, each user once, in order.
func TestPGListOfMany(t *testing.T) {
	const n = 1203
	b := newBench(t)
	var clients []string
	for i := range n {
		clients = append(clients, fmt.Sprintf(`{"client":{"email":"user-%04d"},"inboundIds":[1]}`, i))
	}
	b.inbound(1)
	b.must("/clients/bulkCreate", "["+strings.Join(clients, ",")+"]")
	for sort, turned := range map[string]bool{"": false, "-username": true} {
		_, names, _ := strings.Cut(b.listed("/users?sort="+sort), ": ")
		list := strings.Fields(names)
		if turned {
			slices.Reverse(list)
		}
		if len(list) != n || !slices.IsSorted(list) || len(slices.Compact(list)) != n {
			t.Errorf("sorted by %q: %d users", sort, len(list))
		}
	}
	if got := b.listed("/users?offset=1200&limit=700"); got != "1203: user-1200 user-1201 user-1202" {
		t.Errorf("the end is %s", got)
	}
}
