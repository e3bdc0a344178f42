package httpapi

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"runtime"
	"slices"
	"strings"
	"testing"

	"github.com/sluicehq/sluice/kernel/core/coretest"
)

func TestXUIInboundReads(t *testing.T) {
	b := newBench(t)
	b.run(t, b.url, []scenario{
		b.scenario("no inbounds", http.MethodGet, "/inbounds/list", "", success("", "[]")),
		b.scenario("no inbounds, slim", http.MethodGet, "/inbounds/list/slim", "", success("", "[]")),
		b.scenario("no options", http.MethodGet, "/inbounds/options", "", success("", "[]")),
	})
	port, other := b.inbound(1), b.inbound(2)
	b.client("alice")
	b.panel(http.MethodPost, "/clients/add", fmt.Sprintf(`{"client":{"email":"Bob","subId":"sub-b","id":%q,"enable":false,"comment":"<b>&"},"inboundIds":[1]}`, uuidOf("bob")))
	const slim = `{"email":"alice","enable":true,"comment":""},{"email":"Bob","enable":false,"comment":"<b>&"}`
	full := clientOfVLESS("alice", "sub-alice", true, "") + "," + clientOfVLESS("Bob", "sub-b", false, "<b>&")
	option := func(id, port int) string {
		return fmt.Sprintf(`{"id":%d,"remark":"demo","tag":"in-%d-tcp","protocol":"vless","listen":"127.0.0.1","port":%d,"enable":true,`+
			`"tlsFlowCapable":false,"ssMethod":""}`, id, port, port)
	}
	b.run(t, b.url, []scenario{
		b.scenario("list", http.MethodGet, "/inbounds/list", "", success("", "["+withClients(1, port, full)+","+withClients(2, other, "")+"]")),
		b.scenario("slim", http.MethodGet, "/inbounds/list/slim", "", success("", "["+withClients(1, port, slim)+","+withClients(2, other, "")+"]")),
		b.scenario("get", http.MethodGet, "/inbounds/get/1", "", success("", withClients(1, port, full))),
		b.scenario("get without clients", http.MethodGet, "/inbounds/get/2", "", success("", withClients(2, other, ""))),
		b.scenario("options", http.MethodGet, "/inbounds/options", "", success("", "["+option(1, port)+","+option(2, other)+"]")),
		b.scenario("unknown", http.MethodGet, "/inbounds/get/3", "", envelope("inbound not found")),
		b.scenario("0", http.MethodGet, "/inbounds/get/0", "", envelope("id must be a number >= 1")),
		b.scenario("x", http.MethodGet, "/inbounds/get/x", "", envelope("id must be an integer")),
		b.scenario("2^70", http.MethodGet, "/inbounds/get/1180591620717411303424", "", envelope("id must be an integer")),
	})
}

// withClients is an inbound of the bench as a read answers it.
func withClients(id, port int, clients string) string {
	return strings.NewReplacer(`{"decryption":"none"}`, `{"decryption":"none","clients":[`+clients+`]}`).
		Replace(inboundJSON(id, port))
}

// clientOfVLESS is a client as it stands in the settings of an inbound.
func clientOfVLESS(name, subID string, enable bool, comment string) string {
	return fmt.Sprintf(`{"id":%q,"flow":"",`, uuidOf(strings.ToLower(name))) + clientRest(name, subID, enable, comment)
}

// clientRest is what a client has on an inbound of any protocol.
func clientRest(name, subID string, enable bool, comment string) string {
	return fmt.Sprintf(`"email":%q,"limitIp":0,"totalGB":0,"expiryTime":0,"enable":%t,"tgId":0,"subId":%q,"group":"","comment":%q,`+
		`"reset":0,"resetDay":0,"resetMax":0,"trafficReset":"never","trafficResetDay":1,"created_at":%d,"updated_at":%d}`,
		name, enable, subID, comment, start, start)
}

// What breaks before the first byte is told as everywhere.
func TestXUIInboundReadsOfABrokenDatabase(t *testing.T) {
	b := newBench(t)
	b.inbound(1)
	b.exec("ALTER TABLE user_inbounds RENAME TO gone")
	const sentence = "the database could not do this"
	b.run(t, b.url, []scenario{
		b.scenario("list", http.MethodGet, "/inbounds/list", "", envelope(sentence)),
		b.scenario("slim", http.MethodGet, "/inbounds/list/slim", "", envelope(sentence)),
		b.scenario("get", http.MethodGet, "/inbounds/get/1", "", envelope(sentence)),
	})
}

