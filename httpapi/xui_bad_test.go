package httpapi

import (
	"encoding/json"
	"flag"
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"
)

var update = flag.Bool("update", false, "write what comes out into the golden files")

// badRoute is a route with a good body, of which bad ones are made field by field.
type badRoute struct {
	name, path, good string
	required         []string // fields of which null, and being left out, is bad too
	fine             []string // "field value" that is not bad here
	more             []string // other bad bodies
}

// goodClient is a client with every field.
const goodClient = `{"email":"bob","subId":"sb","id":"b831381d-6324-4d53-ad4f-8cda48b30811","password":"p","auth":"a","flow":"","security":"auto",` +
	`"totalGB":5,"expiryTime":0,"limitIp":0,"enable":true,"tgId":0,"comment":"c","group":"","limitHwid":0,"reverse":{"tag":"r"},"adTag":"t",` +
	`"secret":"s","created_at":1,"reset":0,"resetDay":0,"resetMax":0,"trafficReset":"monthly","trafficResetDay":1,"trafficResetParams":{"day":1},"autoDeleteInDays":1}`

// What is inside of the first is the caller's own. What is not bad in a client: a number as id is ignored, an expiry below 0 is a hold, a Telegram id is any number, and
// a comment is any text.
var (
	freeInClient = []string{"reverse", "trafficResetParams"}
	fineInClient = []string{`id 7`, `id -1`, `id 1.5`, `expiryTime -1`, `tgId -1`, `comment "a\u0007"`}
)

