package storage

import (
	"context"
	"database/sql"

	"github.com/uptrace/bun"

	"github.com/sluicehq/sluice/kernel/domain"
)

// Tx is one write transaction. Its reads see its own writes. It belongs to one goroutine and ends with the function
// that it was given to.
type Tx struct {
	Reader
	tx     bun.Tx
	now    int64         // ms UTC, one for the whole transaction
	logged map[row]int64 // seq of the change recorded for each row
	failed error         // the first failure of a write
	due    bool          // it has made deliveries due
	news
}

// Write runs fn in a transaction, the only writer of the database meanwhile, and commits if fn returns nil. fn must not
// call Write or any other write of db (it would wait for itself), and must return at the first error of a write: after
// one the transaction can only be rolled back, on SQLite as on PostgreSQL, whatever fn returns. A read that answers
// not_found harms nothing. If fn panics, the transaction is rolled back and the panic goes on.
func (db *DB) Write(ctx context.Context, fn func(tx *Tx) error) error {
	var refused error // fn's own error, handed back as it is
	err := db.transact(ctx, "write", false, func(tx *Tx) error {
		if refused = fn(tx); refused == nil {
			refused = tx.failed
		}
		return refused
	})
	if refused != nil {
		return refused
	}
	return err
}

// transact runs fn in one transaction of the writer connection, with the lock of lockWrites, and commits if it returns
// nil.
func (db *DB) transact(ctx context.Context, doing string, shared bool, fn func(tx *Tx) error) error {
	btx, err := db.write.BeginTx(ctx, nil)
	if err != nil {
		return fail(ctx, db.engine, doing, err)
	}
	defer func() { _ = btx.Rollback() }() // ends what fn's error or panic leaves open; after a commit it does nothing
	raw := db.writer.in(btx.Tx)
	if err := db.engine.lockWrites(ctx, raw, shared); err != nil {
		return fail(ctx, db.engine, doing, err)
	}
	tx := &Tx{
		Reader: Reader{engine: db.engine, bun: btx, raw: raw, clock: db.clock, inside: true},
		tx:     btx, now: db.now(), logged: map[row]int64{},
	}
	if !shared { // the queues of the outbox have one writer at a time too
		tx.wants = db.handlers.wants.Load()
	}
	if err = fn(tx); err == nil {
		err = tx.announce(ctx)
	}
	if err != nil {
		return fail(ctx, db.engine, doing, err)
	}
	if err := btx.Commit(); err != nil {
		return fail(ctx, db.engine, doing, err)
	}
	db.commits.Add(1)
	if tx.due {
		db.woken()
	}
	return nil
}

// fail hands back the error of a write, nil if it is nil, and remembers it: see Write.
func (tx *Tx) fail(ctx context.Context, doing string, err error) error {
	err = fail(ctx, tx.engine, doing, err)
	if tx.failed == nil {
		tx.failed = err
	}
	return err
}

// insert writes model, a new row of kind, and records the change. It fills the row's id and its revision (nil = the
// kind has none).
func (tx *Tx) insert(ctx context.Context, kind domain.Kind, id, revision *int64, model any) error {
	seq, err := tx.record(ctx, kind, 0)
	if err != nil {
		return err
	}
	if revision != nil {
		*revision = seq
	}
	if _, err := tx.tx.NewInsert().Model(model).Exec(ctx); err != nil {
		return tx.fail(ctx, "insert "+string(kind), err)
	}
	return tx.rename(ctx, kind, seq, *id)
}

// modify runs q, which writes or deletes one row of kind; none there is not_found.
func (tx *Tx) modify(ctx context.Context, kind domain.Kind, q interface {
	Exec(ctx context.Context, dest ...any) (sql.Result, error)
},
) error {
	res, err := q.Exec(ctx)
	return tx.wrote(ctx, kind, res, err)
}

// wrote turns the answer to a write of one row of kind into an error; no row is not_found.
func (tx *Tx) wrote(ctx context.Context, kind domain.Kind, res sql.Result, err error) error {
	return tx.wroteAll(ctx, kind, 1, res, err)
}

// wroteAll is wrote for a write of so many rows; less is not_found.
func (tx *Tx) wroteAll(ctx context.Context, kind domain.Kind, rows int, res sql.Result, err error) error {
	if err != nil {
		return tx.fail(ctx, "write "+string(kind), err)
	}
	if n, err := res.RowsAffected(); err != nil || n < int64(rows) {
		return tx.fail(ctx, "write "+string(kind), notFound(kind, err))
	}
	return nil
}
