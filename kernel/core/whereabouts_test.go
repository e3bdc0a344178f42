package core

import (
	"fmt"
	"reflect"
	"testing"
	"time"

	"go.uber.org/zap"
	"go.uber.org/zap/zaptest/observer"

	"github.com/sluicehq/sluice/kernel/domain"
)

// arrive lets a connection in and returns what ends it; it fails the test if the connection is refused.
func arrive(t *testing.T, g *gate, tag, email, address string) (end func()) {
	t.Helper()
	ctx, cancel := arrival(tag, email, address)
	_, v, err := g.admit(ctx)
	if err != nil {
		cancel()
		t.Fatalf("%s is refused: %v", address, err)
	}
	return func() {
		g.end(v)
		cancel()
	}
}

func wantSightings(t *testing.T, g *gate, want ...domain.Sighting) {
	t.Helper()
	if got := g.sightings(); !reflect.DeepEqual(got, want) {
		t.Errorf("seen %+v\nwant %+v", got, want)
	}
}

func TestSightings(t *testing.T) {
	g, clock := testGate(t)
	g.doors.Store(&map[string]door{"in": {inbound: 1}, "open": {inbound: 2, anonymous: true}})
	limited := account(8, 1, 1)
	limited.User.LimitIP = 1
	g.put(account(7, 1, 1))
	g.put(limited)
	g.put(account(9, 1, 1))
	wantSightings(t, g)

	arrive(t, g, "in", "7", "2001:DB8::0:1")()
	end := arrive(t, g, "in", "7", "::ffff:192.0.2.7")
	endOther := arrive(t, g, "in", "8", "192.0.2.8")
	defer arrive(t, g, "open", "", "192.0.2.66")()
	clock.Advance(time.Second)
	wantSightings(
		t, g,
		domain.Sighting{UserID: 7, IP: "2001:db8::1", SeenAt: 1_000_000},
		domain.Sighting{UserID: 7, IP: "192.0.2.7", SeenAt: 1_001_000}, // it still is
		domain.Sighting{UserID: 8, IP: "192.0.2.8", SeenAt: 1_001_000},
	)
	clock.Advance(time.Second)
	end()
	endOther()
	clock.Advance(time.Second)
	wantSightings(
		t, g,
		domain.Sighting{UserID: 7, IP: "192.0.2.7", SeenAt: 1_002_000},
		domain.Sighting{UserID: 8, IP: "192.0.2.8", SeenAt: 1_002_000},
	)
	wantSightings(t, g)
	if g.users.get(7).here != nil {
		t.Error("a user who left without a limit is remembered")
	}
	if g.users.get(8).here == nil {
		t.Error("an address that counts against the limit is forgotten")
	}
	clock.Advance(defaultGrace)
	wantSightings(t, g)
	if g.users.get(8).here != nil {
		t.Error("an address is remembered for longer than it counts")
	}
}

func TestSightingsOfOneUser(t *testing.T) {
	g, _ := testGate(t)
	g.doors.Store(&map[string]door{"in": {inbound: 1}})
	g.put(account(7, 1, 1))
	g.put(account(8, 1, 1))
	defer arrive(t, g, "in", "7", "192.0.2.7")()
	defer arrive(t, g, "in", "8", "192.0.2.8")()
	alone := domain.Sighting{UserID: 7, IP: "192.0.2.7", SeenAt: g.now()}
	if got := g.sightingsOf(7); !reflect.DeepEqual(got, []domain.Sighting{alone}) {
		t.Errorf("seen %+v, want %+v", got, alone)
	}
	if got := g.sightingsOf(9); got != nil {
		t.Errorf("of nobody: %+v", got)
	}
	wantSightings(t, g, alone, domain.Sighting{UserID: 8, IP: "192.0.2.8", SeenAt: g.now()}) // open ones are always seen
}

func TestSightingsOfOneUserAreBounded(t *testing.T) {
	g, clock := testGate(t)
	g.doors.Store(&map[string]door{"in": {inbound: 1}})
	g.put(account(7, 1, 1))
	for i := range 100 {
		clock.Advance(time.Millisecond)
		arrive(t, g, "in", "7", fmt.Sprintf("2001:db8::%d", i))()
		if i == 90 {
			arrive(t, g, "in", "7", "2001:db8::0")() // the oldest is the newest again
		}
	}
	seen := g.sightings()
	if len(seen) != maxSightings {
		t.Fatalf("seen %d addresses, want %d", len(seen), maxSightings)
	}
	kept := map[string]bool{}
	for _, s := range seen {
		kept[s.IP] = true
	}
	if !kept["2001:db8::99"] || !kept["2001:db8::"] || kept["2001:db8::68"] {
		t.Errorf("not the newest are kept: %v", kept)
	}
}

