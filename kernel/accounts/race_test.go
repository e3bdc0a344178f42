package accounts_test

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/jonboulle/clockwork"

	"github.com/sluicehq/sluice/kernel/accounts"
	"github.com/sluicehq/sluice/kernel/domain"
	"github.com/sluicehq/sluice/kernel/period"
)

// interrupted asks periods as they are, and lets something else happen first, once. It keeps what was asked.
type interrupted struct {
	*period.Service
	first func()
	asked []period.Question
}

func (i *interrupted) Next(ctx context.Context, q period.Question) (int64, bool, error) {
	i.asked = append(i.asked, q)
	if do := i.first; do != nil {
		i.first = nil
		do()
	}
	return i.Service.Next(ctx, q)
}

// newInterrupted is a bench with alice, whose usage resets every 10 days, on day 10.
func newInterrupted(t *testing.T) (*bench, *interrupted) {
	t.Helper()
	periods := &interrupted{Service: period.New(builtins)}
	b := newBenchWith(t, clockwork.NewFakeClockAt(time.UnixMilli(start)), periods)
	b.inbounds(1)
	n := b.user("alice")
	every(&n)
	b.counters.move(b.create(n).ID, 1, 2)
	b.clock.Advance(10 * oneDay)
	return b, periods
}

// What others do between the planning of a turn and its transaction is kept, and what was due is done by the next turn.
func TestAdvanceIsOvertaken(t *testing.T) {
	for _, c := range []struct {
		name        string
		do          func(b *bench) error
		first, then string
	}{
		{
			"an edit", func(b *bench) error {
				_, err := b.UpdateUser(b.t.Context(), "alice", func(v *accounts.UserView) error { v.Note = "new"; return nil })
				return err
			},
			"active since 0d, resets 10d, used 1+2", "active since 0d, resets 20d, period reset of 1+2 at 10d",
		},
		{
			"the policy is taken away", func(b *bench) error {
				_, err := b.UpdateUser(b.t.Context(), "alice", func(v *accounts.UserView) error { v.ResetPolicy = ""; return nil })
				return err
			},
			"active since 0d, used 1+2", "active since 0d, used 1+2",
		},
		{
			"the same turn", func(b *bench) error {
				_, err := b.Advance(b.t.Context(), []int64{1}, nil)
				return err
			},
			"active since 0d, resets 20d, period reset of 1+2 at 10d", "active since 0d, resets 20d, period reset of 1+2 at 10d",
		},
		{"deletion", func(b *bench) error { return b.DeleteUser(b.t.Context(), "alice", false) }, "gone", "gone"},
	} {
		t.Run(c.name, func(t *testing.T) {
			b, periods := newInterrupted(t)
			periods.first = func() {
				if err := c.do(b); err != nil {
					t.Error(err)
				}
			}
			if idle := b.advance(nil, 1); len(idle) != 0 {
				t.Errorf("idle %v", idle)
			}
			if got := b.story("alice"); got != c.first {
				t.Errorf("alice\n got %s\nwant %s", got, c.first)
			}
			b.advanceDue()
			if got := b.story("alice"); got != c.then {
				t.Errorf("then alice\n got %s\nwant %s", got, c.then)
			}
			b.agree()
		})
	}
}

// Plugins are told from when boundaries count, which was the last one, and what the operator's clocks show.
func TestWhatPeriodsAreAsked(t *testing.T) {
	b, periods := newInterrupted(t)
	b.settings(func(s *domain.Settings) { s.TimeZone = "Asia/Tokyo" })
	b.edit("alice", func(v *accounts.UserView) { v.ExpireAt, v.RenewDay = ptr(start+10*day), 5 })
	pass(oneHour)(b)
	b.edit("alice", func(v *accounts.UserView) { v.ResetPolicy, v.ResetParams = "week", "" })
	const ten = `{"days":10}`
	now := start + 10*day + hour
	want := []period.Question{
		{ID: "every", Params: ten, Anchor: start, Now: start},
		{ID: "monthly", Params: `{"day":5}`, Anchor: start + 10*day, Last: start + 10*day, Now: start + 10*day, TimeZone: "Asia/Tokyo"},
		{ID: "every", Params: ten, Anchor: start, Last: start + 10*day, Now: now, TimeZone: "Asia/Tokyo"},
		{ID: "week", Anchor: start, Now: now, TimeZone: "Asia/Tokyo"},
	}
	if !slices.Equal(periods.asked, want) {
		t.Errorf("asked\n got %+v\nwant %+v", periods.asked, want)
	}
}

// Turns, edits and flushes of the same users at the same time: each boundary resets once, no note and no byte is lost.
func TestAdvanceAtTheSameTime(t *testing.T) {
	const users, notes = 20, 5
	b := newBench(t)
	b.inbounds(1)
	for i := range users {
		n := b.user(fmt.Sprint(i))
		every(&n)
		b.counters.move(b.create(n).ID, 10, 0)
	}
	b.clock.Advance(10 * oneDay)
	var all sync.WaitGroup
	for range 3 {
		all.Go(func() {
			for {
				due := b.directory.Due(start+10*day, users)
				if len(due) == 0 {
					return
				}
				if _, err := b.Advance(t.Context(), due, nil); err != nil {
					t.Error(err)
					return
				}
			}
		})
	}
	all.Go(func() {
		for range users {
			if err := b.flusher.Flush(t.Context()); err != nil {
				t.Error(err)
			}
		}
	})
	all.Go(func() {
		for i := range users * notes {
			_, err := b.UpdateUser(t.Context(), fmt.Sprint(i%users), func(v *accounts.UserView) error { v.Note += "x"; return nil })
			if err != nil {
				t.Error(err)
			}
			b.counters.move(int64(i%users)+1, 1, 0)
		}
	})
	all.Wait()
	flush(b)
	b.agree()
	err := b.db.EachAccount(t.Context(), func(a domain.Account) error {
		resets, err := b.db.UsageResets(t.Context(), a.User.ID, 10)
		if len(resets) != 1 || len(a.User.Note) != notes || resets[0].Up+a.Traffic.Up != 10+notes || *a.User.NextResetAt != start+20*day {
			t.Errorf("%s: note %q, traffic %+v, resets %+v", a.User.Username, a.User.Note, a.Traffic, resets)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}
