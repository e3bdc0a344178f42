package httpapi

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"
)

// shown is a client as get shows it, with what tests ask about.
type shown struct {
	t    testing.TB
	text string // of the member client
	obj  map[string]any
}

func (b *bench) get(name string) shown {
	b.t.Helper()
	var reply struct {
		Success bool
		Msg     string
		Obj     struct{ Client json.RawMessage }
	}
	if err := json.Unmarshal([]byte(b.panel(http.MethodGet, "/clients/get/"+name, "")), &reply); err != nil || !reply.Success {
		b.t.Fatalf("get %s: %v, %s", name, err, reply.Msg)
	}
	s := shown{t: b.t, text: string(reply.Obj.Client)}
	if err := json.Unmarshal(reply.Obj.Client, &s.obj); err != nil {
		b.t.Fatal(err)
	}
	return s
}

// want compares members, given as JSON without braces.
func (s shown) want(members string) {
	s.t.Helper()
	want := map[string]any{}
	if err := json.Unmarshal([]byte("{"+members+"}"), &want); err != nil {
		s.t.Fatalf("%s: %v", members, err)
	}
	for name, value := range want {
		got, _ := json.Marshal(s.obj[name])
		if text, _ := json.Marshal(value); string(got) != string(text) {
			s.t.Errorf("%s is %s, want %s", name, got, text)
		}
	}
}

// do sends a request that must succeed with this message and a null obj.
func (b *bench) do(path, body, msg string) {
	b.t.Helper()
	if got := strings.TrimSpace(b.panel(http.MethodPost, path, body)); got != success(msg, "null") {
		b.t.Fatalf("%s %s answers %s", path, body, got)
	}
}

func (b *bench) update(name, body string) {
	b.t.Helper()
	b.do("/clients/update/"+name, body, "Client updated")
}

func TestXUIUpdate(t *testing.T) {
	const hour = int64(time.Hour / time.Millisecond)
	const thirtyDays = 30 * 24 * hour
	b := newBench(t)
	b.inbound(1)
	for _, c := range []struct{ name, body, want string }{
		{"nothing", `{}`, `"enable":true,"email":"alice"`},
		{"disable", `{"enable":false}`, `"enable":false,"status":"disabled"`},
		{"null leaves enabled", `{"enable":null}`, `"enable":true`},
		{"rename", `{"email":"Alicia"}`, `"email":"Alicia"`},
		{"quota", `{"totalGB":7}`, `"totalGB":7,"status":"active"`},
		{"comment and limits", `{"comment":"a note","limitIp":3,"tgId":-5}`, `"comment":"a note","limitIp":3,"tgId":-5`},
		{"credentials", `{"id":"b831381d-6324-4d53-ad4f-8cda48b30811","password":"p2","auth":"a2","subId":"s2"}`, `"uuid":"b831381d-6324-4d53-ad4f-8cda48b30811","password":"p2","auth":"a2","subId":"s2"`},
		{"empty credentials stay", `{"id":"","password":"","auth":null,"subId":"","email":""}`, `"password":"pw-alice","auth":"auth-alice","subId":"sub-alice","email":"alice"`},
		{"expired", fmt.Sprintf(`{"expiryTime":%d}`, start), fmt.Sprintf(`"expiryTime":%d,"status":"expired","enable":false`, start)},
		{"hold", fmt.Sprintf(`{"expiryTime":%d}`, -hour), fmt.Sprintf(`"expiryTime":%d,"status":"on_hold","enable":true`, -hour)},
		{"renewal", `{"reset":30,"resetDay":5,"resetMax":2}`, `"reset":30,"resetDay":5,"resetMax":2,"resetCount":0`},
		{"auto deletion", `{"autoDeleteInDays":0}`, `"autoDeleteInDays":0`},
		{"what is kept for scripts", `{"reverse":{"tag":"r"},"adTag":"t","secret":"s","limitHwid":2}`, `"reverse":{"tag":"r"},"adTag":"t","secret":"s","limitHwid":2`},
		{"group", `{"group":" vip "}`, `"group":"vip"`},
		{"30 days", `{"trafficReset":"month"}`, fmt.Sprintf(`"trafficReset":"monthly","trafficResetDay":1,"reset_policy":{"id":"month","params":{},"next_at":%d}`, start+thirtyDays)},
		{
			"calendar month", `{"trafficReset":"monthly","trafficResetDay":31}`, fmt.Sprintf(
				`"trafficReset":"monthly","trafficResetDay":31,"trafficResetParams":{"day":31},"reset_policy":{"id":"monthly","params":{"day":31},"next_at":%d}`,
				time.Date(2026, 9, 30, 0, 0, 0, 0, time.UTC).UnixMilli()),
		},
		{
			"every two days", `{"trafficReset":"every","trafficResetParams":{"days":2}}`,
			fmt.Sprintf(`"trafficReset":"every","reset_policy":{"id":"every","params":{"days":2},"next_at":%d}`, start+48*hour),
		},
		{"never", `{"trafficReset":"never"}`, `"trafficReset":"never","reset_policy":null`},
	} {
		t.Run(c.name, func(t *testing.T) {
			b.client("alice")
			b.update("alice", c.body)
			name := "alice"
			if strings.Contains(c.body, "Alicia") {
				name = "alicia"
			}
			s := b.get(name)
			s.want(c.want)
			// The echo rule: what get shows is no change, in any state.
			before := b.version()
			b.update(name, s.text)
			if b.version() != before || b.get(name).text != s.text {
				t.Errorf("after echoing it is\n%s\nand was\n%s", b.get(name).text, s.text)
			}
			b.must("/clients/del/"+name, "")
		})
	}
}

