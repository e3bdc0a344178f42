package httpapi

import (
	"cmp"
	"encoding/json"
	"fmt"
	"maps"
	"math/rand/v2"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/sluicehq/sluice/kernel/core/coretest"
	"github.com/sluicehq/sluice/kernel/domain"
)

// wantEnvelope checks that an answer of the 3x-ui dialect is a whole one, with one plain sentence if it is a refusal.
func wantEnvelope(t *testing.T, request string, status int, got string) {
	t.Helper()
	var answer struct {
		Success *bool            `json:"success"`
		Msg     *string          `json:"msg"`
		Obj     *json.RawMessage `json:"obj"`
	}
	decoder := json.NewDecoder(strings.NewReader(got))
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(&answer); status != http.StatusOK || err != nil || answer.Success == nil || answer.Msg == nil {
		t.Fatalf("%s answers %d %s: %v", request, status, got, err)
	}
	if *answer.Success {
		return
	}
	if answer.Obj != nil || *answer.Msg == "" || strings.ContainsAny(*answer.Msg, "\r\n\x00") {
		t.Fatalf("%s answers %s", request, got)
	}
	told, _, _ := strings.Cut(*answer.Msg, "the inbound can not be used: ") // after which the core speaks
	for _, inside := range []string{"something went wrong", "database", "json:", "Go struct", "Go value", "sql", "constraint", "panic"} {
		if strings.Contains(told, inside) {
			t.Fatalf("%s tells of an error inside: %s", request, got)
		}
	}
}

// fuzzPaths are the routes whose bodies FuzzXUIBodies makes up.
var fuzzPaths = []string{
	"add", "update/alice", "alice/attach", "alice/detach", "alice/externalLinks", "import", "bulkCreate", "bulkAdjust", "bulkEnable", "bulkDisable", "bulkDel",
	"bulkAttach", "bulkDetach", "bulkResetTraffic", "groups/create", "groups/rename", "groups/delete", "groups/resetTraffic",
	"groups/bulkAdd", "groups/bulkRemove", "updateTraffic/alice",
}

// fuzzBench is a bench with somebody to ask about.
func fuzzBench(t testing.TB) *bench {
	b := newBench(t)
	b.inbound(1)
	b.client("alice")
	b.must("/clients/groups/create", `{"name":"vip"}`)
	return b
}

// FuzzXUIBodies sends anything to the routes that read a client, a list of clients, or a few fields.
func FuzzXUIBodies(f *testing.F) {
	b := fuzzBench(f)
	for route, path := range fuzzPaths {
		for _, seed := range []string{
			`{"emails":["alice","ALICE"," "],"addDays":-1,"addBytes":9223372036854775807,"inboundIds":[1,2],"group":"vip","keepTraffic":true}`,
			`{"client":` + goodClient + `,"inboundIds":[1]}`, goodClient, `[{"client":` + goodClient + `}]`, `{"oldName":"vip","newName":" x"}`, `{"name":"vip"}`,
			`{"upload":1,"download":-1}`, `{"externalLinks":[{"value":"vmess://e30="}]}`, `{"data":"[{}]"}`, `{"flow":"\ud800","expiryTime":-9223372036854775808}`, "\xff", path,
		} {
			f.Add(uint(route), seed)
		}
	}
	f.Fuzz(func(t *testing.T, route uint, body string) {
		path := "/panel/api/clients/" + fuzzPaths[route%uint(len(fuzzPaths))]
		status, _, got := httpRequest{method: http.MethodPost, path: path, token: b.admin, body: body}.send(t, b.url)
		wantEnvelope(t, path+" "+body, status, got)
	})
}

// FuzzXUIImport makes up the text that an import has inside of its body.
func FuzzXUIImport(f *testing.F) {
	b := fuzzBench(f)
	for _, seed := range []string{`[]`, `null`, `[{"client":` + goodClient + `,"inboundIds":[1]}]`, `[{"client":{"email":"x","totalGB":1e30}}]`, `{`, `[[]]`, `[{"client":null,"inboundIds":null}]`, "\xff"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, data string) {
		body, err := json.Marshal(map[string]string{"data": data})
		if err != nil {
			t.Fatal(err)
		}
		status, _, got := httpRequest{method: http.MethodPost, path: "/panel/api/clients/import?dryRun=1", token: b.admin, body: string(body)}.send(t, b.url)
		wantEnvelope(t, data, status, got)
	})
}

