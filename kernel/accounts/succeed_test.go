package accounts_test

import (
	"context"
	"fmt"
	"math"
	"testing"
	"time"

	"github.com/jonboulle/clockwork"

	"github.com/sluicehq/sluice/kernel/accounts"
	"github.com/sluicehq/sluice/kernel/domain"
	"github.com/sluicehq/sluice/kernel/period"
)

// next gives a new user a next plan of 500 bytes for 30 days.
func next(n *accounts.NewUser) {
	n.NextPlan = domain.NextPlan{HasNextPlan: true, NextQuota: ptr(int64(500)), NextDuration: 30 * day}
}

// nextOf gives a new user a template as its next plan.
func nextOf(id int64) func(*accounts.NewUser) {
	return func(n *accounts.NewUser) { n.NextPlan = domain.NextPlan{HasNextPlan: true, NextTemplate: &id} }
}

func carriesOver(n *accounts.NewUser) { n.NextPlan.NextCarriesOver = true }

// plan tells what a user has bought. Durations are in days.
func (b *bench) plan(name string) string {
	b.t.Helper()
	v, err := b.User(b.t.Context(), name)
	if err != nil {
		return err.Error()
	}
	text := "no quota"
	if v.Quota != nil {
		text = fmt.Sprintf("quota %d", *v.Quota)
	}
	if v.ResetPolicy != "" {
		text += ", policy " + v.ResetPolicy
	}
	text += fmt.Sprintf(", in %v by %v", v.Inbounds, v.GroupIDs)
	if v.HasNextPlan {
		text += ", then another"
	}
	return text
}

// newPlans is newDoors without alice, with the templates 1 (1000 bytes, groups 2 and 1, every 10 days), 2 (on hold for 30
// days, an hour at most, group 2), 3 (its group was deleted) and 4 (unlimited, group 1, Vision and aes-256-gcm).
func newPlans(b *bench) {
	b.t.Helper()
	b.inbounds(5)
	b.group("two", 1, 2)
	b.group("four", 4)
	b.group("label")
	b.template("monthly", func(t *domain.Template) {
		t.Quota, t.Duration, t.Groups, t.ResetPolicy, t.ResetParams = ptr(int64(1000)), 30*day, []int64{2, 1}, "every", `{"days":10}`
	})
	b.template("held", func(t *domain.Template) {
		t.Hold, t.Duration, t.HoldTimeout, t.Groups, t.ResetUsage = true, 30*day, ptr(hour), []int64{2}, true
	})
	b.template("bare", func(t *domain.Template) { t.Quota, t.Groups = ptr(int64(1000)), []int64{3} })
	b.template("free", func(t *domain.Template) { t.Flow, t.Method = ptr(domain.FlowVision), ptr("aes-256-gcm") })
	if _, err := b.DeleteGroups(b.t.Context(), []int64{3}); err != nil {
		b.t.Fatal(err)
	}
}

// planTale is a tale of a user of newPlans, with what the user has bought at its end.
type planTale struct {
	tale
	plan string
}

func tellPlans(t *testing.T, tales []planTale) {
	t.Helper()
	for _, c := range tales {
		t.Run(c.name, func(t *testing.T) {
			b := newBench(t)
			newPlans(b)
			n := b.user("alice")
			c.user(&n)
			b.create(n)
			for _, s := range c.steps {
				s(b)
			}
			if got := b.story("alice"); got != c.want {
				t.Errorf("alice\n got %s\nwant %s", got, c.want)
			}
			if got := b.plan("alice"); got != c.plan {
				t.Errorf("alice\n has  %s\nwant %s", got, c.plan)
			}
			b.agree()
			if n := b.logs.Len(); n > 0 {
				t.Errorf("logged %+v", b.logs.All())
			}
		})
	}
}

