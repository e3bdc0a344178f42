package accounts_test

import (
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/sluicehq/sluice/kernel/accounts"
	"github.com/sluicehq/sluice/kernel/directory"
	"github.com/sluicehq/sluice/kernel/domain"
)

// randomUser is a user with any mix of what time can do to one.
func (b *bench) randomUser(r *rand.Rand, name string) accounts.NewUser {
	n := b.user(name)
	chance := func(change func()) {
		if r.IntN(3) == 0 {
			change()
		}
	}
	moment := func() *int64 { return ptr(start + r.Int64N(40*day) - 5*day) }
	chance(func() { n.Enabled = false })
	chance(func() { n.Quota = ptr(1 + r.Int64N(1000)) })
	chance(func() { n.AutoDelete = ptr(r.IntN(20)) })
	chance(func() { n.RenewDays, n.RenewMax = 1+r.IntN(10), r.IntN(4) })
	chance(func() { n.RenewDay, n.RenewMax = 1+r.IntN(31), r.IntN(4) })
	chance(func() { every(&n) })
	chance(func() { n.ResetPolicy, n.ResetParams = "day", "" })
	chance(func() {
		n.ResetPolicy, n.ResetParams = "calendar", `{"day_of_week":3,"hour":5,"time_zone":"America/New_York"}`
	})
	chance(func() { n.ExpireAt = moment() })
	chance(func() {
		n.ExpireAt, n.HoldDuration = nil, 1+r.Int64N(30*day)
		chance(func() { n.HoldTimeout = moment() })
	})
	chance(func() { n.Groups = []int64{1 + r.Int64N(2)} })
	chance(func() {
		n.NextPlan = domain.NextPlan{HasNextPlan: true, NextDuration: r.Int64N(20 * day), NextCarriesOver: r.IntN(2) == 0}
		chance(func() { n.NextPlan.NextQuota = ptr(1 + r.Int64N(1000)) })
		chance(func() { n.NextPlan.NextTemplate = ptr(1 + r.Int64N(4)) })
	})
	return n
}

// randomPlans changes the groups that users are let in by, and gives some of them a template.
func (b *bench) randomPlans(r *rand.Rand) {
	b.t.Helper()
	switch r.IntN(4) {
	case 0:
		shutGroups(r.IntN(2) == 0, 1+r.Int64N(2))(b)
	case 1:
		updateGroup(1+r.Int64N(2), func(g *domain.Group) { g.Inbounds = []int64{1 + r.Int64N(5), 1 + r.Int64N(5)} })(b)
	case 2:
		ids := b.SelectUsers(b.root(), directory.Query{})
		for i := range ids {
			j := r.IntN(i + 1)
			ids[i], ids[j] = ids[j], ids[i]
		}
		id := []int64{1, 2, 4}[r.IntN(3)]
		if _, err := b.ApplyTemplateTo(b.t.Context(), b.root(), ids[:len(ids)/10], id, nil); err != nil {
			b.t.Error(err)
		}
	}
}

// Whatever users there are and however much time passes: after a turn nobody is due, each status is the one that follows
// from the facts, the directory and the core agree, and no byte is lost or counted twice.
func TestAdvanceRandomUsers(t *testing.T) {
	const users, rounds = 150, 12
	for seed := range uint64(3) {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			r := rand.New(rand.NewPCG(seed, 0))
			b := newBench(t)
			newPlans(b)
			moved := map[int64]int64{}
			for i := range users {
				b.create(b.randomUser(r, fmt.Sprintf("user%d", i)))
			}
			for range rounds {
				for i := range users {
					u, ok := b.directory.ByName(fmt.Sprintf("user%d", i))
					if ok && r.IntN(2) == 0 {
						n := r.Int64N(400)
						b.counters.move(u.ID, n, 0)
						moved[u.ID] += n
					}
					if ok && u.HoldSince != nil && r.IntN(8) == 0 {
						b.advance(map[int64]int64{u.ID: b.clock.Now().UnixMilli()}, u.ID)
					}
				}
				if r.IntN(2) == 0 {
					flush(b)
				}
				b.randomPlans(r)
				pass(time.Duration(r.Int64N(int64(5 * oneDay))))(b)
				b.agree()
				b.soundLives(moved)
			}
		})
	}
}

// soundLives checks every user against its own facts and against what it moved.
func (b *bench) soundLives(moved map[int64]int64) {
	b.t.Helper()
	now := b.clock.Now().UnixMilli()
	err := b.db.EachAccount(b.t.Context(), func(a domain.Account) error {
		u := &a.User
		if want := u.StatusAt(now, a.Traffic.Used()); u.Status != want && u.Status != domain.StatusActive {
			b.t.Errorf("%s is stored as %s and is %s", u.Username, u.Status, want)
		}
		resets, err := b.db.UsageResets(b.t.Context(), u.ID, 1000)
		if err != nil {
			return err
		}
		sum := a.Traffic.Up
		for _, reset := range resets {
			sum += reset.Up
		}
		up, _ := b.counters.Unflushed(u.ID)
		if sum != a.Traffic.LifetimeUp || sum+up != moved[u.ID] {
			b.t.Errorf("%s moved %d: %d stored, %d of them in its life, %d to be flushed", u.Username, moved[u.ID], sum, a.Traffic.LifetimeUp, up)
		}
		return nil
	})
	if err != nil {
		b.t.Fatal(err)
	}
}
