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

// The count moves with what is committed: not with what is read, refused or rolled back.
func TestCommits(t *testing.T) {
	storagetest.Each(t, func(t *testing.T, dsn string) {
		ctx := context.Background()
		db := storagetest.Open(t, storage.Options{DSN: dsn})
		count := storagetest.Commits(db)
		for _, step := range []struct {
			name    string
			commits int64
			do      func() error
		}{
			{"read", 0, func() error { _, err := db.Admins(ctx); return err }},
			{"write", 1, func() error {
				return db.Write(ctx, func(tx *storage.Tx) error { return tx.InsertAdmin(ctx, &domain.Admin{Username: "a"}) })
			}},
			{"refused write", 0, func() error {
				_ = db.Write(ctx, func(tx *storage.Tx) error { return tx.InsertAdmin(ctx, &domain.Admin{Username: "a"}) })
				return nil
			}},
			{"flush", 1, func() error { return db.FlushTraffic(ctx, domain.Chunk{Node: "n", Seq: 1}) }},
		} {
			if err := step.do(); err != nil {
				t.Fatal(err)
			}
			if now := storagetest.Commits(db); now-count != step.commits {
				t.Errorf("%s: %d commits, want %d", step.name, now-count, step.commits)
			}
			count = storagetest.Commits(db)
		}
	})
}

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