func TestNextPlan(t *testing.T) {
	const other, waits = "quota 500, in [1] by []", "quota 100, in [1] by [], then another"
	renews := func(n *accounts.NewUser) { n.RenewDays = 30 }
	tellPlans(t, []planTale{
		{tale{
			"nothing is used up", with(quota, expiring(5*day), next),
			[]step{moves(99, 0), seen(0), pass(5*oneDay - time.Millisecond)},
			"active since 0d, expires 5d, used 99+0",
		}, waits},
		{tale{
			"expiry", with(quota, expiring(5*day), next),
			[]step{moves(1, 2), pass(5 * oneDay)},
			"active since 0d, expires 35d, renewal reset of 1+2 at 5d",
		}, other},
		{tale{
			"expiry in downtime: its time counts from when it begins", with(quota, expiring(5*day), next),
			[]step{pass(9 * oneDay)},
			"active since 0d, expires 39d, renewal reset of 0+0 at 9d",
		}, other},
		{tale{
			"used up quota", with(quota, expiring(5*day), next),
			[]step{pass(oneDay), moves(60, 40), seen(0)},
			"active since 0d, expires 31d, renewal reset of 60+40 at 1d",
		}, other},
		{tale{
			"used up quota in the database", with(quota, next),
			[]step{moves(60, 40), flush, pass(oneDay), seen(0)},
			"active since 0d, expires 31d, renewal reset of 60+40 at 1d",
		}, other},
		{tale{
			"one plan, once", with(quota, next),
			[]step{moves(100, 0), seen(0), moves(500, 0), seen(0), pass(oneHour)},
			"limited since 0d, expires 30d, used 500+0, renewal reset of 100+0 at 0d",
		}, other},
		{tale{
			"one of nothing: no quota, no end", func(n *accounts.NewUser) { quota(n); n.NextPlan.HasNextPlan = true },
			[]step{moves(100, 0), seen(0)},
			"active since 0d, renewal reset of 100+0 at 0d",
		}, "no quota, in [1] by []"},
		{tale{
			"given to who has used up", quota, []step{
				moves(100, 0), seen(0), pass(oneHour), edits(func(v *accounts.UserView) { v.HasNextPlan = true }), pass(0),
			}, "active since 1h, renewal reset of 100+0 at 1h",
		}, "no quota, in [1] by []"},
		{tale{
			"disabled", with(expiring(day), next), []step{enable(false), pass(2 * oneDay)}, "disabled since 0d, expires 1d",
		}, "no quota, in [1] by [], then another"},
		{tale{
			"disabled, then enabled", with(expiring(day), next),
			[]step{enable(false), pass(2 * oneDay), enable(true), pass(0)},
			"active since 2d, expires 32d, renewal reset of 0+0 at 2d",
		}, other},
		{tale{
			"on hold with a used up quota", with(quota, held(ptr(start+day)), next),
			[]step{moves(100, 0), seen(0)},
			"on_hold since 0d, held since 0d, at most until 1d, used 100+0",
		}, waits},
		{tale{
			"the hold ends with a used up quota", with(quota, held(ptr(start+day)), next),
			[]step{moves(100, 0), pass(oneDay)},
			"active since 1d, expires 31d, renewal reset of 100+0 at 1d",
		}, other},
		{tale{
			"the hold was over in downtime", with(held(ptr(start+day)), next),
			[]step{pass(40 * oneDay)},
			"active since 40d, expires 70d, renewal reset of 0+0 at 40d",
		}, other},
		{tale{
			"a renewal comes first", with(quota, expiring(5*day), renews, next),
			[]step{moves(1, 2), pass(5 * oneDay)},
			"active since 0d, expires 35d, renewed 1, renewal reset of 1+2 at 5d",
		}, waits},
		{tale{
			"a renewal gives the quota back", with(quota, expiring(5*day), renews, next),
			[]step{moves(60, 40), pass(5 * oneDay)},
			"active since 0d, expires 35d, renewed 1, renewal reset of 60+40 at 5d",
		}, waits},
		{tale{
			"a used up quota does not wait for a renewal", with(quota, expiring(5*day), renews, next),
			[]step{moves(60, 40), seen(0)},
			"active since 0d, expires 30d, renewal reset of 60+40 at 0d",
		}, other},
		{tale{
			"the last renewal is over", with(expiring(5*day), func(n *accounts.NewUser) { n.RenewDays, n.RenewMax = 1, 1 }, next),
			[]step{pass(9 * oneDay)},
			"active since 0d, expires 39d, renewed 1, renewal reset of 0+0 at 9d",
		}, other},
		{tale{
			"expiry at a boundary: one reset, and the boundary moves", with(quota, expiring(10*day), every, next),
			[]step{moves(1, 2), pass(10 * oneDay)},
			"active since 0d, expires 40d, resets 20d, renewal reset of 1+2 at 10d",
		}, "quota 500, policy every, in [1] by []"},
		{tale{
			"boundaries go on, also one that was missed", with(quota, expiring(15*day), every, next),
			[]step{pass(15 * oneDay), moves(1, 2), pass(5 * oneDay)},
			"active since 0d, expires 45d, resets 30d, renewal reset of 0+0 at 15d, period reset of 1+2 at 20d",
		}, "quota 500, policy every, in [1] by []"},
		{tale{
			"not deleted, because there is another plan", with(expiring(day), next, func(n *accounts.NewUser) { n.AutoDelete = ptr(0) }),
			[]step{pass(oneDay)},
			"active since 0d, expires 31d, renewal reset of 0+0 at 1d",
		}, other},
		{tale{
			"deleted after it", with(expiring(day), next, func(n *accounts.NewUser) { n.AutoDelete = ptr(0) }),
			[]step{pass(oneDay), pass(30 * oneDay)},
			"gone",
		}, "client not found"},
	})
}

