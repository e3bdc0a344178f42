package httpapi

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
)

// hostJSON is a host of an inbound with nothing but a remark; changes are old and new parts of it in turn.
func hostJSON(id int, remark, tag string, changes ...string) string {
	text := fmt.Sprintf(`{"id":%d,"remark":%q,"priority":0,"address":[],"inbound_tag":%q,"port":null,"sni":[],"host":[],"path":null,`+
		`"security":"inbound_default","alpn":[],"fingerprint":"","allowinsecure":false,"is_disabled":false,"use_sni_as_host":false,"status":[]}`, id, remark, tag)
	return strings.NewReplacer(changes...).Replace(text)
}

const (
	wholeHost = `{"remark":"{USERNAME}","priority":-2,"address":["a.example.com","*.b.example.com"],"inbound_tag":%q,"port":8443,` +
		`"sni":["s.example.com"],"host":["h.example.com"],"path":"/p","security":"tls","alpn":["h2","http/1.1"],"fingerprint":"chrome",` +
		`"allowinsecure":true,"is_disabled":true,"use_sni_as_host":true,"status":["active","on_hold"]%s}`
	hostExtras = `,"mux_settings":{"xray":{"concurrency":8}},"random_user_agent":true`
)

func TestPGHosts(t *testing.T) {
	b := newBench(t)
	tags := b.threeInbounds()
	b.run(t, b.url, []scenario{b.operator("none", http.MethodGet, "/hosts", "", 200, `[]`)})
	post := func(path, body, want string) {
		t.Helper()
		if got := b.pg(http.MethodPost, path, body, 201); got != want {
			t.Errorf("made %s\nwant %s", got, want)
		}
	}
	least := func(remark string, priority int) string {
		return fmt.Sprintf(`{"remark":%q,"priority":%d,"inbound_tag":%q}`, remark, priority, tags[0])
	}
	plain := hostJSON(1, "plain", tags[0])
	post("/host/", least("plain", 0), plain)
	whole := strings.Replace(fmt.Sprintf(wholeHost, tags[1], hostExtras), "{", `{"id":2,`, 1)
	post("/host", fmt.Sprintf(wholeHost, tags[1], `,"random_user_agent":true,"mux_settings":{"xray": {"concurrency":8}},"noise_settings":null`), whole)
	third := hostJSON(3, "third", tags[0], `"priority":0`, `"priority":-1`)
	post("/host", least("third", -1), third)
	put := func(name, path, body, want string) scenario {
		return b.operator(name, http.MethodPut, path, body, 200, want)
	}
	b.run(t, b.url, []scenario{
		b.operator("by priority", http.MethodGet, "/hosts", "", 200, "["+whole+","+third+","+plain+"]"),
		b.operator("page", http.MethodGet, "/hosts?offset=1&limit=1", "", 200, "["+third+"]"),
		b.operator("get", http.MethodGet, "/host/2", "", 200, whole),
		put("nothing", "/host/2", `{}`, whole),
		put("itself", "/host/2", whole, whole),
		put("plain itself", "/host/1", plain, plain),
	})
	for _, c := range []struct{ name, body, old, new string }{
		{"remark", `{"remark":"other"}`, `{USERNAME}`, `other`},
		{"no addresses", `{"address":null}`, `["a.example.com","*.b.example.com"]`, `[]`},
		{"addresses", `{"address":["c.example.com"]}`, `"address":[]`, `"address":["c.example.com"]`},
		{"no port", `{"port":null}`, `8443`, `null`},
		{"security of the inbound", `{"security":"inbound_default"}`, `"tls"`, `"inbound_default"`},
		{"no path", `{"path":null}`, `"/p"`, `null`},
		{"inbound", fmt.Sprintf(`{"inbound_tag":%q}`, tags[2]), tags[1], tags[2]},
		{"for everyone", `{"status":[]}`, `["active","on_hold"]`, `[]`},
		{"an extra", `{"random_user_agent":false}`, `"random_user_agent":true`, `"random_user_agent":false`},
		{"no extra", `{"mux_settings":null}`, `"mux_settings":{"xray":{"concurrency":8}},`, ``},
		{"enabled", `{"is_disabled":false}`, `"is_disabled":true`, `"is_disabled":false`},
	} {
		t.Run(c.name, func(t *testing.T) {
			b.t = t
			want := strings.Replace(whole, c.old, c.new, 1)
			if whole == want {
				t.Fatalf("%s is not in %s", c.old, whole)
			}
			if whole = b.pg(http.MethodPut, "/host/2", c.body, 200); whole != want {
				t.Errorf("got  %s\nwant %s", whole, want)
			}
		})
	}
	b.t = t
	b.pg(http.MethodDelete, "/host/1", "", http.StatusNoContent)
	b.run(t, b.url, []scenario{
		b.operator("gone", http.MethodGet, "/host/1", "", 404, detail("Host not found")),
		b.operator("delete again", http.MethodDelete, "/host/1", "", 404, detail("Host not found")),
	})
	list := fmt.Sprintf(`[{"id":3,"remark":"replaced","priority":5,"inbound_tag":%q},{"remark":"new","priority":4,"inbound_tag":%q}]`, tags[0], tags[0])
	got := b.pg(http.MethodPut, "/hosts", list, 200)
	want := "[" + whole + "," + hostJSON(4, "new", tags[0], `"priority":0`, `"priority":4`) + "," + hostJSON(3, "replaced", tags[0], `"priority":0`, `"priority":5`) + "]"
	if got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
}

