package storage_test

import (
	"context"
	"testing"

	"github.com/sluicehq/sluice/kernel/domain"
	"github.com/sluicehq/sluice/storage"
)

func TestTokens(t *testing.T) {
	each(t, func(t *testing.T, db *storage.DB) {
		ctx := context.Background()
		addAdmin(t, db, "other")
		admin := domain.Admin{Username: "root", PasswordHash: "h", Sudo: true, Enabled: true, PasswordAt: 3, UserLimit: ptr(4), Profile: "{}"}
		write(t, db, func(tx *storage.Tx) error { return tx.InsertAdmin(ctx, &admin) })
		equal(t, "none", must(db.Tokens(ctx))(t), []domain.Token{})
		a := domain.Token{
			Name: "cli", Hash: "aa", AdminID: admin.ID, Scope: domain.ScopeReadonly, Enabled: true, ExpiresAt: ptr(int64(5)),
		}
		b := domain.Token{Name: "shop", Hash: "bb", AdminID: admin.ID, Scope: domain.ScopeAdmin, CreatedAt: 6}
		write(t, db, func(tx *storage.Tx) error {
			if err := tx.InsertToken(ctx, &a); err != nil {
				return err
			}
			return tx.InsertToken(ctx, &b)
		})
		equal(t, "created", a.CreatedAt, noon)
		equal(t, "all", must(db.Tokens(ctx))(t), []domain.Token{a, b})

		token, owner, err := db.TokenByHash(ctx, "aa")
		equal(t, "error", err, nil)
		equal(t, "token", token, a)
		equal(t, "owner", owner, admin)

		changed := domain.Token{ID: b.ID, Name: "renamed", Scope: domain.ScopeReadonly, Enabled: true, ExpiresAt: ptr(int64(7)), Hash: "x"}
		write(t, db, func(tx *storage.Tx) error { return tx.UpdateToken(ctx, &changed) })
		b.Name, b.Scope, b.Enabled, b.ExpiresAt = changed.Name, changed.Scope, changed.Enabled, changed.ExpiresAt
		equal(t, "updated", must(db.Tokens(ctx))(t), []domain.Token{a, b})

		write(t, db, func(tx *storage.Tx) error { return tx.DeleteToken(ctx, a.ID) })
		_, _, err = db.TokenByHash(ctx, "aa")
		fails(t, err, domain.NotFound("token not found"))
		equal(t, "left", must(db.Tokens(ctx))(t), []domain.Token{b})
		equal(t, "changes", must(db.Changes(ctx, admin.Revision, 9))(t), []domain.Change{
			{Seq: 3, Kind: domain.KindToken, ID: a.ID, At: noon},
			{Seq: 4, Kind: domain.KindToken, ID: b.ID, At: noon},
			{Seq: 5, Kind: domain.KindToken, ID: b.ID, At: noon},
			{Seq: 6, Kind: domain.KindToken, ID: a.ID, At: noon},
		})
	})
}

func TestTokenErrors(t *testing.T) {
	each(t, func(t *testing.T, db *storage.DB) {
		ctx := context.Background()
		admin := addAdmin(t, db, "root")
		first := domain.Token{Name: "first", Hash: "aa", AdminID: admin.ID}
		write(t, db, func(tx *storage.Tx) error { return tx.InsertToken(ctx, &first) })
		for _, test := range []struct {
			name  string
			want  *domain.Error
			token domain.Token
		}{
			{"name", domain.Conflict("name", "is already in use"), domain.Token{Name: "first", AdminID: admin.ID}},
			{"hash", domain.Conflict("hash", "is already in use"), domain.Token{Hash: "aa", AdminID: admin.ID}},
			{"admin", domain.NotFound("this refers to something that does not exist"), domain.Token{AdminID: 9}},
		} {
			t.Run(test.name, func(t *testing.T) {
				err := db.Write(ctx, func(tx *storage.Tx) error { return tx.InsertToken(ctx, &test.token) })
				fails(t, err, test.want)
			})
		}
		err := db.Write(ctx, func(tx *storage.Tx) error { return tx.DeleteToken(ctx, 9) })
		fails(t, err, domain.NotFound("token not found"))
		second := domain.Token{Name: "second", Hash: "bb", AdminID: admin.ID}
		write(t, db, func(tx *storage.Tx) error { return tx.InsertToken(ctx, &second) })
		second.Name = "first"
		fails(t, db.Write(ctx, func(tx *storage.Tx) error { return tx.UpdateToken(ctx, &second) }),
			domain.Conflict("name", "is already in use"))
		fails(t, db.Write(ctx, func(tx *storage.Tx) error { return tx.UpdateToken(ctx, &domain.Token{ID: 9}) }),
			domain.NotFound("token not found"))
	})
}
