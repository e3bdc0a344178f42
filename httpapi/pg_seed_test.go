package httpapi

import (
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/jonboulle/clockwork"

	"github.com/sluicehq/sluice/kernel"
	"github.com/sluicehq/sluice/kernel/core/coretest"
)

// newYear is when the examples of the page make their users.
var newYear = time.Date(2024, 1, 1, 0, 0, 0, 0, time.UTC)

// newBenchAt starts a kernel at that moment.
func newBenchAt(t testing.TB, at time.Time) *bench {
	t.Helper()
	clock := clockwork.NewFakeClockAt(at)
	b := newBench(t, func(o *kernel.Options) { o.Clock = clock })
	b.clock = clock
	return b
}

// pgExamples are the requests and answers of the API's document, by route.
func pgExamples(t testing.TB) map[string]struct{ Request, Response json.RawMessage } {
	t.Helper()
	all := map[string]struct{ Request, Response json.RawMessage }{}
	files, err := filepath.Glob("pasarguard/examples/*.json")
	if err != nil || len(files) == 0 {
		t.Fatalf("no examples: %v", err)
	}
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err == nil {
			err = json.Unmarshal(text, &all)
		}
		if err != nil {
			t.Fatalf("%s: %v", file, err)
		}
	}
	return all
}

// example sends the example of a route, with in for the part of the path in braces, and finds what its answer shows.
func (b *bench) example(route, in string, status int) {
	b.t.Helper()
	e, there := pgExamples(b.t)[route]
	if !there {
		b.t.Fatalf("%s has no example", route)
	}
	method, path, _ := strings.Cut(route, " ")
	got := b.pg(method, regexp.MustCompile(`\{\w+\}`).ReplaceAllString(path, in), string(e.Request), status)
	if status == http.StatusNoContent {
		return
	}
	var want, have any
	for text, into := range map[string]*any{string(e.Response): &want, got: &have} {
		if err := json.Unmarshal([]byte(text), into); err != nil {
			b.t.Fatalf("%s: %v", text, err)
		}
	}
	if faults := misfits("the answer", want, have, false); len(faults) > 0 {
		b.t.Errorf("%s: %s\n%q", route, got, faults)
	}
}

// TestPGSeed sends every request of the page about user templates as it stands there, and finds what its answer shows in
// ours.
func TestPGSeed(t *testing.T) {
	b := newBenchAt(t, newYear)
	b.groups(3)
	sent := map[string]bool{}
	for _, s := range []struct {
		route, in string
		status    int
	}{
		{"POST /user_template", "", 201},
		{"GET /user_templates", "", 200},
		{"GET /user_templates/simple", "", 200},
		{"GET /user_template/{template_id}", "1", 200},
		{"POST /user/from_template", "", 201},
		{"POST /users/bulk/from_template", "", 201},
		{"GET /username_strategies", "", 200},
		{"PUT /user_template/{template_id}", "1", 200},
	} {
		b.example(s.route, s.in, s.status)
		sent[s.route] = true
	}
	b.template(`{"name":"Pro Plan","group_ids":[3],"data_limit":7,"expire_duration":60,"data_limit_reset_strategy":"week"}`) // the page's second
	b.clock.Advance(time.Second)
	b.example("PUT /user/{username}/from_template", "premium_john_vip", 200)
	b.example("PUT /user/from_template/{username}", "premium_john_vip", 200)
	id := strings.Trim(b.rows("SELECT id FROM users WHERE username = 'premium_john_vip'"), "[]\n")
	want := `{"users":["premium_john_vip"],"count":1}`
	if got := b.pg(http.MethodPost, "/users/bulk/apply_template", `{"ids":[`+id+`],"user_template_id":2}`, 200); got != want {
		t.Errorf("applied to %s", got)
	}
	for _, route := range []string{"disable", "enable", "delete"} {
		b.example("POST /user_templates/bulk/"+route, "", 200)
	}
	if got := b.rows("SELECT id, name FROM templates"); got != "[2 Pro Plan]\n" {
		t.Errorf("what is left: %s", got)
	}
	b.pg(http.MethodDelete, "/user_template/2", "", http.StatusNoContent)
}

// made is what there is of a user in the database: times are in UTC, bytes and ms are numbers.
func (b *bench) made(name string) string {
	b.t.Helper()
	return strings.TrimSpace(b.rows(`SELECT status, COALESCE(quota, 0) AS quota,
		COALESCE(strftime('%Y-%m-%d %H:%M:%S', expire_at / 1000, 'unixepoch'), 'never') AS expires, hold_duration,
		COALESCE(strftime('%Y-%m-%d %H:%M:%S', hold_timeout / 1000, 'unixepoch'), 'never') AS hold_until,
		reset_policy, flow, COALESCE(method, 'any') AS method, note,
		(SELECT group_concat(group_id) FROM (SELECT group_id FROM user_groups WHERE user_id = users.id ORDER BY position)) AS groups
		FROM users WHERE username = ?`, name))
}

const gib = 1 << 30

