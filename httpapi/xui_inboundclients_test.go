package httpapi

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/sluicehq/sluice/kernel/accounts"
	"github.com/sluicehq/sluice/kernel/core/coretest"
)

// inboundOf opens an inbound whose clients show what is theirs in its own way.
func (b *bench) inboundOf(protocol, settings string) {
	b.t.Helper()
	got := b.panel(http.MethodPost, "/inbounds/add", fmt.Sprintf(
		`{"listen":"127.0.0.1","port":%d,"protocol":%q,"settings":%s}`, coretest.FreePort(b.t), protocol, settings))
	if !strings.HasPrefix(got, `{"success":true`) {
		b.t.Fatal(got)
	}
}

// obj is the obj of an answer, to be changed and sent back.
func (b *bench) obj(path string) map[string]any {
	b.t.Helper()
	var answer struct {
		Success bool
		Obj     map[string]any
	}
	if err := json.Unmarshal([]byte(b.panel(http.MethodGet, path, "")), &answer); err != nil || !answer.Success {
		b.t.Fatalf("%s: %v", path, err)
	}
	return answer.Obj
}

func (b *bench) sendJSON(path string, body any) string {
	b.t.Helper()
	text, err := json.Marshal(body)
	if err != nil {
		b.t.Fatal(err)
	}
	return b.panel(http.MethodPost, path, string(text))
}

