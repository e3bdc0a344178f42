package storage_test

import (
	"context"
	"testing"

	"github.com/sluicehq/sluice/kernel/domain"
	"github.com/sluicehq/sluice/storage"
)

func TestInsertUsers(t *testing.T) {
	const n = 600 // more than one statement takes
	each(t, func(t *testing.T, db *storage.DB) {
		ctx := context.Background()
		admin := addAdmin(t, db, "root").ID
		a, b := addInbound(t, db, "a").ID, addInbound(t, db, "b").ID
		red, blue := addGroup(t, db, "red").ID, addGroup(t, db, "blue").ID
		gone := addUser(t, db, admin, "gone") // its id stays its own
		write(t, db, func(tx *storage.Tx) error { return tx.DeleteUser(ctx, gone.ID) })
		template := addTemplate(t, db, "t").ID
		last := must(db.LastChange(ctx))(t)

		full := storage.NewUser{
			User: fullUser(admin, template), Inbounds: []int64{b, a, b}, Groups: []int64{blue, red},
			Traffic: domain.Traffic{Up: 1, Down: 2, LifetimeUp: 3, LifetimeDown: 4, OnlineAt: 5},
		}
		rows := []*storage.NewUser{&full}
		for _, u := range names(admin, n-1) {
			rows = append(rows, &storage.NewUser{User: u, Inbounds: []int64{a}})
		}
		write(t, db, func(tx *storage.Tx) error {
			if err := tx.InsertUsers(ctx, nil); err != nil {
				return err
			}
			return tx.InsertUsers(ctx, rows)
		})
		equal(t, "key", full.User.UsernameKey, "ålice")
		equal(t, "created", []int64{full.User.CreatedAt, rows[1].User.CreatedAt}, []int64{17, noon})
		equal(t, "updated", []int64{full.User.UpdatedAt, rows[1].User.UpdatedAt}, []int64{18, noon})
		equal(t, "effective", full.Effective, []int64{a, b})
		equal(t, "traffic's user", full.Traffic.UserID, full.User.ID)
		want := []domain.Account{{User: full.User, Traffic: full.Traffic, Inbounds: []int64{a, b}, Direct: []int64{a, b}, Groups: []int64{blue, red}}}
		for _, row := range rows[1:] {
			want = append(want, domain.Account{User: row.User, Traffic: row.Traffic, Inbounds: row.Effective, Direct: row.Inbounds, Groups: []int64{}})
		}
		equal(t, "accounts", accounts(t, db), want)
		changes := must(db.Changes(ctx, last, 2*n))(t)
		equal(t, "changes", len(changes), n)
		for i, c := range changes {
			equal(t, "change", c, domain.Change{Seq: rows[i].User.Revision, Kind: domain.KindUser, ID: gone.ID + 1 + int64(i), At: noon})
		}
	})
}

func TestInsertUsersIsAllOrNothing(t *testing.T) {
	each(t, func(t *testing.T, db *storage.DB) {
		ctx := context.Background()
		admin := addAdmin(t, db, "root").ID
		in := addInbound(t, db, "a").ID
		there := addUser(t, db, admin, "there")
		for _, test := range []struct {
			name   string
			change func(last *storage.NewUser)
			want   *domain.Error
		}{
			{
				"value of a row", func(n *storage.NewUser) { n.User.TrojanPassword = there.TrojanPassword },
				domain.Conflict("trojan_password", "is already in use"),
			},
			{
				"value of the batch", func(n *storage.NewUser) { n.User.Username = "U0" },
				domain.Conflict("username_key", "is already in use"),
			},
			{"inbound", func(n *storage.NewUser) { n.Inbounds = []int64{in, 99} }, domain.NotFound("inbound not found")},
			{"group", func(n *storage.NewUser) { n.Groups = []int64{99} }, domain.NotFound("group not found")},
			{
				"admin", func(n *storage.NewUser) { n.User.AdminID = 99 },
				domain.NotFound("this refers to something that does not exist"),
			},
			{
				"NUL", func(n *storage.NewUser) { n.User.Note = "a\x00b" },
				domain.Invalid("", "a text contains characters that can not be stored"),
			},
			{
				"broken UTF-8", func(n *storage.NewUser) { n.User.Note = "a\xff" },
				domain.Invalid("", "a text contains characters that can not be stored"),
			},
		} {
			t.Run(test.name, func(t *testing.T) {
				rows := []*storage.NewUser{}
				for _, u := range names(admin, 3) {
					rows = append(rows, &storage.NewUser{User: u, Inbounds: []int64{in}})
				}
				test.change(rows[2])
				fails(t, db.Write(ctx, func(tx *storage.Tx) error { return tx.InsertUsers(ctx, rows) }), test.want)
				equal(t, "users", len(accounts(t, db)), 1)
				equal(t, "last change", must(db.LastChange(ctx))(t), there.Revision)
			})
		}
	})
}
