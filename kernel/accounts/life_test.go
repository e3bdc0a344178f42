package accounts_test

import (
	"testing"
	"time"

	"github.com/sluicehq/sluice/kernel/accounts"
	"github.com/sluicehq/sluice/kernel/domain"
	"github.com/sluicehq/sluice/storage"
)

const (
	oneHour = time.Hour
	oneDay  = 24 * time.Hour
)

// held puts a new user on hold for 30 days from its first use.
func held(timeout *int64) func(*accounts.NewUser) {
	return func(n *accounts.NewUser) { n.HoldDuration, n.HoldTimeout = 30*day, timeout }
}

func TestHold(t *testing.T) {
	timeout := ptr(start + 2*day)
	tell(t, []tale{
		{"waits", held(nil), []step{pass(1000 * oneDay)}, "on_hold since 0d, held since 0d"},
		{"first use", held(timeout), []step{pass(oneHour), seen(start + 5)}, "active since 1h, expires 720h0m0.005s"},
		{"first use at the very start", held(timeout), []step{seen(start)}, "active since 0d, expires 30d"},
		{"first use before the hold", held(timeout), []step{pass(oneHour), seen(start - 1)}, "on_hold since 0d, held since 0d, at most until 2d"},
		{"no use", held(timeout), []step{pass(oneHour), seen(0)}, "on_hold since 0d, held since 0d, at most until 2d"},
		{"a moment before the timeout", held(timeout), []step{pass(2*oneDay - time.Millisecond)}, "on_hold since 0d, held since 0d, at most until 2d"},
		{"timeout", held(timeout), []step{pass(2 * oneDay)}, "active since 2d, expires 32d"},
		{"timeout during downtime", held(timeout), []step{pass(12 * oneDay)}, "active since 12d, expires 32d"},
		{"all of its time during downtime", held(timeout), []step{pass(32 * oneDay)}, "expired since 32d, expires 32d"},
		{"used before the timeout, noticed after it", held(timeout), []step{pass(3 * oneDay), seen(start + day)}, "active since 3d, expires 32d"},
		{"used before the timeout, noticed with it", held(timeout), []step{
			func(b *bench) { b.clock.Advance(2 * oneDay) }, seen(start + day),
		}, "active since 2d, expires 31d"},
		{"used after the timeout, noticed with it", held(timeout), []step{
			func(b *bench) { b.clock.Advance(3 * oneDay) }, seen(start + 2*day + 1),
		}, "active since 3d, expires 32d"},
		{"timeout while disabled", held(timeout), []step{enable(false), pass(2 * oneDay)}, "disabled since 0d, expires 32d"},
		{"timeout while disabled, then enabled", held(timeout), []step{enable(false), pass(3 * oneDay), enable(true)}, "active since 3d, expires 32d"},
		{
			"disabled and enabled in time", held(timeout),
			[]step{pass(oneDay), enable(false), pass(oneHour), enable(true)},
			"on_hold since 25h, held since 0d, at most until 2d",
		},
		{
			"used up quota ends with the hold", func(n *accounts.NewUser) { held(timeout)(n); n.Quota = ptr(int64(10)) },
			[]step{moves(5, 5), pass(oneHour), seen(start + hour)},
			"limited since 1h, expires 721h, used 5+5",
		},
		{
			"used before, then put on hold", func(*accounts.NewUser) {},
			[]step{moves(5, 5), flush, pass(oneDay), edits(func(v *accounts.UserView) { v.Hold(v.Now, 30*day, nil) }), seen(start + 5)},
			"on_hold since 1d, held since 1d, used 5+5",
		},
		{
			"put on hold, then used", func(*accounts.NewUser) {},
			[]step{pass(oneDay), edits(func(v *accounts.UserView) { v.Hold(v.Now, 30*day, nil) }), seen(start + day)},
			"active since 1d, expires 31d",
		},
		{
			"an expiry instead", held(timeout), []step{pass(oneHour), edits(func(v *accounts.UserView) {
				v.HoldSince, v.HoldTimeout, v.HoldDuration, v.ExpireAt = nil, nil, 0, ptr(start+day)
			}), pass(oneHour)}, "active since 1h, expires 1d",
		},
		{
			"a hold goes before an expiry", held(nil),
			[]step{edits(func(v *accounts.UserView) { v.ExpireAt, v.RenewDays = ptr(start), 1 }), seen(0)},
			"on_hold since 0d, held since 0d, expires 0d",
		},
		{
			"a period for what was held", func(n *accounts.NewUser) { held(timeout)(n); n.RenewDays, n.RenewMax = 30, 1 },
			[]step{pass(40 * oneDay)},
			"active since 40d, expires 62d, renewed 1, renewal reset of 0+0 at 40d",
		},
	})
}

