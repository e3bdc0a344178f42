package httpapi

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
)

// Every step is one request and what the groups are after it.
func TestXUIGroups(t *testing.T) {
	b := newBench(t)
	b.inbound(1)
	for _, name := range []string{"alice", "bob", "carol"} {
		b.client(name)
	}
	group := func(name string, clients, up, down int) string {
		return fmt.Sprintf(`{"name":%q,"clientCount":%d,"trafficUsed":%d,"up":%d,"down":%d}`, name, clients, up+down, up, down)
	}
	for _, s := range []struct {
		name, path, body, want string
		groups                 []string
		unchanged              bool
	}{
		{"make one", "groups/create", `{"name":" customer-a "}`, success("", `{"name":"customer-a"}`), []string{group("customer-a", 0, 0, 0)}, false},
		{"again", "groups/create", `{"name":"customer-a"}`, envelope("group already exists: customer-a"), []string{group("customer-a", 0, 0, 0)}, true},
		{
			"another case is another one", "groups/create", `{"name":"Customer-A"}`, success("", `{"name":"Customer-A"}`),
			[]string{group("Customer-A", 0, 0, 0), group("customer-a", 0, 0, 0)},
			false,
		},
		{"delete it", "groups/delete", `{"name":"Customer-A"}`, success("", `{"affected":0}`), []string{group("customer-a", 0, 0, 0)}, false},
		{"put in", "groups/bulkAdd", `{"emails":["BOB","alice"],"group":"customer-a"}`, success("", `{"affected":2,"skipped":[]}`), []string{group("customer-a", 2, 0, 0)}, false},
		{"they are in", "groups/bulkAdd", `{"emails":["bob"],"group":"customer-a"}`, success("", `{"affected":0,"skipped":[]}`), []string{group("customer-a", 2, 0, 0)}, true},
		{"traffic counts", "updateTraffic/alice", `{"upload":10,"download":5}`, success("", "null"), []string{group("customer-a", 2, 10, 5)}, false},
		{"a new group is made", "groups/bulkAdd", `{"emails":["carol"],"group":"b"}`, success("", `{"affected":1,"skipped":[]}`), []string{group("b", 1, 0, 0), group("customer-a", 2, 10, 5)}, false},
		{"its count begins anew", "groups/resetTraffic", `{"name":"customer-a"}`, success("", `{"name":"customer-a"}`), []string{group("b", 1, 0, 0), group("customer-a", 2, 0, 0)}, false},
		{"and goes on", "updateTraffic/alice", `{"upload":12}`, success("", "null"), []string{group("b", 1, 0, 0), group("customer-a", 2, 2, 0)}, false},
		{"it is never below 0", "resetTraffic/alice", ``, success("", "null"), []string{group("b", 1, 0, 0), group("customer-a", 2, 0, 0)}, false},
		{"a name that is taken", "groups/rename", `{"oldName":"customer-a","newName":"b"}`, envelope("group already exists: b"), nil, true},
		{"the same name", "groups/rename", `{"oldName":"b","newName":"b"}`, success("", `{"affected":0}`), nil, true},
		{"an unknown name", "groups/rename", `{"oldName":"x","newName":"y"}`, envelope("group not found: x"), nil, true},
		{"an unknown one to delete", "groups/delete", `{"name":"x"}`, envelope("group not found: x"), nil, true},
		{"an unknown one to reset", "groups/resetTraffic", `{"name":"x"}`, envelope("group not found: x"), nil, true},
		{"rename", "groups/rename", `{"oldName":"customer-a","newName":"tier-1"}`, success("", `{"affected":2}`), []string{group("b", 1, 0, 0), group("tier-1", 2, 0, 0)}, false},
		{"move by update", "update/carol", `{"group":"tier-1"}`, success("Client updated", "null"), []string{group("b", 0, 0, 0), group("tier-1", 3, 0, 0)}, false},
		{"out by update", "update/carol", `{"group":""}`, success("Client updated", "null"), []string{group("b", 0, 0, 0), group("tier-1", 2, 0, 0)}, false},
		{"take out", "groups/bulkRemove", `{"emails":["alice","carol"]}`, success("", `{"affected":1,"skipped":[]}`), []string{group("b", 0, 0, 0), group("tier-1", 1, 0, 0)}, false},
		{"delete a client", "del/bob", ``, success("Client deleted", "null"), []string{group("b", 0, 0, 0), group("tier-1", 0, 0, 0)}, false},
		{"made by update", "update/alice", `{"group":"ä/b?c"}`, success("Client updated", "null"), []string{group("b", 0, 0, 0), group("tier-1", 0, 0, 0), group("ä/b?c", 1, 0, 0)}, false},
		{"delete with a client", "groups/delete", `{"name":"ä/b?c"}`, success("", `{"affected":1}`), []string{group("b", 0, 0, 0), group("tier-1", 0, 0, 0)}, false},
	} {
		t.Run(s.name, func(t *testing.T) {
			before, was := b.version(), b.read("/clients/groups")
			if got := b.post("/clients/"+s.path, s.body); got != s.want {
				t.Errorf("it answers %s, want %s", got, s.want)
			}
			want := success("", "["+strings.Join(s.groups, ",")+"]")
			if s.groups == nil {
				want = was
			}
			if got := b.read("/clients/groups"); got != want {
				t.Errorf("groups %s\nwant   %s", got, want)
			}
			if (b.version() == before) != s.unchanged {
				t.Errorf("something was written: %t", !s.unchanged)
			}
		})
	}
	b.get("alice").want(`"group":""`)
	b.get("carol").want(`"group":""`)
}

// The members of a group are found by its name, whatever is in it.
func TestXUIGroupEmails(t *testing.T) {
	b := newBench(t)
	b.inbound(1)
	for _, name := range []string{"carol", "alice", "bob"} {
		b.client(name)
	}
	b.must("/clients/groups/bulkAdd", `{"emails":["carol","alice"],"group":"ä/b c?"}`)
	b.must("/clients/groups/create", `{"name":"empty"}`)
	emails := func(name, path, want string) scenario {
		return b.scenario(name, http.MethodGet, "/clients/groups/"+path+"/emails", "", want)
	}
	b.run(t, b.url, []scenario{
		emails("two", "%C3%A4%2Fb%20c%3F", success("", `["alice","carol"]`)),
		emails("spaces around", "%20%C3%A4%2Fb%20c%3F%20", success("", `["alice","carol"]`)),
		emails("none", "empty", success("", "[]")),
		emails("unknown", "nobody", success("", "[]")),
		emails("another case", "EMPTY", success("", "[]")),
		emails("NUL", "%00", success("", "[]")),
		emails("no UTF-8", "%ff", success("", "[]")),
		emails("129 characters", strings.Repeat("a", 129), success("", "[]")),
		emails("bad percent", "%zz", envelope("name is not a valid URL-encoded path segment")),
	})
}

// A client that is made with a group needs no inbound, and the group is made with it.
func TestXUIClientOfAGroup(t *testing.T) {
	b := newBench(t)
	b.must("/clients/add", `{"client":{"email":"alice","group":" vip "},"inboundIds":[]}`)
	b.must("/clients/add", `{"client":{"email":"bob","group":"vip"}}`)
	b.get("alice").want(`"group":"vip"`)
	want := success("", `[{"name":"vip","clientCount":2,"trafficUsed":0,"up":0,"down":0}]`)
	b.run(t, b.url, []scenario{b.scenario("groups", http.MethodGet, "/clients/groups", "", want)})
}
