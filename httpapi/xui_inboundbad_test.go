package httpapi

import (
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"

	"github.com/sluicehq/sluice/kernel/core/coretest"
)

// badInbound is one field of an inbound that can not be what it was given.
type badInbound struct {
	name     string
	field    string
	value    string // as JSON has it
	form     string // as a form has it; "" = a form can not say this
	sentence string
}

const (
	notAnObject = " must be a JSON object, or a string that holds one"
	huge        = "99999999999999999999"
)

// badInbounds are every field with every kind of value that it can not have.
func badInbounds() []badInbound {
	var list []badInbound
	wrong := func(field, kind string, values ...string) {
		for _, v := range values {
			list = append(list, badInbound{field + " " + v, field, v, "", field + " must be " + kind})
		}
	}
	for _, field := range []string{"remark", "listen", "protocol", "tag", "shareAddr"} {
		wrong(field, "a string", "7", "true", "[]", "{}")
	}
	for _, field := range []string{"port", "total", "expiryTime"} {
		wrong(field, "an integer", `"443"`, "1.5", "true", "[]", "{}")
		list = append(list,
			badInbound{field + " of a form", field, `"x"`, "x", field + " must be an integer"},
			badInbound{field + " with a fraction", field, `"1.5"`, "1.5", field + " must be an integer"},
			badInbound{field + " too large for a form", field, `"` + huge + `"`, huge, field + " must be an integer"},
			badInbound{field + " too large", field, huge, "", field + " is out of range: " + huge},
		)
	}
	for _, field := range []string{"enable", "anonymous"} {
		wrong(field, "a boolean", `"true"`, "7", "[]", "{}")
		list = append(list, badInbound{field + " of a form", field, `"yes"`, "yes", field + " must be a boolean"})
	}
	for _, field := range []string{"settings", "streamSettings", "sniffing"} {
		for _, v := range []string{"7", "true", "[]", `"{"`, `"[]"`, `"7"`} {
			list = append(list, badInbound{field + " " + v, field, v, strings.Trim(v, `"`), field + notAnObject})
		}
	}
	return append(list, []badInbound{
		{"port below 0", "port", "-1", "-1", "port must be between 1 and 65535"},
		{"port 0", "port", "0", "0", "port must be between 1 and 65535"},
		{"no port", "port", "null", "", "port must be between 1 and 65535"},
		{"empty port", "port", "0", " ", "port must be between 1 and 65535"},
		{"port 65536", "port", "65536", "65536", "port must be between 1 and 65535"},
		{"total below 0", "total", "-1", "-1", "total must not be negative"},
		{"expiryTime below 0", "expiryTime", "-1", "-1", "expiryTime must not be negative"},
		{"protocol unknown", "protocol", `"gopher"`, "gopher", `protocol "gopher" is not served: use vless, vmess, trojan, shadowsocks or hysteria`},
		{"protocol wireguard", "protocol", `"wireguard"`, "wireguard", "protocol wireguard is not served yet"},
		{"listen on a name", "listen", `"localhost"`, "localhost", "listen must be an IP address, or empty for all"},
		{"remark with NUL", "remark", `"a\u0000"`, "a\x00", "remark must not contain control characters"},
		{"remark too long", "remark", `"` + strings.Repeat("a", 257) + `"`, strings.Repeat("a", 257), "remark is longer than 256 bytes"},
		{"tag with NUL", "tag", `"a\u0000"`, "a\x00", "tag must not be empty and must not contain >>> or control characters"},
		{"tag too long", "tag", `"` + strings.Repeat("a", 257) + `"`, strings.Repeat("a", 257), "tag is longer than 256 bytes"},
		{"share address with a port", "shareAddr", `"example.com:443"`, "example.com:443", "shareAddr must be a host name or an IP address, without a port"},
		{"email of one client", "settings", `{"clients":[{"email":"a b"}]}`, `{"clients":[{"email":"a b"}]}`, `settings.clients[0].email must not contain spaces, control characters, / or \`},
		{"period of one user", "settings", `{"users":[{"email":"a"},{"email":"b","trafficResetDay":32}]}`, `{"users":[{"email":"a"},{"email":"b","trafficResetDay":32}]}`, "settings.clients[1].trafficResetDay must be between 0 and 31"},
		{"clients a number", "settings", `{"clients":7}`, `{"clients":7}`, "settings.clients must be an array"},
		{"clients an object", "settings", `{"clients":{}}`, `{"clients":{}}`, "settings.clients must be an array"},
		{"client null", "settings", `{"clients":[null]}`, `{"clients":[null]}`, "settings.clients[0] must be an object"},
		{"client text", "settings", `{"clients":[{},"a"]}`, `{"clients":[{},"a"]}`, "settings.clients[1] must be an object"},
		{"email of a client", "settings", `{"clients":[{},{"email":7}]}`, `{"clients":[{},{"email":7}]}`, "settings.clients[1].email must be a string"},
		{"quota of a client", "settings", `{"clients":[{"totalGB":"7"}]}`, `{"clients":[{"totalGB":"7"}]}`, "settings.clients[0].totalGB must be an integer"},
	}...)
}

// TestXUIBadInbound sends every bad value to add and to update, in JSON and in a form: one sentence each, the same ones.
func TestXUIBadInbound(t *testing.T) {
	b := newBench(t)
	b.inbound(1)
	for _, path := range []string{"/inbounds/add", "/inbounds/update/1"} {
		var scenarios []scenario
		for _, bad := range badInbounds() {
			fields := map[string]string{"protocol": `"vless"`, "listen": `"127.0.0.1"`, "port": fmt.Sprint(coretest.FreePort(t)), "settings": `{"decryption":"none"}`}
			fields[bad.field] = bad.value
			var members []string
			form := url.Values{}
			for _, name := range slices.Sorted(maps.Keys(fields)) {
				members = append(members, fmt.Sprintf("%q:%s", name, fields[name]))
				form.Set(name, strings.Trim(fields[name], `"`))
			}
			scenarios = append(scenarios, b.scenario(path+" "+bad.name, http.MethodPost, path, "{"+strings.Join(members, ",")+"}", envelope(bad.sentence)))
			if bad.form != "" {
				form.Set(bad.field, bad.form)
				scenarios = append(scenarios, b.form(path+" form "+bad.name, path, form, envelope(bad.sentence)))
			}
		}
		b.run(t, b.url, scenarios)
	}
}

