package httpapi

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/sluicehq/sluice/kernel/domain"
)

// bulkCase is a bulk request of which something can be done and something not.
type bulkCase struct {
	path, body string
	want       string // obj of the answer
	atomic     string // sentence with ?atomic=1, "" = nothing is skipped and it is done
	left       string // what left selects afterwards
}

// threeClients is a bench with alice (used up her quota), bob (no quota, disabled) and carol (no quota) on inbounds 1 and
// 2, of which carol is on the first alone.
func threeClients(t testing.TB) *bench {
	t.Helper()
	b := newBench(t)
	b.inbound(1)
	b.inbound(2)
	for _, name := range []string{"alice", "bob", "carol"} {
		b.client(name)
	}
	b.must("/clients/alice/attach", `{"inboundIds":[2]}`)
	b.must("/clients/bob/attach", `{"inboundIds":[2]}`)
	b.update("alice", fmt.Sprintf(`{"totalGB":100,"group":"vip","expiryTime":%d}`, start+24*hourMS))
	b.update("bob", `{"enable":false}`)
	b.do("/clients/updateTraffic/alice", `{"upload":60,"download":40}`, "")
	return b
}

// left is what a bulk request may change of clients: quota, used, status, number of inbounds, number of groups.
const left = `SELECT group_concat(line, ' ') FROM (SELECT username || ':' || COALESCE(quota, 0) || ',' || (up + down) || ',' || status || ',' ||
	(SELECT COUNT(*) FROM user_inbounds i WHERE i.user_id = id) || ',' || (SELECT COUNT(*) FROM user_groups g WHERE g.user_id = id) AS line
	FROM users JOIN user_traffic ON user_id = id ORDER BY id)`

