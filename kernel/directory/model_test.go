package directory

import (
	"cmp"
	"fmt"
	"math/rand/v2"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/sluicehq/sluice/kernel/domain"
)

// model is what the directory should be, in the plainest way.
type model struct {
	rnd           *rand.Rand
	now           int64
	users         map[int64]domain.Account
	gone          map[int64]bool
	postponed     map[int64]int64
	deleteLimited bool
	within, bytes int64 // SetExpiring
}

func (m *model) put(a domain.Account) bool {
	known, ok := m.users[a.User.ID]
	if m.gone[a.User.ID] || ok && a.User.Revision < known.User.Revision {
		return false
	}
	a.Traffic.OnlineAt = max(a.Traffic.OnlineAt, known.Traffic.OnlineAt)
	m.users[a.User.ID] = a
	delete(m.postponed, a.User.ID)
	return true
}

func (m *model) remove(id int64) {
	m.gone[id] = true
	delete(m.users, id)
	delete(m.postponed, id)
}

func (m *model) moved(ds []domain.TrafficDelta) {
	for _, delta := range ds {
		a, ok := m.users[delta.UserID]
		if !ok {
			continue
		}
		a.Traffic.Up += delta.Up
		a.Traffic.Down += delta.Down
		a.Traffic.LifetimeUp += delta.Up
		a.Traffic.LifetimeDown += delta.Down
		a.Traffic.OnlineAt = max(a.Traffic.OnlineAt, delta.OnlineAt)
		m.users[delta.UserID] = a
	}
}

func (m *model) dueAt(a domain.Account) int64 {
	if at, ok := m.postponed[a.User.ID]; ok {
		return at
	}
	return a.User.DueAt(m.deleteLimited)
}

func (m *model) due() []int64 {
	var due []int64
	for id, a := range m.users {
		if at := m.dueAt(a); at != 0 && at <= m.now {
			due = append(due, id)
		}
	}
	slices.SortFunc(due, func(a, b int64) int {
		return cmp.Or(cmp.Compare(m.dueAt(m.users[a]), m.dueAt(m.users[b])), cmp.Compare(a, b))
	})
	return due
}

func (m *model) record(id int64) Record {
	a, ok := m.users[id]
	if !ok {
		return Record{}
	}
	u := a.User
	return Record{
		ID: u.ID, Revision: u.Revision, Username: u.Username, SubID: u.SubID, Note: u.Note, AdminID: u.AdminID, TgID: u.TgID,
		LimitIP: u.LimitIP, Enabled: u.Enabled, HoldSince: u.HoldSince, HoldDuration: u.HoldDuration,
		HoldTimeout: u.HoldTimeout, ExpireAt: u.ExpireAt, Quota: u.Quota, Status: u.Status,
		Renews: u.RenewDays+u.RenewDay > 0, HasNextPlan: u.HasNextPlan, ResetPolicy: u.ResetPolicy, Up: a.Traffic.Up, Down: a.Traffic.Down,
		Lifetime: a.Traffic.LifetimeUp + a.Traffic.LifetimeDown,
		OnlineAt: a.Traffic.OnlineAt, CreatedAt: u.CreatedAt, UpdatedAt: u.UpdatedAt, DueAt: m.dueAt(a), Inbounds: a.Inbounds,
		Groups: a.Groups,
	}
}

func (m *model) id() int64 { return m.rnd.Int64N(700) }

// moment is in the past or not long away.
func (m *model) moment() int64 { return m.now - 50 + m.rnd.Int64N(200) }

func (m *model) maybe(n int64) *int64 {
	if m.rnd.IntN(2) == 0 {
		return nil
	}
	return &n
}

// account makes some state of a user. Its name and sub id are its own: one of a few, in several spellings.
func (m *model) account(id int64) domain.Account {
	r := m.rnd
	u := domain.User{
		ID: id, Revision: r.Int64N(m.now), Username: fmt.Sprintf("%s-%d", []string{"ann", "Ann", "ÄNN", "änn"}[r.IntN(4)], id),
		SubID: fmt.Sprintf("s%d-%d", id, r.IntN(3)), Enabled: r.IntN(8) > 0, Quota: m.maybe(r.Int64N(1_000)),
		ExpireAt: m.maybe(m.moment()), NextResetAt: m.maybe(m.moment()), ResetRetryAt: m.maybe(m.moment()),
		RenewDays: r.IntN(2), ResetPolicy: []string{"", "daily", "month"}[r.IntN(3)], LimitIP: r.IntN(5), TgID: r.Int64N(2) * r.Int64(),
		AdminID: r.Int64N(3), StatusSince: m.moment(), CreatedAt: r.Int64N(50), UpdatedAt: m.now,
		Note: strings.Repeat([]string{"n", "N"}[r.IntN(2)], r.IntN(4)*r.IntN(200)),
	}
	if r.IntN(500) == 0 {
		u.Note = strings.Repeat("x", 3*chunkText/2)
	}
	if r.IntN(4) == 0 {
		u.Hold(m.now, r.Int64N(100), m.maybe(m.moment()))
	}
	if r.IntN(3) == 0 {
		u.AutoDelete = ptr(r.IntN(2))
	}
	u.Status = statuses[r.IntN(len(statuses))]
	a := domain.Account{User: u, Traffic: domain.Traffic{Up: r.Int64N(500), Down: r.Int64N(500), OnlineAt: r.Int64N(m.now) * r.Int64N(2)}}
	a.Traffic.LifetimeUp, a.Traffic.LifetimeDown = a.Traffic.Up+r.Int64N(100), a.Traffic.Down
	for inbound := range r.Int64N(4) {
		a.Inbounds = append(a.Inbounds, inbound*r.Int64N(2)+1)
	}
	for range r.Int64N(3) {
		a.Groups = append(a.Groups, r.Int64N(4)+1)
	}
	return a
}

