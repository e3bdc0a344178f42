package storage

import (
	"cmp"
	"context"
	"slices"

	"github.com/uptrace/bun"

	"github.com/sluicehq/sluice/kernel/domain"
)

const (
	hour = 60 * 60 * 1000 // ms
	// longestUsage is the longest span that HourlyUsage answers: a year, in ms.
	longestUsage = 366 * 24 * hour
)

// hourOf returns the start of the hour of a time, both ms UTC.
func hourOf(at int64) int64 { return at - at%hour }

// nextHour goes from an hour of hours to the next that somebody moved bytes in. It jumps there by two seeks, whatever the
// number of rows between them, because the key begins with the hour.
const nextHour = "SELECT (SELECT min(u.hour) FROM usage_hourly AS u WHERE u.hour > hours.hour) FROM hours"

const (
	usageOfUser = `WITH RECURSIVE hours(hour) AS (
			SELECT min(hour) FROM usage_hourly WHERE hour >= $1 UNION ALL ` + nextHour + ` WHERE hours.hour < $2)
		SELECT u.hour, u.up, u.down FROM hours JOIN usage_hourly AS u ON u.hour = hours.hour
		WHERE u.user_id = $3 AND u.hour < $2 ORDER BY u.hour`
	clearUsage = `WITH RECURSIVE hours(hour) AS (
			SELECT min(hour) FROM usage_hourly WHERE hour >= $2 UNION ALL ` + nextHour + ` WHERE hours.hour IS NOT NULL)
		DELETE FROM usage_hourly WHERE user_id ` + isListed + ` AND hour IN (SELECT hour FROM hours)`
	historyOfUser = "SELECT history_from FROM user_traffic WHERE user_id = $1"
	hideUsage     = "UPDATE user_traffic SET history_from = $2 WHERE user_id " + isListed
)

// HourlyUsage returns what a user moved in each hour that starts at from or later and before to (ms UTC), ascending.
// Hours without traffic are left out, and of a span of more than 366 days all but the last 366.
func (r *Reader) HourlyUsage(ctx context.Context, userID, from, to int64) ([]domain.HourUsage, error) {
	all := []domain.HourUsage{}
	var h domain.HourUsage
	var cleared int64
	err := r.scan(ctx, []any{&cleared}, func() { from = max(from, cleared) }, historyOfUser, userID)
	if err == nil {
		err = r.scan(ctx, []any{&h.Hour, &h.Up, &h.Down}, func() { all = append(all, h) },
			usageOfUser, max(from, to-longestUsage), to, userID)
	}
	return all, fail(ctx, r.engine, "read hourly usage", err)
}

// ClearUsages forgets the hourly history of users, at most 5,000. It is no change. What is in past hours is hidden and goes
// by its age: to remove it would take a seek for each hour of each user.
func (tx *Tx) ClearUsages(ctx context.Context, userIDs []int64) error {
	if len(userIDs) == 0 {
		return nil
	}
	users, now := tx.engine.list(userIDs), hourOf(tx.now)
	_, err := tx.raw.exec(ctx, clearUsage, users, now)
	if err == nil {
		_, err = tx.raw.exec(ctx, hideUsage, users, now)
	}
	return tx.fail(ctx, "clear hourly usage", err)
}

// SetTraffic sets what a user has moved since the last reset, in bytes; what it moved in its life stays. It is no
// change by itself: who wants others to follow writes the user too, whose status may be another now. An unknown user
// is not_found.
func (tx *Tx) SetTraffic(ctx context.Context, userID, up, down int64) error {
	if err := tx.touch(ctx, domain.KindUser, userID); err != nil {
		return err
	}
	tx.touched(userID, func(c *domain.UserChange) { c.UsageSet = true })
	res, err := tx.raw.exec(ctx,
		"UPDATE user_traffic SET up = $1, down = $2 WHERE user_id = $3", up, down, userID)
	return tx.wrote(ctx, domain.KindUser, res, err)
}

// ResetTraffic sets what a user has moved since the last reset to zero, and logs and returns what it was. It is no
// change by itself, as SetTraffic is none. An unknown user is not_found.
func (tx *Tx) ResetTraffic(ctx context.Context, userID int64, reason domain.ResetReason) (domain.UsageReset, error) {
	resets, err := tx.ResetTraffics(ctx, []int64{userID}, reason)
	if err != nil {
		return domain.UsageReset{}, err
	}
	return resets[0], nil
}

// ResetTraffics is ResetTraffic for many different users, at most 2,000. The resets are in the order of users.
func (tx *Tx) ResetTraffics(
	ctx context.Context, userIDs []int64, reason domain.ResetReason,
) ([]domain.UsageReset, error) {
	resets := []domain.UsageReset{}
	if len(userIDs) == 0 {
		return resets, nil
	}
	if err := tx.touch(ctx, domain.KindUser, userIDs...); err != nil {
		return nil, err
	}
	r := domain.UsageReset{At: tx.now, Reason: reason}
	users := tx.engine.list(userIDs)
	err := tx.scan(ctx, []any{&r.ID, &r.UserID, &r.Up, &r.Down}, func() { resets = append(resets, r) },
		"INSERT INTO usage_resets (user_id, at, up, down, reason) SELECT user_id, $2, up, down, $3 FROM user_traffic "+
			"WHERE user_id "+isListed+" ORDER BY user_id RETURNING id, user_id, up, down", users, tx.now, reason)
	if err == nil && len(resets) != len(userIDs) {
		err = notFound(domain.KindUser, nil)
	}
	if err == nil {
		_, err = tx.raw.exec(ctx, "UPDATE user_traffic SET up = 0, down = 0 WHERE user_id "+isListed, users)
	}
	if err != nil {
		return nil, tx.fail(ctx, "reset traffic", err)
	}
	// No database promises an order of what RETURNING returns.
	slices.SortFunc(resets, func(a, b domain.UsageReset) int { return cmp.Compare(a.UserID, b.UserID) })
	for _, r := range resets {
		tx.touched(r.UserID, func(c *domain.UserChange) { c.Resets = append(c.Resets, r) })
	}
	return resets, nil
}

// UsageResets returns the last resets of a user, at most limit, the newest first.
func (r *Reader) UsageResets(ctx context.Context, userID int64, limit int) ([]domain.UsageReset, error) {
	return selectAll[domain.UsageReset](ctx, r, "read resets", func(q *bun.SelectQuery) {
		q.Where("user_id = ?", userID).Order("at DESC", "id DESC").Limit(int64(limit))
	})
}
