package storage_test

import (
	"context"
	"fmt"
	"slices"
	"testing"

	"github.com/sluicehq/sluice/kernel/domain"
	"github.com/sluicehq/sluice/storage"
)

// let is a database with three inbounds and four groups: one, both, off (disabled) and bare (without inbounds).
type let struct{ a, b, c, one, both, off, bare int64 }

func addLet(t *testing.T, db *storage.DB) (l let) {
	t.Helper()
	l.a, l.b, l.c = addInbound(t, db, "a").ID, addInbound(t, db, "b").ID, addInbound(t, db, "c").ID
	l.one, l.both = addGroup(t, db, "one", l.b).ID, addGroup(t, db, "both", l.c, l.b).ID
	off := addGroup(t, db, "off", l.a)
	off.Disabled = true
	write(t, db, func(tx *storage.Tx) error { return tx.UpdateGroup(context.Background(), &off) })
	l.off, l.bare = off.ID, addGroup(t, db, "bare").ID
	return l
}

// effect is what a user has itself, its groups, and what it has by both.
type effect struct{ direct, groups, want []int64 }

func (l let) effects() []effect {
	return []effect{
		{[]int64{l.a, l.c}, []int64{}, []int64{l.a, l.c}},
		{[]int64{}, []int64{l.one}, []int64{l.b}},
		{[]int64{l.a, l.b}, []int64{l.both, l.one}, []int64{l.a, l.b, l.c}},
		{[]int64{}, []int64{l.off, l.bare}, []int64{}},
		{[]int64{l.c}, []int64{l.off, l.one}, []int64{l.b, l.c}},
		{[]int64{}, []int64{}, []int64{}},
	}
}

// Whoever reads or writes accounts sees the same effective inbounds.
func TestEffectiveInbounds(t *testing.T) {
	each(t, func(t *testing.T, db *storage.DB) {
		ctx := context.Background()
		effects := addLet(t, db).effects()
		rows, ids := []*storage.NewUser{}, []int64{}
		for i, u := range names(addAdmin(t, db, "root").ID, len(effects)) {
			rows = append(rows, &storage.NewUser{User: u, Inbounds: effects[i].direct, Groups: effects[i].groups})
		}
		write(t, db, func(tx *storage.Tx) error { return tx.InsertUsers(ctx, rows) })
		want := []domain.Account{}
		for i, row := range rows {
			want = append(want, domain.Account{
				User: row.User, Traffic: row.Traffic, Inbounds: effects[i].want, Direct: effects[i].direct, Groups: effects[i].groups,
			})
			ids = append(ids, row.User.ID)
			equal(t, fmt.Sprint("inserted ", i), row.Effective, effects[i].want)
			equal(t, fmt.Sprint("account ", i), must(db.Account(ctx, row.User.ID))(t), want[i])
			equal(t, fmt.Sprint("inbounds of ", i), must(db.UserInbounds(ctx, row.User.ID))(t), effects[i].want)
		}
		equal(t, "each account", accounts(t, db), want)
		equal(t, "accounts", must(db.Accounts(ctx, ids))(t), want)
		equal(t, "accounts after", must(db.AccountsAfter(ctx, 0, 99))(t), want)
	})
}

// What is written is what is read then, in the transaction too, whichever of the two is replaced.
func TestReplaceFillsEffective(t *testing.T) {
	each(t, func(t *testing.T, db *storage.DB) {
		ctx := context.Background()
		l := addLet(t, db)
		effects := l.effects()
		users := addUsers(t, db, addAdmin(t, db, "root").ID, len(effects))
		for name, do := range map[string]func(tx *storage.Tx, all []domain.Account) error{
			"inbounds last": func(tx *storage.Tx, all []domain.Account) error {
				if err := tx.ReplaceGroups(ctx, all); err != nil {
					return err
				}
				return tx.ReplaceInbounds(ctx, all)
			},
			"groups last": func(tx *storage.Tx, all []domain.Account) error {
				if err := tx.ReplaceInbounds(ctx, all); err != nil {
					return err
				}
				return tx.ReplaceGroups(ctx, all)
			},
		} {
			t.Run(name, func(t *testing.T) {
				all := []domain.Account{}
				for i, u := range users {
					direct := slices.Clone(effects[i].direct)
					slices.Reverse(direct)
					all = append(all, domain.Account{User: u, Inbounds: []int64{99}, Direct: direct, Groups: effects[i].groups})
				}
				write(t, db, func(tx *storage.Tx) error {
					if err := do(tx, all); err != nil {
						return err
					}
					for i, a := range accounts(t, tx) {
						equal(t, fmt.Sprint("read ", i), a.Inbounds, effects[i].want)
						equal(t, fmt.Sprint("filled ", i), all[i].Inbounds, effects[i].want)
					}
					return nil
				})
				write(t, db, func(tx *storage.Tx) error { // back to nothing
					for i := range all {
						all[i].Direct, all[i].Groups = nil, nil
					}
					return do(tx, all)
				})
				equal(t, "left", all[2].Inbounds, []int64{})
			})
		}
	})
}

