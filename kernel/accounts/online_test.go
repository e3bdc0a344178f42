package accounts_test

import (
	"context"
	"fmt"
	"net/netip"
	"reflect"
	"testing"

	"go.uber.org/zap"

	"github.com/sluicehq/sluice/kernel/accounts"
	"github.com/sluicehq/sluice/kernel/core"
	"github.com/sluicehq/sluice/kernel/domain"
)

func addresses(list ...string) (all []netip.Addr) {
	for _, a := range list {
		all = append(all, netip.MustParseAddr(a))
	}
	return all
}

// Who is connected is shown by name; a user that is deleted while it is cut is not shown.
func TestOnline(t *testing.T) {
	b := newBench(t)
	b.inbounds(3)
	b.create(b.user("bob"))
	b.create(b.user("alice"))
	first := core.Online{UserID: 1, Connections: 2, Addresses: addresses("192.0.2.1"), Inbounds: []int64{1}}
	second := core.Online{UserID: 2, Connections: 1, Inbounds: []int64{3}}
	b.core.online, b.core.active = []core.Online{first, second, {UserID: 9, Connections: 1}}, []int64{3, 1, 9}
	want := []accounts.OnlineUser{{Online: second, Username: "alice"}, {Online: first, Username: "bob"}}
	if got := b.Online(); !reflect.DeepEqual(got, want) {
		t.Errorf("online %+v", got)
	}
	if tags, err := b.ActiveInbounds(t.Context()); err != nil || !reflect.DeepEqual(tags, []string{"in1", "in3"}) {
		t.Errorf("active inbounds %q, %v", tags, err)
	}
	b.core.refuses = map[int64]int64{2: 7}
	if b.Refused(2) != 7 || b.Refused(1) != 0 {
		t.Errorf("refused %d and %d", b.Refused(2), b.Refused(1))
	}
}

func TestLastOnline(t *testing.T) {
	b := newBench(t)
	b.inbounds(1)
	for _, name := range []string{"bob", "alice", "carol"} {
		b.create(b.user(name))
	}
	b.clock.Advance(oneHour)
	b.counters.move(2, 1, 0)
	flush(b)
	var got []string
	b.LastOnline(func(name string, at int64) bool {
		if at != 0 {
			name += " " + when(at)
		}
		got = append(got, name)
		return len(got) < 2
	})
	if !reflect.DeepEqual(got, []string{"bob", "alice 1h"}) {
		t.Errorf("last online %q", got)
	}
}