// bulkCases are requests to all bulk routes, with the same client twice, an unknown one, and one that is not concerned.
func bulkCases() []bulkCase {
	const names = `"emails":[" carol","nobody","ALICE","Carol","bob"]`
	const nobody = `{"email":"nobody","reason":"client not found"}`
	const unknown = "nothing was changed: nobody: client not found"
	return []bulkCase{
		{
			"/clients/bulkAdjust", `{` + names + `,"addBytes":-20,"addDays":1}`,
			`{"adjusted":1,"skipped":[{"email":"carol","reason":"unlimited expiry"},{"email":"carol","reason":"unlimited traffic"},` + nobody +
				`,{"email":"bob","reason":"unlimited expiry"},{"email":"bob","reason":"unlimited traffic"}]}`,
			"nothing was changed: carol: unlimited expiry (and 4 more)",
			"alice:80,100,limited,2,1 bob:0,0,disabled,2,0 carol:0,0,active,1,0",
		},
		{
			"/clients/bulkEnable", `{` + names + `}`, `{"changed":3,"skipped":[` + nobody + `]}`, unknown,
			"alice:100,100,limited,2,1 bob:0,0,active,2,0 carol:0,0,active,1,0",
		},
		{
			"/clients/bulkDisable", `{` + names + `}`, `{"changed":3,"skipped":[` + nobody + `]}`, unknown,
			"alice:100,100,disabled,2,1 bob:0,0,disabled,2,0 carol:0,0,disabled,1,0",
		},
		{
			"/clients/bulkDel", `{"emails":["carol","nobody","CAROL","alice"],"keepTraffic":true}`, `{"deleted":2,"skipped":[` + nobody + `]}`,
			unknown, "bob:0,0,disabled,2,0",
		},
		{
			"/clients/bulkResetTraffic", `{` + names + `}`, `{"affected":3,"skipped":[` + nobody + `]}`, unknown,
			"alice:100,0,active,2,1 bob:0,0,disabled,2,0 carol:0,0,active,1,0",
		},
		{
			"/clients/bulkAttach", `{` + names + `,"inboundIds":[2,9]}`,
			`{"attached":["carol"],"skipped":["ALICE","bob"],"errors":["inbound 9: not found","nobody: client not found"]}`,
			"nothing was changed: inbound 9: not found (and 1 more)",
			"alice:100,100,limited,2,1 bob:0,0,disabled,2,0 carol:0,0,active,2,0",
		},
		{
			"/clients/bulkDetach", `{` + names + `,"inboundIds":[2,9]}`,
			`{"detached":["ALICE","bob"],"skipped":["carol"],"errors":["inbound 9: not found","nobody: client not found"]}`,
			"nothing was changed: inbound 9: not found (and 1 more)",
			"alice:100,100,limited,1,1 bob:0,0,disabled,1,0 carol:0,0,active,1,0",
		},
		{
			"/clients/groups/bulkAdd", `{` + names + `,"group":" vip "}`, `{"affected":2,"skipped":[` + nobody + `]}`, unknown,
			"alice:100,100,limited,2,1 bob:0,0,disabled,2,1 carol:0,0,active,1,1",
		},
		{
			"/clients/groups/bulkRemove", `{` + names + `}`, `{"affected":1,"skipped":[` + nobody + `]}`, unknown,
			"alice:100,100,limited,2,0 bob:0,0,disabled,2,0 carol:0,0,active,1,0",
		},
		{
			"/clients/bulkCreate", `[{"client":{"email":" dave ","totalGB":5,"enable":false},"inboundIds":[1]},
				{"client":{"email":"Alice"},"inboundIds":[1]},{"client":{"email":"DAVE"},"inboundIds":[1]},{"client":{"email":""}},
				{"client":{"email":"eve"},"inboundIds":[1,9]},{"client":{"email":"frank"}},{"client":{"email":"a b"},"inboundIds":[1]},
				{"client":{"email":"carol","subId":"sub-carol","totalGB":9},"inboundIds":[2]},{"client":{"email":"gina","group":"vip"}},
				{"client":{"email":"bob","subId":"sub-bob"},"inboundIds":[1]},{"client":{"email":"hans","id":{}},"inboundIds":[1]}]`,
			`{"created":3,"skipped":[{"email":"Alice","reason":"email already in use: Alice"},{"email":"DAVE","reason":"email already in use: DAVE"},` +
				`{"email":"(missing email)","reason":"email is required"},{"email":"eve","reason":"inbound 9: not found"},` +
				`{"email":"frank","reason":"inboundIds must name at least one inbound"},` +
				`{"email":"a b","reason":"email must not contain spaces, control characters, / or \\"},` +
				`{"email":"bob","reason":"email already in use: bob"},{"email":"hans","reason":"id must be a uuid"}]}`,
			"nothing was changed: Alice: email already in use: Alice (and 7 more)",
			"alice:100,100,limited,2,1 bob:0,0,disabled,2,0 carol:0,0,active,2,0 dave:5,0,disabled,1,0 gina:0,0,active,0,1",
		},
		{
			"/clients/import", `{"data":"[{\"client\":{\"email\":\"Bob\",\"enable\":true},\"inboundIds\":[1]},{\"client\":{\"email\":\"orphan\"},\"inboundIds\":null}]"}`,
			`{"created":1,"skipped":[{"email":"Bob","reason":"email already in use: Bob"}]}`, "nothing was changed: Bob: email already in use: Bob",
			"alice:100,100,limited,2,1 bob:0,0,disabled,2,0 carol:0,0,active,1,0 orphan:0,0,active,0,0",
		},
		{"/clients/resetAllTraffics", ``, `null`, "", "alice:100,0,active,2,1 bob:0,0,disabled,2,0 carol:0,0,active,1,0"},
		{"/clients/delDepleted", ``, `{"deleted":1}`, "", "bob:0,0,disabled,2,0 carol:0,0,active,1,0"},
		{"/clients/delOrphans", ``, `{"deleted":0}`, "", "alice:100,100,limited,2,1 bob:0,0,disabled,2,0 carol:0,0,active,1,0"},
	}
}

// send posts with an Idempotency-Key, "" = none.
func (b *bench) send(path, body, token, key string) string {
	b.t.Helper()
	r := httpRequest{method: http.MethodPost, path: "/panel/api" + path, token: token, body: body}
	if key != "" {
		r.headers = map[string]string{"Idempotency-Key": key}
	}
	_, _, got := r.send(b.t, b.url)
	return strings.TrimSpace(got)
}