// Every template of the page's chapter about common scenarios, and a user who is made from it at the beginning of 2024.
func TestPGScenarios(t *testing.T) {
	b := newBenchAt(t, newYear)
	b.groups(3)
	for i, c := range []struct{ name, template, user, want string }{
		{
			"premium users", `"data_limit":1073741824,"expire_duration":2592000,"group_ids":[1],"status":"active"`,
			"john", fmt.Sprintf("active %d 2024-01-31 00:00:00 0 never   any New customer 1", gib),
		},
		{"prefix", `"username_prefix":"premium_","group_ids":[1]`, "premium_john", "active 0 never 0 never   any New customer 1"},
		{"suffix", `"username_suffix":"_vip","group_ids":[1]`, "john_vip", "active 0 never 0 never   any New customer 1"},
		{"both", `"username_prefix":"premium_","username_suffix":"_vip","group_ids":[1]`, "premium_john_vip", "active 0 never 0 never   any New customer 1"},
		{
			"flow and method", `"username_prefix":"a_","group_ids":[1],"extra_settings":{"flow":"xtls-rprx-vision","method":"aes-256-gcm"}`,
			"a_john", "active 0 never 0 never  xtls-rprx-vision aes-256-gcm New customer 1",
		},
		{
			"on hold", `"username_prefix":"b_","status":"on_hold","expire_duration":2592000,"on_hold_timeout":3600,"group_ids":[1]`,
			"b_john", "on_hold 0 never 2592000000 2024-01-01 01:00:00   any New customer 1",
		},
		{
			"monthly", `"username_prefix":"c_","data_limit":5368709120,"data_limit_reset_strategy":"month","group_ids":[1]`,
			"c_john", fmt.Sprintf("active %d never 0 never month  any New customer 1", 5*gib),
		},
		{
			"several groups", `"username_prefix":"d_","group_ids":[1,2,3],"data_limit":1073741824`,
			"d_john", fmt.Sprintf("active %d never 0 never   any New customer 1,2,3", gib),
		},
		{"unlimited", `"username_prefix":"e_","data_limit":0,"expire_duration":0,"group_ids":[1]`, "e_john", "active 0 never 0 never   any New customer 1"},
	} {
		t.Run(c.name, func(t *testing.T) {
			b.t = t
			b.template(fmt.Sprintf(`{"name":%q,%s}`, c.name, c.template))
			got := b.pg(http.MethodPost, "/user/from_template", fmt.Sprintf(`{"user_template_id":%d,"username":"john","note":"New customer"}`, i+1), 201)
			if !strings.Contains(got, fmt.Sprintf(`"username":%q`, c.user)) {
				t.Errorf("the answer is %s", got)
			}
			if made := b.made(c.user); made != "["+c.want+"]" {
				t.Errorf("made %s\nwant [%s]", made, c.want)
			}
		})
	}
}

// A user waits on hold for an hour, then is active for 30 days (decisions.md S1).
func TestPGOnHoldForAnHour(t *testing.T) {
	b := newBenchAt(t, newYear)
	b.groups(1)
	b.template(`{"name":"Trial Plan","status":"on_hold","expire_duration":2592000,"on_hold_timeout":3600,"group_ids":[1]}`)
	got := b.pg(http.MethodPost, "/user/from_template", `{"user_template_id":1,"username":"john"}`, 201)
	for _, part := range []string{
		`"status":"on_hold"`, `"expire":null`, `"on_hold_expire_duration":2592000`, `"on_hold_timeout":"2024-01-01T01:00:00Z"`,
	} {
		if !strings.Contains(got, part) {
			t.Errorf("%s has no %s", got, part)
		}
	}
	b.clock.Advance(time.Hour - time.Second)
	if made := b.made("john"); !strings.HasPrefix(made, "[on_hold ") {
		t.Errorf("before the hour is over: %s", made)
	}
	b.clock.Advance(2 * time.Second)
	coretest.Eventually(t, "john is active", func() bool {
		return strings.HasPrefix(b.made("john"), "[active 0 2024-01-31 01:00:00 0 never ")
	})
}

// Every 30 days from creation usage begins anew: on 2024-01-31 and on 2024-03-01.
func TestPGMonthlyResets(t *testing.T) {
	b := newBenchAt(t, newYear)
	b.groups(1)
	b.template(`{"name":"Monthly Plan","data_limit":5368709120,"data_limit_reset_strategy":"month","group_ids":[1]}`)
	b.pg(http.MethodPost, "/user/from_template", `{"user_template_id":1,"username":"john"}`, 201)
	for _, boundary := range []time.Time{time.Date(2024, 1, 31, 0, 0, 0, 0, time.UTC), time.Date(2024, 3, 1, 0, 0, 0, 0, time.UTC)} {
		b.panel(http.MethodPost, "/clients/updateTraffic/john", `{"upload":0,"download":7}`)
		b.clock.Advance(boundary.Add(-time.Second).Sub(b.clock.Now()))
		if got := b.pg(http.MethodGet, "/user/john", "", 200); !strings.Contains(got, `"used_traffic":7,`) {
			t.Errorf("before %v: %s", boundary, got)
		}
		b.clock.Advance(2 * time.Second)
		coretest.Eventually(t, "usage begins anew", func() bool {
			return strings.Contains(b.pg(http.MethodGet, "/user/john", "", 200), `"used_traffic":0,`)
		})
	}
	if got := b.pg(http.MethodGet, "/user/john", "", 200); !strings.Contains(got, `"next_at":"2024-03-31T00:00:00Z"`) {
		t.Errorf("in the end: %s", got)
	}
}

