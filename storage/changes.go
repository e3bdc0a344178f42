package storage

import (
	"context"
	"slices"

	"github.com/uptrace/bun"

	"github.com/sluicehq/sluice/kernel/domain"
)

// row names a row in the log of changes.
type row struct {
	kind domain.Kind
	id   int64
}

// record writes the change of a row into the log and returns its seq, the row's new revision. A row has one change per
// transaction, however often it is written: others see only the state that was committed.
func (tx *Tx) record(ctx context.Context, kind domain.Kind, id int64) (seq int64, err error) {
	if seq, ok := tx.logged[row{kind, id}]; ok {
		return seq, nil
	}
	if id != 0 {
		if err := tx.touch(ctx, kind, id); err != nil {
			return 0, err
		}
	}
	err = tx.raw.row(ctx,
		"INSERT INTO changes (kind, id, at) VALUES ($1, $2, $3) RETURNING seq", kind, id, tx.now).Scan(&seq)
	if err != nil {
		return 0, tx.fail(ctx, "record change of "+string(kind), err)
	}
	if id != 0 {
		tx.logged[row{kind, id}] = seq
	}
	return seq, nil
}

const recordChanges = "INSERT INTO changes (kind, id, at) SELECT $2, value, $3 " + fromListed + " RETURNING seq, id"

// recordAll is record for many rows that are there: their revisions are in logged then.
func (tx *Tx) recordAll(ctx context.Context, kind domain.Kind, ids []int64) error {
	ids = slices.DeleteFunc(slices.Clone(ids), func(id int64) bool {
		_, logged := tx.logged[row{kind, id}]
		return logged
	})
	if len(ids) == 0 {
		return nil
	}
	if err := tx.touch(ctx, kind, ids...); err != nil {
		return err
	}
	var seq, id int64
	err := tx.scan(ctx, []any{&seq, &id}, func() { tx.logged[row{kind, id}] = seq },
		recordChanges, tx.engine.list(ids), kind, tx.now)
	return tx.fail(ctx, "record changes of "+string(kind), err)
}

// rename gives the change of a new row its id, known only once the row is written. That is cheaper than writing the
// wide row again for its revision.
func (tx *Tx) rename(ctx context.Context, kind domain.Kind, seq, id int64) error {
	_, err := tx.raw.exec(ctx, "UPDATE changes SET id = $1 WHERE seq = $2", id, seq)
	if err != nil {
		return tx.fail(ctx, "record change of "+string(kind), err)
	}
	tx.logged[row{kind, id}] = seq
	tx.arrived(kind, id)
	return nil
}

// Changes returns at most limit changes with a seq above after, in seq order: the order of their commits. A seq can be
// missing. Changes are kept for 7 days; who has read less recently starts anew from the tables.
func (r *Reader) Changes(ctx context.Context, after int64, limit int) ([]domain.Change, error) {
	return selectAll[domain.Change](ctx, r, "read changes", func(q *bun.SelectQuery) {
		q.Where("seq > ?", after).Order("seq").Limit(int64(limit))
	})
}

// LastChange returns the seq of the newest change, 0 before the first.
func (r *Reader) LastChange(ctx context.Context) (seq int64, err error) {
	err = r.raw.row(ctx, "SELECT coalesce(max(seq), 0) FROM changes").Scan(&seq)
	return seq, fail(ctx, r.engine, "read last change", err)
}
