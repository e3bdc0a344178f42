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
		both, none, one := addUser(t, db, admin.ID, "both", b, a), addUser(t, db, admin.ID, "none"), fullUser(admin.ID)
		write(t, db, func(tx *storage.Tx) error { return tx.InsertUser(ctx, &one, []int64{b}) })
		ds := []domain.TrafficDelta{{UserID: both.ID, Up: 3, Down: 4}}
		if err := db.FlushTraffic(ctx, "n", 1, ds); err != nil {
			t.Fatal(err)
		}
		want := []domain.Account{
			{User: both, Used: 7, Inbounds: []int64{a, b}},
			{User: none, Inbounds: []int64{}},
			{User: one, Inbounds: []int64{b}},
		}
		equal(t, "accounts", accounts(t, db), want)
		equal(t, "one account", must(db.Account(ctx, both.ID))(t), want[0])
		write(t, db, func(tx *storage.Tx) error {
			equal(t, "accounts in a transaction", accounts(t, tx), want)
			return nil
		})
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
			if a.User.ID != next || len(a.Inbounds) != 1 || a.Used != 0 {
				t.Fatalf("account %d: got %d with inbounds %v, %d used", next, a.User.ID, a.Inbounds, a.Used)
			}
			if next++; next != 2 {
				return nil
			}
			write(t, db, func(tx *storage.Tx) error { return tx.DeleteUser(ctx, n) })
			write(t, db, func(tx *storage.Tx) error { return tx.SetUserInbounds(ctx, n-1, nil) })
			return db.FlushTraffic(ctx, "n", 1, []domain.TrafficDelta{{UserID: n - 2, Up: 1}})
		})
		equal(t, "error", err, nil)
		equal(t, "accounts", next-1, int64(n))
		equal(t, "accounts left", len(accounts(t, db)), n-1)
	})
}
