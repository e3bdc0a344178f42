package storage_test

import (
	"context"
	"io/fs"
	"sync"
	"testing"
	"testing/fstest"

	"github.com/sluicehq/sluice/kernel/domain"
	"github.com/sluicehq/sluice/storage"
	"github.com/sluicehq/sluice/storage/storagetest"
)

// with returns the real migrations and one more.
func with(t *testing.T, name, text string) fstest.MapFS {
	t.Helper()
	files := fstest.MapFS{name: {Data: []byte(text)}}
	for _, path := range must(fs.Glob(storage.MigrationFiles, "migrations/*"))(t) {
		files[path] = &fstest.MapFile{Data: must(storage.MigrationFiles.ReadFile(path))(t)}
	}
	return files
}

func TestMigrationIsAllOrNothing(t *testing.T) {
	each(t, func(t *testing.T, db *storage.DB) {
		ctx := context.Background()
		const create = "CREATE TABLE later (id {{.Int}}){{.Table}};\n"
		err := db.MigrateWith(ctx, with(t, "9999_later.tx.up.sql", create+"INSERT INTO nowhere VALUES (1);"))
		if err == nil {
			t.Fatal("a broken migration succeeded")
		}
		equal(t, "applied", must(db.Count(ctx, "SELECT count(*) FROM bun_migrations"))(t), int64(1))
		if _, err := db.Count(ctx, "SELECT count(*) FROM later"); err == nil {
			t.Error("the broken migration left its table")
		}
		// Mended, it runs, and only once.
		for range 2 {
			if err := db.MigrateWith(ctx, with(t, "9999_later.tx.up.sql", create)); err != nil {
				t.Fatal(err)
			}
		}
		equal(t, "applied", must(db.Count(ctx, "SELECT count(*) FROM bun_migrations"))(t), int64(2))
		equal(t, "rows", must(db.Count(ctx, "SELECT count(*) FROM later"))(t), int64(0))
	})
}

// A process that dies between a migration and its mark runs it again at the next start.
func TestMigrationRunsAgain(t *testing.T) {
	storagetest.Each(t, func(t *testing.T, dsn string) {
		db := open(t, dsn, nil)
		admin := addAdmin(t, db, "root")
		if err := db.ExecOnWriter(context.Background(), "DELETE FROM bun_migrations"); err != nil {
			t.Fatal(err)
		}
		again := open(t, dsn, nil)
		equal(t, "admin", must(again.AdminByID(context.Background(), admin.ID))(t), admin)
	})
}

func TestNewerDatabaseIsRefused(t *testing.T) {
	storagetest.Each(t, func(t *testing.T, dsn string) {
		ctx := context.Background()
		db := open(t, dsn, nil)
		if err := db.ExecOnWriter(ctx, "INSERT INTO bun_migrations (name, group_id) VALUES ('9999', 2)"); err != nil {
			t.Fatal(err)
		}
		_, err := storage.Open(ctx, storage.Options{DSN: dsn})
		fails(t, err, domain.Invalid("database", "the database was changed by a newer version of Sluice; run that one"))
	})
}

func TestOpensAtTheSameTimeMigrateOnce(t *testing.T) {
	const opens = 8
	storagetest.Each(t, func(t *testing.T, dsn string) {
		var wg sync.WaitGroup
		for range opens {
			wg.Go(func() {
				db, err := storage.Open(context.Background(), storage.Options{DSN: dsn})
				if err != nil {
					t.Error(err)
					return
				}
				if err := db.Close(); err != nil {
					t.Error(err)
				}
			})
		}
		wg.Wait()
		db := open(t, dsn, nil)
		equal(t, "applied", must(db.Count(context.Background(), "SELECT count(*) FROM bun_migrations"))(t), int64(1))
	})
}
