package directory

import (
	"cmp"
	"fmt"
	"math"
	"math/rand/v2"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/sluicehq/sluice/kernel/domain"
)

var sorts = []Sort{
	SortID, SortName, SortEnable, SortInbounds, SortTraffic, SortRemaining, SortExpiry, SortCreated, SortUpdated, SortOnline,
}

// bucketOf is where the account belongs, from the definition.
func (m *model) bucketOf(a domain.Account) Bucket {
	u := &a.User
	status := u.StatusAt(m.now, a.Traffic.Used())
	near := status != domain.StatusOnHold && u.ExpireAt != nil && *u.ExpireAt-m.now < m.within
	scarce := u.Quota != nil && *u.Quota-a.Traffic.Used() < m.bytes
	switch {
	case status == domain.StatusDisabled:
		return Disabled
	case !status.Admitted():
		return Depleted
	case near || scarce:
		return Expiring
	}
	return Active
}

// sortKey is what the account is sorted by, but for its name.
func (m *model) sortKey(s Sort, a domain.Account) int64 {
	u := &a.User
	switch s {
	case SortID:
		return u.ID
	case SortEnable:
		if u.StatusAt(m.now, a.Traffic.Used()).Admitted() {
			return 1
		}
	case SortInbounds:
		return int64(len(a.Inbounds))
	case SortTraffic:
		return a.Traffic.Used()
	case SortRemaining:
		if u.Quota == nil {
			return math.MaxInt64
		}
		return max(0, *u.Quota-a.Traffic.Used())
	case SortExpiry:
		if u.ExpireAt == nil || u.HoldSince != nil {
			return math.MaxInt64
		}
		return *u.ExpireAt
	case SortCreated:
		return u.CreatedAt
	case SortUpdated:
		return u.UpdatedAt
	case SortOnline:
		return a.Traffic.OnlineAt
	}
	return 0
}

func (m *model) order(q Query) func(a, b domain.Account) int {
	return func(a, b domain.Account) int {
		by := cmp.Compare(m.sortKey(q.Sort, a), m.sortKey(q.Sort, b))
		if q.Sort == SortName {
			by = cmp.Compare(domain.NameKey(a.User.Username), domain.NameKey(b.User.Username))
		}
		ties := cmp.Compare(a.User.ID, b.User.ID)
		if q.Descending {
			by = -by
			if slices.Contains([]Sort{SortCreated, SortUpdated, SortOnline}, q.Sort) {
				ties = -ties
			}
		}
		return cmp.Or(by, ties)
	}
}

func (m *model) matches(q Query, a domain.Account) bool {
	u, used := &a.User, a.Traffic.Used()
	found := q.Search == "" || slices.ContainsFunc([]string{u.Username, u.SubID, u.Note}, func(s string) bool {
		return strings.Contains(domain.NameKey(s), domain.NameKey(q.Search))
	})
	in := q.Buckets == 0 || m.bucketOf(a)&q.Buckets != 0 || q.Buckets&Online != 0 && slices.Contains(q.Online, u.ID)
	attached := true
	for _, some := range q.Inbounds {
		attached = attached && slices.ContainsFunc(some, func(id int64) bool { return slices.Contains(a.Inbounds, id) })
	}
	grouped := q.Groups == nil || len(a.Groups) > 0 && slices.Contains(q.Groups, a.Groups[0])
	expires := u.ExpireAt != nil && u.HoldSince == nil
	bounded := (q.ExpireFrom == 0 || expires && *u.ExpireAt >= q.ExpireFrom) &&
		(q.ExpireTo == 0 || expires && *u.ExpireAt <= q.ExpireTo) &&
		(q.UsedFrom == 0 || used >= q.UsedFrom) && (q.UsedTo == 0 || used <= q.UsedTo)
	has := (q.Renews == nil || *q.Renews == (u.RenewDays+u.RenewDay > 0)) &&
		(q.HasTgID == nil || *q.HasTgID == (u.TgID != 0)) && (q.HasNote == nil || *q.HasNote == (u.Note != ""))
	return found && in && attached && grouped && bounded && has
}

func (m *model) page(q Query) Page {
	var all []domain.Account
	for _, a := range m.users {
		if m.matches(q, a) {
			all = append(all, a)
		}
	}
	slices.SortFunc(all, m.order(q))
	p := Page{IDs: []int64{}, Filtered: len(all)}
	for i := q.Offset; i < min(q.Offset+q.Limit, len(all)); i++ {
		p.IDs = append(p.IDs, all[i].User.ID)
	}
	return p
}

// query makes some query.
func (m *model) query() Query {
	r := m.rnd
	one := func(n int) bool { return r.IntN(n) == 0 }
	q := Query{
		Sort: sorts[r.IntN(len(sorts))], Descending: one(2), Buckets: Bucket(r.IntN(32)), Limit: r.IntN(40), Offset: r.IntN(100),
	}
	if one(2) {
		q.Buckets, q.Limit = 0, 1_000
	}
	for range r.IntN(300) {
		q.Online = append(q.Online, m.id())
	}
	if one(3) {
		q.Search = []string{"ann", "ÄN", "-12", "s3", "nn", "NNN", "zzz", "x", "-1", "Sub"}[r.IntN(10)]
	}
	for one(3) {
		q.Inbounds = append(q.Inbounds, [][]int64{{1}, {2, 3}, {3}, {}, {9}}[r.IntN(5)])
	}
	if one(4) {
		q.Groups = [][]int64{{1}, {2, 3}, {}, {9}}[r.IntN(4)]
	}
	for _, bound := range []*int64{&q.ExpireFrom, &q.ExpireTo} {
		if one(6) {
			*bound = m.moment()
		}
	}
	for _, bound := range []*int64{&q.UsedFrom, &q.UsedTo} {
		if one(6) {
			*bound = r.Int64N(2_000)
		}
	}
	for _, has := range []**bool{&q.Renews, &q.HasTgID, &q.HasNote} {
		if one(8) {
			*has = ptr(one(2))
		}
	}
	return q
}

