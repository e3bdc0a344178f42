package directory

import (
	"cmp"
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/sluicehq/sluice/kernel/domain"
)

// An order by usage may lag; who comes and goes does not.
func TestOrderLags(t *testing.T) {
	d := New()
	for id := range int64(5) {
		d.Put(with(id, 1, func(a *domain.Account) { a.Traffic.Up = 10 * id }))
	}
	at := func(now int64, want ...int64) {
		t.Helper()
		if got := d.Page(now, Query{Sort: SortTraffic, Limit: 9}).IDs; !slices.Equal(got, want) {
			t.Errorf("at %d %v, want %v", now, got, want)
		}
	}
	at(0, 0, 1, 2, 3, 4)
	d.Moved([]domain.TrafficDelta{{UserID: 0, Up: 25}})
	at(lag-1, 0, 1, 2, 3, 4)
	d.Put(with(7, 1, func(a *domain.Account) { a.Traffic.Up = 15 }))
	d.Remove(3)
	at(lag-1, 0, 1, 7, 2, 4)
	d.Put(with(8, 1, func(a *domain.Account) { a.Traffic.Up = 1 })) // takes the place of the removed one
	at(lag-1, 0, 8, 1, 7, 2, 4)
	at(lag, 8, 1, 7, 2, 0, 4)
	d.Moved([]domain.TrafficDelta{{UserID: 8, Up: 99}})
	at(0, 1, 7, 2, 0, 4, 8) // the clock was set back
}

// Whoever changes while an order is built is where it belongs in it.
func TestOrderBuiltAmongChanges(t *testing.T) {
	d := New()
	put := func(id, up int64) {
		d.Put(with(id, 1, func(a *domain.Account) { a.Traffic.Up = up }))
	}
	for id := range int64(10) {
		put(id, 10*id)
	}
	o, all := d.collect(0, kind{sort: SortTraffic})
	d.Remove(4, 6)
	put(20, 5) // takes the slot of a removed one
	put(21, 75)
	put(22, 1)
	d.Remove(22)
	d.Moved([]domain.TrafficDelta{{UserID: 1, Up: 100}})
	for _, s := range all {
		o.note(s.slot, s.key)
	}
	d.install(o, all)
	at := func(now int64, want ...int64) {
		t.Helper()
		if got := d.Page(now, Query{Sort: SortTraffic, Limit: 20}).IDs; !slices.Equal(got, want) {
			t.Errorf("at %d %v, want %v", now, got, want)
		}
	}
	at(0, 0, 20, 1, 2, 3, 5, 7, 21, 8, 9)
	at(lag, 0, 20, 2, 3, 5, 7, 21, 8, 9, 1)
}

// After a flush of many users the order is built anew, and an order that nobody asks for is forgotten.
func TestOrderOfManyChanges(t *testing.T) {
	const users = 2_000
	d := New()
	ds := make([]domain.TrafficDelta, users)
	for id := range int64(users) {
		d.Put(account(id, 1))
		ds[id] = domain.TrafficDelta{UserID: id, Up: 1 + mixed(id)}
	}
	q := Query{Sort: SortTraffic, Descending: true, Limit: users}
	d.Page(0, q)

	without := d.Memory().Bytes
	for _, c := range []struct {
		name  string
		moved int
		anew  bool
	}{{"few", 100, false}, {"many", users, true}} {
		d.Moved(ds[:c.moved])
		first := d.orders[0]
		first.fresh = -lag
		got := d.Page(0, q).IDs
		if anew := d.orders[0] != first; anew != c.anew || len(d.orders) != 1 {
			t.Errorf("%s: built anew %v, %d orders", c.name, anew, len(d.orders))
		}
		used := func(id int64) int64 { r, _ := d.ByID(id); return r.Up }
		if !slices.IsSortedFunc(got, func(a, b int64) int { return cmp.Or(cmp.Compare(used(b), used(a)), cmp.Compare(a, b)) }) {
			t.Errorf("%s: not in order", c.name)
		}
	}
	d.Page(1_000, q)
	d.Due(1_000+idle-1, 1)
	if len(d.orders) != 1 {
		t.Error("the order was forgotten too soon")
	}
	d.Due(1_000+idle, 1)
	if left := d.Memory().Bytes; len(d.orders) != 0 || left >= without {
		t.Errorf("%d orders are left, %d bytes of %d", len(d.orders), left, without)
	}
}

func TestSorted(t *testing.T) {
	rnd := rand.New(rand.NewPCG(1, 2))
	for _, c := range []struct {
		name string
		key  func() int64
	}{
		{"any", func() int64 { return int64(rnd.Uint64()) }},
		{"few", func() int64 { return rnd.Int64N(5) - 2 }},
		{"one", func() int64 { return math.MaxInt64 }},
		{"the ends", func() int64 { return []int64{math.MinInt64, -1, 0, math.MaxInt64}[rnd.IntN(4)] }},
	} {
		t.Run(c.name, func(t *testing.T) {
			for _, n := range []int{0, 1, 2, 1_000} {
				all := make([]sortable, n)
				for i := range all {
					all[i] = sortable{c.key(), uint32(i)}
				}
				want := slices.Clone(all)
				slices.SortStableFunc(want, func(a, b sortable) int { return cmp.Compare(a.key, b.key) })
				if got := sorted(all); !slices.Equal(got, want) {
					t.Errorf("%d: %v, want %v", n, got, want)
				}
			}
		})
	}
}