func expiring(at int64) func(*accounts.NewUser) {
	return func(n *accounts.NewUser) { n.ExpireAt = ptr(start + at) }
}

func TestExpiryAndQuota(t *testing.T) {
	limited := func(n *accounts.NewUser) { n.Quota = ptr(int64(10)); n.ExpireAt = ptr(start + 5*day) }
	tell(t, []tale{
		{"a moment before", expiring(day), []step{pass(oneDay - time.Millisecond)}, "active since 0d, expires 1d"},
		{"expiry", expiring(day), []step{pass(oneDay)}, "expired since 1d, expires 1d"},
		{"expired when it was made", expiring(-day), []step{pass(oneDay)}, "expired since 0d, expires -1d"},
		{"disabled", expiring(day), []step{enable(false), pass(2 * oneDay)}, "disabled since 0d, expires 1d"},
		{"disabled, then enabled", expiring(day), []step{enable(false), pass(2 * oneDay), enable(true)}, "expired since 2d, expires 1d"},
		{
			"extended", expiring(day),
			[]step{pass(2 * oneDay), edits(func(v *accounts.UserView) { v.ExpireAt = ptr(start + 9*day) })},
			"active since 2d, expires 9d",
		},
		{"one byte left", limited, []step{moves(4, 5), seen(0)}, "active since 0d, expires 5d, used 4+5"},
		{"quota met", limited, []step{moves(4, 6), seen(0)}, "limited since 0d, expires 5d, used 4+6"},
		{"quota met, then expiry", limited, []step{moves(4, 6), seen(0), pass(5 * oneDay)}, "expired since 5d, expires 5d, used 4+6"},
		{
			"quota raised", limited,
			[]step{moves(4, 6), seen(0), edits(func(v *accounts.UserView) { v.Quota = ptr(int64(11)) })},
			"active since 0d, expires 5d, used 4+6",
		},
		{
			"quota lowered", limited,
			[]step{moves(4, 5), pass(oneHour), edits(func(v *accounts.UserView) { v.Quota = ptr(int64(9)) })},
			"limited since 1h, expires 5d, used 4+5",
		},
		{"disabled goes before limited", limited, []step{moves(4, 6), seen(0), enable(false)}, "disabled since 0d, expires 5d, used 4+6"},
	})
}

// A clock that jumps back brings back who is not expired yet, and makes no boundary due again; one that jumps forward
// is downtime.
func TestClockJumps(t *testing.T) {
	back := func(d time.Duration) step {
		return func(b *bench) {
			b.clock.Advance(-d)
			b.advance(nil, b.directory.Stale(b.clock.Now().UnixMilli())...)
			b.advanceDue()
		}
	}
	tell(t, []tale{
		{"back before the expiry", expiring(2 * day), []step{pass(2 * oneDay), back(oneDay)}, "active since 1d, expires 2d"},
		{"back, and there again", expiring(2 * day), []step{pass(2 * oneDay), back(oneDay), pass(oneDay)}, "expired since 2d, expires 2d"},
		{
			"back before a reset", every,
			[]step{moves(1, 2), pass(10 * oneDay), back(oneDay), moves(3, 4), pass(oneDay), flush},
			"active since 0d, resets 20d, used 3+4, period reset of 1+2 at 10d",
		},
		{
			"back before a renewal", with(expiring(2*day), func(n *accounts.NewUser) { n.RenewDays = 30 }),
			[]step{pass(2 * oneDay), back(oneDay), pass(oneDay)},
			"active since 0d, expires 32d, renewed 1, renewal reset of 0+0 at 2d",
		},
		{"back on hold", held(ptr(start + 2*day)), []step{pass(2 * oneDay), back(oneDay)}, "active since 2d, expires 32d"},
		{"forward and back", every, []step{moves(1, 2), pass(11 * oneDay), back(oneDay)}, "active since 0d, resets 20d, period reset of 1+2 at 11d"},
	})
}

