package accounts_test

import (
	"fmt"
	"math"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/sluicehq/sluice/kernel/accounts"
	"github.com/sluicehq/sluice/kernel/domain"
	"github.com/sluicehq/sluice/storage"
)

const (
	hour = int64(time.Hour / time.Millisecond)
	day  = 24 * hour
)

// step is something that happens to the one user of a story.
type step func(b *bench)

// pass lets time pass and does what is due then, as the job does.
func pass(d time.Duration) step {
	return func(b *bench) {
		b.clock.Advance(d)
		b.advanceDue()
	}
}

// moves counts bytes that are not flushed.
func moves(up, down int64) step { return func(b *bench) { b.counters.move(b.id("alice"), up, down) } }

// seen tells of a user's first use, or of its used up quota if at is 0.
func seen(at int64) step {
	return func(b *bench) { b.advance(map[int64]int64{b.id("alice"): at}, b.id("alice")) }
}

// edits changes the user as an operator does.
func edits(change func(v *accounts.UserView)) step {
	return func(b *bench) {
		b.t.Helper()
		b.edit("alice", change)
	}
}

func enable(on bool) step { return edits(func(v *accounts.UserView) { v.Enabled = on }) }

func flush(b *bench) {
	b.t.Helper()
	if err := b.flusher.Flush(b.t.Context()); err != nil {
		b.t.Fatal(err)
	}
}

func (b *bench) edit(name string, change func(v *accounts.UserView)) accounts.UserView {
	b.t.Helper()
	view, err := b.UpdateUser(b.t.Context(), name, func(v *accounts.UserView) error { change(v); return nil })
	if err != nil {
		b.t.Fatalf("update %s: %v", name, err)
	}
	return view
}

func (b *bench) id(name string) int64 {
	b.t.Helper()
	r, ok := b.directory.ByName(name)
	if !ok {
		b.t.Fatalf("the directory has no %s", name)
	}
	return r.ID
}

// advance brings users up to now.
func (b *bench) advance(firstUse map[int64]int64, ids ...int64) (idle []int64) {
	b.t.Helper()
	idle, err := b.Advance(b.t.Context(), ids, firstUse)
	if err != nil {
		b.t.Fatal(err)
	}
	return idle
}

// advanceDue does everything that is due, and fails when something still is.
func (b *bench) advanceDue() {
	b.t.Helper()
	now := b.clock.Now().UnixMilli()
	due := b.directory.Due(now, math.MaxInt)
	if len(due) == 0 {
		return
	}
	idle := b.advance(nil, due...)
	if left := b.directory.Due(now, math.MaxInt); len(left) > 0 {
		b.t.Errorf("%d are still due at %s: %v; idle were %v", len(left), when(now), left, idle)
	}
}

// story tells everything about a user that time changes. Moments are counted from start.
func (b *bench) story(name string) string {
	b.t.Helper()
	user, err := b.db.UserByName(b.t.Context(), name)
	if domain.CodeOf(err) == domain.CodeNotFound {
		return "gone"
	}
	a, err := b.db.Account(b.t.Context(), user.ID)
	if err != nil {
		b.t.Fatal(err)
	}
	resets, err := b.db.UsageResets(b.t.Context(), user.ID, 100)
	if err != nil {
		b.t.Fatal(err)
	}
	u := &a.User
	tale := []string{fmt.Sprintf("%s since %s", u.Status, when(u.StatusSince))}
	tell := func(word string, at *int64) {
		if at != nil {
			tale = append(tale, word+" "+when(*at))
		}
	}
	tell("held since", u.HoldSince)
	tell("at most until", u.HoldTimeout)
	tell("expires", u.ExpireAt)
	tell("resets", u.NextResetAt)
	tell("retries", u.ResetRetryAt)
	if u.RenewCount > 0 {
		tale = append(tale, fmt.Sprintf("renewed %d", u.RenewCount))
	}
	if a.Traffic.Used() > 0 {
		tale = append(tale, fmt.Sprintf("used %d+%d", a.Traffic.Up, a.Traffic.Down))
	}
	for _, r := range slices.Backward(resets) {
		tale = append(tale, fmt.Sprintf("%s reset of %d+%d at %s", r.Reason, r.Up, r.Down, when(r.At)))
	}
	return strings.Join(tale, ", ")
}

// when shows a moment as its distance from start: 2d, 36h, 5m.
func when(at int64) string {
	if d := at - start; d%day == 0 {
		return fmt.Sprintf("%dd", d/day)
	}
	text := (time.Duration(at-start) * time.Millisecond).String()
	if strings.HasSuffix(text, "m0s") {
		text = strings.TrimSuffix(text, "0s")
	}
	if strings.HasSuffix(text, "h0m") {
		text = strings.TrimSuffix(text, "0m")
	}
	return text
}

// agree checks that the directory and the core have every user as the database has it, and nobody else.
func (b *bench) agree() {
	b.t.Helper()
	n := 0
	err := b.db.EachAccount(b.t.Context(), func(a domain.Account) error {
		n++
		r, _ := b.directory.ByID(a.User.ID)
		if r.Revision != a.User.Revision || r.Status != a.User.Status || r.Username != a.User.Username ||
			r.Up != a.Traffic.Up || r.Down != a.Traffic.Down || r.DueAt != a.User.DueAt(false) || !slices.Equal(r.Inbounds, a.Inbounds) || !slices.Equal(r.Groups, a.Groups) ||
			r.AdminID != a.User.AdminID {
			b.t.Errorf("the directory has\n%+v\nthe database\n%+v", r, a)
		}
		if c := b.core.has(a.User.ID); c == nil || !reflect.DeepEqual(c.User, a.User) || !slices.Equal(c.Inbounds, a.Inbounds) ||
			!slices.Equal(c.Groups, a.Groups) || !slices.Equal(c.Direct, a.Direct) {
			b.t.Errorf("the core has\n%+v\nthe database\n%+v", c, a)
		}
		return nil
	})
	if err != nil {
		b.t.Fatal(err)
	}
	if b.directory.Len() != n || len(b.core.users) != n {
		b.t.Errorf("%d users, the directory has %d, the core %d", n, b.directory.Len(), len(b.core.users))
	}
}

// tale is a story with its end.
type tale struct {
	name  string
	user  func(n *accounts.NewUser)
	steps []step
	want  string
}

// tell runs stories one after the other, each with a clock that begins at start.
func tell(t *testing.T, tales []tale) {
	t.Helper()
	for _, c := range tales {
		t.Run(c.name, func(t *testing.T) {
			b := newBench(t)
			b.inbounds(1)
			n := b.user("alice")
			c.user(&n)
			b.create(n)
			for _, s := range c.steps {
				s(b)
			}
			if got := b.story("alice"); got != c.want {
				t.Errorf("alice\n got %s\nwant %s", got, c.want)
			}
			b.agree()
			if n := b.logs.Len(); n > 0 {
				t.Errorf("logged %+v", b.logs.All())
			}
		})
	}
}

// settings changes the settings, which must succeed.
func (b *bench) settings(change func(s *domain.Settings)) {
	b.t.Helper()
	if _, err := b.ChangeSettings(b.t.Context(), change); err != nil {
		b.t.Fatal(err)
	}
}

// behind changes a user behind the use cases' back, with a new revision.
func (b *bench) behind(name string, change func(u *domain.User)) {
	b.t.Helper()
	b.write(func(tx *storage.Tx) error {
		u, err := tx.UserByName(b.t.Context(), name)
		if err != nil {
			return err
		}
		change(&u)
		return tx.UpdateUser(b.t.Context(), &u)
	})
}
