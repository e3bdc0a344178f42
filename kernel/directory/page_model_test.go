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
	SortID, SortName, SortEnable, SortInbounds, SortTraffic, SortRemaining, SortExpiry, SortCreated, SortUpdated, SortOnline, SortEdited,
	SortQuota,
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
	case SortEdited:
		if u.UpdatedAt != u.CreatedAt {
			return u.UpdatedAt
		}
	case SortQuota:
		if u.Quota == nil {
			return -1
		}
		return *u.Quota
	}
	return 0
}

func (m *model) order(q Query) func(a, b domain.Account) int {
	switch len(q.Order) {
	case 0:
	case 1:
		return m.order(Query{Sort: q.Order[0].Sort, Descending: q.Order[0].Descending})
	default:
		return m.inOrder(q.Order)
	}
	return func(a, b domain.Account) int {
		by := cmp.Compare(m.sortKey(q.Sort, a), m.sortKey(q.Sort, b))
		if q.Sort == SortName {
			by = cmp.Compare(domain.NameKey(a.User.Username), domain.NameKey(b.User.Username))
		}
		ties := cmp.Compare(a.User.ID, b.User.ID)
		if q.Descending {
			by = -by
			if slices.Contains([]Sort{SortCreated, SortUpdated, SortOnline, SortEdited}, q.Sort) {
				ties = -ties
			}
		}
		return cmp.Or(by, ties)
	}
}

func (m *model) inOrder(by []OrderBy) func(a, b domain.Account) int {
	return func(a, b domain.Account) int {
		for _, by := range by {
			if order := m.order(Query{Sort: by.Sort})(a, b); m.sortKey(by.Sort, a) == m.sortKey(by.Sort, b) && by.Sort != SortName {
				continue
			} else if by.Descending {
				return -order
			} else {
				return order
			}
		}
		return cmp.Compare(a.User.ID, b.User.ID)
	}
}