// One client stands in the settings of each protocol with what it uses there.
func TestXUIClientsOfEachProtocol(t *testing.T) {
	b := newBench(t)
	private, _ := coretest.RealityKeys(t)
	cert := coretest.TLSCert(t, b.dir.Certs())
	tls := fmt.Sprintf(`{"network":"hysteria","hysteriaSettings":{"version":2},"security":"tls","tlsSettings":{"certificates":[{"certificateFile":%q,"keyFile":%q}]}}`, cert.CertFile, cert.KeyFile)
	reality := fmt.Sprintf(`{"network":"raw","security":"reality","realitySettings":{"target":"127.0.0.1:1","serverNames":["a"],"privateKey":%q,"shortIds":[""]}}`, private)
	const key16, key32 = "MDEyMzQ1Njc4OWFiY2RlZg==", "MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY="
	id := uuidOf("alice")
	protocols := []struct{ name, protocol, settings, stream, secrets, option string }{
		{"vless", "vless", `{"decryption":"none"}`, "null", `"id":"` + id + `","flow":"",`, `"tlsFlowCapable":false,"ssMethod":""`},
		{"vless with flow", "vless", `{"decryption":"none"}`, reality, `"id":"` + id + `","flow":"xtls-rprx-vision",`, `"tlsFlowCapable":true,"ssMethod":""`},
		{"vmess", "vmess", `{}`, "null", `"id":"` + id + `","security":"zero",`, `"tlsFlowCapable":false,"ssMethod":""`},
		{"trojan", "trojan", `{}`, "null", `"password":"pw",`, `"tlsFlowCapable":false,"ssMethod":""`},
		{"shadowsocks", "shadowsocks", `{"method":"chacha20-poly1305"}`, "null", `"password":"pw","method":"chacha20-ietf-poly1305",`, `"tlsFlowCapable":false,"ssMethod":"chacha20-ietf-poly1305"`},
		{"shadowsocks 2022", "shadowsocks", `{"method":"2022-blake3-aes-128-gcm","password":"` + key16 + `"}`, "null", `"password":"AfuQ80Nm1y3RTuRWh4o2rw==",`, `"tlsFlowCapable":false,"ssMethod":"2022-blake3-aes-128-gcm"`},
		{"shadowsocks 2022 256", "shadowsocks", `{"method":"2022-blake3-aes-256-gcm","password":"` + key32 + `"}`, "null", `"password":"nkwgvPlrm9ZX8CbLLGpkVfVQIskrXPeVRw1m5fMH/pE=",`, `"tlsFlowCapable":false,"ssMethod":"2022-blake3-aes-256-gcm"`},
		{"hysteria", "hysteria", `{"version":2}`, tls, `"auth":"au",`, `"tlsFlowCapable":false,"ssMethod":""`},
	}
	var ids []int
	for i, p := range protocols {
		got := b.panel(http.MethodPost, "/inbounds/add", fmt.Sprintf(`{"listen":"127.0.0.1","port":%d,"enable":false,"protocol":%q,"settings":%s,"streamSettings":%s}`,
			coretest.FreePort(t), p.protocol, p.settings, p.stream))
		if !strings.HasPrefix(got, fmt.Sprintf(`{"success":true,"msg":"Inbound added","obj":{"id":%d,`, i+1)) {
			t.Fatalf("%s: %s", p.name, got)
		}
		ids = append(ids, i+1)
	}
	list, err := json.Marshal(ids)
	if err != nil {
		t.Fatal(err)
	}
	b.panel(http.MethodPost, "/clients/add", fmt.Sprintf(`{"client":{"email":"alice","subId":"s","id":%q,"password":"pw","auth":"au","flow":"xtls-rprx-vision","security":"zero"},"inboundIds":%s}`, id, list))
	options := b.panel(http.MethodGet, "/inbounds/options", "")
	for i, p := range protocols {
		t.Run(p.name, func(t *testing.T) {
			got := b.panel(http.MethodGet, fmt.Sprintf("/inbounds/get/%d", i+1), "")
			if want := `"clients":[{` + p.secrets + clientRest("alice", "s", true, "") + "]}}}\n"; !strings.HasSuffix(got, want) {
				t.Errorf("%s\ndoes not end with %s", got, want)
			}
			if !strings.Contains(options, p.option) {
				t.Errorf("%s\nhas no %s", options, p.option)
			}
		})
	}
}

