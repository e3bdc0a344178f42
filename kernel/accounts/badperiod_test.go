package accounts_test

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/jonboulle/clockwork"

	"github.com/sluicehq/sluice/kernel/accounts"
	"github.com/sluicehq/sluice/kernel/domain"
	"github.com/sluicehq/sluice/kernel/period"
	"github.com/sluicehq/sluice/kernel/plugin"
	"github.com/sluicehq/sluice/sdk/wire"
)

const periodFailed = "a period plugin failed: boundaries stay as they are and are asked for again"

// moody is a bench whose users may have the periods of testdata/moody.
func moody(t *testing.T, limits plugin.Limits) (*bench, *plugin.Host) {
	t.Helper()
	clock := clockwork.NewFakeClockAt(time.UnixMilli(start))
	host := openMoody(t, clock, limits)
	b := newBenchWith(t, clock, period.New(host))
	b.inbounds(1)
	return b, host
}

// misbehaving is a user whose period is a day, and misbehaves on the second day.
func (b *bench) misbehaving(name, id string) {
	b.t.Helper()
	n := b.user(name)
	n.ResetPolicy, n.ResetParams = id, fmt.Sprintf(`{"until":%d}`, start+2*day)
	b.counters.move(b.create(n).ID, 1, 2)
}

// wantFailure checks that exactly one failure of a period was logged since the last call, for so many users.
func (b *bench) wantFailure(id string, users int64) {
	b.t.Helper()
	lines := b.logs.TakeAll()
	if len(lines) != 1 || lines[0].Message != periodFailed || lines[0].ContextMap()["period"] != id || lines[0].ContextMap()["users"] != users {
		b.t.Errorf("logged %+v, want one line about %s for %d users", lines, id, users)
	}
}

// A boundary whose plugin does not say when the next one is stays, with a retry time; the others of the batch go on, and
// the retry does what was missed, once.
func TestPeriodThatFails(t *testing.T) {
	for _, id := range []string{"past", "far", "trap", "refuse", "loop"} {
		t.Run(id, func(t *testing.T) {
			limits := patient()
			if id == "loop" {
				limits.Call[wire.OpPeriod] = 500 * time.Millisecond
			}
			b, _ := moody(t, limits)
			b.misbehaving("alice", id)
			n := b.user("bob")
			every(&n)
			b.create(n)
			b.clock.Advance(9 * oneHour)
			b.behind("bob", func(u *domain.User) { u.NextResetAt = ptr(start + day) })

			b.clock.Advance(15 * oneHour)
			if idle := b.advance(nil, b.id("alice"), b.id("bob")); len(idle) != 0 {
				t.Errorf("idle %v", idle)
			}
			b.wantFailure(id, 1)
			if got := b.story("alice"); got != "active since 0d, resets 1d, retries 24h5m, used 1+2" {
				t.Errorf("alice is %s", got)
			}
			if got := b.story("bob"); got != "active since 0d, resets 10d, period reset of 0+0 at 1d" {
				t.Errorf("bob is %s", got)
			}
			pass(4 * time.Minute)(b) // nothing is due
			pass(time.Minute)(b)     // and now it is
			b.wantFailure(id, 1)
			if got := b.story("alice"); got != "active since 0d, resets 1d, retries 24h10m, used 1+2" {
				t.Errorf("alice is %s", got)
			}
			pass(oneDay)(b)
			if got := b.story("alice"); got != "active since 0d, resets 72h5m, period reset of 1+2 at 48h5m" {
				t.Errorf("alice is %s", got)
			}
			b.agree()
		})
	}
}

// A policy that fails for many users is one line in the log, and each policy has its own.
func TestPeriodsThatFailAreLoggedOnce(t *testing.T) {
	b, _ := moody(t, patient())
	for i := range 3 {
		b.misbehaving(fmt.Sprintf("past%d", i), "past")
	}
	b.misbehaving("refused", "refuse")
	pass(oneDay)(b)
	lines := b.logs.TakeAll()
	if len(lines) != 2 {
		t.Fatalf("logged %+v", lines)
	}
	past, refuse := lines[0].ContextMap(), lines[1].ContextMap()
	if past["period"] != "past" || past["users"] != int64(3) || refuse["period"] != "refuse" || refuse["users"] != int64(1) {
		t.Errorf("logged %v, then %v", past, refuse)
	}
}

