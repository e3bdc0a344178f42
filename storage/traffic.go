package storage

import (
	"cmp"
	"context"
	"fmt"
	"slices"

	"github.com/uptrace/bun"

	"github.com/sluicehq/sluice/kernel/domain"
)

const trafficOfUser = "SELECT user_id, up, down, lifetime_up, lifetime_down, online_at FROM user_traffic WHERE user_id = $1"

// Traffic returns what a user has moved; an unknown user is not_found.
func (r *Reader) Traffic(ctx context.Context, userID int64) (domain.Traffic, error) {
	var t domain.Traffic
	err := r.row(ctx, trafficOfUser, userID).
		Scan(&t.UserID, &t.Up, &t.Down, &t.LifetimeUp, &t.LifetimeDown, &t.OnlineAt)
	return t, r.found(ctx, domain.KindUser, err)
}

// LastFlush returns the highest seq that node has flushed, 0 before the first.
func (r *Reader) LastFlush(ctx context.Context, node string) (seq int64, err error) {
	err = r.raw.QueryRowContext(ctx, "SELECT coalesce(max(seq), 0) FROM flushes WHERE node = $1", node).Scan(&seq)
	return seq, fail(ctx, r.engine, "read last flush", err)
}

// FlushTraffic adds ds to the users' traffic, all or nothing, and stores (node, seq) with them: a chunk that is there
// already is not added again, so that one whose answer was lost can be sent again. Deltas of users that are gone are
// dropped. It is no change: revisions stay. A chunk should have at most 2,000 deltas, to keep other writers waiting
// for milliseconds only.
func (db *DB) FlushTraffic(ctx context.Context, node string, seq int64, ds []domain.TrafficDelta) error {
	ds = onePerUser(ds)
	return db.transact(ctx, "flush traffic", func(tx bun.Tx) error {
		if err := db.engine.lockWrites(ctx, tx.Tx, true); err != nil {
			return err
		}
		res, err := tx.ExecContext(ctx,
			"INSERT INTO flushes (node, seq, at) VALUES (?, ?, ?) ON CONFLICT DO NOTHING", node, seq, db.now())
		if err != nil {
			return fmt.Errorf("mark chunk: %w", err)
		}
		if n, err := res.RowsAffected(); err != nil || n == 0 {
			return err
		}
		return db.engine.addTraffic(ctx, tx.Tx, ds)
	})
}

// onePerUser returns ds in id order with the deltas of one user added up: writing in id order touches each page once
// and lets two nodes flush at the same time without a deadlock.
func onePerUser(ds []domain.TrafficDelta) []domain.TrafficDelta {
	sorted := slices.SortedStableFunc(slices.Values(ds), func(a, b domain.TrafficDelta) int {
		return cmp.Compare(a.UserID, b.UserID)
	})
	merged := sorted[:0]
	for _, d := range sorted {
		if n := len(merged); n > 0 && merged[n-1].UserID == d.UserID {
			last := &merged[n-1]
			last.Up, last.Down, last.OnlineAt = last.Up+d.Up, last.Down+d.Down, max(last.OnlineAt, d.OnlineAt)
			continue
		}
		merged = append(merged, d)
	}
	return merged
}
