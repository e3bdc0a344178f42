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
	engine engine
	bun    bun.IDB
	raw    runner // past bun, which costs 10 µs per query and 1 µs per row
	clock  clockwork.Clock
	inside bool // in a transaction
}

// scan runs a query that has any number of answers, puts each into fields and calls keep.
func (r *Reader) scan(ctx context.Context, fields []any, keep func(), query string, args ...any) error {
	rows, err := r.raw.query(ctx, query, args...)
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

// only returns the one row of a list of at most one; none is not_found.
func only[T any](ctx context.Context, r *Reader, kind domain.Kind, all []T, err error) (one T, _ error) {
	switch {
	case err != nil:
		return one, err
	case len(all) == 0:
		return one, r.found(ctx, kind, sql.ErrNoRows)
	}
	return all[0], nil
}