func (m *model) matches(q Query, a domain.Account) bool {
	u, used := &a.User, a.Traffic.Used()
	texts := []string{u.Username, u.Note, u.SubID}
	if q.SearchNames {
		texts = texts[:2]
	}
	found := q.Search == "" || slices.ContainsFunc(texts, func(s string) bool {
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
	return found && in && attached && grouped && bounded && has && m.matchesMore(q, a)
}

func (m *model) matchesMore(q Query, a domain.Account) bool {
	u := &a.User
	key := domain.NameKey(u.Username)
	named := (q.IDs == nil || slices.Contains(q.IDs, u.ID)) &&
		(q.Names == nil || slices.ContainsFunc(q.Names, func(name string) bool { return domain.NameKey(name) == key }))
	grouped := func(id int64) bool { return slices.Contains(a.Groups, id) }
	shared := (q.Statuses == nil || slices.Contains(q.Statuses, u.StatusAt(m.now, a.Traffic.Used()))) &&
		(q.Admins == nil || slices.Contains(q.Admins, u.AdminID)) &&
		(q.AnyGroups == nil || slices.ContainsFunc(q.AnyGroups, grouped)) &&
		(q.Policies == nil || slices.Contains(q.Policies, u.ResetPolicy)) &&
		(q.HasQuota == nil || *q.HasQuota == (u.Quota != nil)) &&
		(q.Expires == nil || *q.Expires == (u.ExpireAt != nil && u.HoldSince == nil))
	bounded := (q.QuotaFrom == 0 || u.Quota != nil && *u.Quota >= q.QuotaFrom) &&
		(q.QuotaTo == 0 || u.Quota != nil && *u.Quota <= q.QuotaTo) &&
		(q.OnlineFrom == 0 || a.Traffic.OnlineAt >= q.OnlineFrom) &&
		(q.OnlineTo == 0 || a.Traffic.OnlineAt != 0 && a.Traffic.OnlineAt <= q.OnlineTo)
	return named && shared && bounded
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
	if one(2) { // few match all at once
		q = Query{Sort: q.Sort, Descending: q.Descending, Limit: q.Limit, Offset: q.Offset, Buckets: q.Buckets, Online: q.Online}
	}
	m.more(&q)
	return q
}

// more adds what else may be asked, of which seldom more than one or two.
func (m *model) more(q *Query) {
	r := m.rnd
	one := func(n int) bool { return r.IntN(n) == 0 }
	q.SearchNames = one(2)
	statuses := []domain.Status{
		domain.StatusActive, domain.StatusOnHold, domain.StatusExpired, domain.StatusLimited, domain.StatusDisabled, "tired",
	}
	if one(8) {
		r.Shuffle(len(statuses), func(i, j int) { statuses[i], statuses[j] = statuses[j], statuses[i] })
		q.Statuses = statuses[:r.IntN(4)]
	}
	for _, ids := range []*[]int64{&q.Admins, &q.AnyGroups} {
		if one(8) {
			*ids = [][]int64{{}, {1}, {2, 0}, {9}, {3, 4}}[r.IntN(5)]
		}
	}
	if one(8) {
		q.Policies = [][]string{{}, {""}, {"daily", "month"}, {"never"}}[r.IntN(4)]
	}
	for _, has := range []**bool{&q.HasQuota, &q.Expires} {
		if one(12) {
			*has = ptr(one(2))
		}
	}
	if one(12) {
		q.IDs = []int64{}
		for range r.IntN(200) {
			q.IDs = append(q.IDs, m.id())
		}
	}
	if one(12) {
		q.Names = []string{}
		for range r.IntN(200) {
			q.Names = append(q.Names, fmt.Sprintf("%s-%d", []string{"aNN", "änN"}[r.IntN(2)], m.id()))
		}
	}
	for _, bound := range []*int64{&q.QuotaFrom, &q.QuotaTo, &q.OnlineFrom, &q.OnlineTo} {
		if one(16) {
			*bound = r.Int64N(m.now)
		}
	}
	if one(5) {
		q.Order = []OrderBy{}
		for range r.IntN(4) {
			q.Order = append(q.Order, OrderBy{sorts[r.IntN(len(sorts))], one(2)})
		}
	}
	if one(10) {
		q.Offset, q.Limit = 0, 3
	}
}

// lists finds what the parts of the directory disagree about.
func (m *model) lists(t *testing.T, d *Directory) {
	t.Helper()
	lists := []*list{}
	d.lists(func(l *list) bool {
		lists = append(lists, l)
		return true
	})
	for _, l := range append(lists, &d.byExpiry) {
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
		want := len(m.users)
		if l == &d.byExpiry {
			want = len(m.ids(func(a domain.Account) bool { return a.User.ExpireAt != nil && a.User.HoldSince == nil }))
		}
		if seen != want {
			t.Fatalf("%d users are listed, want %d", seen, want)
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

func (m *model) adminTotals() map[int64]AdminTotal {
	totals := map[int64]AdminTotal{}
	for _, a := range m.users {
		t := totals[a.User.AdminID]
		if t.ByStatus == nil {
			t.ByStatus = map[domain.Status]int{}
		}
		t.ByStatus[a.User.StatusAt(m.now, a.Traffic.Used())]++
		t.Users++
		t.Up += a.Traffic.Up
		t.Down += a.Traffic.Down
		t.Lifetime += a.Traffic.LifetimeUp + a.Traffic.LifetimeDown
		totals[a.User.AdminID] = t
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
	for range 15 {
		q := m.query()
		if got, want := d.Page(m.now, q), m.page(q); !reflect.DeepEqual(got, want) {
			t.Fatalf("at %d %+v:\n got %v\nwant %v", m.now, q, got, want)
		}
		matching := append([]int64{}, m.ids(func(a domain.Account) bool { return m.matches(q, a) })...)
		if got := d.MatchingIDs(m.now, q); !reflect.DeepEqual(got, matching) {
			t.Fatalf("at %d %+v match\n     %v\nwant %v", m.now, q, got, matching)
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
		"admins":  {d.AdminTotals(), m.adminTotals()},
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
