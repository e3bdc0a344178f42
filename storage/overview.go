package storage

import (
	"context"

	"github.com/sluicehq/sluice/kernel/domain"
)

const overviews = "SELECT id, username, sub_id, vless_id, " +
	"enabled, hold_since, hold_duration, expire_at, quota, renew_days, renew_day, renew_max, renew_count, " +
	"limit_ip, limit_hwid, note, created_at, updated_at, sub_fetch_at, up, down, online_at " +
	"FROM users JOIN user_traffic ON user_id = id WHERE id " + isListed

// Overviews returns what a page shows of the users with these ids, in any order; those that are gone are left out. All
// other fields are empty, the inbounds and groups too: every column that is read costs, and a page has up to 200 rows.
func (r *Reader) Overviews(ctx context.Context, ids []int64) ([]domain.Account, error) {
	all := make([]domain.Account, 0, len(ids))
	if len(ids) == 0 {
		return all, nil
	}
	var a domain.Account
	u, t := &a.User, &a.Traffic
	err := r.scan(ctx, []any{
		&u.ID, &u.Username, &u.SubID, &u.VLESSID,
		&u.Enabled, &u.HoldSince, &u.HoldDuration, &u.ExpireAt, &u.Quota, &u.RenewDays, &u.RenewDay, &u.RenewMax, &u.RenewCount,
		&u.LimitIP, &u.LimitHWID, &u.Note, &u.CreatedAt, &u.UpdatedAt, &u.SubFetchAt, &t.Up, &t.Down, &t.OnlineAt,
	}, func() { all = append(all, a) }, overviews, r.engine.list(ids))
	return all, fail(ctx, r.engine, "read overviews of users", err)
}
