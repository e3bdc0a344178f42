// Package storage is the one door to the database, SQLite or PostgreSQL: it speaks domain types and domain errors, so
// that no other package knows which of the two it is. DESIGN.md beside this file says how and why.
package storage

import (
	"context"
	"errors"
	"sync/atomic"

	"github.com/jonboulle/clockwork"
	"github.com/uptrace/bun"
	"go.uber.org/zap"

	"github.com/sluicehq/sluice/storage/internal/backdoor"
)

func init() {
	backdoor.Writer = func(db any) *bun.DB { return db.(*DB).write }
	backdoor.Commits = func(db any) int64 { return db.(*DB).commits.Load() }
}

// Options say what to open.
type Options struct {
	DSN   string          // postgres:// or postgresql://, else the path of an SQLite file, created if missing
	Log   *zap.Logger     // nil = silent
	Clock clockwork.Clock // for the times that rows carry, nil = the real clock
	AsIs  bool            // the schema is another process's to change: one of an older version is refused, not migrated
}

// DB is an open database. Its methods may be called by any number of goroutines; the reads of the embedded Reader
// each see the last commit.
type DB struct {
	Reader
	write   *bun.DB // one connection: writes of this process queue here, not in the database
	writer  runner  // of write
	read    *bun.DB // can not write
	commits atomic.Int64

	handlers handlers
	wake     atomic.Pointer[func()] // called when deliveries are due
}

// Open opens the database that o names, brings its schema up to date while every other Open of it waits, prepares the
// hot texts, and reads who wants to be told of events. A database that a newer version has changed is refused.
func Open(ctx context.Context, o Options) (*DB, error) {
	if o.Log == nil {
		o.Log = zap.NewNop()
	}
	db, err := connect(ctx, o)
	if err != nil {
		return nil, err
	}
	if o.AsIs {
		err = db.current(ctx, migrationFiles)
	} else {
		err = db.migrate(ctx, migrationFiles, o.Log)
	}
	if err == nil {
		err = db.prepare(ctx)
	}
	if err == nil {
		err = db.LoadHandlers(ctx)
	}
	if err != nil {
		return nil, errors.Join(fail(ctx, db.engine, "open database", err), db.Close())
	}
	return db, nil
}

// connect makes the pools of the database that o names, whatever its schema.
func connect(ctx context.Context, o Options) (*DB, error) {
	if o.Clock == nil {
		o.Clock = clockwork.NewRealClock()
	}
	e, err := engineFor(o.DSN)
	if err != nil {
		return nil, err
	}
	write, read, err := e.open()
	if err != nil {
		return nil, fail(ctx, e, "open database", err)
	}
	return &DB{
		Reader: Reader{engine: e, bun: read, raw: runner{engine: e, conn: read.DB, prepared: statements{}}, clock: o.Clock},
		write:  write, writer: runner{engine: e, conn: write.DB, prepared: statements{}}, read: read,
	}, nil
}

// Close waits for what runs and closes the database. Calls after it fail.
func (db *DB) Close() error {
	return errors.Join(db.raw.prepared.close(), db.writer.prepared.close(), db.read.Close(), db.write.Close())
}

// Ping returns nil if the database answers a read now.
func (db *DB) Ping(ctx context.Context) error {
	var one int
	return fail(ctx, db.engine, "ping database", db.read.DB.QueryRowContext(ctx, "SELECT 1").Scan(&one))
}

func (db *DB) now() int64 { return db.clock.Now().UnixMilli() }