func badRoutes() []badRoute {
	list := func(n int) string { return `[` + strings.TrimSuffix(strings.Repeat(`"a",`, n), ",") + `]` }
	tooMany := `{"emails":` + list(5001) + `}`
	emails := []string{`{"emails":[]}`, `{"emails":["nobody"]}`, `{"emails":["a/b","","\u0000"]}`, `{"emails":["alice",7]}`, `{"emails":["nobody","NOBODY"," nobody "]}`, `{"emails":[null]}`, tooMany}
	inbounds := []string{
		`{"emails":["alice"],"inboundIds":[]}`, `{"emails":["alice"],"inboundIds":[99]}`, `{"emails":[],"inboundIds":[1]}`,
		`{"emails":["alice"],"inboundIds":[` + strings.TrimSuffix(strings.Repeat("1,", 5001), ",") + `]}`, `{"emails":` + list(5001) + `,"inboundIds":[1]}`,
	}
	inbound := []string{`{"inboundIds":[99]}`, `{"inboundIds":[0]}`, `{"inboundIds":[-1]}`, `{"inboundIds":[1.5]}`, `{"inboundIds":["1"]}`, `{"inboundIds":[null]}`, `{"inboundIds":[]}`}
	long, long129 := strings.Repeat("a", 5000), strings.Repeat("é", 129)
	client := func(format string, members ...string) (bodies []string) {
		for _, m := range members {
			bodies = append(bodies, fmt.Sprintf(format, m))
		}
		return bodies
	}
	texts := []string{
		`"email":"` + long129 + `"`, `"email":"a b"`, `"email":"a/b"`, `"email":"a\\b"`, `"subId":"` + long + `"`, `"subId":"a?b"`, `"password":"` + long + `"`,
		`"auth":"` + long + `"`, `"comment":"` + long + `"`, `"group":"` + long + `"`, `"adTag":"` + long + `"`, `"secret":"` + long + `"`, `"reverse":{"a":"` + long + `"}`,
		`"id":"7"`, `"uuid":"b831381d-6324-4d53-ad4f-8cda48b3081"`, `"flow":"xtls-rprx-vision-udp443"`, `"security":"rc4"`, `"expiryTime":-3153600000001`,
		`"reset":3651`, `"resetDay":32`, `"trafficReset":"yearly"`, `"trafficResetDay":32`, `"trafficReset":"monthly","trafficResetParams":{"unknown":1}`, `"autoDeleteInDays":3651`,
		`"subId":"sub-alice"`, `"password":"pw-alice"`, `"auth":"auth-alice"`, `"uuid":"` + uuidOf("alice") + `"`,
	}
	return []badRoute{
		{
			"add", "/clients/add", `{"client":` + goodClient + `,"inboundIds":[1]}`,
			[]string{"email"},
			fineInClient,
			append(client(`{"client":{"email":"bob",%s},"inboundIds":[1]}`, texts...),
				`{"client":{"email":"ALICE"},"inboundIds":[1]}`, `{"client":{"email":"bob"},"inboundIds":[1,99]}`, `{"client":{"email":"bob"},"inboundIds":[]}`,
				`{"email":"bob","inboundIds":[1]}`, `{"client":[],"inboundIds":[1]}`),
		},
		{
			"update", "/clients/update/alice", goodClient, nil, append(slices.Clone(fineInClient), `created_at -1`), // which it does not read
			append(client(`{%s}`, others(texts)...), `{"email":"CAROL"}`, `{"client":{"totalGB":1}}`),
		},
		{"attach", "/clients/alice/attach", `{"inboundIds":[1]}`, []string{"inboundIds"}, nil, inbound},
		{"detach", "/clients/alice/detach", `{"inboundIds":[1]}`, []string{"inboundIds"}, nil, inbound},
		{
			"externalLinks", "/clients/alice/externalLinks",
			`{"externalLinks":[{"kind":"link","value":"trojan://p@example.com:443","remark":"r","enable":true,"expiryTime":0,"namePrefix":"n"}]}`,
			nil, nil, // to leave them out takes them away
			[]string{
				`{"externalLinks":[{"value":"http://example.com"}]}`, `{"externalLinks":[{"value":"trojan://"}]}`, `{"externalLinks":[{"kind":"subscription","value":"ftp://example.com"}]}`,
				`{"externalLinks":[{"kind":"subscription","value":"http://"}]}`, `{"externalLinks":[{"kind":"file","value":"x"}]}`,
				`{"externalLinks":[{"value":"trojan://p@example.com:443#` + long + long + `"}]}`, `{"externalLinks":[{"value":"trojan://p@example.com:443","remark":"` + long + `"}]}`,
				`{"externalLinks":[` + strings.TrimSuffix(strings.Repeat(`{"value":"x"},`, 101), ",") + `]}`, `{"externalLinks":[7]}`,
			},
		},
		{
			"import", "/clients/import", `{"data":"[]"}`,
			[]string{"data"},
			nil,
			[]string{
				`{"data":""}`, `{"data":"["}`, `{"data":"{}"}`, `{"data":"7"}`, `{"data":[{"client":{"email":"bob"}}]}`, `{"data":"[7]"}`, `{"data":"[{\"client\":7}]"}`,
				`{"data":"[{\"client\":{\"email\":\"bob\",\"totalGB\":\"5\"}}]"}`, `{"data":"[{\"client\":{\"email\":\"bob\",\"totalGB\":-5}}]"}`, `{"data":"[{\"client\":{}}]"}`,
				`{"data":"[{\"client\":{\"email\":\"bob\"},\"inboundIds\":[99]}]"}`, `{"data":"[{\"client\":{\"email\":\"bob\"},\"inboundIds\":{}}]"}`,
				`{"data":"[{\"client\":{\"email\":\"bob\",\"totalGB\":99999999999999999999}}]"}`,
				`{"data":"[` + strings.TrimSuffix(strings.Repeat(`{},`, 5001), ",") + `]"}`, `{"data":"[{\"client\":{\"email\":\"a\\u0000b\"}}]"}`,
			},
		},
		{
			"bulkCreate", "/clients/bulkCreate", `[{"client":` + goodClient + `,"inboundIds":[1]}]`,
			[]string{"email"},
			fineInClient,
			[]string{
				`[]`, `{}`, `[7]`, `[null]`, `[{}]`, `[{"client":{"email":"bob","subId":"sub-alice"},"inboundIds":[1]}]`, `[{"client":{"email":"bob"},"inboundIds":[99]}]`, `[{"client":{"email":"bob"}}]`,
				`[{"client":{"email":"alice"},"inboundIds":[1]},{"client":{"email":"ALICE"},"inboundIds":[1]}]`, `[` + strings.TrimSuffix(strings.Repeat(`{},`, 5001), ",") + `]`,
			},
		},
		{
			"bulkAdjust", "/clients/bulkAdjust", `{"emails":["alice"],"addDays":1,"addBytes":1,"flow":""}`,
			[]string{"emails"},
			[]string{`addDays -1`, `addBytes -1`},
			append(slices.Clone(emails), `{"emails":["alice"]}`, `{"emails":["alice"],"addDays":36501}`, `{"emails":["alice"],"flow":"x"}`, `{"emails":["alice"],"addDays":1}`, `{"emails":["alice"],"addBytes":-9223372036854775808}`),
		},
		{"bulkEnable", "/clients/bulkEnable", `{"emails":["alice"]}`, []string{"emails"}, nil, emails},
		{"bulkDisable", "/clients/bulkDisable", `{"emails":["alice"]}`, []string{"emails"}, nil, emails},
		{"bulkDel", "/clients/bulkDel", `{"emails":["alice"],"keepTraffic":false}`, []string{"emails"}, []string{"keepTraffic 1"}, emails},
		{"bulkAttach", "/clients/bulkAttach", `{"emails":["alice"],"inboundIds":[1]}`, []string{"emails", "inboundIds"}, nil, inbounds},
		{"bulkDetach", "/clients/bulkDetach", `{"emails":["alice"],"inboundIds":[1]}`, []string{"emails", "inboundIds"}, nil, inbounds},
		{"bulkResetTraffic", "/clients/bulkResetTraffic", `{"emails":["alice"]}`, []string{"emails"}, nil, emails},
		{"groups-create", "/clients/groups/create", `{"name":"new"}`, []string{"name"}, nil, []string{`{"name":""}`, `{"name":" "}`, `{"name":"vip"}`, `{"name":"` + long + `"}`}},
		{
			"groups-rename", "/clients/groups/rename", `{"oldName":"vip","newName":"new"}`,
			[]string{"oldName", "newName"},
			nil,
			[]string{`{"oldName":"nobody","newName":"new"}`, `{"oldName":"vip","newName":"` + long + `"}`, `{"oldName":" ","newName":"new"}`, `{"oldName":"vip","newName":" "}`},
		},
		{"groups-delete", "/clients/groups/delete", `{"name":"vip"}`, []string{"name"}, nil, []string{`{"name":"nobody"}`, `{"name":" "}`}},
		{"groups-resetTraffic", "/clients/groups/resetTraffic", `{"name":"vip"}`, []string{"name"}, nil, []string{`{"name":"nobody"}`, `{"name":""}`}},
		{
			"groups-bulkAdd", "/clients/groups/bulkAdd", `{"emails":["alice"],"group":"vip"}`,
			[]string{"emails", "group"},
			nil,
			[]string{`{"emails":["alice"],"group":" "}`, `{"emails":["alice"],"group":"` + long + `"}`, `{"emails":["nobody"],"group":"vip"}`, `{"emails":[],"group":"vip"}`, `{"emails":` + list(5001) + `,"group":"vip"}`},
		},
		{"groups-bulkRemove", "/clients/groups/bulkRemove", `{"emails":["alice"]}`, []string{"emails"}, nil, emails},
		{"updateTraffic", "/clients/updateTraffic/alice", `{"upload":1,"download":1}`, nil, nil, []string{`{"upload":2305843009213693953}`}},
	}
}

