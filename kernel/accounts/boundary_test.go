package accounts_test

import (
	"testing"
	"time"

	"github.com/sluicehq/sluice/kernel/accounts"
	"github.com/sluicehq/sluice/kernel/domain"
	"github.com/sluicehq/sluice/storage/storagetest"
)

// every resets usage every 10 days, for users without a quota too.
func every(n *accounts.NewUser) { n.ResetPolicy, n.ResetParams = "every", `{"days":10}` }

// monthly is PasarGuard's month: every 30 days, and for users with a quota only.
func monthly(n *accounts.NewUser) { n.ResetPolicy = "month" }

func with(changes ...func(*accounts.NewUser)) func(*accounts.NewUser) {
	return func(n *accounts.NewUser) {
		for _, change := range changes {
			change(n)
		}
	}
}

func quota(n *accounts.NewUser) { n.Quota = ptr(int64(100)) }

func TestBoundary(t *testing.T) {
	tell(t, []tale{
		{"before", every, []step{moves(1, 2), flush, pass(10*oneDay - time.Millisecond)}, "active since 0d, resets 10d, used 1+2"},
		{"in time", every, []step{moves(1, 2), flush, pass(10 * oneDay)}, "active since 0d, resets 20d, period reset of 1+2 at 10d"},
		{"late", every, []step{moves(1, 2), flush, pass(13 * oneDay)}, "active since 0d, resets 20d, period reset of 1+2 at 13d"},
		{"after a year's downtime", every, []step{moves(1, 2), flush, pass(365 * oneDay)}, "active since 0d, resets 370d, period reset of 1+2 at 365d"},
		{
			"late twice, without drift", every,
			[]step{moves(1, 0), pass(13 * oneDay), moves(2, 0), pass(8 * oneDay)},
			"active since 0d, resets 30d, period reset of 1+0 at 13d, period reset of 2+0 at 21d",
		},
		{
			"bytes that are not flushed belong to the time before", every,
			[]step{moves(1, 2), flush, moves(10, 20), pass(10 * oneDay), flush},
			"active since 0d, resets 20d, period reset of 11+22 at 10d",
		},
		{
			"limited comes back", with(every, quota),
			[]step{moves(60, 40), seen(0), pass(10 * oneDay)},
			"active since 10d, resets 20d, period reset of 60+40 at 10d",
		},
		{
			"only its unflushed bytes were too much", with(every, quota),
			[]step{moves(60, 40), pass(10 * oneDay)},
			"active since 0d, resets 20d, period reset of 60+40 at 10d",
		},
		{"disabled", every, []step{moves(1, 2), enable(false), pass(10 * oneDay)}, "disabled since 0d, resets 20d, used 1+2"},
		{
			"expired", with(every, expiring(5*day)),
			[]step{moves(1, 2), pass(10 * oneDay)},
			"expired since 10d, expires 5d, resets 20d, used 1+2",
		},
		{"on hold", with(every, held(nil)), []step{moves(1, 2), pass(10 * oneDay)}, "on_hold since 0d, held since 0d, resets 20d, used 1+2"},
		{
			"the hold ends at the boundary", with(every, held(ptr(start+10*day))),
			[]step{pass(10 * oneDay)},
			"active since 10d, expires 40d, resets 20d, period reset of 0+0 at 10d",
		},
		{
			"expiry and boundary at once", with(every, expiring(10*day)),
			[]step{moves(1, 2), pass(10 * oneDay)},
			"expired since 10d, expires 10d, resets 20d, used 1+2",
		},
		{"a policy for quotas, without one", monthly, []step{moves(1, 2), pass(30 * oneDay)}, "active since 0d, resets 60d, used 1+2"},
		{
			"a policy for quotas, with one", with(monthly, quota),
			[]step{moves(1, 2), pass(30 * oneDay)},
			"active since 0d, resets 60d, period reset of 1+2 at 30d",
		},
		{"no_reset", func(n *accounts.NewUser) { n.ResetPolicy = "no_reset" }, []step{moves(1, 2), flush, pass(999 * oneDay)}, "active since 0d, used 1+2"},
		{
			"the operator's time zone", func(n *accounts.NewUser) { n.ResetPolicy = "daily" },
			[]step{ // start is 14:13:20 UTC, which is 23:13:20 in Tokyo; the boundary of UTC is stored already
				func(b *bench) { b.settings(func(s *domain.Settings) { s.TimeZone = "Asia/Tokyo" }) }, pass(oneDay),
			},
			"active since 0d, resets 24h46m40s, period reset of 0+0 at 1d",
		},
	})
}

