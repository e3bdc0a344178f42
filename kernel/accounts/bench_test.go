package accounts_test

import (
	"math"
	"testing"
	"time"

	"github.com/jonboulle/clockwork"
	"go.uber.org/zap"

	"github.com/sluicehq/sluice/kernel/accounts"
	"github.com/sluicehq/sluice/kernel/directory"
	"github.com/sluicehq/sluice/kernel/domain"
	"github.com/sluicehq/sluice/kernel/jobs"
	"github.com/sluicehq/sluice/kernel/period"
	"github.com/sluicehq/sluice/kernel/username"
	"github.com/sluicehq/sluice/storage"
	"github.com/sluicehq/sluice/storage/storagetest"
)

// house is the use cases over a filled database of which some users have a daily boundary.
type house struct {
	*accounts.Service
	db        *storage.DB
	clock     *clockwork.FakeClock
	directory *directory.Directory
}

func newHouse(b *testing.B, users, due int) *house {
	b.Helper()
	clock := clockwork.NewFakeClockAt(time.UnixMilli(start))
	h := &house{db: storagetest.SQLite(b), clock: clock, directory: directory.New()}
	storagetest.Fill(b, h.db, users)
	err := h.db.Write(b.Context(), func(tx *storage.Tx) error {
		var list []*domain.User
		for i := range due { // all over the table
			u, err := tx.UserByID(b.Context(), int64(1+i*(users/due)))
			if err != nil {
				return err
			}
			u.ResetPolicy, u.ResetAnchor, u.NextResetAt = "daily", start, ptr(start)
			list = append(list, &u)
		}
		return tx.UpdateUsers(b.Context(), list)
	})
	if err != nil {
		b.Fatal(err)
	}
	err = h.db.EachAccount(b.Context(), func(a domain.Account) error { h.directory.Put(a); return nil })
	if err != nil {
		b.Fatal(err)
	}
	count := &counters{moved: map[int64]domain.TrafficDelta{}, directory: h.directory, clock: clock}
	flusher, err := jobs.NewFlusher(b.Context(), h.db, count, clock, "node")
	if err != nil {
		b.Fatal(err)
	}
	h.Service = accounts.New(accounts.Options{
		DB: h.db, Clock: clock, Log: zap.NewNop(), CertDir: b.TempDir(), Usage: flusher, Directory: h.directory,
		Periods: period.New(builtins), Names: username.New(builtins),
	})
	return h
}

// plans makes a group and a template with a quota, an end and boundaries, and returns who uses it.
func (h *house) plans(b *testing.B) (template int64, who accounts.Principal) {
	b.Helper()
	admins, err := h.db.Admins(b.Context())
	if err != nil {
		b.Fatal(err)
	}
	group, err := h.NewGroup(b.Context(), "group", []int64{1}, false)
	if err != nil {
		b.Fatal(err)
	}
	plan, err := h.CreateTemplate(b.Context(), domain.Template{
		Name: "plan", Quota: ptr(int64(1 << 30)), Duration: 30 * day, ResetPolicy: "month", Groups: []int64{group.ID},
	})
	if err != nil {
		b.Fatal(err)
	}
	return plan.ID, accounts.Principal{Admin: admins[0]}
}

// compare runs do in a house of 1k users and in one of 100k in turn, and reports what one run costs and the ratio. tidy
// runs after each, and is not counted.
func compare(b *testing.B, do func(h *house, template int64, who accounts.Principal), tidy func(h *house, who accounts.Principal)) {
	b.Helper()
	houses := [2]*house{newHouse(b, 1000, 1), newHouse(b, 100_000, 1)}
	var templates [2]int64
	var who [2]accounts.Principal
	for i, h := range houses {
		templates[i], who[i] = h.plans(b)
	}
	var spent [2]time.Duration
	n := 0
	for b.Loop() {
		for i, h := range houses {
			begin := time.Now()
			do(h, templates[i], who[i])
			spent[i] += time.Since(begin)
			tidy(h, who[i])
		}
		n++
	}
	b.ReportMetric(0, "ns/op")
	b.ReportMetric(spent[0].Seconds()*1000/float64(n), "ms-of-1k")
	b.ReportMetric(spent[1].Seconds()*1000/float64(n), "ms-of-100k")
	b.ReportMetric(float64(spent[1])/float64(spent[0]), "ratio-100k/1k")
}