// Every bulk route says in the order of the request what became of each item, and one bad item affects no other. Asked
// how it would go it changes nothing; asked for all or nothing it names the first that can not be done; sent twice with
// one key it is done once.
func TestXUIBulk(t *testing.T) {
	for _, c := range bulkCases() {
		t.Run(strings.TrimPrefix(c.path, "/clients/"), func(t *testing.T) {
			b := threeClients(t)
			want := success("", c.want)
			unchanged := func(how, query, body, key, want string) {
				t.Helper()
				before, content := b.version(), b.checksum()
				if got := b.send(c.path+query, body, b.admin, key); got != want {
					t.Errorf("%s: it answers %s\nwant %s", how, got, want)
				}
				if b.version() != before || b.checksum() != content {
					t.Errorf("%s: something was changed", how)
				}
			}
			unchanged("dry run", "?dryRun=1", c.body, "key 1", want) // which leaves the key free
			if c.atomic != "" {
				unchanged("atomic", "?atomic=1", c.body, "key 1", envelope(c.atomic))
				unchanged("atomic dry run", "?atomic=true&dryRun=true", c.body, "", envelope(c.atomic))
			}
			query := ""
			if c.atomic == "" {
				query = "?atomic=1"
			}
			if got := b.send(c.path+query, c.body, b.admin, "key 1"); got != want {
				t.Fatalf("it answers %s\nwant %s", got, want)
			}
			if got := strings.Trim(b.rows(left), "[]\n"); got != c.left {
				t.Errorf("there are %s\nwant      %s", got, c.left)
			}
			unchanged("the same again", query, c.body, "key 1", want)
			unchanged("another body", query, c.body+" ", "key 1", envelope("Idempotency-Key was used for another request already"))
			unchanged("another query", "?atomic=0", c.body, "key 1", envelope("Idempotency-Key was used for another request already"))
		})
	}
}

// A key belongs to a token and a route, and is forgotten after a day.
func TestXUIIdempotencyKey(t *testing.T) {
	b := threeClients(t)
	other := b.token("other", domain.ScopeAdmin, nil)
	const add = `{"client":{"email":"dave"},"inboundIds":[1]}`
	first := b.send("/clients/add", add, b.admin, "k")
	if !strings.HasPrefix(first, `{"success":true,"msg":"Client added","obj":{"client":{"id":4,"email":"dave",`) {
		t.Fatal(first)
	}
	b.update("dave", `{"comment":"changed since"}`)
	before := b.version()
	for _, c := range []struct{ name, path, body, token, key, want string }{
		{"the same", "/clients/add", add, b.admin, "k", first},
		{"another body", "/clients/add", `{"client":{"email":"eve"},"inboundIds":[1]}`, b.admin, "k", envelope("Idempotency-Key was used for another request already")},
		{"another token", "/clients/add", add, other, "k", envelope("email already in use: dave")},
		{"another route", "/clients/bulkCreate", "[" + add + "]", b.admin, "", success("", `{"created":0,"skipped":[{"email":"dave","reason":"email already in use: dave"}]}`)},
		{"another key", "/clients/add", add, b.admin, "K", envelope("email already in use: dave")},
		{"no key", "/clients/add", add, b.admin, "", envelope("email already in use: dave")},
		{"a long key", "/clients/add", add, b.admin, strings.Repeat("k", 256), envelope("Idempotency-Key must have at most 255 characters")},
	} {
		t.Run(c.name, func(t *testing.T) {
			if got := b.send(c.path, c.body, c.token, c.key); got != c.want {
				t.Errorf("it answers %s\nwant %s", got, c.want)
			}
		})
	}
	if b.version() != before {
		t.Error("one of them changed something")
	}
	b.must("/clients/del/dave", "")
	b.clock.Advance(24 * time.Hour)
	if got := b.send("/clients/add", add, b.admin, "k"); got != first {
		t.Errorf("after a day it answers %s\nwant %s", got, first)
	}
	b.clock.Advance(time.Millisecond)
	if got := b.send("/clients/add", add, b.admin, "k"); !strings.HasPrefix(got, `{"success":true,"msg":"Client added","obj":{"client":{"id":5,`) {
		t.Errorf("after more than a day it answers %s", got)
	}
}

// A request that failed has done nothing, so its key is free.
func TestXUIIdempotencyKeyOfAFailure(t *testing.T) {
	b := threeClients(t)
	const add = `{"client":{"email":"dave","subId":"sub-carol"},"inboundIds":[1]}`
	if got := b.send("/clients/add", add, b.admin, "k"); got != envelope("subId is already in use") {
		t.Fatal(got)
	}
	b.must("/clients/del/carol", "")
	if got := b.send("/clients/add", add, b.admin, "k"); !strings.HasPrefix(got, `{"success":true,`) {
		t.Errorf("it answers %s", got)
	}
}

