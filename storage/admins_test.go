package storage_test

import (
	"context"
	"testing"

	"github.com/sluicehq/sluice/kernel/domain"
	"github.com/sluicehq/sluice/storage"
)

func TestAdmins(t *testing.T) {
	each(t, func(t *testing.T, db *storage.DB) {
		ctx := context.Background()
		equal(t, "none", must(db.Admins(ctx))(t), []domain.Admin{})
		a := domain.Admin{Username: "Ünal", PasswordHash: "$argon2id$v=19$?", Enabled: true, CreatedAt: 4}
		write(t, db, func(tx *storage.Tx) error { return tx.InsertAdmin(ctx, &a) })
		b := addAdmin(t, db, "b")
		equal(t, "created", b.CreatedAt, noon)
		equal(t, "all", must(db.Admins(ctx))(t), []domain.Admin{a, b})
		equal(t, "by id", must(db.AdminByID(ctx, a.ID))(t), a)
		equal(t, "by name", must(db.AdminByName(ctx, "üNAL"))(t), a)

		a.Username, a.PasswordHash, a.Sudo = "Öznur", "other", true
		write(t, db, func(tx *storage.Tx) error { return tx.UpdateAdmin(ctx, &a) })
		equal(t, "revision", a.Revision, int64(3))
		equal(t, "changed", must(db.AdminByName(ctx, "öznur"))(t), a)
	})
}

func TestFirstSudo(t *testing.T) {
	each(t, func(t *testing.T, db *storage.DB) {
		ctx := context.Background()
		_, err := db.FirstSudo(ctx)
		fails(t, err, domain.NotFound("admin not found"))
		for _, a := range []domain.Admin{
			{Username: "no sudo", Enabled: true},
			{Username: "disabled", Sudo: true},
			{Username: "first", Sudo: true, Enabled: true},
			{Username: "second", Sudo: true, Enabled: true},
		} {
			write(t, db, func(tx *storage.Tx) error { return tx.InsertAdmin(ctx, &a) })
		}
		equal(t, "first", must(db.FirstSudo(ctx))(t).Username, "first")
	})
}

func TestAdminErrors(t *testing.T) {
	each(t, func(t *testing.T, db *storage.DB) {
		ctx := context.Background()
		addAdmin(t, db, "first")
		second := addAdmin(t, db, "second")
		missing := domain.NotFound("admin not found")
		taken := domain.Conflict("username_key", "is already in use")
		for _, test := range []struct {
			name string
			want *domain.Error
			do   func(tx *storage.Tx) error
		}{
			{"insert a name in use", taken, func(tx *storage.Tx) error {
				return tx.InsertAdmin(ctx, &domain.Admin{Username: "FIRST"})
			}},
			{"update to a name in use", taken, func(tx *storage.Tx) error {
				return tx.UpdateAdmin(ctx, &domain.Admin{ID: second.ID, Username: "First"})
			}},
			{"update", missing, func(tx *storage.Tx) error { return tx.UpdateAdmin(ctx, &domain.Admin{ID: 9}) }},
			{"by id", missing, func(tx *storage.Tx) error { _, err := tx.AdminByID(ctx, 9); return err }},
			{"by name", missing, func(tx *storage.Tx) error { _, err := tx.AdminByName(ctx, "x"); return err }},
		} {
			t.Run(test.name, func(t *testing.T) { fails(t, db.Write(ctx, test.do), test.want) })
		}
	})
}
