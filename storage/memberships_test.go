package storage_test

import (
	"context"
	"slices"
	"testing"

	"github.com/sluicehq/sluice/kernel/domain"
	"github.com/sluicehq/sluice/storage"
)

func TestUserInbounds(t *testing.T) {
	each(t, func(t *testing.T, db *storage.DB) {
		ctx := context.Background()
		admin := addAdmin(t, db, "root")
		a, b, c := addInbound(t, db, "a").ID, addInbound(t, db, "b").ID, addInbound(t, db, "c").ID
		u := addUser(t, db, admin.ID, "u", c, a, c)
		equal(t, "inserted", must(db.UserInbounds(ctx, u.ID))(t), []int64{a, c})

		write(t, db, func(tx *storage.Tx) error {
			return tx.ReplaceInbounds(ctx, []domain.Account{{User: domain.User{ID: u.ID}, Direct: []int64{b, a}}})
		})
		equal(t, "set", must(db.UserInbounds(ctx, u.ID))(t), []int64{a, b})
		equal(t, "revision", must(db.UserByID(ctx, u.ID))(t).Revision, u.Revision+1)

		write(t, db, func(tx *storage.Tx) error {
			return tx.ReplaceInbounds(ctx, []domain.Account{{User: domain.User{ID: u.ID}, Direct: nil}})
		})
		equal(t, "cleared", must(db.UserInbounds(ctx, u.ID))(t), []int64{})
		equal(t, "of nobody", must(db.UserInbounds(ctx, 999))(t), []int64{})
	})
}

func TestReplaceMemberships(t *testing.T) {
	each(t, func(t *testing.T, db *storage.DB) {
		ctx := context.Background()
		admin := addAdmin(t, db, "root").ID
		a, b, c := addInbound(t, db, "a").ID, addInbound(t, db, "b").ID, addInbound(t, db, "c").ID
		red, blue, green := addGroup(t, db, "red").ID, addGroup(t, db, "blue").ID, addGroup(t, db, "green").ID
		first, second, other := addUser(t, db, admin, "first", a, b), addUser(t, db, admin, "second", c), addUser(t, db, admin, "other", a)
		last := must(db.LastChange(ctx))(t)
		write(t, db, func(tx *storage.Tx) error {
			first.Note = "written too"
			if err := tx.UpdateUser(ctx, &first); err != nil {
				return err
			}
			some := []domain.Account{
				{User: domain.User{ID: second.ID}, Direct: []int64{b, c, b}, Groups: []int64{green, red, green}},
				{User: domain.User{ID: first.ID}, Direct: []int64{c, b}, Groups: []int64{red}},
			}
			if err := tx.ReplaceInbounds(ctx, some); err != nil {
				return err
			}
			equal(t, "revision", []int64{some[0].User.Revision, some[1].User.Revision}, []int64{last + 2, last + 1})
			equal(t, "effective", [][]int64{some[0].Inbounds, some[1].Inbounds}, [][]int64{{b, c}, {b, c}})
			return tx.ReplaceGroups(ctx, some)
		})
		first.Revision, second.Revision = last+1, last+2
		account := func(u domain.User, inbounds, groups []int64) domain.Account {
			return domain.Account{User: u, Traffic: domain.Traffic{UserID: u.ID}, Inbounds: inbounds, Direct: inbounds, Groups: groups}
		}
		want := []domain.Account{
			account(first, []int64{b, c}, []int64{red}),
			account(second, []int64{b, c}, []int64{green, red}),
			account(other, []int64{a}, []int64{}),
		}
		equal(t, "accounts", accounts(t, db), want)
		equal(t, "one account", must(db.Account(ctx, second.ID))(t), want[1])
		equal(t, "groups of one", must(db.UserGroups(ctx, second.ID))(t), []int64{green, red})
		equal(t, "changes", len(must(db.Changes(ctx, last, 9))(t)), 2)

		// Another order, one in front, one gone, everything gone.
		write(t, db, func(tx *storage.Tx) error {
			if err := tx.ReplaceGroups(ctx, nil); err != nil {
				return err
			}
			return tx.ReplaceGroups(ctx, []domain.Account{
				{User: domain.User{ID: second.ID}, Groups: []int64{blue, red, green}}, {User: domain.User{ID: first.ID}},
			})
		})
		equal(t, "reordered", must(db.UserGroups(ctx, second.ID))(t), []int64{blue, red, green})
		equal(t, "left", must(db.UserGroups(ctx, first.ID))(t), []int64{})
		equal(t, "inbounds as before", must(db.UserInbounds(ctx, first.ID))(t), []int64{b, c})
		equal(t, "of nobody", must(db.UserGroups(ctx, 999))(t), []int64{})
	})
}

func TestReplaceMembershipsIsAllOrNothing(t *testing.T) {
	each(t, func(t *testing.T, db *storage.DB) {
		ctx := context.Background()
		u := addUser(t, db, addAdmin(t, db, "root").ID, "u", addInbound(t, db, "a").ID)
		before := accounts(t, db)
		here, gone := domain.User{ID: u.ID}, domain.User{ID: 99}
		for _, test := range []struct {
			name string
			do   func(tx *storage.Tx, all []domain.Account) error
			all  []domain.Account
			want *domain.Error
		}{
			{
				"unknown user", func(tx *storage.Tx, all []domain.Account) error { return tx.ReplaceInbounds(ctx, all) },
				[]domain.Account{{User: here}, {User: gone}},
				domain.NotFound("client not found"),
			},
			{
				"unknown inbound", func(tx *storage.Tx, all []domain.Account) error { return tx.ReplaceInbounds(ctx, all) },
				[]domain.Account{{User: here, Direct: []int64{1, 9}}},
				domain.NotFound("inbound not found"),
			},
			{
				"unknown group", func(tx *storage.Tx, all []domain.Account) error { return tx.ReplaceGroups(ctx, all) },
				[]domain.Account{{User: here, Groups: []int64{9}}},
				domain.NotFound("group not found"),
			},
		} {
			t.Run(test.name, func(t *testing.T) {
				fails(t, db.Write(ctx, func(tx *storage.Tx) error { return test.do(tx, test.all) }), test.want)
				equal(t, "accounts", accounts(t, db), before)
				equal(t, "last change", must(db.LastChange(ctx))(t), u.Revision)
			})
		}
	})
}

// More rows than one statement takes.
func TestReplaceMembershipsOfMany(t *testing.T) {
	const n = 1500
	each(t, func(t *testing.T, db *storage.DB) {
		ctx := context.Background()
		admin := addAdmin(t, db, "root").ID
		ids := []int64{addInbound(t, db, "a").ID, addInbound(t, db, "b").ID}
		all := make([]domain.Account, n)
		for i, u := range addUsers(t, db, admin, n) {
			all[i] = domain.Account{User: u, Direct: ids}
		}
		write(t, db, func(tx *storage.Tx) error { return tx.ReplaceInbounds(ctx, all) })
		for i, a := range accounts(t, db) {
			if !slices.Equal(a.Inbounds, ids) || a.User.Revision != all[i].User.Revision {
				t.Fatalf("account %d has %v in revision %d, want %d", i, a.Inbounds, a.User.Revision, all[i].User.Revision)
			}
		}
		for i := range all {
			all[i].Direct = ids[1:]
		}
		write(t, db, func(tx *storage.Tx) error { return tx.ReplaceInbounds(ctx, all) })
		equal(t, "rows", must(db.Count(ctx, "SELECT count(*) FROM user_inbounds"))(t), int64(n))
	})
}