// lists finds what the parts of the directory disagree about.
func (m *model) lists(t *testing.T, d *Directory) {
	t.Helper()
	for l := range d.lists {
		seen := 0
		for i := range l.chunks {
			c := l.chunks[i]
			l.count(&c)
			if c != l.chunks[i] || c.len == 0 {
				t.Fatalf("chunk %d is %+v, want %+v", i, l.chunks[i], c)
			}
			seen += c.len
		}
		var last uint32
		for slot := range l.walk(everybody, 0, false) {
			if last != 0 && l.compare(l.key(last), last, l.key(slot), slot) >= 0 {
				t.Fatalf("slot %d is listed before %d", last, slot)
			}
			last = slot
		}
		if seen != len(m.users) {
			t.Fatalf("%d users are listed, want %d", seen, len(m.users))
		}
	}
}

func (m *model) summary(names int) Summary {
	s := Summary{Total: len(m.users), ExpiringNames: []string{}, DepletedNames: []string{}, DisabledNames: []string{}}
	add := func(n *int, list *[]string, name string) {
		if *n++; len(*list) < names {
			*list = append(*list, name)
		}
	}
	for id := range int64(1_000) {
		a, ok := m.users[id]
		if !ok {
			continue
		}
		switch m.bucketOf(a) {
		case Active:
			s.Active++
		case Expiring:
			add(&s.Expiring, &s.ExpiringNames, a.User.Username)
		case Depleted:
			add(&s.Depleted, &s.DepletedNames, a.User.Username)
		case Disabled:
			add(&s.Disabled, &s.DisabledNames, a.User.Username)
		}
	}
	return s
}

// ids are those of the users that are such, ascending.
func (m *model) ids(such func(domain.Account) bool) []int64 {
	var ids []int64
	for id, a := range m.users {
		if such(a) {
			ids = append(ids, id)
		}
	}
	slices.Sort(ids)
	return ids
}

func (m *model) totals() map[int64]GroupTotal {
	totals := map[int64]GroupTotal{}
	for _, a := range m.users {
		for _, group := range a.Groups {
			t := totals[group]
			totals[group] = GroupTotal{t.Users + 1, t.Up + a.Traffic.Up, t.Down + a.Traffic.Down}
		}
	}
	return totals
}

// comparePages asks for all that is counted and ordered.
func (m *model) comparePages(t *testing.T, d *Directory) {
	t.Helper()
	lagging := m.query()
	lagging.Offset, lagging.Limit = 0, 1_000
	got, want := d.Page(m.now, lagging), m.page(lagging)
	slices.Sort(got.IDs)
	slices.Sort(want.IDs)
	if !reflect.DeepEqual(got, want) { // only the order may lag
		t.Fatalf("%+v: %+v, want %+v", lagging, got, want)
	}
	for _, o := range d.orders {
		o.fresh = m.now - lag
	}
	for range 10 {
		q := m.query()
		if got, want := d.Page(m.now, q), m.page(q); !reflect.DeepEqual(got, want) {
			t.Fatalf("at %d %+v:\n got %v\nwant %v", m.now, q, got, want)
		}
	}
	if got, want := d.Summary(m.now, 5), m.summary(5); !reflect.DeepEqual(got, want) {
		t.Fatalf("at %d %+v, want %+v", m.now, got, want)
	}
	m.lists(t, d)
	for name, pair := range map[string][2]any{
		"depleted": {
			append([]int64(nil), d.DepletedIDs(m.now)...),
			m.ids(func(a domain.Account) bool { return m.bucketOf(a) == Depleted }),
		},
		"orphans": {d.OrphanIDs(), m.ids(func(a domain.Account) bool { return len(a.Inbounds)+len(a.Groups) == 0 })},
		"groups":  {d.GroupTotals(), m.totals()},
	} {
		if !reflect.DeepEqual(pair[0], pair[1]) {
			t.Fatalf("%s: %v, want %v", name, pair[0], pair[1])
		}
	}
}

// Pages, counts and totals are those of a plain list that is filtered and sorted, whatever happens, also to the clock.
func TestPagesModel(t *testing.T) {
	for seed := range uint64(3) {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			d := New()
			m := newModel(seed)
			m.within, m.bytes = 30, 200
			orders := 0
			d.SetExpiring(m.within, m.bytes)
			for i := range 3_000 {
				m.step(t, d)
				m.now++
				switch m.rnd.IntN(200) {
				case 0:
					m.now -= m.rnd.Int64N(300)
				case 1:
					m.now += m.rnd.Int64N(300)
				case 2:
					m.within, m.bytes = m.rnd.Int64N(100), m.rnd.Int64N(400)
					d.SetExpiring(m.within, m.bytes)
				case 3:
					d.Due(m.now+2*idle, 1) // all orders are forgotten
				}
				if i%30 == 0 {
					m.comparePages(t, d)
					orders = max(orders, len(d.orders))
				}
			}
			if len(m.users) < 100 || orders < 10 {
				t.Errorf("%d users, %d orders: this showed little", len(m.users), orders)
			}
		})
	}
}

func newModel(seed uint64) *model {
	return &model{
		rnd: rand.New(rand.NewPCG(3, seed)), now: 1_000, users: map[int64]domain.Account{}, gone: map[int64]bool{},
		postponed: map[int64]int64{},
	}
}