// What is left of a quota is exact to the byte, and a quota that would be too large is the largest.
func TestNextPlanCarriesOver(t *testing.T) {
	of := func(before, after *int64) func(*accounts.NewUser) {
		return func(n *accounts.NewUser) {
			expiring(day)(n)
			n.Quota, n.NextPlan = before, domain.NextPlan{HasNextPlan: true, NextQuota: after, NextCarriesOver: true}
		}
	}
	gb := ptr(int64(1 << 30))
	used := func(used int64) string { return fmt.Sprintf("active since 0d, renewal reset of %d+0 at 1d", used) }
	tellPlans(t, []planTale{
		{tale{"all of it", of(gb, gb), []step{pass(oneDay)}, used(0)}, "quota 2147483648, in [1] by []"},
		{tale{"a part, some of it not flushed", of(gb, gb), []step{moves(20, 0), flush, moves(3, 0), pass(oneDay)}, used(23)}, "quota 2147483625, in [1] by []"},
		{tale{"a byte", of(ptr(int64(10)), gb), []step{moves(9, 0), pass(oneDay)}, used(9)}, "quota 1073741825, in [1] by []"},
		{tale{"nothing", of(ptr(int64(10)), gb), []step{moves(10, 0), pass(oneDay)}, used(10)}, "quota 1073741824, in [1] by []"},
		{tale{"less than nothing", of(ptr(int64(10)), gb), []step{moves(99, 0), pass(oneDay)}, used(99)}, "quota 1073741824, in [1] by []"},
		{tale{"of no quota", of(nil, gb), []step{moves(99, 0), pass(oneDay)}, used(99)}, "quota 1073741824, in [1] by []"},
		{tale{"to no quota", of(gb, nil), []step{pass(oneDay)}, used(0)}, "no quota, in [1] by []"},
		{
			tale{"to the largest quota", of(gb, ptr(int64(math.MaxInt64))), []step{pass(oneDay)}, used(0)},
			"quota 9223372036854775807, in [1] by []",
		},
		{
			tale{"two halves of the largest quota, and more", of(ptr(int64(1<<62)), ptr(int64(1<<62+5))), []step{pass(oneDay)}, used(0)},
			"quota 9223372036854775807, in [1] by []",
		},
		{
			tale{"of the largest quota", of(ptr(int64(math.MaxInt64)), ptr(int64(7))), []step{moves(10, 0), pass(oneDay)}, used(10)},
			"quota 9223372036854775804, in [1] by []",
		},
	})
}

