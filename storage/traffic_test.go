package storage_test

import (
	"context"
	"errors"
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

		ds := []domain.TrafficDelta{
			{UserID: b.ID, Up: 5, Down: 6, OnlineAt: 20}, {UserID: 999, Up: 1}, // 999 is gone
			{UserID: a.ID, Up: 1, Down: 2, OnlineAt: 10}, {UserID: a.ID, Up: 10, Down: 20, OnlineAt: 9},
		}
		for _, step := range []struct {
			node string
			seq  int64
			a    domain.Traffic
		}{
			{"n1", 7, domain.Traffic{UserID: a.ID, Up: 11, Down: 22, LifetimeUp: 11, LifetimeDown: 22, OnlineAt: 10}},
			{"n1", 7, domain.Traffic{UserID: a.ID, Up: 11, Down: 22, LifetimeUp: 11, LifetimeDown: 22, OnlineAt: 10}},
			{"n1", 8, domain.Traffic{UserID: a.ID, Up: 22, Down: 44, LifetimeUp: 22, LifetimeDown: 44, OnlineAt: 10}},
			{"n2", 7, domain.Traffic{UserID: a.ID, Up: 33, Down: 66, LifetimeUp: 33, LifetimeDown: 66, OnlineAt: 10}},
		} {
			flush(t, db, chunk(step.node, step.seq, ds...))
			equal(t, fmt.Sprintf("a after %s/%d", step.node, step.seq), must(db.Traffic(ctx, a.ID))(t), step.a)
		}
		equal(t, "b", must(db.Traffic(ctx, b.ID))(t),
			domain.Traffic{UserID: b.ID, Up: 15, Down: 18, LifetimeUp: 15, LifetimeDown: 18, OnlineAt: 20})
		equal(t, "caller's deltas", ds[0].UserID, b.ID)
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
			flush(t, db, chunk("n", int64(seq+1), domain.TrafficDelta{UserID: u.ID, OnlineAt: online}))
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
		flush(t, db, chunk("n", 1, domain.TrafficDelta{UserID: b.ID, Up: math.MaxInt64}))
		err := db.FlushTraffic(ctx, chunk("n", 2, moved(a.ID, 9, 1, 0), moved(b.ID, 9, 1, 0)))
		fails(t, err, domain.Unavailable("the database could not do this"))
		equal(t, "a", must(db.Traffic(ctx, a.ID))(t), domain.Traffic{UserID: a.ID})
		equal(t, "hours of a", must(db.HourlyUsage(ctx, a.ID, 0, noon))(t), []domain.HourUsage{})
		equal(t, "last flush", must(db.LastFlush(ctx, "n"))(t), int64(1))
	})
}

// A chunk in a transaction is the same chunk as one beside it: it counts once, and not at all if the rest fails.
func TestAddTrafficIsOneWithItsTransaction(t *testing.T) {
	each(t, func(t *testing.T, db *storage.DB) {
		ctx := context.Background()
		u := addUser(t, db, addAdmin(t, db, "root").ID, "u").ID
		c := chunk("n", 1, moved(u, noon, 1, 2))
		failed := errors.New("failed")
		add := func(then error) error {
			return db.Write(ctx, func(tx *storage.Tx) error {
				if err := tx.AddTraffic(ctx, c); err != nil {
					return err
				}
				return then
			})
		}
		equal(t, "error", add(failed), failed)
		equal(t, "after a failure", must(db.Traffic(ctx, u))(t), domain.Traffic{UserID: u})
		equal(t, "last flush", must(db.LastFlush(ctx, "n"))(t), int64(0))
		once := domain.Traffic{UserID: u, Up: 1, Down: 2, LifetimeUp: 1, LifetimeDown: 2, OnlineAt: noon}
		for range 2 {
			equal(t, "error", add(nil), nil)
			flush(t, db, c)
			equal(t, "after success", must(db.Traffic(ctx, u))(t), once)
		}
		equal(t, "hours", must(db.HourlyUsage(ctx, u, 0, noon))(t), []domain.HourUsage{{Hour: noonHour, Up: 1, Down: 2}})
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
					if err := dbs[1+node].FlushTraffic(ctx, chunk(fmt.Sprint(node), seq+1, ds...)); err != nil {
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
			equal(t, "used", a.Traffic.Used(), int64(2*rounds))
		}
		equal(t, "users left", len(accounts(t, db)), stay)
	})
}

func TestUsedIDs(t *testing.T) {
	each(t, func(t *testing.T, db *storage.DB) {
		ctx := context.Background()
		addUsers(t, db, addAdmin(t, db, "root").ID, 4)
		equal(t, "before a byte", must(db.UsedIDs(ctx))(t), []int64{})
		flush(t, db, chunk("n", 1, moved(4, noon, 0, 1), moved(2, noon, 3, 0), moved(3, noon, 1, 1)))
		write(t, db, func(tx *storage.Tx) error { return tx.SetTraffic(ctx, 3, 0, 0) })
		equal(t, "used", must(db.UsedIDs(ctx))(t), []int64{2, 4})
	})
}
