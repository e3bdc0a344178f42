package storage_test

import (
	"context"
	"fmt"
	"sync"
	"testing"

	"github.com/sluicehq/sluice/kernel/domain"
	"github.com/sluicehq/sluice/storage"
	"github.com/sluicehq/sluice/storage/storagetest"
)

func TestChangesTellWhatWasCommitted(t *testing.T) {
	each(t, func(t *testing.T, db *storage.DB) {
		ctx := context.Background()
		equal(t, "none", must(db.Changes(ctx, 0, 10))(t), []domain.Change{})
		equal(t, "last of none", must(db.LastChange(ctx))(t), int64(0))

		admin, in := addAdmin(t, db, "root"), addInbound(t, db, "a")
		u := addUser(t, db, admin.ID, "u", in.ID)
		write(t, db, func(tx *storage.Tx) error { // one change for a row that is written three times
			if err := tx.UpdateUser(ctx, &u); err != nil {
				return err
			}
			if err := tx.ReplaceInbounds(ctx, []domain.Account{{User: domain.User{ID: u.ID}, Direct: nil}}); err != nil {
				return err
			}
			return tx.UpdateUser(ctx, &u)
		})
		equal(t, "revision", must(db.UserByID(ctx, u.ID))(t).Revision, int64(4))
		write(t, db, func(tx *storage.Tx) error { // a new row that is changed is one change too
			second := newUser(admin.ID, "second")
			if err := tx.InsertUser(ctx, &second, nil); err != nil {
				return err
			}
			return tx.ReplaceInbounds(ctx, []domain.Account{{User: domain.User{ID: second.ID}, Direct: []int64{in.ID}}})
		})
		write(t, db, func(tx *storage.Tx) error { return tx.DeleteUser(ctx, u.ID) })

		want := []domain.Change{
			{Seq: 1, Kind: domain.KindAdmin, ID: 1, At: noon},
			{Seq: 2, Kind: domain.KindInbound, ID: 1, At: noon},
			{Seq: 3, Kind: domain.KindUser, ID: 1, At: noon},
			{Seq: 4, Kind: domain.KindUser, ID: 1, At: noon},
			{Seq: 5, Kind: domain.KindUser, ID: 2, At: noon},
			{Seq: 6, Kind: domain.KindUser, ID: 1, At: noon},
		}
		equal(t, "all", must(db.Changes(ctx, 0, 10))(t), want)
		equal(t, "some", must(db.Changes(ctx, 2, 3))(t), want[2:5])
		equal(t, "last", must(db.LastChange(ctx))(t), int64(6))
	})
}

// Two processes write while a third reads on from the last seq it knows. It must not miss a change, as it would if a
// lower seq could be committed after a higher one.
func TestChangesComeInCommitOrder(t *testing.T) {
	const writers, rounds = 4, 25
	storagetest.Each(t, func(t *testing.T, dsn string) {
		ctx := context.Background()
		dbs := processes(t, dsn, 2)
		addAdmin(t, dbs[0], "root")
		var wg sync.WaitGroup
		for w := range writers {
			wg.Go(func() {
				for i := range rounds {
					u := newUser(1, fmt.Sprintf("u%d-%d", w, i))
					err := dbs[w%2].Write(ctx, func(tx *storage.Tx) error { return tx.InsertUser(ctx, &u, nil) })
					if err != nil {
						t.Error(err)
					}
				}
			})
		}
		done := make(chan struct{})
		go func() { wg.Wait(); close(done) }()
		var read []domain.Change
		catchUp := func() {
			after := int64(0)
			if len(read) > 0 {
				after = read[len(read)-1].Seq
			}
			read = append(read, must(dbs[1].Changes(ctx, after, 1000))(t)...)
		}
		for running := true; running; catchUp() {
			select {
			case <-done:
				running = false
			default:
			}
		}
		equal(t, "changes read on the way", len(read), 1+writers*rounds)
		for _, c := range read[1:] {
			equal(t, "revision", must(dbs[0].UserByID(ctx, c.ID))(t).Revision, c.Seq)
		}
	})
}