// others are members of a client with what carol has instead of alice.
func others(members []string) []string {
	list := make([]string, len(members))
	for i, m := range members {
		list[i] = strings.ReplaceAll(strings.ReplaceAll(m, "alice", "carol"), uuidOf("alice"), uuidOf("carol"))
	}
	return list
}

// badFor are values that a field can not have which has value in a good body.
func badFor(value any) []string {
	switch value := value.(type) {
	case string:
		return []string{`7`, `true`, `{}`, `[]`, `"a\u0000b"`, `"a\u0007"`}
	case bool:
		return []string{`"yes"`, `1`, `{}`}
	case float64:
		return []string{`"5"`, `1.5`, `true`, `{}`, `[]`, `-1`, `99999999999999999999`, `-99999999999999999999`, `1e400`}
	case []any:
		if len(value) > 0 {
			if _, ok := value[0].(float64); ok {
				return []string{`"x"`, `1`, `{}`, `["1"]`, `[1.5]`, `[99999999999999999999]`, `[null]`}
			}
		}
		return []string{`"x"`, `1`, `{}`, `[7]`}
	case map[string]any:
		return []string{`"x"`, `1`, `[]`}
	}
	return nil
}

// badBody is one, and how the golden file calls it.
type badBody struct{ what, body string }

// mutations are bad bodies that differ from the good one in one field each.
func (r *badRoute) mutations(t *testing.T) (bodies []badBody) {
	t.Helper()
	var good any
	if err := json.Unmarshal([]byte(r.good), &good); err != nil {
		t.Fatalf("%s: %v", r.good, err)
	}
	add := func(what string) {
		text, err := json.Marshal(good)
		if err != nil {
			t.Fatal(err)
		}
		bodies = append(bodies, badBody{what, string(text)})
	}
	var walk func(path string, at any)
	walk = func(path string, at any) {
		switch at := at.(type) {
		case []any:
			for i := range at {
				walk(fmt.Sprintf("%s[%d]", path, i), at[i])
			}
		case map[string]any:
			for _, field := range slices.Sorted(maps.Keys(at)) {
				value, where := at[field], strings.TrimPrefix(path+"."+field, ".")
				bad := badFor(value)
				if slices.Contains(r.required, field) {
					bad = append(bad, "null")
					delete(at, field)
					add(where + " is missing")
				}
				for _, text := range bad {
					if !slices.Contains(r.fine, field+" "+text) {
						at[field] = json.RawMessage(text)
						add(where + " = " + text)
					}
				}
				at[field] = value
				if !slices.Contains(freeInClient, field) {
					walk(where, value)
				}
			}
		}
	}
	walk("", good)
	return bodies
}

