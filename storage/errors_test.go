package storage_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/sluicehq/sluice/kernel/domain"
	"github.com/sluicehq/sluice/storage"
	"github.com/sluicehq/sluice/storage/storagetest"
)

// addTag writes an inbound, with a few pages of settings.
func addTag(db *storage.DB, tag string) error {
	return db.Write(context.Background(), func(tx *storage.Tx) error {
		return tx.InsertInbound(context.Background(), &domain.Inbound{Tag: tag, Settings: strings.Repeat("x", 1<<16)})
	})
}

func TestSQLiteThatCanNotWrite(t *testing.T) {
	for name, test := range map[string]struct {
		pragma string
		want   *domain.Error
	}{
		"disk full": {"PRAGMA max_page_count = 1", domain.Unavailable("the database has no room left")},
		"read-only": {"PRAGMA query_only = 1", domain.Unavailable("the database can not be written now")},
	} {
		t.Run(name, func(t *testing.T) {
			db := storagetest.SQLite(t)
			if err := db.ExecOnWriter(context.Background(), test.pragma); err != nil {
				t.Fatal(err)
			}
			err := addTag(db, "a")
			fails(t, err, test.want)
			if strings.Contains(err.Error(), "SQLITE") || errors.Unwrap(errors.Unwrap(err)) == nil {
				t.Errorf("%v shows its cause or has none", err)
			}
			equal(t, "inbounds", must(db.Inbounds(context.Background()))(t), []domain.Inbound{})
		})
	}
}

// Another process holds the file for longer than we wait.
func TestSQLiteThatIsBusy(t *testing.T) {
	dsn := t.TempDir() + "/sluice.db"
	holder, db := open(t, dsn, nil), open(t, dsn, nil)
	if err := db.ExecOnWriter(context.Background(), "PRAGMA busy_timeout = 0"); err != nil {
		t.Fatal(err)
	}
	write(t, holder, func(*storage.Tx) error {
		fails(t, addTag(db, "a"), domain.Unavailable("the database is busy, try again"))
		equal(t, "reads", must(db.Inbounds(context.Background()))(t), []domain.Inbound{})
		return nil
	})
	if err := addTag(db, "a"); err != nil {
		t.Error(err)
	}
}

func TestContextErrorsStay(t *testing.T) {
	each(t, func(t *testing.T, db *storage.DB) {
		cancelled, cancel := context.WithCancel(context.Background())
		cancel()
		late, cancel := context.WithDeadline(context.Background(), time.Unix(0, 0))
		defer cancel()
		for want, ctx := range map[error]context.Context{context.Canceled: cancelled, context.DeadlineExceeded: late} {
			_, readErr := db.UserByID(ctx, 1)
			for _, err := range []error{
				readErr, db.Ping(ctx), db.Write(ctx, func(*storage.Tx) error { return nil }),
				db.FlushTraffic(ctx, "n", 1, nil), db.EachAccount(ctx, func(domain.Account) error { return nil }),
			} {
				if !errors.Is(err, want) || domain.CodeOf(err) != "" {
					t.Errorf("got %v, want %v", err, want)
				}
			}
		}
	})
}

// A writer that waits for its turn can give up.
func TestWaitForTheWriterEnds(t *testing.T) {
	each(t, func(t *testing.T, db *storage.DB) {
		write(t, db, func(*storage.Tx) error {
			ctx, cancel := context.WithCancel(context.Background())
			waited := make(chan error)
			go func() { waited <- db.Write(ctx, func(*storage.Tx) error { t.Error("fn ran"); return nil }) }()
			cancel()
			if err := <-waited; !errors.Is(err, context.Canceled) {
				t.Errorf("got %v", err)
			}
			return nil
		})
	})
}

// Callers refuse NUL and broken UTF-8. If one does not, nothing is stored and nothing breaks.
func TestTextsThatCanNotBeStored(t *testing.T) {
	each(t, func(t *testing.T, db *storage.DB) {
		ctx := context.Background()
		admin := addAdmin(t, db, "root")
		for _, name := range []string{"a\x00b", "'; DROP TABLE users; --\x00"} {
			u := newUser(admin.ID, name)
			if err := db.Write(ctx, func(tx *storage.Tx) error { return tx.InsertUser(ctx, &u, nil) }); domain.CodeOf(err) == "" {
				t.Errorf("insert %q: %v", name, err)
			}
			if _, err := db.UserBySubID(ctx, name); domain.CodeOf(err) == "" {
				t.Errorf("read %q: %v", name, err)
			}
		}
		equal(t, "accounts", accounts(t, db), []domain.Account{})
		addUser(t, db, admin.ID, "'; DROP TABLE users; --?")
	})
}