func TestXUIUpdateClears(t *testing.T) {
	b := newBench(t)
	b.inbound(1)
	b.client("alice")
	b.update("alice", fmt.Sprintf(`{"totalGB":5,"expiryTime":%d,"comment":"x","reset":3,"trafficReset":"daily","limitIp":2,"autoDeleteInDays":3,"group":"vip","reverse":{"tag":"r"},"adTag":"t","secret":"s","limitHwid":2,"tgId":4}`, start+5))
	b.update("alice", `{"totalGB":null,"expiryTime":null,"comment":null,"reset":null,"trafficReset":null,"limitIp":null,"autoDeleteInDays":null,"group":null,"reverse":null,"adTag":null,"secret":null,"limitHwid":null,"tgId":null}`)
	b.get("alice").want(`"totalGB":0,"expiryTime":0,"comment":"","reset":0,"trafficReset":"never","limitIp":0,"autoDeleteInDays":null,"reset_policy":null,"group":"","reverse":null,"adTag":"","secret":"","limitHwid":0,"tgId":0`)
}

func TestXUIUpdateRefuses(t *testing.T) {
	b := newBench(t)
	b.inbound(1)
	b.client("alice")
	b.client("bob")
	update := func(name, body, sentence string) scenario {
		return b.scenario(name, http.MethodPost, "/clients/update/alice", body, envelope(sentence))
	}
	b.run(t, b.url, []scenario{
		b.scenario("unknown client", http.MethodPost, "/clients/update/nobody", `{}`, envelope("client not found")),
		update("no body", "", "request body is required"),
		update("a list", "[]", "the request body must be an object"),
		update("the fields under client", `{"client":{"totalGB":5}}`, "client is not a field here: its fields stand at the top level of the body"),
		update("name in use", `{"email":"BOB"}`, "email already in use: BOB"),
		update("uuid in use", `{"uuid":"`+uuidOf("bob")+`"}`, "uuid is already in use"),
		update("subId in use", `{"subId":"sub-bob"}`, "subId is already in use"),
		update("negative quota", `{"totalGB":-1}`, "totalGB must not be negative"),
		update("quota text", `{"totalGB":"7"}`, "totalGB must be an integer"),
		update("unknown flow", `{"flow":"x"}`, `flow must be "" or "xtls-rprx-vision"`),
		update("a group with a control character", `{"group":"a\u0007"}`, "group name must be text without control characters"),
		update("unknown period", `{"trafficReset":"yearly"}`, `trafficReset must be one of calendar, daily, day, every, hourly, month, monthly, no_reset, week, weekly, year: "yearly" is not loaded`),
		update("params that do not fit", `{"trafficReset":"every","trafficResetParams":{"days":0}}`, "trafficResetParams.days must be at least 1"),
		update("unknown time zone", `{"trafficReset":"calendar","trafficResetParams":{"day_of_month":1,"time_zone":"Mars/Olympus"}}`, `trafficResetParams.time_zone is not an IANA time zone such as Europe/Berlin: "Mars/Olympus"`),
	})
}

