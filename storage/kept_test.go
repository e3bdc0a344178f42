package storage_test

import (
	"context"
	"testing"

	"github.com/sluicehq/sluice/kernel/domain"
	"github.com/sluicehq/sluice/storage"
)

func TestKeptTraffic(t *testing.T) {
	each(t, func(t *testing.T, db *storage.DB) {
		ctx := context.Background()
		admin := addAdmin(t, db, "root").ID
		kept := func(name string) *domain.Traffic {
			t.Helper()
			all, err := db.KeptTraffic(ctx, []string{"nobody", name})
			if err != nil {
				t.Fatal(err)
			}
			traffic, ok := all[domain.NameKey(name)]
			equal(t, "names", len(all), map[bool]int{true: 1}[ok])
			if !ok {
				return nil
			}
			return &traffic
		}
		u, other := addUser(t, db, admin, "Renée"), addUser(t, db, admin, "other")
		flush(t, db, chunk("n", 1, moved(u.ID, noon, 1, 2)))
		equal(t, "nothing yet", kept("Renée"), (*domain.Traffic)(nil))
		write(t, db, func(tx *storage.Tx) error {
			if err := tx.SetTraffic(ctx, u.ID, 3, 4); err != nil {
				return err
			}
			if err := tx.KeepTraffic(ctx, []int64{u.ID, other.ID, 99}); err != nil {
				return err
			}
			return tx.DeleteUsers(ctx, []int64{u.ID, other.ID})
		})
		equal(t, "kept", kept("RENE\u0301E"), &domain.Traffic{Up: 3, Down: 4, LifetimeUp: 1, LifetimeDown: 2})
		equal(t, "kept nothing", kept("other"), &domain.Traffic{})

		// The next one of the name is deleted too: what it had counts.
		next := addUser(t, db, admin, "renée")
		flush(t, db, chunk("n", 2, moved(next.ID, noon, 7, 8)))
		write(t, db, func(tx *storage.Tx) error {
			if err := tx.KeepTraffic(ctx, nil); err != nil {
				return err
			}
			return tx.KeepTraffic(ctx, []int64{next.ID})
		})
		equal(t, "replaced", kept("renée"), &domain.Traffic{Up: 7, Down: 8, LifetimeUp: 7, LifetimeDown: 8})

		write(t, db, func(tx *storage.Tx) error {
			if err := tx.DropKeptTraffic(ctx, nil); err != nil {
				return err
			}
			return tx.DropKeptTraffic(ctx, []string{"RENÉE", "nobody", "it's ?"})
		})
		equal(t, "dropped", kept("renée"), (*domain.Traffic)(nil))
		equal(t, "others stay", kept("other"), &domain.Traffic{})
	})
}
