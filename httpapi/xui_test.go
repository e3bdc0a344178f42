package httpapi

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/sluicehq/sluice/kernel/core/coretest"
)

// scenario is one request of the sudo admin to the 3x-ui dialect.
func (b *bench) scenario(name, method, path, body, want string) scenario {
	return scenario{name: name, req: httpRequest{method: method, path: "/panel/api" + path, token: b.admin, body: body}, want: want}
}

func success(msg, obj string) string {
	return fmt.Sprintf(`{"success":true,"msg":%q,"obj":%s}`, msg, obj)
}

func clientJSON(id int, name string) string {
	return fmt.Sprintf(`{"client":{"id":%d,"email":%q,"subId":"sub-%s","uuid":%q,"password":"pw-%s","auth":"auth-%s",`+
		`"flow":"","security":"","secret":"","adTag":"","limitIp":0,"limitHwid":0,"totalGB":0,"expiryTime":0,"enable":true,`+
		`"tgId":0,"group":"","comment":"","reset":0,"resetDay":0,"resetMax":0,`+noReset+
		`"status":"active","createdAt":%d,"updatedAt":%d`+plain+`,"inboundIds":[1],"externalLinks":[],"usedTraffic":0}`,
		id, name, name, uuidOf(name), name, name, start, start)
}

func linkOf(name string, port int) string {
	return fmt.Sprintf("vless://%s@127.0.0.1:%d?encryption=none&security=none&type=tcp#demo-%s", uuidOf(name), port, name)
}

// jsonList is a JSON list of strings.
func jsonList(texts ...string) string {
	out, err := json.Marshal(texts)
	if err != nil {
		panic(err)
	}
	return strings.ReplaceAll(string(out), `\u0026`, "&")
}

func TestXUIReads(t *testing.T) {
	b := newBench(t)
	port := b.inbound(1)
	b.client("alice")
	b.panel(http.MethodPost, "/clients/add", `{"client":{"email":"bob👩‍💻#?"},"inboundIds":[1]}`)
	links := success("", jsonList(linkOf("alice", port)))
	const badSegment = " is not a valid URL-encoded path segment"
	b.run(t, b.url, []scenario{
		b.scenario("client", http.MethodGet, "/clients/get/alice", "", success("", clientJSON(1, "alice"))),
		b.scenario("client in another case", http.MethodGet, "/clients/get/ALICE", "", success("", clientJSON(1, "alice"))),
		b.scenario("client, letters encoded", http.MethodGet, "/clients/get/%61l%69ce", "", success("", clientJSON(1, "alice"))),
		{
			name: "client with emoji and signs", has: []string{`"email":"bob👩‍💻#?"`},
			req: httpRequest{method: http.MethodGet, path: "/panel/api/clients/get/bob%F0%9F%91%A9%E2%80%8D%F0%9F%92%BB%23%3F", token: b.admin},
		},
		b.scenario("unknown client", http.MethodGet, "/clients/get/nobody", "", envelope("client not found")),
		b.scenario("encoded slash", http.MethodGet, "/clients/get/a%2Fb", "", envelope("client not found")),
		b.scenario("encoded NUL", http.MethodGet, "/clients/get/%00", "", envelope("client not found")),
		b.scenario("no UTF-8", http.MethodGet, "/clients/get/%ff", "", envelope("client not found")),
		b.scenario("bad percent", http.MethodGet, "/clients/get/%zz", "", envelope("email"+badSegment)),

		b.scenario("traffic", http.MethodGet, "/clients/traffic/Alice", "", success("", fmt.Sprintf(
			`{"id":1,"inboundId":1,"enable":true,"email":"alice","uuid":%q,"subId":"sub-alice","up":0,"down":0,`+
				`"expiryTime":0,"total":0,"reset":0,"resetDay":0,"resetMax":0,"resetCount":0,"lastOnline":0,"lastSubFetch":0,"ipRefused":0}`, uuidOf("alice")))),
		b.scenario("unknown traffic", http.MethodGet, "/clients/traffic/nobody", "", envelope("client not found")),
		b.scenario("links", http.MethodGet, "/clients/links/alice", "", links),
		b.scenario("unknown links", http.MethodGet, "/clients/links/nobody", "", envelope("client not found")),
		b.scenario("subLinks", http.MethodGet, "/clients/subLinks/sub-alice", "", links),
		b.scenario("unknown subLinks", http.MethodGet, "/clients/subLinks/nobody", "", success("", "[]")),
		b.scenario("subLinks of NUL", http.MethodGet, "/clients/subLinks/%00", "", success("", "[]")),
		b.scenario("subLinks, bad percent", http.MethodGet, "/clients/subLinks/%zz", "", envelope("subId"+badSegment)),
	})
}

// noReset is the part of a client whose usage is never reset.
const noReset = `"resetCount":0,"trafficReset":"never","trafficResetDay":1,"trafficResetParams":{},"reset_policy":null,"autoDeleteInDays":null,`

// plain is the end of a client that nothing is kept for.
const plain = `,"reverse":null}`

