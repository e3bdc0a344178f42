package storage_test

import (
	"context"
	"fmt"
	"path/filepath"
	"testing"
	"time"

	"github.com/sluicehq/sluice/kernel/domain"
	"github.com/sluicehq/sluice/storage"
)

// waiting opens a database in which n deliveries wait for each of two handlers, ten of a subject: those of p/busy are
// due, those of p/idle are not.
func waiting(b *testing.B, n int) *storage.DB {
	b.Helper()
	ctx := context.Background()
	db := open(b, filepath.Join(b.TempDir(), "sluice.db"), clockAt(noon))
	err := db.SetHandlers(ctx, "node", []domain.EventHandler{{Handler: "p/busy", Events: []string{"*"}}, {Handler: "p/idle", Events: []string{"old"}}})
	if err != nil {
		b.Fatal(err)
	}
	write(b, db, func(tx *storage.Tx) error {
		for i := range n {
			tx.Announce(domain.Event{Type: "old", Subject: fmt.Sprint("user/", i%(n/10)), Payload: `{"user":{"id":1}}`})
		}
		return nil
	})
	if err := db.ExecOnWriter(ctx, fmt.Sprintf("UPDATE outbox SET next_at = %d WHERE handler = 'p/idle' AND next_at IS NOT NULL", 2*noon)); err != nil {
		b.Fatal(err)
	}
	return db
}

// BenchmarkDeliveries announces 64 events, takes 64 deliveries, finishes them, and looks for some where none is due, with
// 1k and 100k others waiting in turn, and reports how much dearer each is among the latter.
func BenchmarkDeliveries(b *testing.B) {
	const batch = 64
	ctx := context.Background()
	dbs := []*storage.DB{waiting(b, 1_000), waiting(b, 100_000)}
	var announced, taken, finished, idle, counted [2]time.Duration
	rounds := 0
	for b.Loop() {
		for which, db := range dbs {
			timed := func(spent *[2]time.Duration, do func() error) {
				start := time.Now()
				if err := do(); err != nil {
					b.Fatal(err)
				}
				spent[which] += time.Since(start)
			}
			timed(&announced, func() error {
				return db.Write(ctx, func(tx *storage.Tx) error {
					for i := range batch {
						tx.Announce(domain.Event{Type: "new", Subject: fmt.Sprint("user/", i), Payload: "{}"})
					}
					return nil
				})
			})
			ids := []int64{}
			timed(&taken, func() error {
				all, err := db.TakeDeliveries(ctx, []string{"p/busy"}, lease, batch)
				for _, d := range all {
					ids = append(ids, d.ID)
				}
				return err
			})
			if len(ids) != batch {
				b.Fatalf("%d taken", len(ids))
			}
			timed(&finished, func() error { return db.FinishDeliveries(ctx, ids, nil) })
			timed(&idle, func() error {
				all, err := db.TakeDeliveries(ctx, []string{"p/idle"}, lease, batch)
				if len(all) != 0 {
					b.Fatalf("%d taken", len(all))
				}
				return err
			})
			timed(&counted, func() error { _, err := db.DeliveryCounts(ctx); return err })
		}
		rounds++
	}
	for what, spent := range map[string][2]time.Duration{
		"announce": announced, "take": taken, "finish": finished, "idle": idle, "count": counted,
	} {
		b.ReportMetric(float64(spent[1].Microseconds())/float64(rounds), "us-"+what+"-at-100k")
		b.ReportMetric(float64(spent[1])/float64(spent[0]), "ratio-"+what)
	}
}

// BenchmarkAnnounce disables and enables one and 1,000 of 10k users, with and without a handler that is told of it, and
// reports how much dearer the former is.
func BenchmarkAnnounce(b *testing.B) {
	const users = 10_000
	ctx := context.Background()
	for _, n := range []int{1, 1000} {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			db := filled(b, users)
			ids := make([]int64, n)
			for i := range ids {
				ids[i] = int64(1 + i*(users/n))
			}
			some := make([]*domain.User, n)
			for i, a := range must(db.Accounts(ctx, ids))(b) {
				some[i] = &a.User
			}
			var spent [2]time.Duration
			rounds := 0
			for b.Loop() {
				for which, types := range [][]string{{}, {"*"}} {
					handle(b, db, "p/h", types...)
					for _, u := range some {
						u.Enabled = !u.Enabled
					}
					start := time.Now()
					write(b, db, func(tx *storage.Tx) error { return tx.UpdateUsers(ctx, some) })
					spent[which] += time.Since(start)
				}
				rounds++
			}
			b.ReportMetric(float64(spent[0].Microseconds())/float64(rounds*n), "us/user-untold")
			b.ReportMetric(float64(spent[1].Microseconds())/float64(rounds*n), "us/user-told")
			b.ReportMetric(float64(spent[1])/float64(spent[0]), "ratio-told/untold")
		})
	}
}
