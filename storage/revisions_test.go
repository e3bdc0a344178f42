package storage_test

import (
	"context"
	"testing"

	"github.com/sluicehq/sluice/storage"
)

func TestEachRevision(t *testing.T) {
	each(t, func(t *testing.T, db *storage.DB) {
		ctx := context.Background()
		admin := addAdmin(t, db, "root")
		a, b := addUser(t, db, admin.ID, "a"), addUser(t, db, admin.ID, "b")
		write(t, db, func(tx *storage.Tx) error { return tx.UpdateUser(ctx, &a) })
		read := [][2]int64{}
		if err := db.EachRevision(ctx, func(id, revision int64) { read = append(read, [2]int64{id, revision}) }); err != nil {
			t.Fatal(err)
		}
		equal(t, "revisions", read, [][2]int64{{a.ID, 4}, {b.ID, 3}})
	})
}