func TestRenewal(t *testing.T) {
	renews := func(days, dayOfMonth, most int) func(*accounts.NewUser) {
		return func(n *accounts.NewUser) {
			expiring(5 * day)(n)
			n.RenewDays, n.RenewDay, n.RenewMax = days, dayOfMonth, most
		}
	}
	tell(t, []tale{
		{
			"in time", renews(30, 0, 0),
			[]step{moves(1, 2), pass(5 * oneDay)},
			"active since 0d, expires 35d, renewed 1, renewal reset of 1+2 at 5d",
		},
		{
			"again and again", renews(10, 0, 0),
			[]step{moves(1, 0), pass(5 * oneDay), moves(2, 0), pass(10 * oneDay)},
			"active since 0d, expires 25d, renewed 2, renewal reset of 1+0 at 5d, renewal reset of 2+0 at 15d",
		},
		{
			"several periods were missed: each counts, usage resets once", renews(10, 0, 0),
			[]step{moves(1, 2), pass(31 * oneDay)},
			"active since 0d, expires 35d, renewed 3, renewal reset of 1+2 at 31d",
		},
		{
			"expiry that was missed to the moment", renews(10, 0, 0),
			[]step{pass(15 * oneDay)},
			"active since 0d, expires 25d, renewed 2, renewal reset of 0+0 at 15d",
		},
		{
			"limited comes back", with(renews(30, 0, 0), quota),
			[]step{moves(50, 50), seen(0), pass(5 * oneDay)},
			"active since 5d, expires 35d, renewed 1, renewal reset of 50+50 at 5d",
		},
		{
			"as often as allowed", renews(10, 0, 1),
			[]step{pass(5 * oneDay), moves(1, 2), pass(10 * oneDay)},
			"expired since 15d, expires 15d, renewed 1, used 1+2, renewal reset of 0+0 at 5d",
		},
		{
			"too few left to come back", renews(10, 0, 2),
			[]step{moves(1, 2), pass(100 * oneDay)},
			"expired since 100d, expires 25d, renewed 2, used 1+2",
		},
		{
			"just enough left", renews(10, 0, 3),
			[]step{pass(34 * oneDay)},
			"active since 0d, expires 35d, renewed 3, renewal reset of 0+0 at 34d",
		},
		{
			"day of the month", renews(0, 1, 0), []step{pass(5 * oneDay)}, // expires on 2026-09-26, renewed to 2026-10-01 00:00 UTC
			"active since 0d, expires 225h46m40s, renewed 1, renewal reset of 0+0 at 5d",
		},
		{
			"day of the month goes before days", renews(3, 31, 0), []step{pass(5 * oneDay)}, // to 2026-09-30: no 31st
			"active since 0d, expires 201h46m40s, renewed 1, renewal reset of 0+0 at 5d",
		},
		{"disabled", renews(30, 0, 0), []step{enable(false), pass(5 * oneDay)}, "disabled since 0d, expires 5d"},
		{
			"disabled, then enabled", renews(30, 0, 0),
			[]step{enable(false), pass(6 * oneDay), enable(true), pass(0)},
			"active since 6d, expires 35d, renewed 1, renewal reset of 0+0 at 6d",
		},
		{
			"expired long ago", func(n *accounts.NewUser) { n.ExpireAt, n.RenewDays = ptr(int64(0)), 1 },
			[]step{pass(0)},
			"active since 0d, expires 9h46m40s, renewed 20718, renewal reset of 0+0 at 0d",
		},
		{
			"expired long ago, some renewals left",
			func(n *accounts.NewUser) { n.ExpireAt, n.RenewDays, n.RenewMax = ptr(start-100*day), 7, 10 },
			[]step{pass(0)},
			"expired since 0d, expires -30d, renewed 10",
		},
		{
			"renewal and boundary at once reset once", with(renews(30, 0, 0), every),
			[]step{pass(5 * oneDay), moves(1, 2), pass(30 * oneDay)},
			"active since 0d, expires 65d, resets 40d, renewed 2, renewal reset of 0+0 at 5d, renewal reset of 1+2 at 35d",
		},
	})
}

// A user that was limited can connect again when Advance returns, and its old usage does not come back with a flush.
func TestResetBringsBackAtOnce(t *testing.T) {
	b := newBench(t)
	b.inbounds(1)
	n := b.user("alice")
	every(&n)
	quota(&n)
	id := b.create(n).ID
	b.counters.move(id, 99, 0)
	flush(b)
	b.counters.move(id, 5, 0) // more than its quota, and not flushed
	b.advance(nil, id)
	if c := b.core.has(id); c.User.Status != domain.StatusLimited || c.Traffic.Used() != 104 {
		t.Fatalf("the core has %s with %d bytes", c.User.Status, c.Traffic.Used())
	}
	b.counters.move(id, 3, 0) // what its last connections still moved
	b.clock.Advance(10 * oneDay)
	b.advance(nil, id)
	if c := b.core.has(id); c.User.Status != domain.StatusActive || c.Traffic.Used() != 0 {
		t.Errorf("the core has %s with %d bytes", c.User.Status, c.Traffic.Used())
	}
	b.counters.move(id, 1, 1)
	flush(b)
	if got := b.story("alice"); got != "active since 10d, resets 20d, used 1+1, period reset of 107+0 at 10d" {
		t.Errorf("alice is %s", got)
	}
	if traffic, err := b.db.Traffic(t.Context(), id); err != nil || traffic.LifetimeUp != 108 || traffic.LifetimeDown != 1 {
		t.Errorf("lifetime %+v, %v", traffic, err)
	}
	b.agree()
}

// A transaction that does not commit leaves bytes, usage and boundary as they were; all of it comes with the next one.
func TestResetThatDoesNotCommit(t *testing.T) {
	b := newBench(t)
	b.inbounds(1)
	n := b.user("alice")
	every(&n)
	id := b.create(n).ID
	b.counters.move(id, 5, 6)
	b.clock.Advance(10 * oneDay)
	makeRoom := storagetest.Full(t, b.db)
	told := len(b.core.told())
	if _, err := b.Advance(t.Context(), []int64{id}, nil); domain.CodeOf(err) != domain.CodeUnavailable {
		t.Fatalf("on a full disk: %v", err)
	}
	if got := b.story("alice"); got != "active since 0d, resets 10d" || len(b.core.told()) != told {
		t.Errorf("alice is %s, the core was told %q", got, b.core.told()[told:])
	}
	if view, err := b.User(t.Context(), "alice"); err != nil || view.Traffic.Up != 5 || view.Traffic.Down != 6 {
		t.Errorf("shown %+v, %v", view.Traffic, err)
	}
	makeRoom()
	b.advanceDue()
	flush(b)
	if got := b.story("alice"); got != "active since 0d, resets 20d, period reset of 5+6 at 10d" {
		t.Errorf("alice is %s", got)
	}
	b.agree()
}
