package directory

import (
	"slices"
	"testing"

	"github.com/sluicehq/sluice/kernel/domain"
)

// drinkers are n users, who have used ten bytes times their id.
func drinkers(n int64) *Directory {
	d := New()
	for id := range n {
		d.Put(with(id, 1, func(a *domain.Account) { a.Traffic.Up = 10 * id }))
	}
	return d
}

// Who is within a bound is known at once, though the order that tells lags, and whoever is sorted by it too.
func TestBoundsDoNotLag(t *testing.T) {
	d := drinkers(9)
	check := func(name string, want ...int64) {
		t.Helper()
		for _, by := range []Query{{}, {Sort: SortName}, {Sort: SortTraffic}, {Sort: SortTraffic, Descending: true}} {
			q := by
			q.UsedFrom, q.UsedTo, q.Limit = 30, 59, 100
			p := d.Page(0, q)
			slices.Sort(p.IDs)
			if !slices.Equal(p.IDs, want) || p.Filtered != len(want) {
				t.Errorf("%s, by %q: %v of %d, want %v", name, by.Sort, p.IDs, p.Filtered, want)
			}
		}
	}
	check("first", 3, 4, 5)
	d.Moved([]domain.TrafficDelta{{UserID: 1, Up: 25}, {UserID: 5, Up: 25}, {UserID: 4, Up: 1}})
	check("one came, one left, one stays", 1, 3, 4)
	d.Remove(3)
	check("one removed", 1, 4)
	d.Put(with(20, 1, func(a *domain.Account) { a.Traffic.Up = 59 }))
	check("one took its slot", 1, 4, 20)
	d.Moved([]domain.TrafficDelta{{UserID: 20, Up: 1}})
	d.Remove(1)
	check("that one left, and another was removed while it strayed", 4)
	d.Put(with(2, 2, func(a *domain.Account) { a.Traffic.Up, a.User.Enabled = 30, false }))
	check("one came by another way", 2, 4)
}

// When many are listed elsewhere than they belong, they are moved before the order is asked again.
func TestBoundsOfManyChanges(t *testing.T) {
	const users = 5_000
	d := drinkers(users)
	q := Query{UsedFrom: 1, UsedTo: 10 * users, Limit: 3}
	if got := d.Page(0, q); got.Filtered != users-1 {
		t.Fatalf("%d users, want %d", got.Filtered, users-1)
	}
	for _, c := range []struct {
		name           string
		moved, strays  int
		filtered, from int
	}{{"few", 1_000, 1_000, users - 1_001, 0}, {"many", 2_000, 0, users - 3_001, 1_000}} {
		ds := make([]domain.TrafficDelta, c.moved)
		for i := range ds {
			ds[i] = domain.TrafficDelta{UserID: int64(1 + c.from + i), Up: 1 << 40}
		}
		d.Moved(ds)
		if got := d.Page(0, q); got.Filtered != c.filtered || len(d.orders[0].touched) != c.strays {
			t.Errorf("%s: %d users with %d strays, want %d with %d", c.name, got.Filtered, len(d.orders[0].touched), c.filtered, c.strays)
		}
	}
	if len(d.orders) != 1 {
		t.Errorf("%d orders", len(d.orders))
	}
}

// A flush does not disturb the orders that have nothing to do with usage.
func TestOnlyWhatChangedIsTouched(t *testing.T) {
	d := drinkers(3)
	for _, s := range []Sort{SortQuota, SortTraffic} {
		d.Page(0, Query{Sort: s, Limit: 1})
	}
	if len(d.orders) != 2 {
		t.Fatalf("%d orders", len(d.orders))
	}
	d.Moved([]domain.TrafficDelta{{UserID: 1, Up: 1}, {UserID: 2}})
	for _, o := range d.orders {
		if want := map[Sort]int{SortQuota: 0, SortTraffic: 1}[o.sort]; len(o.touched) != want {
			t.Errorf("%d users were touched in the order by %s, want %d", len(o.touched), o.sort, want)
		}
	}
}
