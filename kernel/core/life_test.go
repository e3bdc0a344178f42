package core

import (
	"fmt"
	"testing"
	"time"

	"github.com/jonboulle/clockwork"

	"github.com/sluicehq/sluice/kernel/core/coretest"
	"github.com/sluicehq/sluice/kernel/domain"
)

func TestRecheckAtExpiry(t *testing.T) {
	clock := clockwork.NewFakeClock()
	in := vlessInbound(1, coretest.FreePort(t))
	expiry := clock.Now().Add(time.Hour).UnixMilli()
	alice := account(7, 1, 1)
	alice.User.ExpireAt = &expiry
	e := start(t, Options{Clock: clock}, []domain.Inbound{in}, alice, account(8, 1, 1))
	origin := coretest.Origin(t)
	proxy := coretest.Client(t, vlessOutbound(7, in.Port))
	other := hold(t, coretest.Client(t, vlessOutbound(8, in.Port)), origin)
	s := hold(t, proxy, origin)
	listed := func() int64 { return e.open[1].users.GetUsersCount(t.Context()) }

	clock.Advance(time.Hour - time.Millisecond)
	check(t, e.Recheck([]int64{7, 8, 99}))
	passes(t, proxy, origin)
	s.flows(t)
	clock.Advance(time.Millisecond)
	refused(t, proxy, origin) // the gate needs nobody to tell it
	s.flows(t)
	check(t, e.Recheck([]int64{7, 8, 99}))
	coretest.Eventually(t, "the stream is cut", func() bool { return origin.Held() == 1 })
	if n := listed(); n != 1 {
		t.Errorf("the core lists %d users, want the one who is not expired", n)
	}
	other.flows(t)

	alice.User.ExpireAt, alice.User.Revision = nil, 2
	check(t, e.ApplyUsers(t.Context(), []domain.Account{alice}, nil))
	passes(t, proxy, origin)
	if n, err := e.Audit(t.Context()); n != 0 || err != nil {
		t.Errorf("the audit repaired %d and says %v, want nothing", n, err)
	}
}

// TestAuditAtExpiry does without a schedule.
func TestAuditAtExpiry(t *testing.T) {
	clock := clockwork.NewFakeClock()
	in := vlessInbound(1, coretest.FreePort(t))
	expiry := clock.Now().Add(time.Hour).UnixMilli()
	alice := account(7, 1, 1)
	alice.User.ExpireAt = &expiry
	e := start(t, Options{Clock: clock}, []domain.Inbound{in}, alice)
	s := hold(t, coretest.Client(t, vlessOutbound(7, in.Port)), coretest.Origin(t))
	clock.Advance(time.Hour)
	if n, err := e.Audit(t.Context()); n != 1 || err != nil {
		t.Errorf("repaired %d entries with %v, want the one of the expired user", n, err)
	}
	s.isCut(t)
}

func TestInboundsServeForATime(t *testing.T) {
	clock := clockwork.NewFakeClock()
	in, other := vlessInbound(1, coretest.FreePort(t)), vlessInbound(2, coretest.FreePort(t))
	expiry, quota := clock.Now().Add(time.Hour).UnixMilli(), int64(1000)
	in.ExpireAt, other.Quota = &expiry, &quota
	e := start(t, Options{Clock: clock}, []domain.Inbound{in, other}, account(7, 1, 1, 2))
	origin := coretest.Origin(t)
	s := hold(t, coretest.Client(t, vlessOutbound(7, in.Port)), origin)
	clock.Advance(time.Hour)
	_, err := e.Audit(t.Context())
	check(t, err)
	s.isCut(t)

	s = hold(t, coretest.Client(t, vlessOutbound(7, other.Port)), origin)
	other.Up, other.Down = 500, 500
	check(t, e.ApplyInbounds(t.Context(), []domain.Inbound{other}, nil))
	s.isCut(t)
	wantProblems(t, e) // nothing is wrong with them
	other.Up, other.Down = 0, 0
	check(t, e.ApplyInbounds(t.Context(), []domain.Inbound{other}, nil))
	passes(t, coretest.Client(t, vlessOutbound(7, other.Port)), origin)
}

// TestFirstUse holds users in every way that there is, and looks for the byte that ends it.
func TestFirstUse(t *testing.T) {
	type use struct{ id, at int64 }
	clock := clockwork.NewFakeClock()
	uses := make(chan use, 10)
	dir := t.TempDir()
	c, s, port := combinations[1], newScene(t, dir), coretest.FreePort(t) // vision, which splices
	held := func(id, revision int64) domain.Account {
		a, since := account(id, revision, 1), clock.Now().UnixMilli()
		a.User.Flow, a.User.HoldSince = c.flow, &since
		return a
	}
	e := start(t, Options{Clock: clock, CertDir: dir, OnFirstUse: func(id, at int64) { uses <- use{id, at} }},
		[]domain.Inbound{c.inbound(s, 1, port)}, held(7, 1))
	proxy := coretest.Client(t, c.outbound(s, 7, port))
	used := func() {
		t.Helper()
		if got, want := <-uses, (use{7, clock.Now().UnixMilli()}); got != want {
			t.Errorf("first use %+v, want %+v", got, want)
		}
	}
	put := func(a domain.Account) { check(t, e.ApplyUsers(t.Context(), []domain.Account{a}, nil)) }

	clock.Advance(time.Hour)
	passes(t, proxy, s.target)
	used()
	e.Flushed(e.Moved())
	passes(t, proxy, s.target) // told once
	put(held(7, 2))            // the activation was lost
	passes(t, proxy, s.target)
	used()
	active := account(7, 3, 1)
	active.User.Flow = c.flow
	put(active)
	open := hold(t, proxy, s.target)
	clock.Advance(time.Hour)
	put(held(7, 4)) // while it is online, with a connection that is spliced
	open.isCut(t)
	passes(t, proxy, s.target)
	used()
	if len(uses) != 0 {
		t.Errorf("%d more first uses", len(uses))
	}
}

func TestAddressLimit(t *testing.T) {
	clock := clockwork.NewFakeClock()
	in := vlessInbound(1, coretest.FreePort(t))
	alice := account(7, 1, 1)
	alice.User.LimitIP = 1
	e := start(t, Options{Clock: clock}, []domain.Inbound{in}, alice)
	origin := coretest.Origin(t)
	home := coretest.Client(t, vlessFrom("127.0.0.21", 7, in.Port))
	away := coretest.Client(t, vlessFrom("127.0.0.22", 7, in.Port))
	offline := func() {
		coretest.Eventually(t, "the connection is over", func() bool { return len(e.Online()) == 0 })
	}

	passes(t, home, origin)
	offline()
	clock.Advance(defaultGrace - time.Second)
	refused(t, away, origin)
	counted := e.Refused(7)
	if counted == 0 || e.Refusals()["ip_limit"] != counted || e.Refused(8) != 0 {
		t.Errorf("refused %d connections of the user, %v in all", counted, e.Refusals())
	}
	passes(t, home, origin) // a known address may come back
	offline()
	clock.Advance(defaultGrace)
	passes(t, away, origin)
	offline()
	refused(t, home, origin)
	e.SetAddressGrace(0)
	passes(t, home, origin)
	offline()
	e.SetAddressGrace(time.Hour)
	refused(t, away, origin)
	e.ForgetAddresses(7)
	passes(t, away, origin)
	offline()
	if got := fmt.Sprint(e.Sightings()); got != fmt.Sprintf("[{7 127.0.0.22  %d}]", clock.Now().UnixMilli()) {
		t.Errorf("seen: %s", got)
	}
}
