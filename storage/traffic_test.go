package storage_test

import (
	"context"
	"fmt"
	"math"
	"slices"
	"sync"
	"testing"

	"github.com/sluicehq/sluice/kernel/domain"
	"github.com/sluicehq/sluice/storage"
	"github.com/sluicehq/sluice/storage/storagetest"
)

func TestFlushTrafficAddsOncePerChunk(t *testing.T) {
	each(t, func(t *testing.T, db *storage.DB) {
		ctx := context.Background()
		admin := addAdmin(t, db, "root")
		a, b := addUser(t, db, admin.ID, "a"), addUser(t, db, admin.ID, "b")
		last := must(db.LastChange(ctx))(t)
		equal(t, "no flush yet", must(db.LastFlush(ctx, "n1"))(t), int64(0))

		chunk := []domain.TrafficDelta{
			{UserID: b.ID, Up: 5, Down: 6, OnlineAt: 20}, {UserID: 999, Up: 1}, // 999 is gone
			{UserID: a.ID, Up: 1, Down: 2, OnlineAt: 10}, {UserID: a.ID, Up: 10, Down: 20, OnlineAt: 9},
		}
		for _, flush := range []struct {
			node string
			seq  int64
			a    domain.Traffic
		}{
			{"n1", 7, domain.Traffic{UserID: a.ID, Up: 11, Down: 22, LifetimeUp: 11, LifetimeDown: 22, OnlineAt: 10}},
			{"n1", 7, domain.Traffic{UserID: a.ID, Up: 11, Down: 22, LifetimeUp: 11, LifetimeDown: 22, OnlineAt: 10}},
			{"n1", 8, domain.Traffic{UserID: a.ID, Up: 22, Down: 44, LifetimeUp: 22, LifetimeDown: 44, OnlineAt: 10}},
			{"n2", 7, domain.Traffic{UserID: a.ID, Up: 33, Down: 66, LifetimeUp: 33, LifetimeDown: 66, OnlineAt: 10}},
		} {
			if err := db.FlushTraffic(ctx, flush.node, flush.seq, chunk); err != nil {
				t.Fatal(err)
			}
			equal(t, fmt.Sprintf("a after %s/%d", flush.node, flush.seq), must(db.Traffic(ctx, a.ID))(t), flush.a)
		}
		equal(t, "b", must(db.Traffic(ctx, b.ID))(t),
			domain.Traffic{UserID: b.ID, Up: 15, Down: 18, LifetimeUp: 15, LifetimeDown: 18, OnlineAt: 20})
		equal(t, "caller's chunk", chunk[0].UserID, b.ID)
		equal(t, "last flush of n1", must(db.LastFlush(ctx, "n1"))(t), int64(8))
		equal(t, "last flush of n2", must(db.LastFlush(ctx, "n2"))(t), int64(7))
		equal(t, "last change", must(db.LastChange(ctx))(t), last)
	})
}

func TestOnlineTimeNeverGoesBack(t *testing.T) {
	each(t, func(t *testing.T, db *storage.DB) {
		ctx := context.Background()
		u := addUser(t, db, addAdmin(t, db, "root").ID, "u")
		for seq, online := range []int64{50, 40} {
			ds := []domain.TrafficDelta{{UserID: u.ID, OnlineAt: online}}
			if err := db.FlushTraffic(ctx, "n", int64(seq+1), ds); err != nil {
				t.Fatal(err)
			}
		}
		equal(t, "online", must(db.Traffic(ctx, u.ID))(t).OnlineAt, int64(50))
	})
}

// The second delta overflows its column, so the chunk fails after the first was added: nothing of it may stay, nor may
// it count as stored.
func TestFlushTrafficIsAtomic(t *testing.T) {
	each(t, func(t *testing.T, db *storage.DB) {
		ctx := context.Background()
		admin := addAdmin(t, db, "root")
		a, b := addUser(t, db, admin.ID, "a"), addUser(t, db, admin.ID, "b")
		full := []domain.TrafficDelta{{UserID: b.ID, Up: math.MaxInt64}}
		if err := db.FlushTraffic(ctx, "n", 1, full); err != nil {
			t.Fatal(err)
		}
		err := db.FlushTraffic(ctx, "n", 2, []domain.TrafficDelta{{UserID: a.ID, Up: 1}, {UserID: b.ID, Up: 1}})
		fails(t, err, domain.Unavailable("the database could not do this"))
		equal(t, "a", must(db.Traffic(ctx, a.ID))(t), domain.Traffic{UserID: a.ID})
		equal(t, "last flush", must(db.LastFlush(ctx, "n"))(t), int64(1))
	})
}

// Two nodes flush the same users in opposite orders beside a third process that deletes others from the last to the
// first: nothing may be lost, and nobody may end in a deadlock.
func TestFlushesBesideWrites(t *testing.T) {
	const rounds, perRound, stay = 20, 10, 5
	storagetest.Each(t, func(t *testing.T, dsn string) {
		ctx := context.Background()
		dbs := processes(t, dsn, 3)
		db := dbs[0]
		admin := addAdmin(t, db, "root")
		var ds []domain.TrafficDelta
		write(t, db, func(tx *storage.Tx) error {
			for i := range stay + rounds*perRound {
				u := newUser(admin.ID, fmt.Sprint("u", i))
				if err := tx.InsertUser(ctx, &u, nil); err != nil {
					return err
				}
				ds = append(ds, domain.TrafficDelta{UserID: u.ID, Up: 1})
			}
			return nil
		})
		var wg sync.WaitGroup
		backward := slices.Clone(ds)
		slices.Reverse(backward)
		for node, ds := range [][]domain.TrafficDelta{ds, backward} {
			wg.Go(func() {
				for seq := range int64(rounds) {
					if err := dbs[1+node].FlushTraffic(ctx, fmt.Sprint(node), seq+1, ds); err != nil {
						t.Error(err)
					}
				}
			})
		}
		wg.Go(func() {
			for goes := range slices.Chunk(backward[:rounds*perRound], perRound) {
				err := db.Write(ctx, func(tx *storage.Tx) error {
					for _, d := range goes {
						if err := tx.DeleteUser(ctx, d.UserID); err != nil {
							return err
						}
					}
					return nil
				})
				if err != nil {
					t.Error(err)
				}
			}
		})
		wg.Wait()
		for _, a := range accounts(t, db) {
			equal(t, "used", a.Used, int64(2*rounds))
		}
		equal(t, "users left", len(accounts(t, db)), stay)
	})
}
