package storage

import (
	"context"
	"fmt"
	"time"

	"github.com/uptrace/bun"
)

// retention is how long a table that only grows keeps its rows.
var retention = []struct {
	table, column string
	age           time.Duration
	but           string // a condition on rows that stay however old, "" = none
}{
	// The newest row of these two is a position that others go on from.
	{"changes", "at", 7 * 24 * time.Hour, "seq = (SELECT max(seq) FROM changes)"},
	{"flushes", "at", 7 * 24 * time.Hour, "seq = (SELECT max(seq) FROM flushes AS f WHERE f.node = flushes.node)"},
	{"outbox", "delivered_at", 7 * 24 * time.Hour, ""},
	{"outbox", "dead_at", 30 * 24 * time.Hour, ""},
}

// Prune removes what the tables that only grow need not keep at now (ms UTC). Every such table is listed above.
func (db *DB) Prune(ctx context.Context, now int64) error {
	return db.transact(ctx, "prune", func(tx bun.Tx) error {
		for _, r := range retention {
			q := tx.NewDelete().Table(r.table).Where("? < ?", bun.Ident(r.column), now-r.age.Milliseconds())
			if r.but != "" {
				q.Where("NOT (" + r.but + ")")
			}
			if _, err := q.Exec(ctx); err != nil {
				return fmt.Errorf("prune %s: %w", r.table, err)
			}
		}
		return nil
	})
}