// A template as the next plan makes the user what the template says.
func TestNextPlanOfTemplate(t *testing.T) {
	tellPlans(t, []planTale{
		{tale{
			"a plan", with(quota, expiring(5*day), nextOf(1)),
			[]step{moves(1, 2), pass(5 * oneDay)},
			"active since 0d, expires 35d, resets 10d, renewal reset of 1+2 at 5d",
		}, "quota 1000, policy every, in [1 2 4] by [2 1]"},
		{tale{
			"and what was left", with(quota, expiring(5*day), nextOf(1), carriesOver),
			[]step{moves(1, 2), pass(5 * oneDay)},
			"active since 0d, expires 35d, resets 10d, renewal reset of 1+2 at 5d",
		}, "quota 1097, policy every, in [1 2 4] by [2 1]"},
		{tale{
			"on hold", with(quota, nextOf(2)),
			[]step{moves(100, 0), seen(0)},
			"on_hold since 0d, held since 0d, at most until 1h, renewal reset of 100+0 at 0d",
		}, "no quota, in [1 4] by [2]"},
		{tale{
			"on hold, then used", with(quota, nextOf(2)),
			[]step{moves(100, 0), seen(0), pass(30 * time.Minute), seen(start + hour/2)},
			"active since 30m, expires 720h30m, renewal reset of 100+0 at 0d",
		}, "no quota, in [1 4] by [2]"},
		{tale{
			"without groups: the user stays in its own", with(quota, nextOf(3), func(n *accounts.NewUser) { n.Groups = []int64{2} }),
			[]step{moves(100, 0), seen(0)},
			"active since 0d, renewal reset of 100+0 at 0d",
		}, "quota 1000, in [1 4] by [2]"},
		{tale{
			"without a policy, unlike the old one", with(quota, expiring(5*day), every, nextOf(4)),
			[]step{pass(5 * oneDay)},
			"active since 0d, renewal reset of 0+0 at 5d",
		}, "no quota, in [1 2] by [1]"},
		{tale{
			"the same policy", with(quota, expiring(15*day), every, nextOf(1)),
			[]step{pass(15 * oneDay)},
			"active since 0d, expires 45d, resets 20d, renewal reset of 0+0 at 15d",
		}, "quota 1000, policy every, in [1 2 4] by [2 1]"},
		{tale{
			"a disabled template", with(quota, nextOf(1)), []step{func(b *bench) {
				if _, err := b.DisableTemplates(b.t.Context(), []int64{1}, true); err != nil {
					b.t.Fatal(err)
				}
			}, moves(100, 0), seen(0)}, "active since 0d, expires 30d, resets 10d, renewal reset of 100+0 at 0d",
		}, "quota 1000, policy every, in [1 2 4] by [2 1]"},
	})
}

// activate is the operator's word that the next plan is to begin now.
func activate(b *bench) {
	b.t.Helper()
	if _, err := b.ActivateNextOf(b.t.Context(), b.root(), "ALICE"); err != nil {
		b.t.Fatal(err)
	}
}

func TestActivateNext(t *testing.T) {
	tellPlans(t, []planTale{
		{tale{
			"while there is something left", with(quota, expiring(5*day), next),
			[]step{moves(1, 2), pass(oneDay), activate},
			"active since 0d, expires 31d, renewal reset of 1+2 at 1d",
		}, "quota 500, in [1] by []"},
		{tale{
			"with what is left", with(quota, next, carriesOver),
			[]step{moves(1, 2), flush, moves(3, 4), activate},
			"active since 0d, expires 30d, renewal reset of 4+6 at 0d",
		}, "quota 590, in [1] by []"},
		{tale{
			"disabled", with(quota, next),
			[]step{enable(false), pass(oneHour), activate},
			"active since 1h, expires 721h, renewal reset of 0+0 at 1h",
		}, "quota 500, in [1] by []"},
		{tale{
			"on hold", with(held(nil), next), []step{activate}, "active since 0d, expires 30d, renewal reset of 0+0 at 0d",
		}, "quota 500, in [1] by []"},
		{tale{
			"a template", with(quota, nextOf(1), carriesOver),
			[]step{moves(10, 0), activate},
			"active since 0d, expires 30d, resets 10d, renewal reset of 10+0 at 0d",
		}, "quota 1090, policy every, in [1 2 4] by [2 1]"},
		{tale{
			"a template without groups", with(nextOf(3), func(n *accounts.NewUser) { n.Groups = []int64{2} }),
			[]step{activate},
			"active since 0d, renewal reset of 0+0 at 0d",
		}, "quota 1000, in [1 4] by [2]"},
	})
}

