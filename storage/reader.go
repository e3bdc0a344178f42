package storage

import (
	"context"
	"database/sql"
	"errors"

	"github.com/jonboulle/clockwork"
	"github.com/uptrace/bun"

	"github.com/sluicehq/sluice/kernel/domain"
)

// Reader answers questions. That of a DB uses the read pool and sees the last commit; that of a Tx sees the
// transaction. Lists are never nil.
type Reader struct {
	engine   engine
	bun      bun.IDB
	raw      querier
	clock    clockwork.Clock
	prepared map[string]*sql.Stmt // by text, nil = none
	inside   bool                 // in a transaction
}

// querier runs a fixed text with $1, $2... in both databases, past bun, which costs 10 µs per query and 1 µs per row.
type querier interface {
	QueryContext(ctx context.Context, query string, args ...any) (*sql.Rows, error)
	QueryRowContext(ctx context.Context, query string, args ...any) *sql.Row
}

// hotQueries are asked once per subscription fetch, API request or page row.
var hotQueries = []string{userByName, userByID, userBySubID, inboundsOfUser, groupsOfUser, trafficOfUser, tokenByHash}

// row runs a query that has at most one answer.
func (r *Reader) row(ctx context.Context, query string, args ...any) *sql.Row {
	if statement := r.prepared[query]; statement != nil {
		return statement.QueryRowContext(ctx, args...)
	}
	return r.raw.QueryRowContext(ctx, query, args...)
}

// scan runs a query that has any number of answers, puts each into fields and calls keep.
func (r *Reader) scan(ctx context.Context, fields []any, keep func(), query string, args ...any) error {
	ask := r.raw.QueryContext
	if statement := r.prepared[query]; statement != nil {
		ask = func(ctx context.Context, _ string, args ...any) (*sql.Rows, error) {
			return statement.QueryContext(ctx, args...)
		}
	}
	rows, err := ask(ctx, query, args...)
	if err != nil {
		return err
	}
	defer func() { _ = rows.Close() }() // Err tells what is worth telling
	for rows.Next() {
		if err := rows.Scan(fields...); err != nil {
			return err
		}
		keep()
	}
	return rows.Err()
}

// ids runs a query whose answers are one id each.
func (r *Reader) ids(ctx context.Context, doing, query string, args ...any) ([]int64, error) {
	ids := []int64{}
	var id int64
	err := r.scan(ctx, []any{&id}, func() { ids = append(ids, id) }, query, args...)
	return ids, fail(ctx, r.engine, doing, err)
}

// found turns the error of a read of one row of kind into a domain error.
func (r *Reader) found(ctx context.Context, kind domain.Kind, err error) error {
	if errors.Is(err, sql.ErrNoRows) {
		return notFound(kind, err)
	}
	return fail(ctx, r.engine, "read "+string(kind), err)
}

// scanOneOf is scan for a query that ends with an expression, and that goes on "is one of texts".
func (r *Reader) scanOneOf(ctx context.Context, fields []any, keep func(), query string, texts []string) error {
	condition, list, err := r.engine.oneOf(texts)
	if err != nil {
		return err
	}
	return r.scan(ctx, fields, keep, query+condition, list)
}

// selectAll reads the rows of T that where selects.
func selectAll[T any](ctx context.Context, r *Reader, doing string, where func(q *bun.SelectQuery)) ([]T, error) {
	all := []T{}
	q := r.bun.NewSelect().Model(&all)
	where(q)
	if err := q.Scan(ctx); err != nil {
		return nil, fail(ctx, r.engine, doing, err)
	}
	return all, nil
}

// selectOne reads the first row of T that where selects; none is not_found.
func selectOne[T any](ctx context.Context, r *Reader, kind domain.Kind, where func(q *bun.SelectQuery)) (T, error) {
	var one T
	q := r.bun.NewSelect().Model(&one).Limit(1)
	where(q)
	return one, r.found(ctx, kind, q.Scan(ctx))
}
