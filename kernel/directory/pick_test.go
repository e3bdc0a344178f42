package directory

import (
	"cmp"
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/sluicehq/sluice/kernel/domain"
)

// The page is the same whether those that match are few or many, spread over the list or together at one of its ends.
func TestPick(t *testing.T) {
	const users = 20_000
	d := New()
	for id := range int64(users) {
		d.Put(with(id, 1, func(a *domain.Account) {
			a.User.Username = fmt.Sprintf("%05d", users-id)
			a.Traffic.Up, a.User.Quota, a.User.AdminID = mixed(id), ptr(mixed(id)+id), 1+id%2
			a.Groups = []int64{100 + id%7}
			switch {
			case id < 300:
				a.User.AdminID = 3
			case id >= users-3_000:
				a.User.AdminID = 4
			case id%4_000 == 9:
				a.User.AdminID = 5
			}
		}))
	}
	var all []Record
	for r := range d.Each {
		all = append(all, r)
	}
	for _, admins := range [][]int64{{1}, {2, 5}, {3}, {4}, {5}} {
		for _, s := range []Sort{SortID, SortName, SortTraffic, SortQuota} {
			for _, down := range []bool{false, true} {
				want := slices.DeleteFunc(slices.Clone(all), func(r Record) bool { return !slices.Contains(admins, r.AdminID) })
				slices.SortFunc(want, func(a, b Record) int {
					order := map[Sort]int{
						SortID: cmp.Compare(a.ID, b.ID), SortName: cmp.Compare(a.Username, b.Username),
						SortTraffic: cmp.Compare(a.Up, b.Up), SortQuota: cmp.Compare(*a.Quota, *b.Quota),
					}[s]
					if down {
						return -order
					}
					return order
				})
				for _, offset := range []int{0, 3, len(want) / 2, len(want) - 2} {
					p := d.Page(0, Query{Admins: admins, Sort: s, Descending: down, Offset: offset, Limit: 20})
					end := min(offset+20, len(want))
					same := slices.EqualFunc(p.IDs, want[offset:end], func(id int64, r Record) bool { return id == r.ID })
					if !same || p.Filtered != len(want) {
						t.Fatalf("admins %v by %q, down %v, from %d: %v of %d", admins, s, down, offset, p.IDs, p.Filtered)
					}
				}
			}
		}
	}
}

// Who came last is not found by walking over all that were there before.
func TestPickGivesUp(t *testing.T) {
	const users = 50_000
	d := New()
	for id := range int64(users) {
		d.Put(with(id, 1, func(a *domain.Account) { a.User.AdminID = id / (users - 200) }))
	}
	l := d.view(0, kind{}, kind{})
	defer d.mu.RUnlock()
	s := d.sieve(&Query{Admins: []int64{1}}, nil, kind{})
	steps := 0
	counted := func(yield func(uint32) bool) {
		for slot := range l.walk(everybody, 0, false) {
			if steps++; !yield(slot) {
				return
			}
		}
	}
	const most = 8_000
	selecting := 8 * s.selecting(l, 25)
	if _, arrived := s.along(counted, 0, 25, selecting); arrived || steps > most {
		t.Errorf("arrived %v after %d steps, want to give up within %d", arrived, steps, most)
	}
	if got := s.selected(l, false, 1, 2); d.recs.at(got[0]).id != users-199 || len(got) != 2 {
		t.Errorf("slots %v", got)
	}
}

func TestSelection(t *testing.T) {
	rnd := rand.New(rand.NewPCG(1, 4))
	keys := make([]int64, 3_000)
	for i := range keys {
		keys[i] = rnd.Int64N(500)
	}
	for _, most := range []int{1, 20, 700, 5_000} {
		for _, back := range []bool{false, true} {
			s := selection{
				ordering: ordering{func(slot uint32) int64 { return keys[slot] }, cmp.Compare[uint32]}, back: back, most: most,
			}
			var want []uint32
			refused, room := 0, 0
			for slot := range uint32(len(keys)) {
				want = append(want, slot)
				if !s.add(slot) {
					refused++
				}
				room = max(room, len(s.best))
			}
			slices.SortFunc(want, func(a, b uint32) int { return cmp.Or(cmp.Compare(keys[a], keys[b]), cmp.Compare(a, b)) })
			if back {
				slices.Reverse(want)
			}
			if got := s.slots(); !slices.Equal(got, want[:min(most, len(want))]) {
				t.Errorf("the first %d, back %v: %v", most, back, got)
			}
			if most == 20 && (refused < 1_000 || room > 300) {
				t.Errorf("the first %d: %d refused, room for %d", most, refused, room)
			}
		}
	}
}

// Several orders give the same page however much of it is wanted.
func TestSeveralOrders(t *testing.T) {
	const users = 5_000
	d := New()
	for id := range int64(users) {
		d.Put(with(id, 1, func(a *domain.Account) {
			a.User.Username = fmt.Sprintf("%08x", mixed(id))
			a.User.Quota, a.Traffic.Up, a.User.AdminID = ptr(mixed(id)%5), mixed(id)%300, id%3
		}))
	}
	for _, order := range [][]OrderBy{
		{{SortQuota, true}, {SortTraffic, false}},
		{{SortQuota, false}, {SortTraffic, true}, {SortName, true}},
		{{SortTraffic, false}, {SortQuota, false}, {SortName, false}},
		{{SortCreated, false}, {SortQuota, false}, {SortID, true}},
	} {
		q := Query{Order: order, Admins: []int64{1, 2}, Limit: users}
		all := d.Page(0, q).IDs
		if !slices.IsSortedFunc(all, func(a, b int64) int {
			return d.inOrder(order).compareIDs(d, a, b)
		}) || len(all) != users*2/3 {
			t.Fatalf("%v: %d users, or not in order", order, len(all))
		}
		for _, offset := range []int{0, 17, 60} {
			q.Offset, q.Limit = offset, 25
			if got := d.Page(0, q).IDs; !slices.Equal(got, all[offset:offset+25]) {
				t.Errorf("%v from %d:\n got %v\nwant %v", order, offset, got, all[offset:offset+25])
			}
		}
	}
}

func (o ordering) compareIDs(d *Directory, a, b int64) int {
	x, y := d.ids.get(a), d.ids.get(b)
	return o.compare(o.key(x), x, o.key(y), y)
}