// A boundary that was the last one is passed.
func TestPeriodThatEnds(t *testing.T) {
	b, _ := moody(t, patient())
	b.misbehaving("alice", "never")
	pass(oneDay)(b)
	if got := b.story("alice"); got != "active since 0d, period reset of 1+2 at 1d" || b.logs.Len() > 0 {
		t.Errorf("alice is %s, logged %v", got, b.logs.All())
	}
}

// A period that is not loaded any more, or whose host does not answer, fails as a broken one does. Who was to be renewed
// is not deleted meanwhile, and expiry and holds do not wait.
func TestPeriodThatIsGone(t *testing.T) {
	b, host := moody(t, patient())
	renewed := func(n *accounts.NewUser) { expiring(day)(n); n.RenewDays, n.AutoDelete = 30, ptr(0) }
	for name, change := range map[string]func(*accounts.NewUser){
		"renewed": renewed, "reset": every, "both": with(renewed, every), "held": with(held(ptr(start+10*day)), every),
	} {
		n := b.user(name)
		change(&n)
		b.create(n)
	}
	if err := host.Close(context.Background()); err != nil {
		t.Fatal(err)
	}
	pass(oneDay)(b)
	b.wantFailure("every", 2)
	if idle := b.advance(nil, b.id("renewed")); len(idle) != 1 || b.logs.Len() > 0 { // too early for a retry
		t.Errorf("idle %v, logged %+v", idle, b.logs.All())
	}
	pass(9 * oneDay)(b)
	b.wantFailure("every", 4)
	for name, want := range map[string]string{
		"renewed": "expired since 1d, expires 1d, retries 240h5m",
		"reset":   "active since 0d, resets 10d, retries 240h5m",
		"both":    "expired since 1d, expires 1d, resets 10d, retries 240h5m",
		"held":    "active since 10d, expires 40d, resets 10d, retries 240h5m",
	} {
		if got := b.story(name); got != want {
			t.Errorf("%s\n got %s\nwant %s", name, got, want)
		}
	}
	b.agree()
}

// A retry time does not put off what needs no plugin.
func TestExpiryDuringARetry(t *testing.T) {
	b, _ := moody(t, patient())
	b.misbehaving("alice", "past")
	pass(oneDay)(b)
	b.edit("alice", func(v *accounts.UserView) { v.ExpireAt = ptr(start + day + 1000) })
	pass(time.Second)(b)
	if got := b.story("alice"); got != "expired since 24h0m1s, expires 24h0m1s, resets 1d, retries 24h5m, used 1+2" {
		t.Errorf("alice is %s", got)
	}
}

// With another policy there is nothing to be retried.
func TestNewPolicyDuringARetry(t *testing.T) {
	b, _ := moody(t, patient())
	b.misbehaving("alice", "past")
	pass(oneDay)(b)
	b.edit("alice", func(v *accounts.UserView) { v.ResetPolicy, v.ResetParams = "week", "" })
	if got := b.story("alice"); got != "active since 0d, resets 7d, used 1+2" {
		t.Errorf("alice is %s", got)
	}
}

// A renewal by a period that works does not wait for the retry of another one.
func TestRenewalDuringARetry(t *testing.T) {
	b, _ := moody(t, patient())
	b.misbehaving("alice", "past")
	b.edit("alice", func(v *accounts.UserView) { v.ExpireAt, v.RenewDays = ptr(start+day+1000), 30 })
	pass(oneDay)(b)
	pass(time.Second)(b)
	const renewed = "active since 0d, expires 744h0m1s, resets 1d, retries 24h5m, renewed 1, renewal reset of 1+2 at 24h0m1s"
	if got := b.story("alice"); got != renewed {
		t.Errorf("alice is %s", got)
	}
	b.agree()
}
