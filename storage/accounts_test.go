package storage_test

import (
	"context"
	"errors"
	"fmt"
	"testing"

	"github.com/sluicehq/sluice/kernel/domain"
	"github.com/sluicehq/sluice/storage"
)

// accounts is everything that EachAccount tells.
func accounts(t testing.TB, r interface {
	EachAccount(context.Context, func(domain.Account) error) error
},
) []domain.Account {
	t.Helper()
	all := []domain.Account{}
	err := r.EachAccount(context.Background(), func(a domain.Account) error { all = append(all, a); return nil })
	if err != nil {
		t.Fatal(err)
	}
	return all
}

func TestEachAccount(t *testing.T) {
	each(t, func(t *testing.T, db *storage.DB) {
		ctx := context.Background()
		admin := addAdmin(t, db, "root")
		equal(t, "none", accounts(t, db), []domain.Account{})
		a, b := addInbound(t, db, "a").ID, addInbound(t, db, "b").ID
		both, none, one := addUser(t, db, admin.ID, "both", b, a), addUser(t, db, admin.ID, "none"), fullUser(admin.ID, addTemplate(t, db, "t").ID)
		write(t, db, func(tx *storage.Tx) error { return tx.InsertUser(ctx, &one, []int64{b}) })
		flush(t, db, chunk("n", 1, domain.TrafficDelta{UserID: both.ID, Up: 3, Down: 4, OnlineAt: 5}))
		moved := domain.Traffic{UserID: both.ID, Up: 3, Down: 4, LifetimeUp: 3, LifetimeDown: 4, OnlineAt: 5}
		want := []domain.Account{
			{User: both, Traffic: moved, Inbounds: []int64{a, b}, Direct: []int64{a, b}, Groups: []int64{}},
			{User: none, Traffic: domain.Traffic{UserID: none.ID}, Inbounds: []int64{}, Direct: []int64{}, Groups: []int64{}},
			{User: one, Traffic: domain.Traffic{UserID: one.ID}, Inbounds: []int64{b}, Direct: []int64{b}, Groups: []int64{}},
		}
		equal(t, "accounts", accounts(t, db), want)
		equal(t, "one account", must(db.Account(ctx, both.ID))(t), want[0])
		write(t, db, func(tx *storage.Tx) error {
			equal(t, "accounts in a transaction", accounts(t, tx), want)
			return nil
		})
	})
}

func TestAccounts(t *testing.T) {
	each(t, func(t *testing.T, db *storage.DB) {
		ctx := context.Background()
		admin := addAdmin(t, db, "root")
		a, b := addInbound(t, db, "a").ID, addInbound(t, db, "b").ID
		addUser(t, db, admin.ID, "first", a)
		addUser(t, db, admin.ID, "second", b, a)
		addUser(t, db, admin.ID, "third")
		addUser(t, db, admin.ID, "fourth", b)
		flush(t, db, chunk("n", 1, moved(2, 5, 3, 4)))
		all := accounts(t, db)
		equal(t, "in id order, without those that are gone", must(db.Accounts(ctx, []int64{4, 99, 2, 3}))(t), all[1:])
		equal(t, "none there", must(db.Accounts(ctx, []int64{99}))(t), []domain.Account{})
		equal(t, "none asked for", must(db.Accounts(ctx, nil))(t), []domain.Account{})
		write(t, db, func(tx *storage.Tx) error {
			if err := tx.SetTraffic(ctx, 2, 0, 9); err != nil {
				return err
			}
			equal(t, "in a transaction", must(tx.Accounts(ctx, []int64{2}))(t)[0].Traffic.Used(), int64(9))
			return nil
		})
		many := make([]int64, 2000)
		for i := range many {
			many[i] = int64(i) + 1
		}
		equal(t, "of 2,000 ids", len(must(db.Accounts(ctx, many))(t)), 4)
	})
}

func TestOverviews(t *testing.T) {
	each(t, func(t *testing.T, db *storage.DB) {
		ctx := context.Background()
		admin := addAdmin(t, db, "root").ID
		u := fullUser(admin, addTemplate(t, db, "t").ID)
		write(t, db, func(tx *storage.Tx) error { return tx.InsertUser(ctx, &u, nil) })
		addUser(t, db, admin, "plain")
		flush(t, db, chunk("n", 1, moved(1, 5, 3, 4)))
		list := must(db.Overviews(ctx, []int64{1, 99}))(t)
		equal(t, "users", len(list), 1)
		all := accounts(t, db)[0]
		want := domain.Account{
			User: domain.User{
				ID: all.User.ID, Username: all.User.Username, SubID: all.User.SubID, Enabled: all.User.Enabled,
				Credentials: domain.Credentials{VLESSID: all.User.VLESSID},
				HoldSince:   all.User.HoldSince, HoldDuration: all.User.HoldDuration, ExpireAt: all.User.ExpireAt, Quota: all.User.Quota,
				RenewDays: all.User.RenewDays, RenewDay: all.User.RenewDay, RenewMax: all.User.RenewMax, RenewCount: all.User.RenewCount,
				LimitIP: all.User.LimitIP, LimitHWID: all.User.LimitHWID, Note: all.User.Note,
				CreatedAt: all.User.CreatedAt, UpdatedAt: all.User.UpdatedAt, SubFetchAt: all.User.SubFetchAt,
			},
			Traffic: domain.Traffic{Up: all.Traffic.Up, Down: all.Traffic.Down, OnlineAt: all.Traffic.OnlineAt},
		}
		equal(t, "what a page shows", list[0], want)
		equal(t, "of two", len(must(db.Overviews(ctx, []int64{2, 1}))(t)), 2)
		equal(t, "of nobody", must(db.Overviews(ctx, nil))(t), []domain.Account{})
	})
}