func TestActivateNextRefuses(t *testing.T) {
	b := newDoors(t)
	for _, c := range []struct{ name, want string }{
		{"alice", "User doesn't have next plan"}, {"nobody", "client not found"},
	} {
		b.refused(domain.CodeNotFound, "", c.want, func(ctx ctx) error {
			_, err := b.ActivateNextOf(ctx, b.root(), c.name)
			return err
		})
	}
	b.refused(domain.CodeNotFound, "", "template not found", func(ctx ctx) error {
		_, err := b.UpdateUser(ctx, "alice", func(v *accounts.UserView) error {
			v.NextPlan = domain.NextPlan{HasNextPlan: true, NextTemplate: ptr(int64(9))}
			return nil
		})
		return err
	})
	b.refused(domain.CodeNotFound, "", "template not found", func(ctx ctx) error {
		n := b.user("bob")
		nextOf(9)(&n)
		_, err := b.CreateUser(ctx, n, nil)
		return err
	})
	for _, c := range []struct {
		plan        domain.NextPlan
		field, want string
	}{
		{domain.NextPlan{NextQuota: ptr(int64(0))}, "next_quota", "next_quota must be more than 0 bytes"},
		{domain.NextPlan{NextDuration: -1}, "next_duration", "next_duration must be between 0 and 100 years"},
		{domain.NextPlan{NextDuration: 101 * 365 * day}, "next_duration", "next_duration must be between 0 and 100 years"},
	} {
		b.refused(domain.CodeInvalid, c.field, c.want, func(ctx ctx) error {
			_, err := b.UpdateUser(ctx, "alice", func(v *accounts.UserView) error { v.NextPlan = c.plan; return nil })
			return err
		})
	}
}

// newSlow is newPlans with alice, whose next plan is template 1: to plan it asks a period plugin, before which something
// else may happen.
func newSlow(t *testing.T) (*bench, *interrupted) {
	t.Helper()
	periods := &interrupted{Service: period.New(builtins)}
	b := newBenchWith(t, clockwork.NewFakeClockAt(time.UnixMilli(start)), periods)
	newPlans(b)
	n := b.user("alice")
	with(quota, expiring(day), nextOf(1))(&n)
	b.create(n)
	return b, periods
}

// What others do while a next plan is planned is kept.
func TestNextPlanIsOvertaken(t *testing.T) {
	edit := func(b *bench) error {
		_, err := b.UpdateUser(b.t.Context(), "alice", func(v *accounts.UserView) error { v.Note = "new"; return nil })
		return err
	}
	remove := func(b *bench) error { _, err := b.DeleteTemplates(b.t.Context(), []int64{1}); return err }
	const began = "active since 1d, expires 31d, resets 10d, renewal reset of 0+0 at 1d"
	for _, c := range []struct {
		name                 string
		do                   func(b *bench) error
		turn, then, activate string
	}{
		{"an edit", edit, "expired since 1d, expires 1d", began, began},
		{"the template is deleted", remove, "active since 0d, expires 1d", "expired since 1d, expires 1d", "User doesn't have next plan"},
		{
			"the user is deleted", func(b *bench) error { return b.DeleteUser(b.t.Context(), "alice", false) },
			"gone", "gone", "client not found",
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			prepared := func() *bench {
				b, periods := newSlow(t)
				b.clock.Advance(oneDay)
				periods.first = func() {
					if err := c.do(b); err != nil {
						t.Error(err)
					}
				}
				return b
			}
			b := prepared()
			b.advance(nil, 1)
			if got := b.story("alice"); got != c.turn {
				t.Errorf("alice\n got %s\nwant %s", got, c.turn)
			}
			b.advanceDue()
			if got := b.story("alice"); got != c.then {
				t.Errorf("then alice\n got %s\nwant %s", got, c.then)
			}
			b.agree()

			b = prepared()
			if _, err := b.ActivateNextOf(t.Context(), b.root(), "alice"); err != nil {
				wantError(t, err, domain.CodeNotFound, "", c.activate)
			} else if got := b.story("alice"); got != c.activate {
				t.Errorf("activated, alice\n got %s\nwant %s", got, c.activate)
			}
			b.agree()
		})
	}
}

