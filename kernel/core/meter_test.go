package core

import (
	"reflect"
	"testing"

	"github.com/xtls/xray-core/common/session"

	"github.com/sluicehq/sluice/kernel/core/coretest"
	"github.com/sluicehq/sluice/kernel/domain"
)

func TestMeters(t *testing.T) {
	var m meters
	one, two := m.of(1), m.of(2)
	m.of(3) // moves nothing
	two.down.Add(20)
	one.up.Add(10)
	want := []domain.InboundDelta{{InboundID: 1, Up: 10}, {InboundID: 2, Down: 20}}
	first := m.deltas()
	if !reflect.DeepEqual(first, want) {
		t.Fatalf("moved %+v, want %+v", first, want)
	}
	m.of(1).down.Add(3) // opened again, while the deltas are stored
	m.flushed(first)
	want = []domain.InboundDelta{{InboundID: 1, Down: 3}}
	if got := m.deltas(); !reflect.DeepEqual(got, want) {
		t.Errorf("moved %+v, want %+v", got, want)
	}
	if up, down := m.unflushed(1); up != 0 || down != 3 {
		t.Errorf("unflushed %d up, %d down, want 0 and 3", up, down)
	}
	m.remove(1)
	one.up.Add(1) // by a connection that is being cut
	m.flushed(want)
	if got := m.deltas(); len(got) != 0 {
		t.Errorf("moved %+v, want nothing of the removed inbound", got)
	}
	if up, down := m.unflushed(1); up != 0 || down != 0 {
		t.Errorf("unflushed %d up, %d down of a removed inbound", up, down)
	}
}

// TestSplicedBytesAreCounted has the kernel move bytes past the counters: both get them when the connection ends.
func TestSplicedBytesAreCounted(t *testing.T) {
	const size = 20_000_000
	dir := t.TempDir()
	for _, c := range combinations[1:3] {
		t.Run(c.name, func(t *testing.T) {
			s, port := newScene(t, dir), coretest.FreePort(t)
			alice := account(7, 1, 1)
			alice.User.Flow = c.flow
			e := start(t, Options{CertDir: dir}, []domain.Inbound{c.inbound(s, 1, port)}, alice)
			proxy := coretest.Client(t, c.outbound(s, 7, port))
			n, err := download(coretest.HTTP(t, proxy), s.target.URL+"/bytes?warm=1&n=20000000")
			if err != nil || n != size {
				t.Fatalf("downloaded %d bytes: %v", n, err)
			}
			coretest.Eventually(t, "the bytes are counted", func() bool {
				users, inbounds := e.Moved()
				return len(users) == 1 && len(inbounds) == 1 && users[0].Down >= size && inbounds[0].Down >= size
			})
			users, inbounds := e.Moved()
			if max(users[0].Down, inbounds[0].Down) > size+size/50 {
				t.Errorf("counted %+v and %+v for %d bytes", users, inbounds, size)
			}
		})
	}
}

// TestAnonymousTraffic is counted for the inbound, and for nobody.
func TestAnonymousTraffic(t *testing.T) {
	g, _ := testGate(t)
	g.doors.Store(&map[string]door{"open": {inbound: 1, anonymous: true, meter: g.meters.of(1)}})
	ctx, cancel := arrival("open", "", "192.0.2.1")
	defer cancel()
	_, v, err := g.admit(ctx)
	check(t, err)
	defer g.end(v)
	if _, again, err := g.admit(ctx); err != nil || again.user != v.user || again.conn != nil {
		t.Errorf("one more stream of it: %+v, %v", again, err)
	}
	if ib := session.InboundFromContext(ctx); ib.User == nil || ib.User.Email == "" {
		t.Error("the dispatcher would not count it")
	}
	for name, n := range map[string]int64{"uplink": 10, "downlink": 20} {
		c, err := (&tally{gate: g, user: v.user, meter: v.door.meter}).GetOrRegisterCounter("user>>>anonymous>>>traffic>>>" + name)
		check(t, err)
		c.Add(n)
	}
	want := []domain.InboundDelta{{InboundID: 1, Up: 10, Down: 20}}
	if got := g.meters.deltas(); !reflect.DeepEqual(got, want) {
		t.Errorf("moved %+v, want %+v", got, want)
	}
	if got := g.deltas(); len(got) != 0 {
		t.Errorf("users moved %+v, want nothing", got)
	}
}