// TestInboundEcho sends inbounds of every protocol back as they are shown, with clients in every state: nothing changes.
func TestInboundEcho(t *testing.T) {
	b := newBench(t)
	b.inboundOf("vless", `{"decryption":"none"}`)
	b.inboundOf("vmess", `{}`)
	b.inboundOf("trojan", `{}`)
	b.inboundOf("shadowsocks", `{"method":"aes-128-gcm","password":""}`)
	b.inboundOf("shadowsocks", `{"method":"2022-blake3-aes-128-gcm","password":"MDEyMzQ1Njc4OWFiY2RlZg=="}`)
	for name, fields := range map[string]string{
		"plain": ``, "disabled": `,"enable":false`, "held": `,"expiryTime":-86400000`, "expired": `,"expiryTime":1`,
		"full":    `,"flow":"xtls-rprx-vision","security":"zero","totalGB":1,"limitIp":3,"tgId":4,"comment":"été","group":"g","limitHwid":2,"reverse":{"a":[1]}`,
		"resets":  `,"trafficReset":"monthly","trafficResetDay":15,"reset":30,"resetMax":2`,
		"odd":     `,"trafficReset":"every","trafficResetParams":{"days":3}`,
		"limited": `,"totalGB":1`,
	} {
		if got := b.panel(http.MethodPost, "/clients/add", fmt.Sprintf(`{"client":{"email":%q%s},"inboundIds":[1,2,3,4,5]}`, name, fields)); !strings.HasPrefix(got, `{"success":true`) {
			t.Fatal(got)
		}
	}
	b.panel(http.MethodPost, "/clients/updateTraffic/limited", `{"upload":5}`)
	_, err := b.kernel.Accounts.UpdateUser(t.Context(), "plain", func(v *accounts.UserView) error {
		v.VMessID, v.ShadowsocksPassword = uuidOf("v"), "another password"
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	for id := 1; id <= 5; id++ {
		before := b.panel(http.MethodGet, fmt.Sprintf("/inbounds/get/%d", id), "")
		for _, part := range []string{`"email":"limited"`, `"email":"held"`} {
			if !strings.Contains(before, part) {
				t.Fatalf("%s\nhas no %s", before, part)
			}
		}
		seq := b.changes()
		got := b.sendJSON(fmt.Sprintf("/inbounds/update/%d", id), b.obj(fmt.Sprintf("/inbounds/get/%d", id)))
		if !strings.HasPrefix(got, `{"success":true,"msg":"Inbound updated"`) || b.changes() != seq {
			t.Errorf("inbound %d: change %d after %d, %s", id, b.changes(), seq, got)
		}
		if after := b.panel(http.MethodGet, fmt.Sprintf("/inbounds/get/%d", id), ""); after != before {
			t.Errorf("inbound %d:\n%s\nwas\n%s", id, after, before)
		}
	}
}

// clientsOf is the part of an inbound's settings with its clients.
func clientsOf(inbound map[string]any) []any {
	return inbound["settings"].(map[string]any)["clients"].([]any)
}

// TestInboundClients changes an inbound through the list of its clients: one is edited, one is made, one goes.
func TestInboundClients(t *testing.T) {
	b := newBench(t)
	port := coretest.FreePort(t)
	got := b.panel(http.MethodPost, "/inbounds/add", fmt.Sprintf(
		`{"listen":"127.0.0.1","port":%d,"protocol":"vless","settings":"{\"decryption\":\"none\",\"clients\":[{\"email\":\"alice\",\"subId\":\"s1\"},{\"email\":\"bob\",\"totalGB\":7,\"group\":\"g\"}]}"}`, port))
	if !strings.HasPrefix(got, `{"success":true,"msg":"Inbound added"`) {
		t.Fatal(got)
	}
	b.inboundOf("trojan", `{"clients":[{"email":"alice","subId":"s1"}]}`) // who is there is attached
	if got := b.obj("/clients/get/alice")["inboundIds"]; fmt.Sprint(got) != "[1 2]" {
		t.Errorf("alice is in %v", got)
	}
	in := b.obj("/inbounds/get/1")
	clients := clientsOf(in)
	if len(clients) != 2 {
		t.Fatalf("%v", clients)
	}
	clients[1].(map[string]any)["totalGB"] = 9
	in["settings"].(map[string]any)["clients"] = append(clients[1:], map[string]any{"email": "carol", "limitIp": 2})
	in["remark"] = "renamed"
	if got := b.sendJSON("/inbounds/update/1", in); !strings.HasPrefix(got, `{"success":true`) {
		t.Fatal(got)
	}
	for email, want := range map[string]string{"alice": "[2]", "bob": "[1]", "carol": "[1]"} {
		if got := b.obj("/clients/get/" + email)["inboundIds"]; fmt.Sprint(got) != want {
			t.Errorf("%s is in %v, want %s", email, got, want)
		}
	}
	if bob := b.obj("/clients/get/bob")["client"].(map[string]any); fmt.Sprint(bob["totalGB"], bob["group"]) != "9g" {
		t.Errorf("bob is %v", bob)
	}
	if got := b.obj("/inbounds/get/1")["remark"]; got != "renamed" {
		t.Errorf("the remark is %v", got)
	}
	seq := b.changes()
	for _, c := range []struct{ clients, want string }{
		{`[{"email":"dave"},{"email":"alice"}]`, "settings.clients[1].email already in use: alice"},
		{`[{"email":"bob"},{"email":"BOB"}]`, "settings.clients[1].email already in use: BOB"},
		{`[{"email":"bob","totalGB":-1}]`, "settings.clients[0].totalGB must not be negative"},
		{`[{"email":"dave"},{"email":""}]`, "settings.clients[1].email is required"},
		{`[{"email":"dave","id":"x"}]`, "settings.clients[0].uuid is not a valid UUID"},
		{"[" + strings.Repeat(`{"email":"x"},`, 5000) + `{"email":"x"}]`, "settings.clients has 5001 items, at most 5000 are allowed"},
	} {
		got := b.panel(http.MethodPost, "/inbounds/update/1", `{"settings":{"decryption":"none","clients":`+c.clients+`}}`)
		if strings.TrimSpace(got) != envelope(c.want) || b.changes() != seq {
			t.Errorf("%s, change %d after %d\nwant %s", got, b.changes(), seq, c.want)
		}
	}
	if got := b.panel(http.MethodPost, "/inbounds/update/1", `{"settings":{"decryption":"none"},"remark":"r"}`); !strings.HasPrefix(got, `{"success":true`) {
		t.Fatal(got)
	}
	if n := len(clientsOf(b.obj("/inbounds/get/1"))); n != 2 {
		t.Errorf("%d clients after an update without a list", n)
	}
	if got := b.panel(http.MethodPost, "/inbounds/update/1", `{"settings":{"decryption":"none","clients":[]}}`); !strings.HasPrefix(got, `{"success":true`) {
		t.Fatal(got)
	}
	if n := len(clientsOf(b.obj("/inbounds/get/1"))); n != 0 {
		t.Errorf("%d clients after an empty list", n)
	}
}