// FuzzXUIPage makes up the query of a page.
func FuzzXUIPage(f *testing.F) {
	b := fuzzBench(f)
	for _, seed := range []string{
		"", "page=2&pageSize=3", "search=%00", "filter=online,active&order=descend&sort=traffic", "protocol=vless,&inbound=1", "page=9223372036854775807&pageSize=9223372036854775807",
		"expiryFrom=-9223372036854775808&expiryTo=9223372036854775807", "group=vip,x&hasTgId=no", "search=%zz", "sort=%F0%9F%91%A9",
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, query string) {
		if strings.ContainsFunc(query, func(r rune) bool { return r <= ' ' || r == '#' || r == 0x7f }) || len(query) > 2000 {
			return // is no request line
		}
		status, _, got := httpRequest{method: http.MethodGet, path: "/panel/api/clients/list/paged?" + query, token: b.admin}.send(t, b.url)
		wantEnvelope(t, query, status, got)
	})
}

// mutator makes bad requests out of good ones; the same seed makes the same.
type mutator struct {
	*rand.Rand
	living *living
}

// odd are values that a field has seldom.
var odd = []string{
	`null`, `true`, `0`, `-1`, `1.5`, `1e30`, `9223372036854775807`, `-9223372036854775808`, `99999999999999999999`, `""`, `" "`, `"\u0000"`, `"\ud800"`,
	`"a/b"`, `"é👩‍💻"`, `"%2F"`, `"' OR 1=1 --"`, `"{}"`, `[]`, `{}`, `[null]`, `[[[]]]`, `{"":{}}`, `"` + strings.Repeat("a", 300) + `"`,
}

// value puts something odd somewhere into a JSON value.
func (m mutator) value(v any) any {
	switch v := v.(type) {
	case map[string]any:
		keys := slices.Sorted(maps.Keys(v))
		if len(keys) > 0 && m.IntN(8) > 0 {
			key := keys[m.IntN(len(keys))]
			if m.IntN(8) == 0 {
				delete(v, key)
			} else {
				v[key] = m.value(v[key])
			}
			return v
		}
	case []any:
		switch {
		case len(v) > 0 && m.IntN(4) > 0:
			i := m.IntN(len(v))
			v[i] = m.value(v[i])
			return v
		case len(v) > 0 && m.IntN(2) > 0:
			return append(v, v[m.IntN(len(v))])
		}
	case string:
		if len(v) > 1 && m.IntN(3) == 0 { // a document as text, cut off or with another byte in it
			at := m.IntN(len(v))
			return v[:at] + string(rune(m.IntN(256))) + v[at+m.IntN(2):]
		}
	}
	return json.RawMessage(odd[m.IntN(len(odd))])
}