// step does one thing to both.
func (m *model) step(t *testing.T, d *Directory) {
	t.Helper()
	id := m.id()
	switch m.rnd.IntN(12) {
	case 0:
		if m.rnd.IntN(4) == 0 { // else few would be left
			m.remove(id)
			d.Remove(id)
		}
	case 1:
		until := m.moment()
		d.Postpone(id, until)
		if _, ok := m.users[id]; ok {
			m.postponed[id] = until
		}
	case 2:
		if m.rnd.IntN(20) == 0 {
			m.deleteLimited = !m.deleteLimited
			d.SetDeleteLimited(m.deleteLimited)
		}
	case 3, 4:
		ds := make([]domain.TrafficDelta, m.rnd.IntN(2*batch))
		for i := range ds {
			ds[i] = domain.TrafficDelta{UserID: m.id(), Up: m.rnd.Int64N(9), Down: m.rnd.Int64N(9), OnlineAt: m.moment()}
		}
		m.moved(ds)
		d.Moved(ds)
	default:
		a := m.account(id)
		if got, want := d.Put(a), m.put(a); got != want {
			t.Fatalf("Put of %d at revision %d = %v, want %v", id, a.User.Revision, got, want)
		}
	}
	if got, _ := d.ByID(id); !reflect.DeepEqual(got, m.record(id)) {
		t.Fatalf("by id %d:\n got %+v\nwant %+v", id, got, m.record(id))
	}
}

// leftovers finds what users that are gone or changed have left behind.
func (m *model) leftovers(t *testing.T, d *Directory) {
	t.Helper()
	var text, live, holds, ruled, due, sharing, shared int
	for id, a := range m.users {
		text += len(d.text.at(d.recs.at(d.ids.get(id)).text))
		if a.User.HoldSince != nil {
			holds++
		}
		if _, postponed := m.postponed[id]; !postponed && a.User.DueAt(false) != a.User.DueAt(true) {
			ruled++
		}
		if m.dueAt(a) != 0 {
			due++
		}
		sharing++
	}
	for _, c := range d.text.chunks {
		live += c.live
	}
	for _, s := range d.sets.sets {
		shared += s.counts.in(everybody)
	}
	got := []int{live, len(d.holds), len(d.ruled), len(d.due.items), shared}
	if want := []int{text, holds, ruled, due, sharing}; !slices.Equal(got, want) {
		t.Fatalf("text, holds, ruled, due, inbound sets of %v, want %v", got, want)
	}
}

// compare looks at everything.
func (m *model) compare(t *testing.T, d *Directory) {
	t.Helper()
	var stale []int64
	seen := 0
	for r := range d.Each {
		want := m.record(r.ID)
		byName, _ := d.ByName(strings.ToUpper(r.Username))
		bySub, _ := d.BySubID(r.SubID)
		if !reflect.DeepEqual(r, want) || byName.ID != r.ID || bySub.ID != r.ID {
			t.Fatalf("walked over\n     %+v\nwant %+v\nby name %d, by sub id %d", r, want, byName.ID, bySub.ID)
		}
		if a := m.users[r.ID]; a.User.StatusAt(m.now, a.Traffic.Used()) != r.Status {
			stale = append(stale, r.ID)
		}
		seen++
	}
	if seen != len(m.users) || d.Len() != len(m.users) {
		t.Fatalf("%d users, Len %d, want %d", seen, d.Len(), len(m.users))
	}
	if got := d.Stale(m.now); !slices.Equal(got, stale) {
		t.Fatalf("Stale = %v, want %v", got, stale)
	}
	m.leftovers(t, d)
	due := m.due()
	if got := d.Due(m.now, 1_000); !slices.Equal(got, due) {
		t.Fatalf("Due = %v, want %v", got, due)
	}
	if got, want := d.Due(m.now, 5), due[:min(5, len(due))]; !slices.Equal(got, want) {
		t.Fatalf("five Due = %v, want %v", got, want)
	}
}

// A directory does what plain maps do, whatever happens to it, also if most hashes are equal.
func TestModel(t *testing.T) {
	for _, c := range []struct {
		name string
		mask uint32 // of the hashes
	}{{"as it is", ^uint32(0)}, {"few hashes", 31}} {
		t.Run(c.name, func(t *testing.T) {
			d := New()
			hash := d.name.hash
			d.name.hash = func(s string) uint32 { return hash(s) & c.mask }
			d.sub.hash = d.name.hash
			m := newModel(7)
			for i := range 20_000 {
				m.step(t, d)
				if m.now++; i%250 == 0 {
					m.compare(t, d)
				}
			}
			m.compare(t, d)
			if len(m.users) < 100 || len(m.gone) < 100 || len(d.text.vacant) == 0 {
				t.Errorf("%d users, %d gone, %d chunks freed: this showed little", len(m.users), len(m.gone), len(d.text.vacant))
			}
		})
	}
}
