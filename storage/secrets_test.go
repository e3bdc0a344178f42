package storage_test

import (
	"context"
	"testing"

	"github.com/sluicehq/sluice/kernel/domain"
	"github.com/sluicehq/sluice/storage"
)

func TestSecrets(t *testing.T) {
	each(t, func(t *testing.T, db *storage.DB) {
		ctx := context.Background()
		_, err := db.Secret(ctx, "jwt")
		fails(t, err, domain.NotFound("secret not found"))
		for _, test := range []struct{ key, value, want string }{
			{"jwt", "first", "first"}, {"jwt", "second", "first"}, {"other", "'?", "'?"}, {"jwt", "", "first"},
		} {
			var stored string
			write(t, db, func(tx *storage.Tx) (err error) {
				stored, err = tx.SetSecret(ctx, test.key, test.value)
				return err
			})
			equal(t, test.key+" after "+test.value, stored, test.want)
			equal(t, "read", must(db.Secret(ctx, test.key))(t), test.want)
		}
		equal(t, "last change", must(db.LastChange(ctx))(t), int64(0))
	})
}
