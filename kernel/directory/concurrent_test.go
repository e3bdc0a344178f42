package directory

import (
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/sluicehq/sluice/kernel/domain"
)

// Whoever reads sees records of one moment each, while everything happens at once. The race detector looks on too.
func TestAllAtOnce(t *testing.T) {
	const users, rounds = 600, 30
	// At revision n the note, the name and the usage of a user say n, so that a mixed record shows.
	at := func(id, n int64) domain.Account {
		return with(id, n, func(a *domain.Account) {
			a.User.Note = fmt.Sprintf("%0*d", 20+n%7*50, n)
			a.User.Username = fmt.Sprintf("%d.%d", id, n)
			a.User.ExpireAt = ptr(n + 1)
			a.Traffic.Up, a.Traffic.Down = n, n
			a.Inbounds = []int64{n}
			a.User.Enabled = n%2 == 0
		})
	}
	d := New()
	for id := range int64(users) {
		d.Put(at(id, 0))
	}
	var writers, readers sync.WaitGroup
	for writer := range int64(3) {
		writers.Go(func() {
			for n := range int64(rounds) {
				for id := writer; id < users; id += 3 {
					d.Put(at(id, n+1))
					d.Postpone(id, n+5)
				}
				d.SetDeleteLimited(n%2 == 0)
				d.Remove(users + 3*n + writer)
				d.Moved([]domain.TrafficDelta{{UserID: 2*users + n, Up: 1}})
			}
		})
	}
	done := make(chan struct{})
	checkRecord := func(r Record, ok bool) {
		whole := r.Note == fmt.Sprintf("%0*d", 20+r.Revision%7*50, r.Revision) && r.Up == r.Revision && r.Down == r.Revision &&
			r.Username == fmt.Sprintf("%d.%d", r.ID, r.Revision) && len(r.Inbounds) == 1 && r.Inbounds[0] == r.Revision
		if ok && !whole {
			t.Errorf("a record of more than one moment: %+v", r)
		}
	}
	for range 2 {
		readers.Go(func() {
			for n := int64(0); ; n++ {
				select {
				case <-done:
					return
				default:
				}
				checkRecord(d.ByID(n % users))
				checkRecord(d.ByName(fmt.Sprintf("%d.%d", n%users, n%rounds)))
				for r := range d.Each {
					checkRecord(r, true)
				}
				d.Due(n, 50)
				d.Stale(n)
				d.Memory()
				checkPages(t, d, n, users)
			}
		})
	}
	writers.Wait()
	close(done)
	readers.Wait()
	for id := range int64(users) {
		if r, ok := d.ByID(id); !ok || r.Revision != rounds || r.DueAt != rounds+4 {
			t.Fatalf("user %d ended at revision %d, due at %d, found %v", id, r.Revision, r.DueAt, ok)
		}
	}
}

// checkPages asks for pages while users change, come and go.
func checkPages(t *testing.T, d *Directory, n, users int64) {
	q := Query{Sort: sorts[n%int64(len(sorts))], Descending: n%3 == 0, Limit: int(users) + 1}
	if n%4 == 0 {
		q.Search = fmt.Sprint(n % 10)
	}
	now := n * lag / 2
	p := d.Page(now, q)
	seen := map[int64]bool{}
	for _, id := range p.IDs {
		seen[id] = true
	}
	if len(seen) != p.Filtered || q.Search == "" && p.Filtered != int(users) {
		t.Errorf("%d different users of %d filtered of %d", len(seen), p.Filtered, users)
	}
	s := d.Summary(now, 3)
	if s.Active+s.Expiring+s.Depleted+s.Disabled != int(users) || len(s.DisabledNames) != min(3, s.Disabled) {
		t.Errorf("%+v of %d users", s, users)
	}
	for _, q := range []Query{
		{UsedFrom: n % 20, Limit: int(users)},
		{UsedTo: n % 20, Sort: SortTraffic, Limit: int(users)},
		{ExpireTo: n % 20, Limit: 9},
		{Admins: []int64{0}, Expires: ptr(true), Limit: int(users) + 1},
		{Order: []OrderBy{{SortEnable, false}, {SortTraffic, true}}, Limit: 9},
		{IDs: []int64{n % users}, Limit: 9},
	} {
		if p := d.Page(now, q); len(p.IDs) != min(q.Limit, p.Filtered) {
			t.Errorf("%+v: %d users of %d filtered", q, len(p.IDs), p.Filtered)
		}
	}
	if admin := d.AdminTotals()[0]; admin.Users != int(users) {
		t.Errorf("%d users of the admin", admin.Users)
	}
	if n%20 == 0 {
		d.SetExpiring(n, n)
		d.Due(now+idle, 1)
	}
}

// A large flush lets others in: somebody sees the first users moved and the last not yet.
func TestMovedLetsOthersIn(t *testing.T) {
	const users = 50_000
	d := New()
	ds := make([]domain.TrafficDelta, users)
	for id := range int64(users) {
		d.Put(account(id, 1))
		ds[id] = domain.TrafficDelta{UserID: id, Up: 1}
	}
	between, done := make(chan struct{}), make(chan struct{})
	var reader sync.WaitGroup
	reader.Go(func() {
		for {
			select {
			case <-done:
				return
			default:
			}
			first, _ := d.ByID(0)
			last, _ := d.ByID(users - 1)
			if last.Up < first.Up {
				close(between)
				return
			}
		}
	})
	defer reader.Wait()
	defer close(done)
	deadline := time.After(30 * time.Second)
	for {
		d.Moved(ds)
		select {
		case <-between:
			return
		case <-deadline:
			t.Fatal("nobody was ever let in")
		default:
		}
	}
}
