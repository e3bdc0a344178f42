package storage

import (
	"cmp"
	"context"
	"slices"

	"github.com/sluicehq/sluice/kernel/domain"
)

// The texts of NoteFetches: the last fetch is in the user's row, which everyone reads, and the last ten are beside it.
const (
	noteFetch = "UPDATE users SET sub_fetch_at = $1, sub_agent = $2 WHERE id = $3"
	addFetch  = "INSERT INTO sub_fetches (user_id, at, agent) SELECT id, sub_fetch_at, sub_agent FROM users " +
		"WHERE id " + isListed + " ON CONFLICT (user_id, at) DO UPDATE SET agent = EXCLUDED.agent"
	// Only the eleventh has to go: each note adds one at most.
	dropFetches = "DELETE FROM sub_fetches WHERE (user_id, at) IN (SELECT id, (SELECT f.at FROM sub_fetches AS f " +
		"WHERE f.user_id = id ORDER BY f.at DESC LIMIT 1 OFFSET 10) FROM users WHERE id " + isListed + ")"
	fetchesOfUser = "SELECT user_id, at, agent FROM sub_fetches WHERE user_id = $1 ORDER BY at DESC"
)

// NoteFetches stores when users' subscriptions were fetched, all or nothing, with at most one fetch per user; of those
// before it keeps nine. It is no change: revisions stay. Unknown users are ignored: they were deleted meanwhile.
func (db *DB) NoteFetches(ctx context.Context, fetches []domain.Fetch) error {
	sorted := slices.SortedFunc(slices.Values(fetches), func(a, b domain.Fetch) int { return cmp.Compare(a.UserID, b.UserID) })
	users := make([]int64, len(sorted))
	for i, f := range sorted {
		users[i] = f.UserID
	}
	return db.transact(ctx, "note subscription fetches", true, func(tx *Tx) error {
		for _, f := range sorted { // in id order, as two flushes lock rows
			if _, err := tx.raw.exec(ctx, noteFetch, f.At, f.Agent, f.UserID); err != nil {
				return err
			}
		}
		for _, text := range []string{addFetch, dropFetches} {
			if _, err := tx.raw.exec(ctx, text, tx.engine.list(users)); err != nil {
				return err
			}
		}
		return nil
	})
}

// SubFetches returns the last fetches of a user's subscription, the newest first: at most limit after the first offset,
// and how many there are in all, at most 10. None for an unknown user.
func (r *Reader) SubFetches(
	ctx context.Context, userID int64, offset, limit int,
) (fetches []domain.Fetch, total int, err error) {
	all := []domain.Fetch{}
	var f domain.Fetch
	err = r.scan(ctx, []any{&f.UserID, &f.At, &f.Agent}, func() { all = append(all, f) }, fetchesOfUser, userID)
	from := min(max(offset, 0), len(all))
	return all[from:min(from+max(limit, 0), len(all))], len(all), fail(ctx, r.engine, "read subscription fetches", err)
}
