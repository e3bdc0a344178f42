package storage

import (
	"context"
	"slices"

	"github.com/sluicehq/sluice/kernel/domain"
)

// sightingBatch is how many sightings are noted in one transaction, which takes some 10 ms.
const sightingBatch = 1000

// noteSightings sorts in the database, so that two nodes lock rows in one order, and leaves users out that are gone.
const noteSightings = `WITH seen (user_id, ip, node, seen_at) AS (?)
	INSERT INTO user_ips AS i (user_id, ip, node, seen_at)
	SELECT s.user_id, s.ip, s.node, max(s.seen_at) FROM seen AS s JOIN users ON users.id = s.user_id
	GROUP BY s.user_id, s.ip, s.node ORDER BY s.user_id, s.ip, s.node
	ON CONFLICT (user_id, ip, node) DO UPDATE SET seen_at = EXCLUDED.seen_at WHERE EXCLUDED.seen_at > i.seen_at`

// NoteSightings stores when users were last seen at addresses; an older time than the stored one changes nothing, nor
// does a user that is gone. It is no change: revisions stay. Many are stored in several transactions; after an error
// all can be noted again.
func (db *DB) NoteSightings(ctx context.Context, sightings []domain.Sighting) error {
	for batch := range slices.Chunk(sightings, sightingBatch) {
		err := db.transact(ctx, "note addresses", true, func(tx *Tx) error {
			_, err := tx.tx.NewRaw(noteSightings, tx.tx.NewValues(&batch)).Exec(ctx)
			return err
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// UserIPs returns where a user was last seen, the newest first, at most 1,000.
func (r *Reader) UserIPs(ctx context.Context, userID int64) ([]domain.Sighting, error) {
	return r.sightings(ctx, "WHERE user_id = $1 ORDER BY seen_at DESC, ip, node LIMIT 1000", userID)
}

// IPs returns where users were seen at since (ms UTC) or later, in the order of users, addresses and nodes.
func (r *Reader) IPs(ctx context.Context, since int64) ([]domain.Sighting, error) {
	return r.sightings(ctx, "WHERE seen_at >= $1 ORDER BY user_id, ip, node", since)
}

func (r *Reader) sightings(ctx context.Context, where string, args ...any) ([]domain.Sighting, error) {
	all := []domain.Sighting{}
	var s domain.Sighting
	err := r.scan(ctx, []any{&s.UserID, &s.IP, &s.Node, &s.SeenAt}, func() { all = append(all, s) },
		"SELECT user_id, ip, node, seen_at FROM user_ips "+where, args...)
	return all, fail(ctx, r.engine, "read addresses", err)
}

// ClearIPs forgets where a user was seen. It is no change; an unknown user was seen nowhere.
func (tx *Tx) ClearIPs(ctx context.Context, userID int64) error {
	_, err := tx.raw.exec(ctx, "DELETE FROM user_ips WHERE user_id = $1", userID)
	return tx.fail(ctx, "clear addresses", err)
}
