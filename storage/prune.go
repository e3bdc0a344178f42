package storage

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/uptrace/bun"
)

const day = 24 * time.Hour

// retained is how long a table keeps its rows.
type retained struct {
	table, key string // the columns of its primary key
	column     string // the row's age counts from here
	age        time.Duration
	only       string // a condition on the rows that go, "" = none
}

// retention is how long a table that only grows keeps its rows. Every such table is here; sub_fetches, which keeps a few
// rows per user, is none.
var retention = []retained{
	// The newest row of these two is a position that others go on from. A chunk is sent again before the next one or
	// never, so of flushes a day is plenty, and there can be a million in one.
	{"changes", "seq", "at", 7 * day, "seq <> (SELECT max(seq) FROM changes)"},
	{"flushes", "node, seq", "at", day, "seq <> (SELECT max(seq) FROM flushes AS f WHERE f.node = flushes.node)"},
	{"outbox", "id", "delivered_at", 7 * day, ""},
	{"outbox", "id", "dead_at", 30 * day, ""},
	// What waits for a handler that nobody has seen for a week.
	{"outbox", "id", "created_at", 30 * day, isWaiting + " AND handler NOT IN (SELECT handler FROM event_handlers)"},
	{"event_handlers", "node, handler", "seen_at", handlerAge, ""},
	{"usage_hourly", "hour, user_id", "hour", 90 * day, ""},
	{"usage_resets", "id", "at", 400 * day, ""},
	{"user_ips", "user_id, ip, node", "seen_at", 30 * day, ""},
	{"answers", "caller, route, key", "created_at", answerAge, ""},
	{"kept_traffic", "username_key", "kept_at", 400 * day, ""},
	{"external_contents", "url_key", "tried_at", 30 * day, ""},
}

// prunePortion is how many rows go in one transaction, which takes some 10 ms.
const prunePortion = 2000

// Prune removes what the tables that only grow need not keep at now (ms UTC), in transactions of a few milliseconds:
// what is old is looked for by a reader, and the writer goes straight to those rows. After an error, what was removed
// stays so.
func (db *DB) Prune(ctx context.Context, now int64) error {
	for _, r := range retention {
		// A row that was written since it was found is not old any more.
		remove := fmt.Sprintf("DELETE FROM %s WHERE (%s) IN (VALUES ?) AND %s", r.table, r.key, r.old(now))
		for found := prunePortion; found == prunePortion; {
			keys, err := db.keys(ctx, r.find(now), count(r.key))
			if found = len(keys); err == nil && found > 0 {
				err = db.remove(ctx, remove, keys)
			}
			if err != nil {
				return fail(ctx, db.engine, "prune "+r.table, err)
			}
		}
	}
	return nil
}

// old is the condition that a row is too old at now.
func (r retained) old(now int64) string {
	return fmt.Sprintf("%s < %d", r.column, now-r.age.Milliseconds())
}

// find selects the keys of some rows that are to go at now.
func (r retained) find(now int64) string {
	only := ""
	if r.only != "" {
		only = " AND " + r.only
	}
	return fmt.Sprintf("SELECT %s FROM %s WHERE %s%s LIMIT %d", r.key, r.table, r.old(now), only, prunePortion)
}

// keys runs a query that answers keys of so many columns.
func (r *Reader) keys(ctx context.Context, query string, columns int) ([]bun.TupleValues, error) {
	keys := []bun.TupleValues{}
	key, fields := make([]any, columns), make([]any, columns)
	for i := range key {
		fields[i] = &key[i]
	}
	err := r.scan(ctx, fields, func() { keys = append(keys, bun.Tuple(slices.Clone(key))) }, query)
	return keys, err
}

// remove deletes rows by their keys, as the only writer.
func (db *DB) remove(ctx context.Context, query string, keys []bun.TupleValues) error {
	return db.transact(ctx, "remove", false, func(tx *Tx) error {
		_, err := tx.tx.ExecContext(ctx, query, bun.List(keys))
		return err
	})
}
