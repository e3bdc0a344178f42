package httpapi

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/sluicehq/sluice/kernel/core/coretest"
)

// pageExamples are the requests and answers of the API reference, by route.
func pageExamples(t testing.TB) map[string]struct{ Request, Response json.RawMessage } {
	t.Helper()
	all := map[string]struct{ Request, Response json.RawMessage }{}
	files, err := filepath.Glob("xui/examples/*.json")
	if err != nil || len(files) == 0 {
		t.Fatalf("no examples: %v", err)
	}
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err == nil {
			err = json.Unmarshal(text, &all)
		}
		if err != nil {
			t.Fatalf("%s: %v", file, err)
		}
	}
	return all
}

// misfits are the places at which got has not what an example has: a member, a type, a list that is not empty. With
// anyKey the names of an object's members are only examples too.
func misfits(at string, example, got any, anyKey bool) (faults []string) {
	if example == nil {
		return nil // of any type, or none
	}
	if fmt.Sprintf("%T", example) != fmt.Sprintf("%T", got) {
		return []string{fmt.Sprintf("%s is %T, want %T", at, got, example)}
	}
	switch example := example.(type) {
	case map[string]any:
		members := got.(map[string]any)
		for key, value := range example {
			member, ok := members[key]
			if anyKey && !ok {
				for _, member = range members {
					ok = true
				}
			}
			if !ok {
				faults = append(faults, at+" has no "+key)
				continue
			}
			faults = append(faults, misfits(at+"."+key, value, member, anyKey)...)
		}
	case []any:
		items := got.([]any)
		if len(example) > 0 && len(items) == 0 {
			faults = append(faults, at+" is empty")
		}
		if len(example) > 0 && len(items) > 0 {
			faults = misfits(at+"[0]", example[0], items[0], anyKey)
		}
	}
	return faults
}

// online connects a client through inbound id on a port, and keeps the connection open until the test ends.
func (b *bench) online(name, id string, port int) {
	b.t.Helper()
	proxy := coretest.HTTP(b.t, coretest.Client(b.t, fmt.Sprintf(
		`{"protocol":"vless","settings":{"vnext":[{"address":"127.0.0.1","port":%d,"users":[{"id":%q,"encryption":"none"}]}]}}`, port, id)))
	resp, err := proxy.Get(coretest.Origin(b.t).URL + "/hold")
	if err != nil {
		b.t.Fatal(err)
	}
	b.t.Cleanup(func() { _ = resp.Body.Close() })
	coretest.Eventually(b.t, name+" is online", func() bool {
		return strings.Contains(b.post("/clients/onlines", ""), fmt.Sprintf("%q", name))
	})
}

// reachLoopback lets clients of the core reach this machine.
func (b *bench) reachLoopback() {
	b.t.Helper()
	err := b.kernel.Accounts.SetCoreConfig(b.t.Context(), `{"outbounds":[{"protocol":"freedom","settings":{"finalRules":[{"action":"allow"}]}}]}`)
	if err != nil {
		b.t.Fatal(err)
	}
}

