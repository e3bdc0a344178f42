package storage

import (
	"cmp"
	"context"
	"fmt"
	"slices"

	"github.com/sluicehq/sluice/kernel/domain"
)

// trafficColumns are the columns of user_traffic in the order of trafficFields.
const trafficColumns = "user_id, up, down, lifetime_up, lifetime_down, online_at"

// trafficFields are where a row of trafficColumns goes.
func trafficFields(t *domain.Traffic) []any {
	return []any{&t.UserID, &t.Up, &t.Down, &t.LifetimeUp, &t.LifetimeDown, &t.OnlineAt}
}

const trafficOfUser = "SELECT " + trafficColumns + " FROM user_traffic WHERE user_id = $1"

// Traffic returns what a user has moved; an unknown user is not_found.
func (r *Reader) Traffic(ctx context.Context, userID int64) (domain.Traffic, error) {
	var t domain.Traffic
	err := r.raw.row(ctx, trafficOfUser, userID).Scan(trafficFields(&t)...)
	return t, r.found(ctx, domain.KindUser, err)
}

// UsedIDs returns the ids of the users that moved anything since their last reset, ascending. It reads the whole table.
func (r *Reader) UsedIDs(ctx context.Context) ([]int64, error) {
	return r.ids(ctx, "read users with usage", "SELECT user_id FROM user_traffic WHERE up > 0 OR down > 0 ORDER BY user_id")
}

// LastFlush returns the highest seq that node has flushed, 0 before the first.
func (r *Reader) LastFlush(ctx context.Context, node string) (seq int64, err error) {
	err = r.raw.row(ctx, "SELECT coalesce(max(seq), 0) FROM flushes WHERE node = $1", node).Scan(&seq)
	return seq, fail(ctx, r.engine, "read last flush", err)
}

// FlushTraffic adds a chunk to the users' counters, to their usage of the hour of each delta's OnlineAt, and to the
// inbounds' counters, all or nothing, and stores (Node, Seq) with it: a chunk that is there already is not added again,
// so that one whose answer was lost can be sent again. Deltas of users and inbounds that are gone are dropped. It is no
// change: revisions stay. A chunk should have at most 2,000 deltas with at most one per user (more are added up), to
// keep other writers waiting for milliseconds only.
func (db *DB) FlushTraffic(ctx context.Context, c domain.Chunk) error {
	shared := !db.handlers.wants.Load().any(domain.EventUserOnline) // who tells of something writes alone
	return db.transact(ctx, "flush traffic", shared, func(tx *Tx) error { return tx.addChunk(ctx, c) })
}

// AddTraffic is FlushTraffic inside a transaction, for a change that has to take what is not flushed yet along. An empty
// chunk, which has no number, is none.
func (tx *Tx) AddTraffic(ctx context.Context, c domain.Chunk) error {
	if c.Empty() {
		return nil
	}
	return tx.fail(ctx, "add traffic", tx.addChunk(ctx, c))
}

const (
	markChunk    = "INSERT INTO flushes (node, seq, at) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING"
	addToInbound = "UPDATE inbounds SET up = up + $1, down = down + $2 WHERE id = $3"
)

// addChunk adds c unless it is there.
func (tx *Tx) addChunk(ctx context.Context, c domain.Chunk) error {
	res, err := tx.raw.exec(ctx, markChunk, c.Node, c.Seq, tx.now)
	if err != nil {
		return fmt.Errorf("mark chunk: %w", err)
	}
	if n, err := res.RowsAffected(); err != nil || n == 0 {
		return err
	}
	users := onePerUser(c.Users)
	if err := tx.comeOnline(ctx, users); err != nil {
		return err
	}
	if err := tx.engine.addTraffic(ctx, tx.raw, users); err != nil {
		return err
	}
	inbounds := slices.SortedFunc(slices.Values(c.Inbounds), func(a, b domain.InboundDelta) int {
		return cmp.Compare(a.InboundID, b.InboundID)
	})
	for _, d := range inbounds { // few: no other way is worth its text
		if _, err := tx.raw.exec(ctx, addToInbound, d.Up, d.Down, d.InboundID); err != nil {
			return fmt.Errorf("inbound %d: %w", d.InboundID, err)
		}
	}
	return nil
}

const onlineOf = "SELECT user_id, online_at FROM user_traffic WHERE user_id " + isListed

// comeOnline notes which users come online by deltas that are not added yet, if anybody wants to know.
func (tx *Tx) comeOnline(ctx context.Context, ds []domain.TrafficDelta) error {
	if !tx.wants.any(domain.EventUserOnline) || len(ds) == 0 {
		return nil
	}
	ids, seen := make([]int64, len(ds)), make(map[int64]int64, len(ds))
	for i, d := range ds {
		ids[i], seen[d.UserID] = d.UserID, d.OnlineAt
	}
	var id, before int64
	online := []int64{}
	err := tx.scan(ctx, []any{&id, &before}, func() {
		if seen[id]-before >= domain.OnlineAfter {
			online = append(online, id)
		}
	}, onlineOf, tx.engine.list(ids))
	if err != nil {
		return fmt.Errorf("look who comes online: %w", err)
	}
	slices.Sort(online)
	if err := tx.touchUsers(ctx, online); err != nil {
		return err
	}
	for _, id := range online {
		tx.touched(id, func(c *domain.UserChange) { c.Online = true })
	}
	return nil
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
