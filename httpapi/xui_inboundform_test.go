package httpapi

import (
	"bytes"
	"fmt"
	"mime/multipart"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/sluicehq/sluice/kernel/core/coretest"
)

// The types of forms.
const (
	urlForm       = "application/x-www-form-urlencoded"
	multipartForm = "multipart/form-data; boundary=b"
)

// form is a request of the sudo admin with a form, as 3x-ui's own page sends them.
func (b *bench) form(name, path string, values url.Values, want string) scenario {
	s := b.scenario(name, http.MethodPost, path, values.Encode(), want)
	s.req.headers = map[string]string{"Content-Type": urlForm}
	return s
}

// parts writes values as a multipart form does.
func parts(t *testing.T, values url.Values) string {
	t.Helper()
	var text bytes.Buffer
	w := multipart.NewWriter(&text)
	if err := w.SetBoundary("b"); err != nil {
		t.Fatal(err)
	}
	for name := range values {
		if err := w.WriteField(name, values.Get(name)); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return text.String()
}

// TestXUIInboundForms sends the same inbound in every form of a request: the answers differ in nothing but ids.
func TestXUIInboundForms(t *testing.T) {
	b := newBench(t)
	port := coretest.FreePort(t)
	const settings, stream, sniffing = `{"decryption":"none","clients":[]}`, `{"network":"ws","wsSettings":{"path":"/a&b=c+d%"}}`, `{"enabled":true}`
	values := url.Values{
		"up": {"0"}, "down": {"0"}, "total": {"1000"}, "remark": {"a b+c&d=é"}, "enable": {"true"}, "expiryTime": {"1900000000000"},
		"listen": {"127.0.0.1"}, "port": {fmt.Sprint(port)}, "protocol": {"vless"}, "tag": {""}, "shareAddr": {"example.com"}, "anonymous": {"false"},
		"settings": {settings}, "streamSettings": {stream}, "sniffing": {sniffing}, "trafficReset": {"never"}, "clientStats": {""}, "nodeId": {""},
	}
	body := fmt.Sprintf(`{"up":0,"down":0,"total":1000,"remark":"a b+c&d=é","enable":true,"expiryTime":1900000000000,"listen":"127.0.0.1",`+
		`"port":%d,"protocol":"vless","tag":"","shareAddr":"example.com","anonymous":false,"settings":%s,"streamSettings":%s,"sniffing":%s,`+
		`"trafficReset":"never","clientStats":[],"nodeId":null}`, port, settings, stream, sniffing)
	want := fmt.Sprintf(`,"remark":"a b+c&d=é","enable":true,"listen":"127.0.0.1","port":%d,"protocol":"vless","tag":"in-%d-tcp","shareAddr":"example.com",`+
		`"anonymous":false,"up":0,"down":0,"total":1000,"expiryTime":1900000000000,"clientStats":[],"streamSettings":%s,"sniffing":%s,"problem":"",`+
		`"settings":{"decryption":"none"}}}`, port, port, stream, sniffing)
	for i, c := range []struct{ name, kind, body string }{
		{"JSON", "application/json", body},
		{"JSON of no type", "", body},
		{"JSON as curl -d sends it", urlForm, " \n" + body},
		{"JSON with the type of parts", multipartForm, body},
		{"form", urlForm, values.Encode()},
		{"form in UTF-8", urlForm + "; charset=UTF-8", values.Encode()},
		{"parts", multipartForm, parts(t, values)},
	} {
		t.Run(c.name, func(t *testing.T) {
			req := httpRequest{method: http.MethodPost, path: "/panel/api/inbounds/add", token: b.admin, body: c.body, headers: map[string]string{}}
			if c.kind != "" {
				req.headers["Content-Type"] = c.kind
			}
			status, _, got := req.send(t, b.url)
			if full := fmt.Sprintf(`{"success":true,"msg":"Inbound added","obj":{"id":%d%s}`+"\n", i+1, strings.TrimSuffix(want, "}")); status != http.StatusOK || got != full {
				t.Fatalf("answers %d %s\nwant %s", status, got, full)
			}
			changed := b.changes()
			req.path = fmt.Sprintf("/panel/api/inbounds/update/%d", i+1)
			if _, _, got := req.send(t, b.url); !strings.HasPrefix(got, `{"success":true,"msg":"Inbound updated"`) || b.changes() != changed {
				t.Errorf("sent once more it makes change %d: %s", b.changes(), got)
			}
			b.panel(http.MethodPost, fmt.Sprintf("/inbounds/del/%d", i+1), "")
		})
	}
}

// A form is as partial as JSON is, and an empty value is what 3x-ui takes it for.
func TestXUIInboundFormUpdates(t *testing.T) {
	b := newBench(t)
	port := b.inbound(1)
	send := func(path, body string) {
		t.Helper()
		req := httpRequest{method: http.MethodPost, path: "/panel/api/inbounds/" + path, token: b.admin, body: body, headers: map[string]string{"Content-Type": urlForm}}
		if _, _, got := req.send(t, b.url); !strings.HasPrefix(got, `{"success":true,"msg":"Inbound updated",`) {
			t.Fatalf("%s with %s answers %s", path, body, got)
		}
	}
	wants := func(has string) {
		t.Helper()
		if got := b.inbound1(); !strings.Contains(got, has) {
			t.Errorf("%s\nhas no %s", got, has)
		}
	}
	listens := func(want bool) {
		t.Helper()
		if coretest.Reachable(fmt.Sprintf("127.0.0.1:%d", port)) != want {
			t.Errorf("the inbound listens: %t", !want)
		}
	}
	send("update/1", "total=+7+&expiryTime=1900000000000")
	wants(`"remark":"demo"`)
	wants(`"total":7,"expiryTime":1900000000000`)
	send("update/1", "total=&remark=")
	wants(`"remark":""`)
	wants(`"total":0,"expiryTime":1900000000000`)
	send("setEnable/1", "enable=false")
	listens(false)
	send("setEnable/1", "enable=1")
	listens(true)
	send("setEnable/1", "enable=")
	listens(false)
	send("update/1", "enable=true")
	listens(true)
	send("setEnable/1", "id=1")
	listens(false)
}

func TestXUIBadForms(t *testing.T) {
	b := newBench(t)
	b.inbound(1)
	long := strings.Repeat("x", 257)
	bad := func(name, kind, body, sentence string) scenario {
		s := b.scenario(name, http.MethodPost, "/inbounds/update/1", body, envelope(sentence))
		s.req.headers = map[string]string{"Content-Type": kind}
		return s
	}
	const invalid = "the request body is not a valid form: "
	b.run(t, b.url, []scenario{
		bad("bad percent", urlForm, "port=%zz", invalid+`invalid URL escape "%zz"`),
		bad("a field twice", urlForm, "port=1&port=2", "port is given more than once"),
		bad("a part twice", multipartForm, "--b\r\nContent-Disposition: form-data; name=\"tag\"\r\n\r\na\r\n--b\r\nContent-Disposition: form-data; name=\"tag\"\r\n\r\nb\r\n--b--\r\n", "tag is given more than once"),
		bad("no boundary", "multipart/form-data", "--b\r\n", invalid+"multipart: boundary is empty"),
		bad("parts cut off", multipartForm, "--b\r\nContent-Disposition: form-data; name=\"port\"\r\n\r\n1", invalid+"unexpected EOF"),
		bad("no part", multipartForm, "x", invalid+"multipart: NextPart: EOF"),
		bad("a file is a value", multipartForm, "--b\r\nContent-Disposition: form-data; name=\"remark\"; filename=\"r.txt\"\r\n\r\n"+long+"\r\n--b--\r\n", "remark is longer than 256 bytes"),
		bad("no form", "text/plain", "port=1", "the request body is not valid JSON: invalid character 'p' looking for beginning of value"),
	})
	client := b.scenario("a form for a client", http.MethodPost, "/clients/update/a", "enable=true", envelope("the request body is not valid JSON: invalid character 'e' looking for beginning of value"))
	client.req.headers = map[string]string{"Content-Type": urlForm}
	packed := bad("what is packed stays packed", urlForm, "\x1f\x8b\x08\x00", "the request body is not valid JSON: invalid character '\\x1f' looking for beginning of value")
	packed.req.headers = map[string]string{"Content-Type": "application/json", "Content-Encoding": "gzip"}
	b.run(t, b.url, []scenario{client, packed})
}