// brief is a body in which what is repeated stands once.
func brief(text string) string {
	for _, long := range []string{strings.Repeat("a", 5000), strings.Repeat("é", 129)} {
		r, n := []rune(long)[0], utf8.RuneCountInString(long)
		text = strings.ReplaceAll(text, long, fmt.Sprintf("%c×%d", r, n))
	}
	if len(text) > 1500 {
		return fmt.Sprintf("%s… (%d bytes)", text[:60], len(text))
	}
	return text
}

// bodies are all bad ones of the route.
func (r *badRoute) bodies(t *testing.T) []badBody {
	t.Helper()
	list := []badBody{{"no body", ""}, {`"x"`, `"x"`}, {"null", "null"}, {r.good[:len(r.good)-1], r.good[:len(r.good)-1]}, {r.good + "}", r.good + "}"}}
	if r.good[0] == '{' {
		list = append(list, badBody{"[]", "[]"})
	}
	list = append(list, r.mutations(t)...)
	for _, body := range r.more {
		list = append(list, badBody{brief(body), body})
	}
	return list
}

// TestXUIBadInput sends what is wrong with each field of each body. The golden files hold it beside the answer, for
// somebody to read; nothing may have been written by any of it.
func TestXUIBadInput(t *testing.T) {
	b := newBench(t)
	b.inbound(1)
	b.client("alice")
	b.client("carol")
	b.must("/clients/groups/create", `{"name":"vip"}`)
	for _, r := range badRoutes() {
		t.Run(r.name, func(t *testing.T) {
			golden := &strings.Builder{}
			_, _ = fmt.Fprintf(golden, "POST %s\n%s\n", r.path, r.good) // never fails
			content := b.checksum()
			for _, bad := range r.bodies(t) {
				before := b.version()
				answer := b.post(r.path, bad.body)
				if b.version() != before {
					t.Fatalf("%s is done: %s", bad.what, answer)
				}
				_, _ = fmt.Fprintf(golden, "\n%s\n\t%s\n", bad.what, told(t, answer))
			}
			_, answer := raw(t, b.url, fmt.Sprintf(
				"POST /panel/api%s HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer %s\r\nContent-Length: 11534336\r\n\r\n", r.path, b.admin))
			_, _ = fmt.Fprintf(golden, "\n11 MiB\n\t%s\n", told(t, answer))
			if b.checksum() != content {
				t.Error("something was changed")
			}
			wantGolden(t, filepath.Join("testdata", "bad", r.name+".golden"), golden.String())
		})
	}
	for _, entry := range b.failures() {
		t.Errorf("logged: %s %v", entry.Message, entry.ContextMap())
	}
}