// Links carry what the hosts of an inbound say.
func TestPGHostsInLinks(t *testing.T) {
	b := newBench(t)
	b.inbound(1)
	b.client("alice")
	b.pg(http.MethodPost, "/host", fmt.Sprintf(`{"remark":"via {USERNAME}","priority":0,"inbound_tag":%q,"address":["cdn.example.com"],"port":8443}`, b.tag(1)), 201)
	if got := b.read("/clients/links/alice"); !strings.Contains(got, "@cdn.example.com:8443?") {
		t.Errorf("links are %s", got)
	}
	b.pg(http.MethodPut, "/host/1", `{"is_disabled":true}`, 200)
	if got := b.read("/clients/links/alice"); strings.Contains(got, "cdn.example.com") {
		t.Errorf("with the host disabled links are %s", got)
	}
}

func TestPGBadHosts(t *testing.T) {
	b := newBench(t)
	b.inbound(1)
	tag := b.tag(1)
	b.pg(http.MethodPost, "/host", fmt.Sprintf(`{"remark":"plain","priority":0,"inbound_tag":%q}`, tag), 201)
	var scenarios []scenario
	create := func(name, body string, status int, want string) {
		scenarios = append(scenarios, b.operator(name, http.MethodPost, "/host", body, status, want))
		scenarios = append(scenarios, b.operator("in a list: "+name, http.MethodPut, "/hosts", "["+body+"]", status, ""))
	}
	both := func(name, field string, status int, want string) {
		whole := fmt.Sprintf(`{"remark":"r","priority":0,"inbound_tag":%q,%s}`, tag, field)
		if strings.HasPrefix(field, `"remark"`) {
			whole = strings.Replace(whole, `"remark":"r",`, "", 1)
		}
		create(name, whole, status, want)
		scenarios = append(scenarios, b.operator("PUT: "+name, http.MethodPut, "/host/1", "{"+field+"}", status, want))
	}
	create("nothing", `{}`, 422, fields("inbound_tag", "Field required", "priority", "Field required", "remark", "Field required"))
	both("no remark", `"remark":""`, 422, fields("remark", "Remark cannot be empty"))
	both("remark null", `"remark":null`, 422, fields("remark", "Remark cannot be empty"))
	both("unknown inbound", `"inbound_tag":"nowhere"`, 400, detail("nowhere not found"))
	both("port", `"port":65536`, 422, fields("port", "port must be between 1 and 65535, or 0 for the inbound's"))
	both("port of digits", `"port":"443"`, 422, fields("port", "Must be integer"))
	both("security", `"security":"reality"`, 422, fields("security", "Input should be 'inbound_default', 'none' or 'tls'"))
	both("status of another type", `"status":"active"`, 422, fields("status", "Input should be a valid list"))
	both("unknown status", `"status":["gone"]`, 422, fields("status[0]", "status[0] must be one of active, on_hold, limited, expired, disabled"))
	both("address of another type", `"address":"a.example.com"`, 422, fields("address", "Input should be a valid list"))
	both("no address", `"address":["a b"]`, 422, fields("address[0]", "address[0] must not be empty or contain spaces"))
	scenarios = append(
		scenarios,
		b.operator("a list that is none", http.MethodPut, "/hosts", `{}`, 422, fields("body", "Input should be a valid list")),
		b.operator("unknown", http.MethodPut, "/host/9", `{}`, 404, detail("Host not found")),
		b.operator("no id", http.MethodGet, "/host/x", "", 422, fields("host_id", "Must be integer")),
	)
	b.run(t, b.url, scenarios)
}