// A turn in which nothing is due says so, and makes no change of it, although it stores the bytes of the last seconds.
func TestAdvanceIdle(t *testing.T) {
	b := newBench(t)
	b.inbounds(1)
	n := b.user("alice")
	n.Quota = ptr(int64(10))
	id := b.create(n).ID
	b.counters.move(id, 1, 2)
	before, told := b.lastChange(), len(b.core.told())
	if idle := b.advance(nil, id, id); len(idle) != 1 || idle[0] != id {
		t.Errorf("idle %v", idle)
	}
	if b.lastChange() != before || len(b.core.told()) != told {
		t.Errorf("changes %d after %d, effects %q", b.lastChange(), before, b.core.told())
	}
	if got := b.story("alice"); got != "active since 0d, used 1+2" {
		t.Errorf("alice is %s", got)
	}
}

// A user that is deleted in the database is taken out of the rest.
func TestAdvanceOfTheDeleted(t *testing.T) {
	b := newBench(t)
	b.inbounds(1)
	id := b.create(b.user("alice")).ID
	b.write(func(tx *storage.Tx) error { return tx.DeleteUser(t.Context(), id) })
	if idle := b.advance(nil, id, 99); len(idle) != 0 {
		t.Errorf("idle %v", idle)
	}
	b.agree()
}

func TestAutoDelete(t *testing.T) {
	after := func(days int, more func(*accounts.NewUser)) func(*accounts.NewUser) {
		return func(n *accounts.NewUser) { more(n); n.AutoDelete = ptr(days) }
	}
	limitedToo := func(b *bench) { b.settings(func(s *domain.Settings) { s.AutoDeleteLimited = true }) }
	full := func(n *accounts.NewUser) { n.Quota = ptr(int64(10)) }
	tell(t, []tale{
		{"not yet", after(3, expiring(day)), []step{pass(oneDay), pass(3*oneDay - time.Millisecond)}, "expired since 1d, expires 1d"},
		{"in time", after(3, expiring(day)), []step{pass(oneDay), pass(3 * oneDay)}, "gone"},
		{"counted from when it was noticed", after(3, expiring(day)), []step{pass(9 * oneDay)}, "expired since 9d, expires 1d"},
		{"at once", after(0, expiring(day)), []step{pass(oneDay)}, "gone"},
		{"disabled", after(0, expiring(day)), []step{enable(false), pass(9 * oneDay)}, "disabled since 0d, expires 1d"},
		{
			"extended in time", after(3, expiring(day)),
			[]step{pass(oneDay), edits(func(v *accounts.UserView) { v.ExpireAt = nil }), pass(9 * oneDay)},
			"active since 1d",
		},
		{
			"renewed instead", after(0, func(n *accounts.NewUser) { expiring(day)(n); n.RenewDays = 30 }),
			[]step{pass(oneDay)},
			"active since 0d, expires 31d, renewed 1, renewal reset of 0+0 at 1d",
		},
		{"limited users stay", after(3, full), []step{moves(10, 0), seen(0), pass(9 * oneDay)}, "limited since 0d, used 10+0"},
		{"limited users go too", after(3, full), []step{limitedToo, moves(10, 0), seen(0), pass(3 * oneDay)}, "gone"},
		{"the setting comes later", after(3, full), []step{moves(10, 0), seen(0), pass(5 * oneDay), limitedToo, pass(0)}, "gone"},
	})
}
