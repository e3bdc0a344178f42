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

// filled opens an SQLite database with n users.
func filled(b *testing.B, n int) *storage.DB {
	b.Helper()
	db := storagetest.SQLite(b)
	storagetest.Fill(b, db, n)
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
			sub := fmt.Sprintf("sub%08d", 1+i*7919%sizes[which])
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

// BenchmarkFlush adds the traffic of 1k, 10k and 100k of 100k users in turn, every 5 seconds of the users' time, and
// reports what a user costs and how much dearer it is among few, whose rows lie apart.
func BenchmarkFlush(b *testing.B) {
	const users, size = 100_000, 2000
	storagetest.Each(b, func(b *testing.B, dsn string) {
		db := storagetest.Open(b, storage.Options{DSN: dsn})
		storagetest.Fill(b, db, users)
		moved := []int{1_000, 10_000, 100_000}
		spent := make([]time.Duration, len(moved))
		seq, rounds := int64(0), 0
		for b.Loop() {
			at := noon + 5000*int64(rounds)
			for which, n := range moved {
				ds := make([]domain.TrafficDelta, n)
				for i := range ds {
					ds[i] = domain.TrafficDelta{UserID: int64(1 + i*(users/n)), Up: 1, Down: 2, OnlineAt: at}
				}
				start := time.Now()
				for from := 0; from < n; from += size {
					seq++
					flush(b, db, chunk("node", seq, ds[from:min(from+size, n)]...))
				}
				spent[which] += time.Since(start)
			}
			rounds++
		}
		perUser := func(which int) float64 {
			return float64(spent[which].Nanoseconds()) / float64(rounds*moved[which]) / 1000
		}
		b.ReportMetric(perUser(0), "us/user-of-1k")
		b.ReportMetric(perUser(1), "us/user-of-10k")
		b.ReportMetric(perUser(2), "us/user-of-100k")
		b.ReportMetric(perUser(0)/perUser(2), "ratio-1k/100k")
	})
}

// BenchmarkUpdateUsers writes 1k of 100k users, one by one and together, and reports how much dearer the former is.
func BenchmarkUpdateUsers(b *testing.B) {
	const users, n = 100_000, 1_000
	storagetest.Each(b, func(b *testing.B, dsn string) {
		ctx := context.Background()
		db := storagetest.Open(b, storage.Options{DSN: dsn})
		storagetest.Fill(b, db, users)
		ids := make([]int64, n)
		for i := range ids {
			ids[i] = int64(1 + i*(users/n))
		}
		some := make([]*domain.User, n)
		for i, a := range must(db.Accounts(ctx, ids))(b) {
			some[i] = &a.User
		}
		var single, together time.Duration
		at := noon
		for b.Loop() {
			at++
			for _, u := range some {
				u.NextResetAt = ptr(at)
			}
			start := time.Now()
			write(b, db, func(tx *storage.Tx) error {
				for _, u := range some {
					if err := tx.UpdateUser(ctx, u); err != nil {
						return err
					}
				}
				return nil
			})
			single += time.Since(start)
			start = time.Now()
			write(b, db, func(tx *storage.Tx) error { return tx.UpdateUsers(ctx, some) })
			together += time.Since(start)
		}
		b.ReportMetric(float64(together.Microseconds())/float64(b.N*n), "us/user")
		b.ReportMetric(float64(single)/float64(together), "ratio-single/together")
	})
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

// BenchmarkEffective asks for the inbounds of a user without a group and of one in a group of everybody, and for pages
// of 100 of that group and of its inbound, among 1k and 100k in turn, and reports how much dearer the latter is.
func BenchmarkEffective(b *testing.B) {
	const page = 100
	ctx := context.Background()
	sizes := []int{1_000, 100_000}
	dbs := make([]*storage.DB, len(sizes))
	for i, n := range sizes {
		dbs[i] = filled(b, n)
		group := addGroup(b, dbs[i], "all", addInbound(b, dbs[i], "second").ID)
		err := dbs[i].ExecOnWriter(ctx, fmt.Sprintf(
			"INSERT INTO user_groups (user_id, group_id, position) SELECT id, %d, 0 FROM users WHERE id > 1", group.ID))
		if err != nil {
			b.Fatal(err)
		}
	}
	for _, test := range []struct {
		name string
		do   func(db *storage.DB, id int64) (int, error)
		want int
	}{
		{"ungrouped", func(db *storage.DB, _ int64) (int, error) { ids, err := db.UserInbounds(ctx, 1); return len(ids), err }, 1},
		{"grouped", func(db *storage.DB, id int64) (int, error) {
			ids, err := db.UserInbounds(ctx, id)
			return len(ids), err
		}, 2},
		{"inbound", func(db *storage.DB, id int64) (int, error) {
			all, err := db.AccountsOfInbound(ctx, 2, id, page)
			return len(all), err
		}, page},
	} {
		b.Run(test.name, func(b *testing.B) {
			var spent [2]time.Duration
			i := 0
			for b.Loop() {
				for which, db := range dbs {
					id := int64(2 + i*7919%(sizes[which]-page-2))
					start := time.Now()
					if n, err := test.do(db, id); err != nil || n != test.want {
						b.Fatalf("%d for %d, %v", n, id, err)
					}
					spent[which] += time.Since(start)
				}
				i++
			}
			b.ReportMetric(float64(spent[1].Nanoseconds())/float64(i)/1000, "us-at-100k")
			b.ReportMetric(float64(spent[1])/float64(spent[0]), "ratio-100k/1k")
		})
	}
}

// BenchmarkInsertUser writes one user per transaction.
func BenchmarkInsertUser(b *testing.B) {
	db := filled(b, 10_000)
	i := 0
	for b.Loop() {
		i++
		u := newUser(1, fmt.Sprintf("new%d", i))
		write(b, db, func(tx *storage.Tx) error { return tx.InsertUser(context.Background(), &u, []int64{1}) })
	}
}

// BenchmarkInsertUsers looks whether the values of 500 users are taken, writes the users, as one request does, and
// deletes them again, among 10k and 100k in turn, and reports how much dearer that is among the latter.
func BenchmarkInsertUsers(b *testing.B) {
	const n = 500
	ctx := context.Background()
	dbs := []*storage.DB{filled(b, 10_000), filled(b, 100_000)}
	var taken, inserted, deleted [2]time.Duration
	round := 0
	for b.Loop() {
		round++
		for which, db := range dbs {
			users, rows, ids := make([]domain.User, n), make([]*storage.NewUser, n), make([]int64, n)
			for i := range users { // in no order, as real credentials are
				users[i] = newUser(1, fmt.Sprintf("%08x-%d-%d", uint32((round*n+i)*2_654_435_761), i, round))
				rows[i] = &storage.NewUser{User: users[i], Inbounds: []int64{1}}
			}
			write(b, db, func(tx *storage.Tx) error {
				start := time.Now()
				equal(b, "taken", must(tx.Taken(ctx, users))(b), map[int]string{})
				taken[which] += time.Since(start)
				return nil
			})
			start := time.Now()
			write(b, db, func(tx *storage.Tx) error { return tx.InsertUsers(ctx, rows) })
			inserted[which] += time.Since(start)
			for i, row := range rows {
				ids[i] = row.User.ID
			}
			start = time.Now()
			write(b, db, func(tx *storage.Tx) error { return tx.DeleteUsers(ctx, ids) })
			deleted[which] += time.Since(start)
		}
	}
	for what, spent := range map[string][2]time.Duration{"taken": taken, "insert": inserted, "delete": deleted} {
		b.ReportMetric(float64(spent[0].Microseconds())/float64(round)/1000, "ms-"+what+"-at-10k")
		b.ReportMetric(float64(spent[1])/float64(spent[0]), "ratio-"+what)
	}
}