// Stored addresses and open ones are one list, the newest first, and each node's are its own.
func TestIPs(t *testing.T) {
	b := newBench(t)
	b.inbounds(1)
	id := b.create(b.user("alice")).ID
	b.create(b.user("bob"))
	show := func() (list []string) {
		t.Helper()
		seen, err := b.IPs(t.Context(), "ALICE")
		if err != nil {
			t.Fatal(err)
		}
		for _, s := range seen {
			list = append(list, fmt.Sprintf("%s %s %s", s.IP, s.Node, when(s.SeenAt)))
		}
		return list
	}
	if got := show(); got != nil {
		t.Errorf("at first %q", got)
	}
	b.core.seen = []domain.Sighting{
		{UserID: id, IP: "192.0.2.1", SeenAt: start}, {UserID: id, IP: "2001:db8::1", SeenAt: start + hour}, {UserID: 2, IP: "192.0.2.9", SeenAt: start},
	}
	if err := b.NoteSightings(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := b.NoteSightings(t.Context()); err != nil { // nothing is new
		t.Fatal(err)
	}
	other := []domain.Sighting{{UserID: id, IP: "192.0.2.1", Node: "other", SeenAt: start + 2*hour}}
	if err := b.db.NoteSightings(t.Context(), other); err != nil {
		t.Fatal(err)
	}
	stored := []string{"192.0.2.1 other 2h", "2001:db8::1 node 1h", "192.0.2.1 node 0d"}
	if got := show(); !reflect.DeepEqual(got, stored) {
		t.Errorf("stored\n got %q\nwant %q", got, stored)
	}
	b.clock.Advance(3 * oneHour)
	b.core.seen = []domain.Sighting{ // open ones are always among them
		{UserID: id, IP: "192.0.2.1", SeenAt: start + 3*hour}, {UserID: id, IP: "192.0.2.2", SeenAt: start + 3*hour},
	}
	gone, cancel := context.WithCancel(t.Context())
	cancel()
	if err := b.NoteSightings(gone); err == nil {
		t.Error("stored by a caller that is gone")
	}
	want := []string{"192.0.2.1 node 3h", "192.0.2.2 node 3h", "192.0.2.1 other 2h", "2001:db8::1 node 1h"}
	if got := show(); !reflect.DeepEqual(got, want) {
		t.Errorf("with open connections\n got %q\nwant %q", got, want)
	}
	b.core.seen = []domain.Sighting{ // asking for one user's stores nobody else's
		{UserID: id, IP: "192.0.2.1", SeenAt: start + 3*hour}, {UserID: 2, IP: "192.0.2.9", SeenAt: start + 3*hour},
	}
	if got := show(); !reflect.DeepEqual(got, want) || len(b.core.seen) != 1 || b.core.seen[0].UserID != 2 {
		t.Errorf("asked for alice: %q, left %+v", got, b.core.seen)
	}
	b.core.seen = nil
	nodes, err := b.RecentIPs(t.Context(), start+2*hour)
	recent := map[string]map[string]int{}
	for node, names := range nodes {
		recent[node] = map[string]int{}
		for name, seen := range names {
			recent[node][name] = len(seen)
		}
	}
	if want := map[string]map[string]int{"node": {"alice": 2}, "other": {"alice": 1}}; err != nil || !reflect.DeepEqual(recent, want) {
		t.Errorf("recent %v, %v; want %v", recent, err, want)
	}
	if err := b.ClearIPs(t.Context(), "alice"); err != nil {
		t.Fatal(err)
	}
	if got := show(); got != nil {
		t.Errorf("after clearing %q", got)
	}
	if bobs, err := b.IPs(t.Context(), "bob"); err != nil || len(bobs) != 1 {
		t.Errorf("bob has %+v, %v", bobs, err)
	}
	b.core.wantTold(t, "user 1 [1]", "user 2 [1]", "forget 1")
	_, err = b.IPs(t.Context(), "nobody")
	wantError(t, err, domain.CodeNotFound, "", "client not found")
	wantError(t, b.ClearIPs(t.Context(), "nobody"), domain.CodeNotFound, "", "client not found")
}

// A process that serves nothing has no connections to show, but knows what is stored.
func TestWithoutACore(t *testing.T) {
	b := newBench(t)
	b.inbounds(1)
	view := b.create(b.user("alice"))
	b.core.seen = []domain.Sighting{{UserID: view.ID, IP: "192.0.2.1", SeenAt: start}}
	if err := b.NoteSightings(t.Context()); err != nil {
		t.Fatal(err)
	}
	cli := accounts.New(accounts.Options{DB: b.db, Clock: b.clock, Log: zap.NewNop(), CertDir: t.TempDir()})
	if got := cli.Online(); got == nil || len(got) != 0 {
		t.Errorf("online %v", got)
	}
	if tags, err := cli.ActiveInbounds(t.Context()); err != nil || tags == nil || len(tags) != 0 {
		t.Errorf("active inbounds %v, %v", tags, err)
	}
	if seen, err := cli.IPs(t.Context(), "alice"); err != nil || len(seen) != 1 || cli.Refused(view.ID) != 0 {
		t.Errorf("seen %v, %v", seen, err)
	}
	if err := cli.ClearIPs(t.Context(), "alice"); err != nil {
		t.Error(err)
	}
	if err := cli.ResetTraffic(t.Context(), "alice"); err != nil {
		t.Error(err)
	}
	n := b.user("bob")
	every(&n)
	_, err := cli.CreateUser(t.Context(), n, nil)
	wantError(t, err, domain.CodeUnavailable, "", "period plugins run in the server only")
}