func TestAccountsInPages(t *testing.T) {
	each(t, func(t *testing.T, db *storage.DB) {
		ctx := context.Background()
		admin := addAdmin(t, db, "root").ID
		a, b, group := addInbound(t, db, "a").ID, addInbound(t, db, "b").ID, addGroup(t, db, "g").ID
		rows := []*storage.NewUser{}
		for i, u := range names(admin, 5) {
			rows = append(rows, &storage.NewUser{User: u, Inbounds: [][]int64{{a}, {a, b}, {}, {b}, {b}}[i], Groups: []int64{group}})
		}
		write(t, db, func(tx *storage.Tx) error { return tx.InsertUsers(ctx, rows) })
		write(t, db, func(tx *storage.Tx) error { return tx.DeleteUser(ctx, 4) })
		all := accounts(t, db) // 1, 2, 3 and 5
		equal(t, "groups", all[2].Groups, []int64{group})
		none := []domain.Account{}
		for _, test := range []struct {
			after int64
			limit int
			want  []domain.Account
		}{{0, 2, all[:2]}, {2, 2, all[2:]}, {3, 9, all[3:]}, {5, 2, none}, {0, 0, none}} {
			equal(t, fmt.Sprint("after ", test.after), must(db.AccountsAfter(ctx, test.after, test.limit))(t), test.want)
		}
		for _, test := range []struct {
			inbound, after int64
			limit          int
			want           []domain.Account
		}{
			{a, 0, 1, all[:1]},
			{a, 1, 9, all[1:2]},
			{a, 2, 9, none},
			{b, 0, 9, []domain.Account{all[1], all[3]}},
			{b, 2, 9, all[3:]},
			{b, 5, 9, none},
			{99, 0, 9, none},
		} {
			name := fmt.Sprintf("of %d after %d", test.inbound, test.after)
			equal(t, name, must(db.AccountsOfInbound(ctx, test.inbound, test.after, test.limit))(t), test.want)
		}
	})
}

func TestEachAccountStopsAtTheFirstError(t *testing.T) {
	each(t, func(t *testing.T, db *storage.DB) {
		admin := addAdmin(t, db, "root")
		addUser(t, db, admin.ID, "a")
		addUser(t, db, admin.ID, "b")
		calls, enough := 0, errors.New("enough")
		err := db.EachAccount(context.Background(), func(domain.Account) error { calls++; return enough })
		equal(t, "error", err, enough)
		equal(t, "calls", calls, 1)
	})
}

// More accounts than one batch, with a write after each batch boundary was read: all come, once, in order, and none of
// the writes is seen.
func TestEachAccountIsOneSnapshot(t *testing.T) {
	const n = 4001
	each(t, func(t *testing.T, db *storage.DB) {
		ctx := context.Background()
		admin, in := addAdmin(t, db, "root"), addInbound(t, db, "a")
		write(t, db, func(tx *storage.Tx) error {
			for i := range n {
				u := newUser(admin.ID, fmt.Sprint("u", i))
				if err := tx.InsertUser(ctx, &u, []int64{in.ID}); err != nil {
					return err
				}
			}
			return nil
		})
		next := int64(1)
		err := db.EachAccount(ctx, func(a domain.Account) error {
			if a.User.ID != next || len(a.Inbounds) != 1 || a.Traffic.Used() != 0 {
				t.Fatalf("account %d: got %d with inbounds %v, %d used", next, a.User.ID, a.Inbounds, a.Traffic.Used())
			}
			if next++; next != 2 {
				return nil
			}
			write(t, db, func(tx *storage.Tx) error { return tx.DeleteUser(ctx, n) })
			write(t, db, func(tx *storage.Tx) error {
				return tx.ReplaceInbounds(ctx, []domain.Account{{User: domain.User{ID: n - 1}, Direct: nil}})
			})
			return db.FlushTraffic(ctx, chunk("n", 1, domain.TrafficDelta{UserID: n - 2, Up: 1}))
		})
		equal(t, "error", err, nil)
		equal(t, "accounts", next-1, int64(n))
		equal(t, "accounts left", len(accounts(t, db)), n-1)
	})
}