// A group that changes changes what its members have, without a word about them.
func TestGroupLetsIn(t *testing.T) {
	each(t, func(t *testing.T, db *storage.DB) {
		ctx := context.Background()
		l := addLet(t, db)
		u := addUser(t, db, addAdmin(t, db, "root").ID, "u", l.a)
		write(t, db, func(tx *storage.Tx) error {
			return tx.ReplaceGroups(ctx, []domain.Account{{User: u, Direct: []int64{l.a}, Groups: []int64{l.one}}})
		})
		revision := must(db.UserByID(ctx, u.ID))(t).Revision
		group := must(db.Group(ctx, l.one))(t)
		for _, step := range []struct {
			name     string
			disabled bool
			inbounds []int64
			want     []int64
		}{
			{"more", false, []int64{l.b, l.c}, []int64{l.a, l.b, l.c}},
			{"disabled", true, []int64{l.b, l.c}, []int64{l.a}},
			{"one gone while disabled", true, []int64{l.c}, []int64{l.a}},
			{"enabled", false, []int64{l.c}, []int64{l.a, l.c}},
			{"none", false, nil, []int64{l.a}},
		} {
			group.Disabled, group.Inbounds = step.disabled, step.inbounds
			write(t, db, func(tx *storage.Tx) error { return tx.UpdateGroup(ctx, &group) })
			equal(t, step.name, must(db.UserInbounds(ctx, u.ID))(t), step.want)
			equal(t, step.name+": account", must(db.Account(ctx, u.ID))(t).Inbounds, step.want)
		}
		equal(t, "revision", must(db.UserByID(ctx, u.ID))(t).Revision, revision)
	})
}

func TestAccountsOfInboundByGroups(t *testing.T) {
	each(t, func(t *testing.T, db *storage.DB) {
		ctx := context.Background()
		l := addLet(t, db)
		rows := []*storage.NewUser{}
		for i, u := range names(addAdmin(t, db, "root").ID, 9) {
			rows = append(rows, &storage.NewUser{
				User:     u,
				Inbounds: [][]int64{{l.b}, {}, {l.a}, {l.b}, {}}[i%5],
				Groups:   [][]int64{{l.one, l.both}, {l.both}, {l.off}, {}, {l.bare, l.one}}[i%5],
			})
		}
		write(t, db, func(tx *storage.Tx) error { return tx.InsertUsers(ctx, rows) })
		all := accounts(t, db)
		who := func(of func(after int64, limit int) ([]domain.Account, error), limit int) []int64 {
			t.Helper()
			ids, after := []int64{}, int64(0)
			for {
				page := must(of(after, limit))(t)
				for _, a := range page {
					equal(t, "account", a, all[a.User.ID-1])
					ids, after = append(ids, a.User.ID), a.User.ID
				}
				if len(page) < limit {
					return ids
				}
			}
		}
		for _, limit := range []int{1, 2, 3, 99} {
			for inbound, want := range map[int64][]int64{
				l.a: {3, 8}, l.b: {1, 2, 4, 5, 6, 7, 9}, l.c: {1, 2, 6, 7}, 99: {},
			} {
				equal(t, fmt.Sprintf("of inbound %d by %d", inbound, limit), who(func(after int64, limit int) ([]domain.Account, error) {
					return db.AccountsOfInbound(ctx, inbound, after, limit)
				}, limit), want)
			}
		}
		equal(t, "none", must(db.AccountsOfInbound(ctx, l.b, 0, 0))(t), []domain.Account{})
	})
}

// A deleted inbound tells of those who had it by their groups, too.
func TestDeleteInboundOfGroups(t *testing.T) {
	each(t, func(t *testing.T, db *storage.DB) {
		ctx := context.Background()
		l := addLet(t, db)
		rows := []*storage.NewUser{}
		for i, u := range names(addAdmin(t, db, "root").ID, 5) {
			rows = append(rows, &storage.NewUser{
				User:     u,
				Inbounds: [][]int64{{l.a}, {}, {l.b}, {}, {l.c}}[i], Groups: [][]int64{{l.both, l.one}, {l.one}, {}, {l.off}, {l.both}}[i],
			})
		}
		write(t, db, func(tx *storage.Tx) error { return tx.InsertUsers(ctx, rows) })
		last := must(db.LastChange(ctx))(t)
		for _, test := range []struct {
			inbound int64
			want    []int64
		}{{l.b, []int64{1, 2, 3, 5}}, {l.a, []int64{1}}} {
			var had []int64
			write(t, db, func(tx *storage.Tx) (err error) { had, err = tx.DeleteInbound(ctx, test.inbound); return err })
			equal(t, "had it", had, test.want)
		}
		equal(t, "left", must(db.UserInbounds(ctx, 1))(t), []int64{l.c})
		equal(t, "group", must(db.Group(ctx, l.both))(t).Inbounds, []int64{l.c})
		equal(t, "changes", must(db.LastChange(ctx))(t), last+2)
	})
}