// What a deleted client moved is kept for the next one of its name, and only if that is wanted.
func TestXUIKeepTraffic(t *testing.T) {
	b := threeClients(t)
	for _, c := range []struct {
		path, body string
		want       int64
	}{
		{"/clients/del/alice", "", 0},
		{"/clients/del/alice?keepTraffic=0", "", 0},
		{"/clients/del/alice?keepTraffic=1", "", 100},
		{"/clients/del/ALICE?keepTraffic=true", "", 100},
		{"/clients/bulkDel", `{"emails":["alice"]}`, 0},
		{"/clients/bulkDel", `{"emails":["alice"],"keepTraffic":false}`, 0},
		{"/clients/bulkDel", `{"emails":["Alice"],"keepTraffic":true}`, 100},
	} {
		t.Run(c.path+c.body, func(t *testing.T) {
			b.do("/clients/updateTraffic/alice", `{"upload":60,"download":40}`, "")
			b.must(c.path, c.body)
			if got := b.read("/clients/traffic/alice"); got != envelope("client not found") {
				t.Errorf("traffic answers %s", got)
			}
			b.must("/clients/add", `{"client":{"email":"ALICE","totalGB":100},"inboundIds":[1]}`)
			got := b.read("/clients/traffic/alice")
			for _, part := range []string{fmt.Sprintf(`"up":%d,"down":%d,`, c.want*6/10, c.want*4/10), fmt.Sprintf(`"enable":%t`, c.want == 0)} {
				if !strings.Contains(got, part) {
					t.Errorf("%s has no %s", got, part)
				}
			}
			b.must("/clients/del/alice", "") // what was kept is given once
			b.must("/clients/add", `{"client":{"email":"alice"},"inboundIds":[1]}`)
			if got := b.read("/clients/traffic/alice"); !strings.Contains(got, `"up":0,"down":0,`) {
				t.Errorf("the next one has %s", got)
			}
		})
	}
}

// Only who is over for good is deleted as depleted, and only who can come in nowhere and is in no group as an orphan.
func TestXUIDeleteAll(t *testing.T) {
	b := newBench(t)
	b.inbound(1)
	soon, over := fmt.Sprint(start+hourMS), fmt.Sprint(start-1)
	for name, members := range map[string]string{
		"active": `"totalGB":101,"expiryTime":` + soon, "held": `"expiryTime":-5`, "disabled": `"enable":false,"totalGB":100`,
		"limited": `"totalGB":100`, "limited-reset": `"totalGB":100,"trafficReset":"daily"`, "limited-renewed": `"totalGB":100,"reset":1,"expiryTime":` + soon,
		"expired": `"expiryTime":` + over, "expired-reset": `"trafficReset":"weekly","expiryTime":` + over,
		"expired-spent": `"reset":0,"resetMax":1,"expiryTime":` + over, "expired-disabled": `"enable":false,"expiryTime":` + over,
		"grouped": `"group":"vip"`,
	} {
		b.must("/clients/add", fmt.Sprintf(`{"client":{"email":%q,%s},"inboundIds":[1]}`, name, members))
		b.do("/clients/updateTraffic/"+name, `{"upload":100}`, "")
	}
	b.must("/clients/import", `{"data":"[{\"client\":{\"email\":\"orphan\"}},{\"client\":{\"email\":\"spent\",\"totalGB\":1}}]"}`)
	b.must("/clients/grouped/detach", `{"inboundIds":[1]}`)
	b.must("/clients/held/detach", `{"inboundIds":[1]}`)
	for _, c := range []struct{ path, answer, gone string }{
		{"delDepleted", `{"deleted":3}`, "expired expired-spent limited"},
		{"delDepleted", `{"deleted":0}`, ""},
		{"delOrphans", `{"deleted":3}`, "held orphan spent"},
		{"delOrphans", `{"deleted":0}`, ""},
	} {
		before := strings.Fields(strings.NewReplacer("[", "", "]", "").Replace(b.rows("SELECT username FROM users ORDER BY username")))
		if got := b.post("/clients/"+c.path, ""); got != success("", c.answer) {
			t.Errorf("%s answers %s, want %s", c.path, got, c.answer)
		}
		after := b.rows("SELECT username FROM users")
		var gone []string
		for _, name := range before {
			if !strings.Contains(after, "["+name+"]") {
				gone = append(gone, name)
			}
		}
		if got := strings.Join(gone, " "); got != c.gone {
			t.Errorf("%s deleted %s, want %s", c.path, got, c.gone)
		}
	}
}
