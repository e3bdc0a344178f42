package storage_test

import (
	"context"
	"io/fs"
	"os"
	"path/filepath"
	"testing"

	"github.com/sluicehq/sluice/kernel/domain"
	"github.com/sluicehq/sluice/storage"
	"github.com/sluicehq/sluice/storage/storagetest"
)

func TestReopen(t *testing.T) {
	storagetest.Each(t, func(t *testing.T, dsn string) {
		ctx := context.Background()
		db := open(t, dsn, clockAt(noon))
		admin := addAdmin(t, db, "root")
		kept, gone := addUser(t, db, admin.ID, "kept"), addUser(t, db, admin.ID, "gone")
		write(t, db, func(tx *storage.Tx) error { return tx.DeleteUser(ctx, gone.ID) })
		if err := db.Close(); err != nil {
			t.Fatal(err)
		}

		db = open(t, dsn, clockAt(noon+1))
		equal(t, "kept", must(db.UserByID(ctx, kept.ID))(t), kept)
		equal(t, "last change", must(db.LastChange(ctx))(t), int64(4))
		next := addUser(t, db, admin.ID, "next")
		equal(t, "next id", next.ID, gone.ID+1) // not that of the one who is gone
		equal(t, "next revision", next.Revision, int64(5))
		equal(t, "created", next.CreatedAt, noon+1)
	})
}

func TestClosed(t *testing.T) {
	each(t, func(t *testing.T, db *storage.DB) {
		ctx := context.Background()
		if err := db.Ping(ctx); err != nil {
			t.Fatal(err)
		}
		for range 2 { // closing twice is closing once
			if err := db.Close(); err != nil {
				t.Fatal(err)
			}
		}
		down := domain.Unavailable("the database could not do this")
		fails(t, db.Ping(ctx), down)
		_, err := db.UserByName(ctx, "u")
		fails(t, err, down)
		_, err = db.Inbounds(ctx)
		fails(t, err, down)
		fails(t, db.EachAccount(ctx, func(domain.Account) error { return nil }), down)
		fails(t, db.Write(ctx, func(*storage.Tx) error { t.Error("fn ran"); return nil }), down)
	})
}

func TestOpenErrors(t *testing.T) {
	dir := t.TempDir()
	damaged := filepath.Join(dir, "damaged.db")
	if err := os.WriteFile(damaged, []byte("this is not a database, but long enough to look like the header of one..."+
		"................................"), 0o600); err != nil {
		t.Fatal(err)
	}
	for name, test := range map[string]struct {
		dsn  string
		want *domain.Error
	}{
		"empty":         {"", domain.Invalid("database", "the database is empty: give a file path or postgres://...")},
		"other server":  {"mysql://x", domain.Invalid("database", "the database must be a file path or postgres://...")},
		"broken URL":    {"postgres://%zz", domain.Invalid("database", "the database URL can not be read")},
		"no folder":     {filepath.Join(dir, "no", "x.db"), domain.Unavailable("the database can not be reached")},
		"not SQLite":    {damaged, domain.Unavailable("the database is damaged")},
		"nobody there":  {"postgres://u@127.0.0.1:1/x?sslmode=disable", domain.Unavailable("the database can not be reached")},
		"folder as DSN": {dir, domain.Unavailable("the database can not be reached")},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := storage.Open(context.Background(), storage.Options{DSN: test.dsn})
			fails(t, err, test.want)
		})
	}
}

// The files of a process that was killed are the database and the log of its last commits, as they lie there.
func TestKilledProcessLosesNothing(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "a ?#%&.db") // no character of a path may be read as a part of a URL
	db := open(t, path, clockAt(noon))
	admin := addAdmin(t, db, "root")
	u := addUser(t, db, admin.ID, "u")
	flush(t, db, chunk("n", 3, domain.TrafficDelta{UserID: u.ID, Up: 7}))

	copied := t.TempDir()
	for _, suffix := range []string{"", "-wal"} {
		content := must(os.ReadFile(path + suffix))(t)
		if err := os.WriteFile(filepath.Join(copied, "sluice.db"+suffix), content, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	after := open(t, filepath.Join(copied, "sluice.db"), clockAt(noon))
	ctx := context.Background()
	equal(t, "account", must(after.Account(ctx, u.ID))(t), domain.Account{
		User: u, Traffic: domain.Traffic{UserID: u.ID, Up: 7, LifetimeUp: 7}, Inbounds: []int64{}, Direct: []int64{}, Groups: []int64{},
	})
	equal(t, "last flush", must(after.LastFlush(ctx, "n"))(t), int64(3))
	equal(t, "integrity", must(after.Count(ctx, "SELECT count(*) FROM pragma_integrity_check WHERE integrity_check = 'ok'"))(t), int64(1))
}

func TestSQLiteFilesArePrivate(t *testing.T) {
	path := filepath.Join(t.TempDir(), "sluice.db")
	addAdmin(t, open(t, path, nil), "root")
	for _, suffix := range []string{"", "-wal", "-shm"} {
		equal(t, "mode of "+suffix, must(os.Stat(path+suffix))(t).Mode().Perm(), fs.FileMode(0o600))
	}
}
