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
		equal(t, "created", []int64{b.CreatedAt, b.PasswordAt, a.PasswordAt}, []int64{noon, noon, 4})
		equal(t, "all", must(db.Admins(ctx))(t), []domain.Admin{a, b})
		equal(t, "by id", must(db.AdminByID(ctx, a.ID))(t), a)
		equal(t, "by name", must(db.AdminByName(ctx, "üNAL"))(t), a)

		a.Username, a.PasswordHash, a.Sudo = "Öznur", "other", true
		a.PasswordAt, a.UserLimit, a.Profile = 5, ptr(6), `{"a":"?"}`
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
		owner := addAdmin(t, db, "first").ID
		u := addUser(t, db, owner, "u")
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
			{"delete", missing, func(tx *storage.Tx) error { return tx.DeleteAdmin(ctx, 9) }},
			{"delete one with users", domain.Conflict("admin", "still has users"), func(tx *storage.Tx) error {
				return tx.DeleteAdmin(ctx, owner)
			}},
			{"move to", missing, func(tx *storage.Tx) error { _, err := tx.MoveUsers(ctx, owner, 9); return err }},
			{"by id", missing, func(tx *storage.Tx) error { _, err := tx.AdminByID(ctx, 9); return err }},
			{"by name", missing, func(tx *storage.Tx) error { _, err := tx.AdminByName(ctx, "x"); return err }},
			{"by a name with NUL", missing, func(tx *storage.Tx) error { _, err := tx.AdminByName(ctx, "x\x00"); return err }},
		} {
			t.Run(test.name, func(t *testing.T) { fails(t, db.Write(ctx, test.do), test.want) })
		}
		equal(t, "admins", len(must(db.Admins(ctx))(t)), 2)
		equal(t, "user", must(db.UserByID(ctx, u.ID))(t), u)
	})
}

// More users than are listed in one text.
func TestMoveUsers(t *testing.T) {
	const n = 2500
	each(t, func(t *testing.T, db *storage.DB) {
		ctx := context.Background()
		from, to, other := addAdmin(t, db, "from").ID, addAdmin(t, db, "to").ID, addAdmin(t, db, "other").ID
		stays := addUser(t, db, other, "stays")
		users := addUsers(t, db, from, n)
		there := addUser(t, db, to, "there")
		last := must(db.LastChange(ctx))(t)
		var ids []int64
		write(t, db, func(tx *storage.Tx) (err error) {
			stays.Note, users[7].Note = "written before", "written before"
			if err := tx.UpdateUsers(ctx, []*domain.User{&stays, &users[7]}); err != nil {
				return err
			}
			ids, err = tx.MoveUsers(ctx, from, to)
			return err
		})
		revisions := map[int64]int64{}
		for _, c := range must(db.Changes(ctx, last, 2*n))(t) {
			revisions[c.ID] = c.Seq
		}
		equal(t, "changes", len(revisions), n+1)
		equal(t, "last change", must(db.LastChange(ctx))(t), last+n+1)
		want := []domain.User{stays}
		for i, u := range users {
			u.AdminID, u.Revision = to, revisions[u.ID]
			want = append(want, u)
			if ids[i] != u.ID {
				t.Fatalf("moved %v", ids)
			}
		}
		for i, a := range accounts(t, db) {
			equal(t, "user", a.User, append(want, there)[i])
		}
		for admin, count := range map[int64]int{from: 0, to: n + 1, other: 1, 99: 0} {
			equal(t, "users of an admin", must(db.UserCountOfAdmin(ctx, admin))(t), count)
		}
		write(t, db, func(tx *storage.Tx) (err error) { ids, err = tx.MoveUsers(ctx, from, to); return err })
		equal(t, "moved of none", ids, []int64{})
	})
}

func TestDeleteAdmin(t *testing.T) {
	each(t, func(t *testing.T, db *storage.DB) {
		ctx := context.Background()
		gone, stays := addAdmin(t, db, "gone"), addAdmin(t, db, "stays")
		for _, a := range []domain.Admin{gone, stays} {
			token := domain.Token{Name: a.Username, Hash: a.Username, AdminID: a.ID}
			write(t, db, func(tx *storage.Tx) error { return tx.InsertToken(ctx, &token) })
		}
		last := must(db.LastChange(ctx))(t)
		write(t, db, func(tx *storage.Tx) error { return tx.DeleteAdmin(ctx, gone.ID) })
		equal(t, "admins", must(db.Admins(ctx))(t), []domain.Admin{stays})
		_, _, err := db.TokenByHash(ctx, "gone")
		fails(t, err, domain.NotFound("token not found"))
		_, owner, err := db.TokenByHash(ctx, "stays")
		equal(t, "error", err, nil)
		equal(t, "owner of the other", owner, stays)
		equal(t, "changes", must(db.Changes(ctx, last, 9))(t), []domain.Change{{Seq: last + 1, Kind: domain.KindAdmin, ID: gone.ID, At: noon}})
	})
}