// body is a bad copy of a good body.
func (m mutator) body(t *testing.T, good string) string {
	t.Helper()
	if good == "" || m.IntN(5) == 0 {
		return good
	}
	if m.IntN(10) == 0 {
		return odd[m.IntN(len(odd))]
	}
	if m.IntN(10) == 0 {
		return good[:m.IntN(len(good))]
	}
	var v any
	if err := json.Unmarshal([]byte(good), &v); err != nil {
		t.Fatal(err)
	}
	for range 1 + m.IntN(3) {
		text, err := json.Marshal(m.value(v))
		if err != nil {
			t.Fatal(err)
		}
		if v = nil; json.Unmarshal(text, &v) != nil {
			return string(text) // a number that nothing can hold
		}
	}
	text, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// path fills in the parts of a route's path.
func (m mutator) path(route string) string {
	parts := strings.Split(strings.Replace(strings.Replace(route, "/sub/{id}", "/sub/{subId}", 1), "{suffix}", "links", 1), "/")
	for i, part := range parts {
		if !strings.HasPrefix(part, "{") {
			continue
		}
		known := map[string]string{"{email}": "alice", "{name}": "vip", "{subId}": "sub-alice", "{id}": strconv.Itoa(2 + m.IntN(8)), "{tgId}": "5"}[part]
		known = cmp.Or(m.living.of(route, part), known)
		if parts[i] = known; m.IntN(4) == 0 {
			parts[i] = []string{"99", "-1", "x", "%00", "%zz", "%2F", "%F0%9F%91%A9", strings.Repeat("9", 30)}[m.IntN(8)]
		}
	}
	path := strings.Join(parts, "/")
	if strings.HasSuffix(path, "/set_owner") {
		return path + "?admin_username=helper"
	}
	if strings.HasSuffix(path, "/explain") {
		return path + "?user=alice"
	}
	if m.IntN(3) == 0 {
		names := []string{"atomic", "dryRun", "keepTraffic", "page", "pageSize", "filter", "sort", "order", "search", "inboundIds", "format", "group"}
		values := []string{"1", "0", "x", "-1", "", "%00", "active", "99999999999999999999", "vip", "links"}
		path += "?" + names[m.IntN(len(names))] + "=" + values[m.IntN(len(values))] + "&" + names[m.IntN(len(names))] + "=" + values[m.IntN(len(values))]
	}
	return path
}

// here makes an inbound listen on this machine only, as tests must, and not where the example has it.
func here(t *testing.T, body string) string {
	t.Helper()
	var in map[string]any
	if json.Unmarshal([]byte(body), &in) != nil || in == nil {
		return body
	}
	in["listen"] = "127.0.0.1"
	if in["port"] == 443.0 {
		in["port"] = coretest.FreePort(t)
	}
	text, err := json.Marshal(in)
	if err != nil {
		return body
	}
	return string(text)
}

// TestMutatedRequests sends some thousands of requests that are almost right to every route of the document. None finds
// an error inside of the server, and those of the 3x-ui dialect are answered by envelopes.
func TestMutatedRequests(t *testing.T) {
	const perRoute, seed = 30, 5
	b := fuzzBench(t)
	for id := 2; id <= 9; id++ { // those that the examples name too
		b.inbound(id)
		b.token(fmt.Sprint("token ", id), domain.ScopeAdmin, nil)
	}
	doc := b.document()
	m := mutator{rand.New(rand.NewPCG(seed, seed)), &living{bench: b}}
	sent, done := 0, map[string]bool{}
	paths := slices.SortedFunc(maps.Keys(doc.Paths), func(a, b string) int { // inbounds are deleted in the end
		return cmp.Or(cmp.Compare(strings.Count(a, "/del"), strings.Count(b, "/del")), cmp.Compare(a, b))
	})
	for _, path := range paths {
		for _, method := range slices.Sorted(maps.Keys(doc.Paths[path])) {
			good := ""
			if body := doc.Paths[path][method].RequestBody; body != nil {
				good = string(body.Content["application/json"].Example)
			}
			for i := 0; i < perRoute || !done[path] && i < 3*perRoute; i++ { // some are hard to get right by chance
				if strings.HasPrefix(path, "/api/") {
					m.living.revive(path)
				}
				if m.IntN(5) == 0 { // they may have been deleted by then
					b.post("/clients/add", `{"client":{"email":"alice","subId":"sub-alice"},"inboundIds":[1]}`)
					b.post("/clients/add", `{"client":{"email":"alice"},"inboundIds":[1]}`) // if another one has the id since
					b.post("/clients/groups/create", `{"name":"vip"}`)
					b.post("/clients/groups/create", `{"name":"customer-a"}`)
				}
				r := httpRequest{method: strings.ToUpper(method), path: m.path(path), token: b.admin, body: m.body(t, m.living.example(path, good))}
				if strings.HasPrefix(path, "/panel/api/inbounds/") {
					r.body = here(t, r.body)
				}
				if m.IntN(20) == 0 {
					r.headers = map[string]string{"Idempotency-Key": url.QueryEscape(odd[m.IntN(len(odd))])}
				}
				status, _, got := r.send(t, b.url)
				request := fmt.Sprintf("%s %s %s", r.method, r.path, r.body)
				sent++
				done[path] = done[path] || status < http.StatusMultipleChoices && !strings.HasPrefix(got, `{"success":false`)
				switch {
				case status >= http.StatusInternalServerError:
					t.Errorf("%s answers %d %s", request, status, got)
				case strings.HasPrefix(path, "/panel/api/"):
					wantEnvelope(t, request, status, got)
				case strings.HasPrefix(path, "/api/"):
					wantDetail(t, request, status, got)
				}
			}
		}
	}
	for path := range doc.Paths {
		if !done[path] && path != "/api/core" { // there is one core, and no second is made
			t.Errorf("no request to %s was good enough to be done: nothing behind its checks was tried", path)
		}
	}
	if sent < 3000 {
		t.Errorf("only %d requests were sent", sent)
	}
	for _, entry := range b.failures() {
		t.Errorf("logged: %s %v", entry.Message, entry.ContextMap())
	}
}
