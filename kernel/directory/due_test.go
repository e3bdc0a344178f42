package directory

import (
	"math"
	"slices"
	"testing"

	"github.com/sluicehq/sluice/kernel/domain"
)

const day = 24 * 60 * 60 * 1000

// expiring is a user that expires at the moment, 0 = never.
func expiring(id, revision, at int64) domain.Account {
	return with(id, revision, func(a *domain.Account) {
		if at != 0 {
			a.User.ExpireAt = &at
		}
	})
}

// limitedSince is a user with a used up quota that is deleted a day later, if limited users are.
func limitedSince(id, at int64) domain.Account {
	return with(id, 1, func(a *domain.Account) {
		a.User.Status, a.User.StatusSince, a.User.AutoDelete = domain.StatusLimited, at, ptr(1)
	})
}

func TestDue(t *testing.T) {
	d := filled(t, expiring(1, 1, 300), expiring(2, 1, 100), expiring(3, 1, 0), expiring(4, 1, 200), expiring(5, 1, 100))
	for _, c := range []struct {
		name  string
		now   int64
		limit int
		want  []int64
	}{
		{"nobody yet", 99, 10, nil},
		{"this very millisecond, the lower id first", 100, 10, []int64{2, 5}},
		{"soonest first", 1_000, 10, []int64{2, 5, 4, 1}},
		{"limited", 1_000, 3, []int64{2, 5, 4}},
		{"nobody asked for", 1_000, 0, nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			for range 2 { // asking takes nobody out
				if got := d.Due(c.now, c.limit); !slices.Equal(got, c.want) {
					t.Errorf("Due = %v, want %v", got, c.want)
				}
			}
		})
	}
}

// soonest is the moment of the user who is due first, however far ahead.
func soonest(d *Directory) (at int64, ok bool) {
	for _, id := range d.Due(math.MaxInt64, 1) {
		r, known := d.ByID(id)
		return r.DueAt, known
	}
	return 0, false
}

func TestSoonest(t *testing.T) {
	for _, c := range []struct {
		name string
		do   func(*Directory)
		want int64 // 0 = nothing is due
		due  []int64
	}{
		{"nothing", func(d *Directory) { d.Remove(1, 2) }, 0, nil},
		{"the soonest", func(*Directory) {}, 100, []int64{1, 2}},
		{"removed", func(d *Directory) { d.Remove(1) }, 200, []int64{2}},
		{"moved on", func(d *Directory) { d.Put(expiring(1, 2, 300)) }, 200, []int64{2, 1}},
		{"moved back", func(d *Directory) { d.Put(expiring(2, 2, 50)) }, 50, []int64{2, 1}},
		{"no longer", func(d *Directory) { d.Put(expiring(1, 2, 0)) }, 200, []int64{2}},
		{"an older record", func(d *Directory) { d.Put(expiring(1, 0, 5)) }, 100, []int64{1, 2}},
		{"postponed", func(d *Directory) { d.Postpone(1, 250) }, 200, []int64{2, 1}},
		{"postponed twice", func(d *Directory) {
			d.Postpone(1, 250)
			d.Postpone(1, 150)
		}, 150, []int64{1, 2}},
		{"postponed, then changed", func(d *Directory) {
			d.Postpone(1, 250)
			d.Put(expiring(1, 2, 100))
		}, 100, []int64{1, 2}},
		{"postponed without anything due", func(d *Directory) {
			d.Put(expiring(3, 1, 0))
			d.Postpone(3, 90)
		}, 90, []int64{3, 1, 2}},
		{"postponed when unknown or removed", func(d *Directory) {
			d.Postpone(9, 10)
			d.Remove(2)
			d.Postpone(2, 10)
		}, 100, []int64{1}},
	} {
		t.Run(c.name, func(t *testing.T) {
			d := filled(t, expiring(1, 1, 100), expiring(2, 1, 200))
			c.do(d)
			if got, ok := soonest(d); got != c.want || ok != (c.want != 0) {
				t.Errorf("the soonest is %d, %v, want %d", got, ok, c.want)
			}
			if got := d.Due(1_000, 10); !slices.Equal(got, c.due) {
				t.Errorf("Due = %v, want %v", got, c.due)
			}
		})
	}
}

func TestSetDeleteLimited(t *testing.T) {
	type step func(*Directory)
	set := func(on bool) step { return func(d *Directory) { d.SetDeleteLimited(on) } }
	put := func(a domain.Account) step { return func(d *Directory) { d.Put(a) } }
	limited := put(limitedSince(1, 500))
	reset := put(with(1, 2, func(a *domain.Account) { *a = limitedSince(1, 500); a.User.NextResetAt = ptr(int64(700)) }))
	for _, c := range []struct {
		name  string
		steps []step
		want  int64
	}{
		{"off at first", []step{limited}, 0},
		{"on before", []step{set(true), limited}, 500 + day},
		{"on after", []step{limited, set(true)}, 500 + day},
		{"on and off", []step{limited, set(true), set(false)}, 0},
		{"a reset comes first", []step{limited, set(true), reset}, 700},
		{"expired users are deleted either way", []step{put(with(1, 1, func(a *domain.Account) {
			a.User.Status, a.User.StatusSince, a.User.AutoDelete = domain.StatusExpired, 500, ptr(2)
		})), set(false)}, 500 + 2*day},
		{"no longer limited", []step{limited, put(account(1, 2)), set(true)}, 0},
		{"postponed stays postponed", []step{
			limited, set(true), func(d *Directory) { d.Postpone(1, 42) }, set(false), set(true),
		}, 42},
		{"another user in the slot", []step{
			limited, func(d *Directory) { d.Remove(1) }, put(account(2, 1)), set(true),
		}, 0},
	} {
		t.Run(c.name, func(t *testing.T) {
			d := New()
			for _, do := range c.steps {
				do(d)
			}
			if got, ok := soonest(d); got != c.want || ok != (c.want != 0) {
				t.Errorf("the soonest is %d, %v, want %d", got, ok, c.want)
			}
		})
	}
}