func TestForgetAddresses(t *testing.T) {
	g, clock := testGate(t)
	g.doors.Store(&map[string]door{"in": {inbound: 1}})
	a := account(7, 1, 1)
	a.User.LimitIP = 2
	g.put(a)
	arrive(t, g, "in", "7", "192.0.2.1")()
	end := arrive(t, g, "in", "7", "192.0.2.2")
	g.forgetAddresses(7)
	g.forgetAddresses(99) // nobody
	arrive(t, g, "in", "7", "192.0.2.3")()
	ctx, cancel := arrival("in", "7", "192.0.2.4")
	defer cancel()
	if _, _, err := g.admit(ctx); err != errAddresses {
		t.Errorf("got %v although 192.0.2.2 and 192.0.2.3 count", err)
	}
	end()
	clock.Advance(tellEvery) // the log's silence is remembered too
	g.forgetAddresses(7)
	wantSightings(t, g)
	if g.users.get(7).here != nil {
		t.Error("something of the user is remembered")
	}
}

func TestNothingIsSeenOfWhoIsRemoved(t *testing.T) {
	g, _ := testGate(t)
	g.doors.Store(&map[string]door{"in": {inbound: 1}})
	g.put(account(7, 1, 1))
	arrive(t, g, "in", "7", "192.0.2.1")()
	end := arrive(t, g, "in", "7", "192.0.2.2")
	g.remove(7)
	end()
	wantSightings(t, g)
}

func TestOnlineByInbound(t *testing.T) {
	g, _ := testGate(t)
	g.doors.Store(&map[string]door{"a": {inbound: 1}, "b": {inbound: 2}, "c": {inbound: 3}, "open": {inbound: 4, anonymous: true}})
	g.put(account(7, 1, 1, 2, 3))
	g.put(account(8, 1, 1, 2, 3))
	defer arrive(t, g, "b", "7", "192.0.2.1")()
	defer arrive(t, g, "a", "7", "192.0.2.1")()
	defer arrive(t, g, "b", "7", "192.0.2.1")()
	arrive(t, g, "c", "8", "192.0.2.1")()
	if got := fmt.Sprint(g.online()); got != "[{7 3 [192.0.2.1] [1 2]}]" {
		t.Errorf("online: %s", got)
	}
	if got := fmt.Sprint(g.activeInbounds()); got != "[1 2]" {
		t.Errorf("active inbounds: %s", got)
	}
	end := arrive(t, g, "open", "", "192.0.2.1")
	if got := fmt.Sprint(g.activeInbounds()); got != "[1 2 4]" {
		t.Errorf("active inbounds with an anonymous connection: %s", got)
	}
	end()
}

func TestRefusals(t *testing.T) {
	g, clock := testGate(t)
	core, logs := observer.New(zap.InfoLevel)
	g.tasks.log = zap.New(core)
	g.doors.Store(&map[string]door{"in": {inbound: 1}, "other": {inbound: 2}})
	a := account(7, 1, 1)
	a.User.LimitIP = 1
	g.put(a)
	defer arrive(t, g, "in", "7", "192.0.2.1")()
	knock := func(times int, tag, email string) {
		for range times {
			ctx, cancel := arrival(tag, email, "192.0.2.2")
			if _, _, err := g.admit(ctx); err == nil {
				t.Errorf("%q is let in on %s", email, tag)
			}
			cancel()
		}
	}
	knock(100, "in", "7")
	clock.Advance(tellEvery - time.Millisecond)
	knock(10, "in", "7")
	clock.Advance(time.Millisecond)
	knock(1, "in", "7")
	knock(2, "other", "7")
	knock(3, "in", "99")
	knock(4, "in", "")
	knock(5, "gone", "7")
	g.close()
	knock(6, "in", "7")
	want := map[string]int64{
		"ip_limit": 111, "not_attached": 2, "not_admitted": 3, "no_user": 4, "inbound_closed": 5, "shut": 6,
	}
	if got := g.refusals.byName(); !reflect.DeepEqual(got, want) {
		t.Errorf("refused %v\nwant %v", got, want)
	}
	if n := g.refused(7); n != 111 {
		t.Errorf("the user was refused %d times by its limit, want 111", n)
	}
	var told []string
	for _, line := range logs.All() {
		told = append(told, fmt.Sprint(line.ContextMap()))
	}
	if got := fmt.Sprint(told); got != "[map[connections:1 user:7] map[connections:110 user:7]]" {
		t.Errorf("the log says %s", got)
	}
}
