package storagetest_test

import (
	"context"
	"os"
	"testing"

	"github.com/sluicehq/sluice/kernel/domain"
	"github.com/sluicehq/sluice/storage"
	"github.com/sluicehq/sluice/storage/storagetest"
)

func TestMain(m *testing.M) { os.Exit(storagetest.Main(m)) }

// What Fill writes is what callers would have written: it is read, and others can be added.
func TestFill(t *testing.T) {
	const n = 123
	storagetest.Each(t, func(t *testing.T, dsn string) {
		ctx := context.Background()
		db := storagetest.Open(t, storage.Options{DSN: dsn})
		storagetest.Fill(t, db, n)
		count, next := 0, int64(1)
		err := db.EachAccount(ctx, func(a domain.Account) error {
			if a.User.ID != next || len(a.Inbounds) != 1 || a.Inbounds[0] != 1 || a.User.StatusAt(0, 0) != a.User.Status {
				t.Errorf("account %d: %+v", next, a)
			}
			count, next = count+1, next+1
			return nil
		})
		if err != nil || count != n {
			t.Fatalf("%d accounts, %v", count, err)
		}
		last, err := db.UserByName(ctx, "USER0000123")
		if err != nil || last.ID != n || last.VLESSID != "00000123-0000-4000-8000-000000000000" {
			t.Errorf("last user: %+v, %v", last, err)
		}
		more := domain.User{
			Username: "more", SubID: "s", AdminID: 1,
			Credentials: domain.Credentials{VLESSID: "v", VMessID: "m", TrojanPassword: "t", ShadowsocksPassword: "p", HysteriaAuth: "h"},
		}
		if err := db.Write(ctx, func(tx *storage.Tx) error { return tx.InsertUser(ctx, &more, []int64{1}) }); err != nil {
			t.Fatal(err)
		}
		if more.ID != n+1 {
			t.Errorf("id after them: %d", more.ID)
		}
	})
}
