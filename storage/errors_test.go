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

func TestSQLiteThatCanNotBeWritten(t *testing.T) {
	db := storagetest.SQLite(t)
	if err := db.ExecOnWriter(context.Background(), "PRAGMA query_only = 1"); err != nil {
		t.Fatal(err)
	}
	err := addTag(db, "a")
	fails(t, err, domain.Unavailable("the database can not be written now"))
	hides(t, err)
}

// While the disk is full nothing is half written, and what is tried again when there is room counts once.
func TestFullDisk(t *testing.T) {
	db := storagetest.SQLite(t)
	ctx := context.Background()
	u := addUser(t, db, addAdmin(t, db, "root").ID, "u")
	in := addInbound(t, db, "a")
	c := domain.Chunk{
		Node: "n", Seq: 1, Users: []domain.TrafficDelta{moved(u.ID, noon, 1, 2)},
		Inbounds: []domain.InboundDelta{{InboundID: in.ID, Up: 3}},
	}
	makeRoom := storagetest.Full(t, db)
	full := domain.Unavailable("the disk is full: nothing can be stored until there is room again")
	for name, err := range map[string]error{
		"flush":              db.FlushTraffic(ctx, c),
		"flush of nothing":   db.FlushTraffic(ctx, chunk("n", 2)),
		"change":             addTag(db, "b"),
		"flush in a change":  db.Write(ctx, func(tx *storage.Tx) error { return tx.AddTraffic(ctx, c) }),
		"change of a number": db.Write(ctx, func(tx *storage.Tx) error { return tx.UpdateUser(ctx, ptr(u)) }),
	} {
		t.Run(name, func(t *testing.T) { fails(t, err, full); hides(t, err) })
	}
	equal(t, "user", must(db.Account(ctx, u.ID))(t), domain.Account{
		User: u, Traffic: domain.Traffic{UserID: u.ID}, Inbounds: []int64{}, Direct: []int64{}, Groups: []int64{},
	})
	equal(t, "hours", must(db.HourlyUsage(ctx, u.ID, 0, noon))(t), []domain.HourUsage{})
	equal(t, "inbounds", must(db.Inbounds(ctx))(t), []domain.Inbound{in})
	equal(t, "last flush", must(db.LastFlush(ctx, "n"))(t), int64(0))

	makeRoom()
	flush(t, db, c)
	flush(t, db, c)
	equal(t, "traffic", must(db.Traffic(ctx, u.ID))(t),
		domain.Traffic{UserID: u.ID, Up: 1, Down: 2, LifetimeUp: 1, LifetimeDown: 2, OnlineAt: noon})
	equal(t, "inbound", must(db.Inbound(ctx, in.ID))(t).Up, int64(3))
	if err := addTag(db, "b"); err != nil {
		t.Error(err)
	}
}

// hides checks that err has a cause and does not show it.
func hides(t *testing.T, err error) {
	t.Helper()
	if strings.Contains(err.Error(), "SQLITE") || errors.Unwrap(errors.Unwrap(err)) == nil {
		t.Errorf("%v shows its cause or has none", err)
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
				db.FlushTraffic(ctx, chunk("n", 1)), db.EachAccount(ctx, func(domain.Account) error { return nil }),
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