// BenchmarkManyFromTemplate makes 500 users of a template with random names, and deletes them.
func BenchmarkManyFromTemplate(b *testing.B) {
	var made accounts.Made
	compare(b, func(h *house, template int64, who accounts.Principal) {
		var err error
		made, err = h.ManyFromTemplate(b.Context(), who, accounts.Batch{TemplateID: template, Count: 500, Strategy: "random"})
		if err != nil || len(made.Users) != 500 {
			b.Fatalf("%d users, %v", len(made.Users), err)
		}
	}, func(h *house, who accounts.Principal) {
		ids := make([]int64, len(made.Users))
		for i, u := range made.Users {
			ids[i] = u.ID
		}
		if _, err := h.DeleteUsersOf(b.Context(), who, ids); err != nil {
			b.Fatal(err)
		}
	})
}

// BenchmarkApplyTemplate brings one user to a template, and takes its policy away again.
func BenchmarkApplyTemplate(b *testing.B) {
	const name = "user0000777"
	compare(b, func(h *house, template int64, who accounts.Principal) {
		if _, err := h.ApplyTemplate(b.Context(), who, name, template, nil); err != nil {
			b.Fatal(err)
		}
	}, func(h *house, who accounts.Principal) {
		_, err := h.UpdateUserOf(b.Context(), who, name, func(v *accounts.UserView) error {
			v.ResetPolicy, v.GroupIDs = "", nil
			return nil
		})
		if err != nil {
			b.Fatal(err)
		}
	})
}

// day passes, and what is due then is done. It returns how long that took, finding it included.
func (h *house) day(b *testing.B, due int) time.Duration {
	b.Helper()
	h.clock.Advance(oneDay)
	begin := time.Now()
	ids := h.directory.Due(h.clock.Now().UnixMilli(), math.MaxInt)
	if _, err := h.Advance(b.Context(), ids, nil); err != nil || len(ids) != due {
		b.Fatalf("%d are due, %v", len(ids), err)
	}
	return time.Since(begin)
}

// BenchmarkBoundaries resets 1k users of 10k and 1k users of 1M in turn, and reports what one of them costs and how much
// dearer it is among many.
func BenchmarkBoundaries(b *testing.B) {
	const due = 1000
	few, many := newHouse(b, 10_000, due), newHouse(b, 1_000_000, due)
	var spent [2]time.Duration
	n := 0
	for b.Loop() {
		spent[0] += few.day(b, due)
		spent[1] += many.day(b, due)
		n += due
	}
	b.ReportMetric(0, "ns/op")
	b.ReportMetric(float64(spent[0].Nanoseconds())/float64(n), "ns/due-of-10k")
	b.ReportMetric(float64(spent[1].Nanoseconds())/float64(n), "ns/due-of-1M")
	b.ReportMetric(float64(spent[1])/float64(spent[0]), "ratio-1M/10k")
}

// BenchmarkReconcile compares every one of 100k users' revisions with the directory's, and beside it only reads them.
func BenchmarkReconcile(b *testing.B) {
	const users = 100_000
	h := newHouse(b, users, 1)
	last, err := h.db.LastChange(b.Context())
	if err != nil {
		b.Fatal(err)
	}
	h.FollowFrom(last)
	var read, whole time.Duration
	n := 0
	for b.Loop() {
		begin := time.Now()
		if err := h.db.EachRevision(b.Context(), func(int64, int64) {}); err != nil {
			b.Fatal(err)
		}
		middle := time.Now()
		if repaired, err := h.Reconcile(b.Context()); repaired != 0 || err != nil {
			b.Fatalf("repaired %d, %v", repaired, err)
		}
		read, whole = read+middle.Sub(begin), whole+time.Since(middle)
		n += users
	}
	b.ReportMetric(0, "ns/op")
	b.ReportMetric(float64(read.Nanoseconds())/float64(n), "ns/user-read")
	b.ReportMetric(float64(whole.Nanoseconds())/float64(n), "ns/user-reconciled")
	b.ReportMetric(float64(whole)/float64(read), "ratio-reconciled/read")
}