// Bodies and paths that are wrong as a whole.
func TestXUIBadInboundRequests(t *testing.T) {
	b := newBench(t)
	port := b.inbound(1)
	post := func(name, path, body, sentence string) scenario {
		return b.scenario(name, http.MethodPost, "/inbounds/"+path, body, envelope(sentence))
	}
	taken := fmt.Sprintf(`port %d is already used by inbound "in-%d-tcp" (#1)`, port, port)
	vless := fmt.Sprintf(`{"protocol":"vless","listen":"127.0.0.1","settings":{"decryption":"none"},"port":%d`, coretest.FreePort(t))
	certificate := `,"streamSettings":{"security":"tls","tlsSettings":{"certificates":[{"certificateFile":"/etc/passwd","keyFile":"/etc/passwd"}]}}}`
	list := []scenario{
		post("port in use", "add", fmt.Sprintf(`{"protocol":"vless","port":%d,"settings":{"decryption":"none"}}`, port), taken),
		post("tag in use", "add", vless+fmt.Sprintf(`,"tag":"in-%d-tcp"}`, port), fmt.Sprintf("tag already in use: in-%d-tcp", port)),
		post("enable text", "setEnable/1", `{"enable":"yes"}`, "enable must be a boolean"),
		post("enable number", "setEnable/1", `{"enable":1}`, "enable must be a boolean"),
		{
			name: "a file elsewhere", has: []string{`{"success":false,"msg":"streamSettings.tlsSettings.certificates[0].certificateFile `},
			req: httpRequest{method: http.MethodPost, path: "/panel/api/inbounds/add", token: b.admin, body: vless + certificate},
		},
	}
	for _, path := range []string{"add", "update/1", "setEnable/1"} {
		list = append(list,
			post(path+" no body", path, "", "request body is required"),
			post(path+" cut off", path, `{"port":`, "the request body is not valid JSON: unexpected end of JSON input"),
			post(path+" null", path, "null", "the request body must be an object"),
			post(path+" list", path, "[]", "the request body must be an object"),
			post(path+" a form that is not called one", path, "port=1", "the request body is not valid JSON: invalid character 'p' looking for beginning of value"),
		)
	}
	for _, path := range []string{"update/", "setEnable/", "del/"} {
		list = append(list,
			post(path+" 0", path+"0", "{}", "id must be a number >= 1"),
			post(path+" x", path+"x", "{}", "id must be an integer"),
			post(path+" 2^70", path+"1180591620717411303424", "{}", "id must be an integer"),
			post(path+" unknown", path+"9", `{"remark":"x","enable":true}`, "inbound not found"),
		)
	}
	b.run(t, b.url, list)
}