// TestXUIAddClient adds what every client app and script sends, and reads it back.
func TestXUIAddClient(t *testing.T) {
	b := newBench(t)
	b.inbound(1)
	got := b.panel(http.MethodPost, "/clients/add", fmt.Sprintf(`{"client":{"email":"Alice","subId":"s","id":%q,"uuid":"ignored",
		"password":"p","auth":"a","flow":"xtls-rprx-vision","security":"auto","limitIp":2,"totalGB":53687091200,"expiryTime":%d,
		"enable":false,"tgId":5,"comment":"hi","reset":0,"trafficReset":"never","unknown":{"x":[1]}},"inboundIds":[1,1]}`,
		strings.ToUpper(uuidOf("alice")), start+1))
	want := fmt.Sprintf(`{"client":{"id":1,"email":"Alice","subId":"s","uuid":%q,"password":"p","auth":"a","flow":"xtls-rprx-vision",`+
		`"security":"auto","secret":"","adTag":"","limitIp":2,"limitHwid":0,"totalGB":53687091200,"expiryTime":%d,"enable":false,`+
		`"tgId":5,"group":"","comment":"hi","reset":0,"resetDay":0,"resetMax":0,`+noReset+
		`"status":"disabled","createdAt":%d,"updatedAt":%d`+plain+`,"inboundIds":[1],"externalLinks":[],"usedTraffic":0}`, uuidOf("alice"), start+1, start, start)
	if strings.TrimSpace(got) != success("Client added", want) {
		t.Errorf("added %s\nwant  %s", got, success("Client added", want))
	}
	b.run(t, b.url, []scenario{b.scenario("get", http.MethodGet, "/clients/get/alice", "", success("", want))})

	var admin string
	if err := b.db.QueryRow("SELECT a.username FROM users u JOIN admins a ON a.id = u.admin_id").Scan(&admin); err != nil || admin != "root" {
		t.Errorf("the owner is %q, %v", admin, err)
	}
	numeric := b.panel(http.MethodPost, "/clients/add", `{"client":{"email":"bob","id":17,"totalGB":0,"expiryTime":0},"inboundIds":[1]}`)
	if !strings.Contains(numeric, `"totalGB":0,"expiryTime":0,"enable":true`) || strings.Contains(numeric, `"uuid":"17"`) {
		t.Errorf("added %s", numeric)
	}
}

// A name that exists is an error; with its sub id it is attached to more inbounds.
func TestXUIAttach(t *testing.T) {
	b := newBench(t)
	b.inbound(1)
	b.inbound(2)
	b.client("alice")
	got := b.panel(http.MethodPost, "/clients/add", `{"client":{"email":"ALICE","subId":"sub-alice","totalGB":7},"inboundIds":[2]}`)
	before := clientJSON(1, "alice")
	if want := success("Client added", strings.Replace(before, `"inboundIds":[1]`, `"inboundIds":[1,2]`, 1)); strings.TrimSpace(got) != want {
		t.Errorf("attached %s\nwant     %s", got, want)
	}
}