// A group that is deleted while a next plan puts a user into it keeps this user for one turn, and nobody else.
func TestGroupOfNextPlanIsDeleted(t *testing.T) {
	b, periods := newSlow(t)
	n := b.user("bob")
	with(expiring(day), next)(&n)
	b.create(n)
	b.clock.Advance(oneDay)
	periods.first = func() {
		if _, err := b.DeleteGroups(t.Context(), []int64{2}); err != nil {
			t.Error(err)
		}
	}
	if idle := b.advance(nil, 1, 2); len(idle) != 1 || idle[0] != 1 || b.logs.Len() != 1 {
		t.Errorf("idle %v, logged %+v", idle, b.logs.All())
	}
	if got := b.story("bob"); got != "active since 0d, expires 31d, renewal reset of 0+0 at 1d" {
		t.Errorf("bob is %s", got)
	}
	b.advanceDue()
	if got := b.plan("alice"); got != "quota 1000, policy every, in [1 2] by [1]" {
		t.Errorf("alice has %s", got)
	}
	b.agree()
}

// A next plan whose period plugin fails is retried, and is due then and not before.
func TestNextPlanThatFails(t *testing.T) {
	b, host := moody(t, patient())
	b.group("one", 1)
	id := b.template("never", func(t *domain.Template) { t.ResetPolicy, t.ResetParams = "every", `{"days":10}` })
	for _, name := range []string{"alice", "bob"} {
		n := b.user(name)
		with(quota, nextOf(id))(&n)
		b.create(n)
	}
	b.edit("bob", func(v *accounts.UserView) { v.ExpireAt = ptr(start + 60_000) })
	if err := host.Close(context.Background()); err != nil {
		t.Fatal(err)
	}
	b.counters.move(b.id("alice"), 100, 0)
	b.counters.move(b.id("bob"), 100, 0)
	b.advance(nil, b.id("alice"), b.id("bob"))
	b.wantFailure("every", 2)
	b.advanceDue() // nothing is: no spin
	pass(time.Minute)(b)
	if got := b.story("alice"); got != "limited since 0d, retries 5m, used 100+0" {
		t.Errorf("alice is %s", got)
	}
	if got := b.story("bob"); got != "expired since 1m, expires 1m, retries 5m, used 100+0" { // expiry needs no plugin
		t.Errorf("bob is %s", got)
	}
	if n := b.logs.Len(); n > 0 {
		t.Errorf("asked too early: %+v", b.logs.All())
	}
	pass(4 * time.Minute)(b)
	b.wantFailure("every", 2)
	if got := b.story("alice"); got != "limited since 0d, retries 10m, used 100+0" {
		t.Errorf("alice is %s", got)
	}
	b.edit("alice", func(v *accounts.UserView) { v.NextTemplate = nil })
	pass(5 * time.Minute)(b)
	b.wantFailure("every", 1)
	if got := b.story("alice"); got != "active since 10m, renewal reset of 100+0 at 10m" {
		t.Errorf("alice is %s", got)
	}
	b.agree()
}

// A next plan does not wait for the retry of a reset policy, and does not end it.
func TestNextPlanDuringARetry(t *testing.T) {
	b, _ := moody(t, patient())
	b.misbehaving("alice", "past")
	b.edit("alice", func(v *accounts.UserView) {
		v.ExpireAt, v.NextPlan = ptr(start+day+1000), domain.NextPlan{HasNextPlan: true, NextDuration: day}
	})
	pass(oneDay)(b)
	b.wantFailure("past", 1)
	pass(time.Second)(b)
	if got := b.story("alice"); got != "active since 0d, expires 48h0m1s, resets 1d, retries 24h5m, renewal reset of 1+2 at 24h0m1s" {
		t.Errorf("alice is %s", got)
	}
	pass(4 * time.Minute)(b)
	if n := b.logs.Len(); n > 0 {
		t.Errorf("asked too early: %+v", b.logs.All())
	}
	b.agree()
}