// TestXUISeed sends every request of the API reference as it stands there, with names in its paths, and finds what its
// answer shows in ours. The steps are a story, because each example needs somebody to be about.
func TestXUISeed(t *testing.T) {
	b := newBench(t)
	b.reachLoopback()
	ports := []int{0}
	for id := 1; id <= 9; id++ {
		ports = append(ports, b.inbound(id))
	}
	const alice, someone = "alice@example.com", "alice"
	made := func(name string, inbounds string) func() {
		return func() {
			b.must("/clients/add", fmt.Sprintf(`{"client":{"email":%q,"subId":"sub-%s"},"inboundIds":%s}`, name, name, inbounds))
		}
	}
	connected := func() { // the page's own alice has expired
		made(someone, "[1]")()
		b.online(someone, b.get(someone).obj["uuid"].(string), ports[1])
	}
	noted := func() { // addresses are stored twice in a minute
		b.clock.Advance(time.Minute)
		coretest.Eventually(t, "its address is stored", func() bool { return b.rows("SELECT * FROM user_ips") != "" })
	}
	grouped := func() { b.must("/clients/groups/create", `{"name":"customer-a"}`) }
	gone := func() { b.must("/clients/del/bob", "") }
	sent := map[string]bool{}
	for _, s := range []struct {
		before func()
		route  string
		in     string // what stands for the part of the path in braces
	}{
		{nil, "POST /clients/add", ""},
		{connected, "GET /clients/list", ""},
		{nil, "GET /clients/list/paged", ""},
		{nil, "GET /clients/get/{email}", alice},
		{nil, "GET /clients/traffic/{email}", alice},
		{nil, "POST /clients/onlines", ""},
		{nil, "POST /clients/onlinesByGuid", ""},
		{nil, "POST /clients/activeInbounds", ""},
		{noted, "POST /clients/clientIpsByGuid", ""},
		{nil, "POST /clients/lastOnline", ""},
		{nil, "POST /clients/ips/{email}", someone},
		{nil, "POST /clients/clearIps/{email}", someone},
		{nil, "POST /clients/updateTraffic/{email}", alice},
		{nil, "POST /clients/resetTraffic/{email}", alice},
		{nil, "POST /clients/update/{email}", alice},
		{nil, "GET /clients/get/tgId/{tgId}", "123456789"},
		{nil, "POST /clients/{email}/attach", alice},
		{nil, "POST /clients/{email}/detach", alice},
		{nil, "GET /clients/links/{email}", alice},
		{nil, "POST /clients/{email}/externalLinks", alice},
		{nil, "GET /clients/export", ""},
		{nil, "POST /clients/import", ""},
		{nil, "POST /clients/bulkCreate", ""},
		{nil, "GET /clients/subLinks/{subId}", "sub-alice"},
		{nil, "POST /clients/bulkAdjust", ""}, // bob is not there yet, and so is skipped
		{nil, "POST /clients/bulkEnable", ""},
		{nil, "POST /clients/bulkDisable", ""},
		{made("bob", "[7,9]"), "POST /clients/bulkAttach", ""},
		{nil, "POST /clients/bulkDetach", ""},
		{nil, "POST /clients/bulkResetTraffic", ""},
		{nil, "POST /clients/groups/create", ""},
		{nil, "POST /clients/groups/bulkAdd", ""},
		{nil, "GET /clients/groups", ""},
		{nil, "GET /clients/groups/{name}/emails", "customer-a"},
		{nil, "POST /clients/groups/resetTraffic", ""},
		{nil, "POST /clients/groups/rename", ""},
		{nil, "POST /clients/groups/bulkRemove", ""},
		{grouped, "POST /clients/groups/delete", ""},
		{gone, "POST /clients/bulkDel", ""},
		{nil, "POST /clients/del/{email}", alice},
		{nil, "POST /clients/resetAllTraffics", ""},
		{nil, "POST /clients/delDepleted", ""},
		{nil, "POST /clients/delOrphans", ""},
	} {
		if s.before != nil {
			s.before()
		}
		b.wantExample(t, s.route, s.in)
		sent[s.route] = true
	}
	routes := strings.Fields(dialectRoutes)
	for i := 0; i < len(routes); i += 2 {
		if route := routes[i] + " " + routes[i+1]; strings.HasPrefix(routes[i+1], "/clients/") && !sent[route] {
			t.Errorf("%s is not in the story", route)
		}
	}
}

// anyKeys are the routes whose objects have a member for each node or client.
var anyKeys = []string{
	"POST /clients/onlinesByGuid", "POST /clients/activeInbounds", "POST /clients/clientIpsByGuid", "POST /clients/lastOnline",
}

func (b *bench) wantExample(t *testing.T, route, in string) {
	t.Run(route, func(t *testing.T) {
		e, ok := pageExamples(t)[route]
		if !ok {
			t.Fatal("the route has no example")
		}
		method, path, _ := strings.Cut(route, " ")
		if before, rest, is := strings.Cut(path, "{"); is {
			_, after, _ := strings.Cut(rest, "}")
			path = before + in + after
		}
		got := b.panel(method, path, string(e.Request))
		var want, have map[string]any
		for text, into := range map[string]*map[string]any{string(e.Response): &want, got: &have} {
			if err := json.Unmarshal([]byte(text), into); err != nil {
				t.Fatalf("%s: %v", text, err)
			}
		}
		faults := misfits("the answer", want, have, slices.Contains(anyKeys, route))
		if len(faults) > 0 || have["success"] != true || have["msg"] != want["msg"] {
			t.Errorf("%s\n%q", got, faults)
		}
	})
}
