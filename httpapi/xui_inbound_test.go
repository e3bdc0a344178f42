package httpapi

import (
	"fmt"
	"net"
	"net/http"
	"strings"
	"testing"

	"github.com/sluicehq/sluice/kernel/core/coretest"
)

// inbound1 is inbound 1 as get shows it.
func (b *bench) inbound1() string {
	b.t.Helper()
	return b.panel(http.MethodGet, "/inbounds/get/1", "")
}

// inboundJSON is a VLESS inbound of the bench as a write answers it.
func inboundJSON(id, port int) string {
	return fmt.Sprintf(`{"id":%d,"remark":"demo","enable":true,"listen":"127.0.0.1","port":%d,"protocol":"vless",`+
		`"tag":"in-%d-tcp","shareAddr":"","anonymous":false,"up":0,"down":0,"total":0,"expiryTime":0,"clientStats":[],`+
		`"streamSettings":null,"sniffing":null,"problem":"","settings":{"decryption":"none"}}`, id, port, port)
}

// TestXUIAddInbound sends the JSON parts as objects, as 3x-ui's page does as text, and not at all.
func TestXUIAddInbound(t *testing.T) {
	b := newBench(t)
	for i, parts := range []string{
		`"settings":{"decryption":"none","clients":[]},"streamSettings":{"network":"ws"},"sniffing":{"enabled":true}`,
		`"settings":"{\"decryption\":\"none\",\"clients\":null}","streamSettings":"{\"network\":\"ws\"}","sniffing":"{\"enabled\":true}"`,
	} {
		port := coretest.FreePort(t)
		got := b.panel(http.MethodPost, "/inbounds/add", fmt.Sprintf(
			`{"remark":"demo","listen":"127.0.0.1","port":%d,"protocol":"vless","enable":true,"up":0,"total":0,%s}`, port, parts))
		want := strings.NewReplacer(`"streamSettings":null`, `"streamSettings":{"network":"ws"}`, `"sniffing":null`, `"sniffing":{"enabled":true}`).
			Replace(inboundJSON(i+1, port))
		if strings.TrimSpace(got) != success("Inbound added", want) {
			t.Errorf("added %s\nwant  %s", got, want)
		}
		if !coretest.Reachable(fmt.Sprintf("127.0.0.1:%d", port)) {
			t.Errorf("inbound %d does not listen", i+1)
		}
	}
	port := coretest.FreePort(t)
	got := b.panel(http.MethodPost, "/inbounds/add", fmt.Sprintf(
		`{"tag":"off","listen":"127.0.0.1","port":%d,"protocol":"trojan","enable":false,"shareAddr":"example.com","anonymous":true,"streamSettings":"","sniffing":null}`, port))
	want := fmt.Sprintf(`{"id":3,"remark":"","enable":false,"listen":"127.0.0.1","port":%d,"protocol":"trojan","tag":"off",`+
		`"shareAddr":"example.com","anonymous":true,"up":0,"down":0,"total":0,"expiryTime":0,"clientStats":[],`+
		`"streamSettings":null,"sniffing":null,"problem":"","settings":{}}`, port)
	if strings.TrimSpace(got) != success("Inbound added", want) {
		t.Errorf("added %s\nwant  %s", got, want)
	}
	if coretest.Reachable(fmt.Sprintf("127.0.0.1:%d", port)) {
		t.Error("a disabled inbound listens")
	}
}