func TestXUITraffic(t *testing.T) {
	b := newBench(t)
	b.inbound(1)
	b.client("alice")
	b.update("alice", `{"totalGB":100}`)
	steps := []struct {
		name, path, body string
		up, down         int64
		enable           bool
	}{
		{"set both", "updateTraffic", `{"upload":60,"download":39}`, 60, 39, true},
		{"set one: the other stays, and the quota is met", "updateTraffic", `{"download":40}`, 60, 40, false},
		{"set none", "updateTraffic", `{}`, 60, 40, false},
		{"below the quota again", "updateTraffic", `{"upload":0}`, 0, 40, true},
		{"over it", "updateTraffic", `{"upload":1000}`, 1000, 40, false},
		{"reset", "resetTraffic", ``, 0, 0, true},
	}
	for _, s := range steps {
		t.Run(s.name, func(t *testing.T) {
			b.do("/clients/"+s.path+"/alice", s.body, "")
			got := b.panel(http.MethodGet, "/clients/traffic/alice", "")
			for _, part := range []string{fmt.Sprintf(`"up":%d,"down":%d,`, s.up, s.down), fmt.Sprintf(`"enable":%t`, s.enable)} {
				if !strings.Contains(got, part) {
					t.Errorf("%s has no %s", got, part)
				}
			}
		})
	}
	b.update("alice", `{"enable":false}`)
	b.do("/clients/resetTraffic/alice", "", "")
	b.get("alice").want(`"status":"disabled"`) // the operator's word stays
	post := func(name, path, body, sentence string) scenario {
		return b.scenario(name, http.MethodPost, "/clients/"+path, body, envelope(sentence))
	}
	b.run(t, b.url, []scenario{
		post("negative", "updateTraffic/alice", `{"upload":-1}`, "upload must not be negative"),
		post("text", "updateTraffic/alice", `{"download":"1"}`, "download must be an integer"),
		post("unknown", "updateTraffic/nobody", `{"upload":1}`, "client not found"),
		post("unknown to reset", "resetTraffic/nobody", ``, "client not found"),
	})
}

