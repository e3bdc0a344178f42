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
		Periods: period.New(builtins),
	})
	return h
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