func TestXUIUpdateInbound(t *testing.T) {
	b := newBench(t)
	port := b.inbound(1)
	b.client("alice")
	other := coretest.FreePort(t)
	for _, c := range []struct {
		name, path, body string
		has              string
		listens          int // the port that serves afterwards, 0 = none
	}{
		{"nothing", "update/1", `{}`, `"remark":"demo"`, port},
		{"a remark", "update/1", `{"remark":"new"}`, fmt.Sprintf(`"remark":"new","enable":true,"listen":"127.0.0.1","port":%d`, port), port},
		{"another port", "update/1", fmt.Sprintf(`{"port":%d}`, other), fmt.Sprintf(`"port":%d`, other), other},
		{"another transport, as text", "update/1", `{"streamSettings":"{\"network\":\"ws\"}"}`, `"streamSettings":{"network":"ws"}`, other},
		{"the transport is cleared", "update/1", `{"streamSettings":null,"remark":null}`, `"streamSettings":null`, other},
		{"null is no change here", "update/1", `{"enable":null,"listen":"127.0.0.1","protocol":null,"tag":null,"shareAddr":null,"anonymous":null,"total":null,"expiryTime":null,"sniffing":null}`, `"enable":true`, other},
		{"a time that is over", "update/1", `{"expiryTime":1}`, `"expiryTime":1,"clientStats":[],"streamSettings":null,"sniffing":null,"problem":"it has expired"`, 0},
		{"no end of time", "update/1", `{"expiryTime":0}`, `"expiryTime":0,"clientStats":[],"streamSettings":null,"sniffing":null,"problem":"","settings":{"decryption":"none","clients":[{`, other},
		{"off", "setEnable/1", `{"enable":false}`, `"enable":false`, 0},
		{"still off", "setEnable/1", `{}`, `"enable":false`, 0},
		{"on", "setEnable/1", `{"enable":true}`, `"enable":true`, other},
		{"everything sent back is no change", "update/1", "", `"enable":true`, other},
	} {
		t.Run(c.name, func(t *testing.T) {
			before := b.changes()
			if c.body == "" {
				c.body = b.panel(http.MethodPost, "/inbounds/update/1", "{}") // as a write answers: without its clients
				c.body = c.body[strings.Index(c.body, `"obj":`)+len(`"obj":`) : strings.LastIndex(c.body, "}")]
			}
			if got := b.panel(http.MethodPost, "/inbounds/"+c.path, c.body); !strings.HasPrefix(got, `{"success":true,"msg":"Inbound updated",`) {
				t.Fatalf("answers %s", got)
			}
			if got := b.inbound1(); !strings.Contains(got, c.has) {
				t.Errorf("%s has no %s", got, c.has)
			}
			for _, p := range []int{port, other} {
				if coretest.Reachable(fmt.Sprintf("127.0.0.1:%d", p)) != (p == c.listens) {
					t.Errorf("port %d is open: %t", p, p != c.listens)
				}
			}
			if same := strings.Contains(c.name, "nothing") || strings.Contains(c.name, "no change") || strings.Contains(c.name, "still"); same != (b.changes() == before) {
				t.Errorf("changes %d and %d", before, b.changes())
			}
		})
	}
	if got := b.panel(http.MethodGet, "/clients/get/alice", ""); !strings.Contains(got, `"inboundIds":[1]`) {
		t.Errorf("alice is %s", got)
	}
}

func TestXUIInboundTraffic(t *testing.T) {
	b := newBench(t)
	port := b.inbound(1)
	b.client("alice")
	b.exec("UPDATE inbounds SET up = 60, down = 40 WHERE id = 1")
	update := func(body string) { b.panel(http.MethodPost, "/inbounds/update/1", body) }
	update(`{"total":100}`)
	serves := func(want bool, has string) {
		t.Helper()
		if got := b.inbound1(); !strings.Contains(got, has) || coretest.Reachable(fmt.Sprintf("127.0.0.1:%d", port)) != want {
			t.Errorf("%s, want %s and a port that is open: %t", got, has, want)
		}
	}
	serves(false, `"problem":"its quota is used up"`)
	update(`{"total":101}`)
	serves(true, `"up":60,"down":40,"total":101`)
	update(`{"total":100}`)
	b.do("/inbounds/1/resetTraffic", "", "")
	serves(true, `"up":0,"down":0,"total":100`)
}

func TestXUIUpdateInboundRefuses(t *testing.T) {
	b := newBench(t)
	b.inbound(1)
	used := b.inbound(2)
	foreign, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = foreign.Close() }()
	taken := foreign.Addr().(*net.TCPAddr).Port
	update := func(name, body, sentence string) scenario {
		return b.scenario(name, http.MethodPost, "/inbounds/update/1", body, envelope(sentence))
	}
	b.run(t, b.url, []scenario{
		b.scenario("unknown", http.MethodPost, "/inbounds/update/9", `{"remark":"x"}`, envelope("inbound not found")),
		b.scenario("unknown to open", http.MethodPost, "/inbounds/setEnable/9", `{"enable":true}`, envelope("inbound not found")),
		b.scenario("unknown to reset", http.MethodPost, "/inbounds/9/resetTraffic", "", envelope("inbound not found")),
		b.scenario("enable text", http.MethodPost, "/inbounds/setEnable/1", `{"enable":"yes"}`, envelope("enable must be a boolean")),
		update("no body", "", "request body is required"),
		update("port of another", fmt.Sprintf(`{"port":%d}`, used), fmt.Sprintf(`port %d is already used by inbound "in-%d-tcp" (#2)`, used, used)),
		update("port of another program", fmt.Sprintf(`{"port":%d}`, taken), fmt.Sprintf("port %d can not be listened on at 127.0.0.1: it is in use, or not allowed", taken)),
		update("tag of another", fmt.Sprintf(`{"tag":"in-%d-tcp"}`, used), fmt.Sprintf("tag already in use: in-%d-tcp", used)),
	})
}
