package storage_test

import (
	"context"
	"testing"

	"github.com/sluicehq/sluice/kernel/domain"
	"github.com/sluicehq/sluice/storage"
)

func TestCoreConfig(t *testing.T) {
	each(t, func(t *testing.T, db *storage.DB) {
		ctx := context.Background()
		read := func() (string, int64) {
			json, revision, err := db.CoreConfig(ctx)
			equal(t, "error", err, nil)
			return json, revision
		}
		json, revision := read()
		equal(t, "default", json, "")
		equal(t, "default revision", revision, int64(0))
		for i, want := range []string{`{"dns":"?"}`, `{}`} {
			var saved int64
			write(t, db, func(tx *storage.Tx) (err error) {
				saved, err = tx.SaveCoreConfig(ctx, want)
				return err
			})
			json, revision = read()
			equal(t, "saved", json, want)
			equal(t, "revision", revision, int64(i+1))
			equal(t, "returned revision", saved, revision)
		}
		equal(t, "changes", must(db.Changes(ctx, 1, 9))(t), []domain.Change{{Seq: 2, Kind: domain.KindCore, At: noon}})
	})
}
