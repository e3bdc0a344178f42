package storage

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
)

// What the databases say differently in our queries, in the words of PostgreSQL: $1 is then what engine.list returns.
const (
	isListed   = "= ANY($1)"                                // behind an expression: it is one of the list
	fromListed = "FROM unnest($1::int8[]) AS listed(value)" // a row per id of the list
)

// runner runs texts with parameters $1, $2... on a pool or in a transaction of it. The database does not read those again
// that the pool keeps prepared.
type runner struct {
	engine engine
	conn   interface {
		ExecContext(ctx context.Context, query string, args ...any) (sql.Result, error)
		QueryContext(ctx context.Context, query string, args ...any) (*sql.Rows, error)
		QueryRowContext(ctx context.Context, query string, args ...any) *sql.Row
	}
	prepared statements
	tx       *sql.Tx    // nil = the pool itself
	inTx     statements // those of prepared that tx has run
}

// statements are prepared texts. Each connection reads them once, SQLite again after a change of the schema.
type statements map[string]*sql.Stmt

// prepare makes hot texts ready where that pays: on the writer before a transaction takes its only connection.
func (db *DB) prepare(ctx context.Context) error {
	pays, own := db.engine.prepares()
	if !pays {
		return nil
	}
	if err := db.prepareOn(ctx, db.read.DB, db.raw.prepared, hotReads()); err != nil {
		return err
	}
	for _, texts := range [][]string{hotReads(), hotWrites(), own} {
		if err := db.prepareOn(ctx, db.write.DB, db.writer.prepared, texts); err != nil {
			return err
		}
	}
	return nil
}

func (db *DB) prepareOn(ctx context.Context, pool *sql.DB, prepared statements, texts []string) error {
	for _, text := range texts {
		statement, err := pool.PrepareContext(ctx, db.engine.text(text))
		if err != nil {
			return fmt.Errorf("prepare %q: %w", text, err)
		}
		prepared[text] = statement
	}
	return nil
}

func (s statements) close() error {
	var errs []error
	for _, statement := range s {
		errs = append(errs, statement.Close())
	}
	return errors.Join(errs...)
}

// in is a runner in a transaction of its pool.
func (r runner) in(tx *sql.Tx) runner {
	return runner{engine: r.engine, conn: tx, prepared: r.prepared, tx: tx, inTx: statements{}}
}

// statement returns nil for a text that is not prepared.
func (r runner) statement(ctx context.Context, text string) *sql.Stmt {
	statement := r.prepared[text]
	if statement == nil || r.tx == nil {
		return statement
	}
	if r.inTx[text] == nil { // it ends with tx
		r.inTx[text] = r.tx.StmtContext(ctx, statement)
	}
	return r.inTx[text]
}

func (r runner) exec(ctx context.Context, text string, args ...any) (sql.Result, error) {
	if statement := r.statement(ctx, text); statement != nil {
		return statement.ExecContext(ctx, args...)
	}
	return r.conn.ExecContext(ctx, r.engine.text(text), args...)
}

func (r runner) query(ctx context.Context, text string, args ...any) (*sql.Rows, error) {
	if statement := r.statement(ctx, text); statement != nil {
		return statement.QueryContext(ctx, args...)
	}
	return r.conn.QueryContext(ctx, r.engine.text(text), args...)
}

// row runs a query that has at most one answer.
func (r runner) row(ctx context.Context, text string, args ...any) *sql.Row {
	if statement := r.statement(ctx, text); statement != nil {
		return statement.QueryRowContext(ctx, args...)
	}
	return r.conn.QueryRowContext(ctx, r.engine.text(text), args...)
}
