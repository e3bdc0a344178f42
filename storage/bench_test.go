package storage_test

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/sluicehq/sluice/kernel/domain"
	"github.com/sluicehq/sluice/storage"
	"github.com/sluicehq/sluice/storage/storagetest"
)

// filled opens an SQLite database with n users on two inbounds each.
func filled(b *testing.B, n int) *storage.DB {
	b.Helper()
	db := storagetest.SQLite(b)
	ctx := context.Background()
	admin := addAdmin(b, db, "root")
	a, c := addInbound(b, db, "a").ID, addInbound(b, db, "c").ID
	const batch = 5000
	for start := 0; start < n; start += batch {
		write(b, db, func(tx *storage.Tx) error {
			for i := start; i < min(start+batch, n); i++ {
				u := newUser(admin.ID, fmt.Sprintf("user%d", i))
				if err := tx.InsertUser(ctx, &u, []int64{a, c}); err != nil {
					return err
				}
			}
			return nil
		})
	}
	return db
}

// BenchmarkPointRead reads users by subscription id among 1k and 100k in turn and reports how much dearer the latter
// is.
func BenchmarkPointRead(b *testing.B) {
	sizes := []int{1_000, 100_000}
	dbs := []*storage.DB{filled(b, sizes[0]), filled(b, sizes[1])}
	var spent [2]time.Duration
	i := 0
	for b.Loop() {
		for which, db := range dbs {
			// A prime step visits all pages without a pattern that a cache could like.
			sub := fmt.Sprintf("sub-user%d", i*7919%sizes[which])
			start := time.Now()
			if _, err := db.UserBySubID(context.Background(), sub); err != nil {
				b.Fatal(err)
			}
			spent[which] += time.Since(start)
		}
		i++
	}
	b.ReportMetric(float64(spent[0].Microseconds())/float64(i), "us-at-1k")
	b.ReportMetric(float64(spent[1].Microseconds())/float64(i), "us-at-100k")
	b.ReportMetric(float64(spent[1])/float64(spent[0]), "ratio-100k/1k")
}

// BenchmarkFlush adds the traffic of 1k and of 10k users, in chunks of 2,000, to a database of 10k.
func BenchmarkFlush(b *testing.B) {
	const chunk = 2000
	db := filled(b, 10_000)
	seq := int64(0)
	for _, n := range []int{1_000, 10_000} {
		ds := make([]domain.TrafficDelta, n)
		for i := range ds {
			ds[i] = domain.TrafficDelta{UserID: int64(i + 1), Up: 1, Down: 2, OnlineAt: 3}
		}
		b.Run(fmt.Sprintf("%d-users", n), func(b *testing.B) {
			for b.Loop() {
				for start := 0; start < n; start += chunk {
					seq++
					err := db.FlushTraffic(context.Background(), "node", seq, ds[start:min(start+chunk, n)])
					if err != nil {
						b.Fatal(err)
					}
				}
			}
		})
	}
}

// BenchmarkEachAccount reads 50k accounts, as the start of a server does.
func BenchmarkEachAccount(b *testing.B) {
	const n = 50_000
	db := filled(b, n)
	for b.Loop() {
		count := 0
		err := db.EachAccount(context.Background(), func(domain.Account) error { count++; return nil })
		if err != nil || count != n {
			b.Fatalf("%d accounts, %v", count, err)
		}
	}
}

// BenchmarkInsertUser writes one user with two inbounds per transaction.
func BenchmarkInsertUser(b *testing.B) {
	db := filled(b, 10_000)
	inbounds, err := db.Inbounds(context.Background())
	if err != nil {
		b.Fatal(err)
	}
	ids := []int64{inbounds[0].ID, inbounds[1].ID}
	i := 0
	for b.Loop() {
		i++
		u := newUser(1, fmt.Sprintf("new%d", i))
		write(b, db, func(tx *storage.Tx) error { return tx.InsertUser(context.Background(), &u, ids) })
	}
}
