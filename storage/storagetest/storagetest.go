// Package storagetest gives tests real, empty databases: SQLite always, PostgreSQL too under the build tag integration.
package storagetest

import (
	"path/filepath"
	"testing"

	"github.com/sluicehq/sluice/storage"
)

// server is a kind of database; fresh makes an empty one for a test and returns its DSN.
type server struct {
	name  string
	fresh func(t testing.TB) string
}

// servers are what Each runs on. The integration build adds PostgreSQL.
var servers = []server{{"sqlite", sqliteFile}}

func sqliteFile(t testing.TB) string { return filepath.Join(t.TempDir(), "sluice.db") }

// SQLite opens a fresh SQLite database and closes it when the test ends.
func SQLite(t testing.TB) *storage.DB { return Open(t, storage.Options{DSN: sqliteFile(t)}) }

// Open opens the database of o, which must succeed, and closes it when the test ends. A test may close it before.
func Open(t testing.TB, o storage.Options) *storage.DB {
	t.Helper()
	db, err := storage.Open(t.Context(), o)
	if err != nil {
		t.Fatalf("open %s: %v", o.DSN, err)
	}
	t.Cleanup(func() {
		if err := db.Close(); err != nil {
			t.Errorf("close %s: %v", o.DSN, err)
		}
	})
	return db
}

// Runner is a test or a benchmark, which can have parts.
type Runner[T any] interface {
	testing.TB
	Run(name string, part func(T)) bool
}

// Each runs fn as a part of t on a fresh database of every kind that this build has; dsn names it.
func Each[T Runner[T]](t T, fn func(t T, dsn string)) {
	t.Helper()
	for _, s := range servers {
		t.Run(s.name, func(t T) { fn(t, s.fresh(t)) })
	}
}