// Every state of a client is seen in the settings of its inbound.
func TestXUIClientStates(t *testing.T) {
	b := newBench(t)
	b.inbound(1)
	for _, c := range []struct{ name, client, want string }{
		{"quota", `"totalGB":7`, `"totalGB":7,"expiryTime":0,"enable":true`},
		{"hold", `"expiryTime":-86400000`, `"expiryTime":-86400000,"enable":true`},
		{"expired", `"expiryTime":1`, `"expiryTime":1,"enable":false`},
		{"disabled", `"enable":false`, `"enable":false`},
		{"limits", `"limitIp":2,"tgId":5`, `"limitIp":2,"totalGB":0,"expiryTime":0,"enable":true,"tgId":5`},
		{"renewal", `"reset":30,"resetMax":2`, `"reset":30,"resetDay":0,"resetMax":2`},
		{"monthly", `"trafficReset":"monthly","trafficResetDay":15`, `"trafficReset":"monthly","trafficResetDay":15`},
		{"daily", `"trafficReset":"daily"`, `"trafficReset":"daily","trafficResetDay":1`},
	} {
		t.Run(c.name, func(t *testing.T) {
			if got := b.panel(http.MethodPost, "/clients/add", fmt.Sprintf(`{"client":{"email":%q,%s},"inboundIds":[1]}`, c.name, c.client)); !strings.HasPrefix(got, `{"success":true`) {
				t.Fatal(got)
			}
			_, rest, _ := strings.Cut(b.inbound1(), fmt.Sprintf(`"email":%q`, c.name))
			if client, _, _ := strings.Cut(rest, "}"); !strings.Contains(client, c.want) {
				t.Errorf("%s\nhas no %s", client, c.want)
			}
		})
	}
}

// copies makes n users of inbound 1 like its first one, behind the kernel's back.
func (b *bench) copies(n int) {
	b.t.Helper()
	b.exec(fmt.Sprintf(`
		CREATE TEMP TABLE copies AS WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < %d)
			SELECT users.*, i FROM n, users WHERE id = (SELECT MIN(id) FROM users);
		UPDATE copies SET id = id + i, username = username || i, username_key = username_key || i, sub_id = sub_id || i,
			vless_id = printf('%%08d-0000-4000-8000-000000000000', i), vmess_id = printf('%%08d-0000-4000-8000-000000000000', i),
			trojan_password = trojan_password || i, shadowsocks_password = shadowsocks_password || i, hysteria_auth = hysteria_auth || i;
		ALTER TABLE copies DROP COLUMN i;
		INSERT INTO users SELECT * FROM copies;
		INSERT INTO user_traffic (user_id, up, down, lifetime_up, lifetime_down, online_at) SELECT id, 0, 0, 0, 0, 0 FROM copies;
		INSERT INTO user_inbounds (user_id, inbound_id) SELECT id, 1 FROM copies;
		DROP TABLE copies`, n))
}

// TestXUIManyClients reads an inbound with 40,000 clients: all are there, and the server never holds them all.
func TestXUIManyClients(t *testing.T) {
	const users = 40_000
	b := newBench(t)
	b.inbound(1)
	b.client("alice")
	b.copies(users - 1)
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, b.url+"/panel/api/inbounds/list", nil)
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Authorization", "Bearer "+b.admin)
	before := heap()
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = resp.Body.Close() }()
	var held []uint64 // samples: one alone may count what is garbage a moment later
	var size int64
	clients := 0
	buf := make([]byte, 1<<20)
	for n := 0; err == nil; {
		n, err = io.ReadFull(resp.Body, buf)
		size += int64(n)
		clients += bytes.Count(buf[:n], []byte(`{"id":"`))
		if err != nil && !bytes.HasSuffix(buf[:n], []byte("}]}}]}\n")) {
			t.Errorf("ends with %q, %v", buf[max(0, n-100):n], err)
		}
		now := heap()
		held = append(held, now-min(before, now))
	}
	slices.Sort(held)
	usual := held[len(held)/2]
	t.Logf("%d bytes, of which %d were held, %d at most", size, usual, held[len(held)-1])
	if size < users*300 || clients < users-40 { // an id that lies on the border of two parts is not seen
		t.Errorf("%d bytes with %d clients", size, clients)
	}
	if usual > uint64(size) { // who held all clients would hold several times that
		t.Errorf("%d of %d bytes were held", usual, size)
	}
}

// heap is how many bytes are in use.
func heap() uint64 {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.HeapAlloc
}