// A template for many users: 50 with random names, 100 that are numbered, and the affixes around both.
func TestPGManyFromTemplate(t *testing.T) {
	b := newBench(t)
	b.groups(1)
	b.template(`{"name":"plain","group_ids":[1]}`)
	b.template(`{"name":"vip","username_prefix":"premium_","username_suffix":"_vip","group_ids":[1]}`)
	many := func(body string) (made struct {
		URLs    []string `json:"subscription_urls"`
		Created int
		Missing int
		Reason  string
	},
	) {
		t.Helper()
		text := b.pg(http.MethodPost, "/users/bulk/from_template", body, 201)
		if err := json.Unmarshal([]byte(text), &made); err != nil {
			t.Fatal(err)
		}
		if made.Created != len(made.URLs) || strings.Contains(text, "missing") != (made.Missing > 0) || strings.Contains(text, "reason") != (made.Missing > 0) {
			t.Errorf("the answer is %s", text)
		}
		return made
	}
	names := func(urls []string) (list []string) {
		for _, u := range urls {
			found := regexp.MustCompile(`^/sub/([^/?]+)\?token=[a-z0-9]{26}$`).FindStringSubmatch(u)
			if found == nil {
				t.Fatalf("the URL is %q", u)
			}
			list = append(list, found[1])
		}
		return list
	}

	random := many(`{"user_template_id":1,"count":50,"strategy":"random","username":null}`)
	seen := map[string]bool{}
	for _, name := range names(random.URLs) {
		if !regexp.MustCompile(`^[A-Z0-9]{5}$`).MatchString(name) || seen[name] {
			t.Errorf("a random name is %q", name)
		}
		seen[name] = true
	}
	if len(seen) != 50 || random.Missing != 0 {
		t.Errorf("%d random names, %d missing", len(seen), random.Missing)
	}
	hundred := names(many(`{"user_template_id":1,"count":100,"strategy":"sequence","username":"user","start_number":1}`).URLs)
	for i, name := range hundred {
		if name != fmt.Sprintf("user%d", i+1) {
			t.Errorf("name %d is %q", i, name)
		}
	}
	for _, c := range []struct {
		name, body string
		want       string
	}{
		{"the page's first", `"username":"one","start_number":1`, "one1 one2 one3"},
		{"the page's second", `"username":"two10","start_number":1`, "two11 two12 two13"},
		{"the page's third", `"username":"test","start_number":100`, "test100 test101 test102"},
		{"start is 1", `"username":"three"`, "three1 three2 three3"},
		{"start is 0", `"username":"four","start_number":0`, "four0 four1 four2"},
		{"append", `"strategy":"append","username":"five10","start_number":1`, "five101 five102 five103"},
		{"affixes", `"user_template_id":2,"username":"user"`, "premium_user1_vip premium_user2_vip premium_user3_vip"},
	} {
		t.Run(c.name, func(t *testing.T) {
			made := many(`{"user_template_id":1,"count":3,"strategy":"sequence",` + c.body + `}`)
			if got := strings.Join(names(made.URLs), " "); got != c.want {
				t.Errorf("made %s", got)
			}
		})
	}
	taken := many(`{"user_template_id":1,"count":3,"strategy":"sequence","username":"USER","start_number":99}`)
	if got := strings.Join(names(taken.URLs), " "); got != "USER101" || taken.Missing != 2 || taken.Reason == "" {
		t.Errorf("next to names that exist: %s, %d missing: %s", got, taken.Missing, taken.Reason)
	}
	if got := b.rows("SELECT DISTINCT note, enabled, admin_id FROM users"); got != "[ 1 1]\n" {
		t.Errorf("the users are %s", got)
	}
	many(`{"user_template_id":1,"count":1,"strategy":null,"username":"","note":"Bulk created"}`)
	if got := b.rows("SELECT count(*) FROM users WHERE note = 'Bulk created'"); got != "[1]\n" {
		t.Errorf("%s with the note", got)
	}
}

// Every example is of a route that there is, and stands in the API's document.
func TestPGExamples(t *testing.T) {
	doc := newBench(t).document()
	for route, e := range pgExamples(t) {
		method, path, _ := strings.Cut(route, " ")
		op := doc.Paths["/api"+path][strings.ToLower(method)]
		if op.Summary == "" {
			t.Errorf("there is no %s", route)
			continue
		}
		if e.Request != nil && (op.RequestBody == nil || len(op.RequestBody.Content["application/json"].Example) == 0) {
			t.Errorf("the request of %s has no example", route)
		}
		shown := 0
		for _, answer := range op.Responses {
			shown += len(answer.Content["application/json"].Example)
		}
		if shown == 0 {
			t.Errorf("the answer of %s has no example", route)
		}
	}
}