// told is what a caller reads of an answer: the sentence that it was refused with, or what became of the items.
func told(t *testing.T, answer string) string {
	t.Helper()
	var e struct {
		Success bool
		Msg     string
		Obj     json.RawMessage
	}
	if err := json.Unmarshal([]byte(answer), &e); err != nil {
		t.Fatalf("%s: %v", answer, err)
	}
	switch {
	case e.Success:
		return brief(string(e.Obj))
	case e.Msg == "" || strings.ContainsAny(e.Msg, "\r\n") || string(e.Obj) != "null":
		t.Errorf("%s is no plain refusal", answer)
	}
	return brief(e.Msg)
}

func wantGolden(t *testing.T, file, got string) {
	t.Helper()
	if *update {
		if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if got != string(want) {
		t.Errorf("%s is not what comes out:\n%s", file, got)
	}
}

// Every name that can not be one is that of nobody, on every route that has one in its path.
func TestXUIBadNames(t *testing.T) {
	b := newBench(t)
	b.inbound(1)
	b.client("alice")
	golden, content := &strings.Builder{}, b.checksum()
	routes := strings.Fields(dialectRoutes)
	for i := 0; i < len(routes); i += 2 {
		method, route := routes[i], routes[i+1]
		if !strings.Contains(route, "{email}") && !strings.Contains(route, "{subId}") {
			continue
		}
		_, _ = fmt.Fprintf(golden, "%s %s\n", method, route) // never fails
		for _, name := range []string{
			"nobody", "alice%2Fbob", "%2e%2e%2fadd", "%F0%9F%91%A9", "%00", "alice%00", "%0a", "%20", "%ff", "%zz", "%",
			strings.Repeat("a", 128), strings.Repeat("a", 129), strings.Repeat("%C3%A9", 129),
		} {
			path := strings.NewReplacer("{email}", name, "{subId}", name).Replace(route)
			before := b.version()
			status, _, answer := httpRequest{method: method, path: "/panel/api" + path, token: b.admin, body: `{"inboundIds":[1],"externalLinks":[]}`}.send(t, b.url)
			if status != http.StatusOK || b.version() != before {
				t.Errorf("%s: %d %s", path, status, answer)
			}
			if len(name) > 100 {
				name = fmt.Sprintf("%s… (%d bytes)", name[:6], len(name))
			}
			_, _ = fmt.Fprintf(golden, "\t%s: %s\n", name, told(t, answer))
		}
	}
	if b.checksum() != content {
		t.Error("something was changed")
	}
	wantGolden(t, filepath.Join("testdata", "bad", "names.golden"), golden.String())
}

// A name of 128 characters, in any script, is as good as a short one.
func TestXUILongNames(t *testing.T) {
	b := newBench(t)
	b.inbound(1)
	for _, name := range []string{strings.Repeat("a", 128), strings.Repeat("é", 128), strings.Repeat("👩", 128), "a#?%&+@=;,'\"<>", "%2F"} {
		text := strings.Trim(jsonList(name), "[]")
		b.must("/clients/add", `{"client":{"email":`+text+`},"inboundIds":[1]}`)
		path := url.PathEscape(name)
		if got := b.get(path).obj["email"]; got != name {
			t.Errorf("get %s shows %s", path, got)
		}
		b.must("/clients/bulkDisable", `{"emails":[`+text+`]}`)
		b.get(path).want(`"status":"disabled"`)
		b.do("/clients/del/"+path, "", "Client deleted")
	}
}