func TestXUIBulkAdjust(t *testing.T) {
	const day = int64(24 * time.Hour / time.Millisecond)
	b := newBench(t)
	b.inbound(1)
	for _, name := range []string{"alice", "bob", "carol", "dave"} {
		b.client(name)
	}
	b.update("alice", fmt.Sprintf(`{"totalGB":100,"expiryTime":%d}`, start+day))
	b.update("bob", fmt.Sprintf(`{"totalGB":10,"expiryTime":%d}`, -day))
	b.update("dave", fmt.Sprintf(`{"totalGB":10,"expiryTime":%d}`, start-day))
	b.do("/clients/updateTraffic/dave", `{"upload":10}`, "")
	adjust := func(body, want string) {
		t.Helper()
		if got := strings.TrimSpace(b.panel(http.MethodPost, "/clients/bulkAdjust", body)); got != success("", want) {
			t.Errorf("%s answers %s, want %s", body, got, want)
		}
	}
	adjust(`{"emails":["dave"," ALICE ","nobody","carol","alice","bob"],"addDays":2,"addBytes":5}`,
		`{"adjusted":3,"skipped":[{"email":"nobody","reason":"client not found"},{"email":"carol","reason":"unlimited expiry"},{"email":"carol","reason":"unlimited traffic"}]}`)
	b.get("alice").want(fmt.Sprintf(`"totalGB":105,"expiryTime":%d`, start+3*day))
	b.get("bob").want(fmt.Sprintf(`"totalGB":15,"expiryTime":%d,"status":"on_hold"`, -3*day))
	b.get("dave").want(fmt.Sprintf(`"totalGB":15,"expiryTime":%d,"status":"active"`, start+day))
	adjust(`{"emails":["alice","bob"],"addDays":-3,"addBytes":-15}`,
		`{"adjusted":1,"skipped":[{"email":"bob","reason":"reduction exceeds delay window"},{"email":"bob","reason":"reduction exceeds remaining quota"}]}`)
	adjust(`{"emails":["alice"],"flow":"xtls-rprx-vision"}`,
		`{"adjusted":0,"skipped":[{"email":"alice","reason":"flow not supported on inbound"}]}`)
	adjust(`{"emails":["alice"],"flow":"none"}`, `{"adjusted":1,"skipped":[]}`)
	adjust(`{"emails":[],"addDays":1}`, `{"adjusted":0,"skipped":[]}`)
	many := `{"emails":[` + strings.Repeat(`"a",`, 5000) + `"a"],"addDays":1}`
	b.run(t, b.url, []scenario{
		b.scenario("nothing to do", http.MethodPost, "/clients/bulkAdjust", `{"emails":["alice"]}`, envelope("no adjustment specified")),
		b.scenario("unknown flow", http.MethodPost, "/clients/bulkAdjust", `{"emails":["alice"],"flow":"x"}`, envelope(`flow must be "", "none" or "xtls-rprx-vision"`)),
		b.scenario("too many days", http.MethodPost, "/clients/bulkAdjust", `{"emails":["alice"],"addDays":36501}`, envelope("addDays must be between -36500 and 36500")),
		b.scenario("too many items", http.MethodPost, "/clients/bulkAdjust", many, envelope("emails has 5001 items, at most 5000 are allowed")),
		b.scenario("emails text", http.MethodPost, "/clients/bulkAdjust", `{"emails":"alice","addDays":1}`, envelope("emails must be an array")),
	})
}

func TestXUIAttachAndDetach(t *testing.T) {
	b := newBench(t)
	b.inbound(1)
	b.inbound(2)
	b.client("alice")
	for _, s := range []struct{ route, body, want string }{
		{"attach", `{"inboundIds":[2,2]}`, "[1,2]"},
		{"attach", `{"inboundIds":[1]}`, "[1,2]"},
		{"detach", `{"inboundIds":[1,77]}`, "[2]"},
		{"detach", `{"inboundIds":[]}`, "[2]"},
		{"detach", `{"inboundIds":[2]}`, "[]"},
	} {
		b.do("/clients/alice/"+s.route, s.body, "")
		if got := b.panel(http.MethodGet, "/clients/get/alice", ""); !strings.Contains(got, `"inboundIds":`+s.want) {
			t.Errorf("after %s %s: %s", s.route, s.body, got)
		}
	}
	b.run(t, b.url, []scenario{
		b.scenario("unknown inbound", http.MethodPost, "/clients/alice/attach", `{"inboundIds":[1,9]}`, envelope("inbound 9: not found")),
		b.scenario("unknown client", http.MethodPost, "/clients/nobody/attach", `{"inboundIds":[1]}`, envelope("client not found")),
		b.scenario("no inbounds", http.MethodPost, "/clients/alice/attach", `{}`, envelope("inboundIds is required: a list of inbound ids")),
	})
}

func TestXUINobodyIsOnline(t *testing.T) {
	b := newBench(t)
	b.inbound(1)
	b.client("alice")
	for path, want := range map[string]string{
		"onlines": "[]", "onlinesByGuid": "{}", "activeInbounds": "{}", "clientIpsByGuid": "{}", "lastOnline": `{"alice":0}`, "ips/alice": "[]",
	} {
		if got := strings.TrimSpace(b.panel(http.MethodPost, "/clients/"+path, "")); got != success("", want) {
			t.Errorf("%s answers %s", path, got)
		}
	}
	b.do("/clients/clearIps/alice", "", "")
	for _, path := range []string{"ips", "clearIps"} {
		if got := strings.TrimSpace(b.panel(http.MethodPost, "/clients/"+path+"/nobody", "")); got != envelope("client not found") {
			t.Errorf("%s of an unknown client answers %s", path, got)
		}
	}
}