func TestXUIAddClientRefuses(t *testing.T) {
	b := newBench(t)
	b.inbound(1)
	b.client("alice")
	add := func(name, body, sentence string) scenario {
		return b.scenario(name, http.MethodPost, "/clients/add", body, envelope(sentence))
	}
	bob := func(field string) string { return `{"client":{"email":"bob",` + field + `},"inboundIds":[1]}` }
	b.run(t, b.url, []scenario{
		add("no body", "", "request body is required"),
		add("cut off", `{"client":{"email":"bob"`, "the request body is not valid JSON: unexpected end of JSON input"),
		add("no JSON", `email=bob`, "the request body is not valid JSON: invalid character 'e' looking for beginning of value"),
		add("null", `null`, "the request body must be an object"),
		add("list", `[]`, "the request body must be an object"),
		add("empty", `{}`, "email is required"),
		add("client null", `{"client":null,"inboundIds":null}`, "email is required"),
		add("client text", `{"client":"bob"}`, "client must be an object"),
		add("email number", `{"client":{"email":7}}`, "email must be a string"),
		add("email with a slash", `{"client":{"email":"a/b"},"inboundIds":[1]}`, "email must not contain spaces, control characters, / or \\"),
		add("email with NUL", `{"client":{"email":"a\u0000"},"inboundIds":[1]}`, "email must not contain spaces, control characters, / or \\"),
		add("email in use", `{"client":{"email":"ALICE"},"inboundIds":[1]}`, "email already in use: ALICE"),
		add("uuid in use", bob(`"uuid":"`+uuidOf("alice")+`"`), "uuid is already in use"),
		add("password in use", bob(`"password":"pw-alice"`), "password is already in use"),
		add("auth in use", bob(`"auth":"auth-alice"`), "auth is already in use"),
		add("subId in use", bob(`"subId":"sub-alice"`), "subId is already in use"),
		add("subId with a slash", bob(`"subId":"a/b"`), "subId must be 1 to 128 characters without spaces, control characters, / \\ ? # % or &"),
		add("bad uuid", bob(`"uuid":"x"`), "uuid is not a valid UUID"),
		add("bad uuid in id", bob(`"id":"x"`), "uuid is not a valid UUID"),
		add("id object", bob(`"id":{}`), "id must be a uuid"),
		add("bad flow", bob(`"flow":"x"`), `flow must be "" or "xtls-rprx-vision"`),
		add("bad cipher", bob(`"security":"x"`), "security must be one of auto, aes-128-gcm, chacha20-poly1305, none, zero"),
		add("negative quota", bob(`"totalGB":-1`), "totalGB must not be negative"),
		add("quota text", bob(`"totalGB":"7"`), "totalGB must be an integer"),
		add("quota with a fraction", bob(`"totalGB":1.5`), "totalGB must be an integer"),
		add("quota of 20 digits", bob(`"totalGB":99999999999999999999`), "client.totalGB is out of range: 99999999999999999999"),
		add("quota that is no float", bob(`"totalGB":1e400`), "totalGB is out of range: 1e400"),
		add("negative limit", bob(`"limitIp":-1`), "limitIp must not be negative"),
		add("enable text", bob(`"enable":"yes"`), "enable must be a boolean"),
		add("long comment", bob(`"comment":"`+strings.Repeat("a", 4097)+`"`), "comment is longer than 4096 bytes"),
		add("a renewal below 0", bob(`"reset":-1`), "reset must not be negative"),
		add("a renewal of more than ten years", bob(`"reset":3651`), "reset must be at most 3650"),
		add("no day of the month", bob(`"resetDay":32`), "resetDay must be between 0 and 31"),
		add("renewals below 0", bob(`"resetMax":-1`), "resetMax must not be negative"),
		add("a hold without end", bob(`"expiryTime":-9223372036854775808`), "the hold of expiryTime must be more than 0 and at most 100 years"),
		add("an auto deletion below 0", bob(`"autoDeleteInDays":-1`), "autoDeleteInDays must be between 0 and 3650 days"),
		add("a reset day below 0", bob(`"trafficReset":"monthly","trafficResetDay":-1`), "trafficResetDay must be between 0 and 31"),
		add("params that are no object", bob(`"trafficResetParams":[]`), "trafficResetParams must be an object"),
		add("group with a control character", bob(`"group":"a\u0007"`), "group name must be text without control characters"),
		add("no inbounds", `{"client":{"email":"bob"},"inboundIds":[]}`, "inboundIds must name at least one inbound"),
		add("inbounds text", `{"client":{"email":"bob"},"inboundIds":["1"]}`, "inboundIds[0] must be an integer"),
		add("inbounds number", `{"client":{"email":"bob"},"inboundIds":1}`, "inboundIds must be an array"),
		add("unknown inbound", `{"client":{"email":"bob"},"inboundIds":[1,99]}`, "inbound 99: not found"),
	})
}

func TestXUIDelete(t *testing.T) {
	b := newBench(t)
	port := b.inbound(1)
	b.client("alice")
	b.client("bob")
	b.run(t, b.url, []scenario{
		b.scenario("unknown client", http.MethodPost, "/clients/del/nobody", "", envelope("client not found")),
		b.scenario("unknown inbound", http.MethodPost, "/inbounds/del/9", "", envelope("inbound not found")),
	})
	if got := b.panel(http.MethodPost, "/clients/del/ALICE", ""); strings.TrimSpace(got) != success("Client deleted", "null") {
		t.Errorf("delete client: %s", got)
	}
	address := fmt.Sprintf("127.0.0.1:%d", port)
	if !coretest.Reachable(address) {
		t.Fatal("the inbound does not listen")
	}
	if got := b.panel(http.MethodPost, "/inbounds/del/1", ""); strings.TrimSpace(got) != success("Inbound deleted", "1") {
		t.Errorf("delete inbound: %s", got)
	}
	if coretest.Reachable(address) {
		t.Error("the deleted inbound listens")
	}
	b.run(t, b.url, []scenario{
		b.scenario("client is gone", http.MethodGet, "/clients/get/alice", "", envelope("client not found")),
		b.scenario("the other has no inbound", http.MethodGet, "/clients/get/bob", "",
			success("", strings.Replace(clientJSON(2, "bob"), `"inboundIds":[1]`, `"inboundIds":[]`, 1))),
		b.scenario("inbound is gone", http.MethodGet, "/inbounds/list", "", success("", "[]")),
	})
}

func TestXUIRoutes(t *testing.T) {
	b := newBench(t)
	b.inbound(1)
	b.client("alice")
	no := func(name, method, path string, status int) scenario {
		s := b.scenario(name, method, path, "", envelope("no such route: "+method+" /panel/api"+path))
		s.status = status
		return s
	}
	b.run(t, b.url, []scenario{
		no("nothing", http.MethodGet, "", 404),
		no("slash", http.MethodGet, "/", 404),
		no("unknown", http.MethodGet, "/nowhere", 404),
		no("no name", http.MethodGet, "/clients/get/", 404),
		no("a name with a slash", http.MethodGet, "/clients/get/a/b", 404),
		no("another method", http.MethodGet, "/clients/add", 405),
		no("DELETE", http.MethodDelete, "/clients/get/alice", 405),
		no("another case", http.MethodGet, "/CLIENTS/get/alice", 404),
	})
}
