package storage

import (
	"cmp"
	"context"
	"slices"

	"github.com/uptrace/bun"

	"github.com/sluicehq/sluice/kernel/domain"
)

// The columns of users, in the order of userFields.
const (
	// userKeys have an index each, or lead to another table: to write one costs, even if it stays what it is.
	userKeys = "username, username_key, sub_id, admin_id, " +
		"vless_id, vmess_id, trojan_password, shadowsocks_password, hysteria_auth"
	// userFacts are the others that UpdateUser writes.
	userFacts = "flow, vmess_security, method, " +
		"enabled, hold_since, hold_duration, hold_timeout, expire_at, quota, " +
		"reset_policy, reset_params, reset_anchor, next_reset_at, reset_retry_at, " +
		"renew_days, renew_day, renew_max, renew_count, " +
		"limit_ip, note, tg_id, auto_delete, status, status_since, revision, updated_at"
	userColumns = "id, " + userKeys + ", " + userFacts + ", created_at, sub_fetch_at, sub_agent"
)

// userFields are where a row of userColumns goes to, or comes from.
func userFields(u *domain.User) []any {
	return []any{
		&u.ID,
		&u.Username, &u.UsernameKey, &u.SubID, &u.AdminID,
		&u.VLESSID, &u.VMessID, &u.TrojanPassword, &u.ShadowsocksPassword, &u.HysteriaAuth,
		&u.Flow, &u.VMessSecurity, &u.Method,
		&u.Enabled, &u.HoldSince, &u.HoldDuration, &u.HoldTimeout, &u.ExpireAt, &u.Quota,
		&u.ResetPolicy, &u.ResetParams, &u.ResetAnchor, &u.NextResetAt, &u.ResetRetryAt,
		&u.RenewDays, &u.RenewDay, &u.RenewMax, &u.RenewCount,
		&u.LimitIP, &u.Note, &u.TgID, &u.AutoDelete, &u.Status, &u.StatusSince, &u.Revision, &u.UpdatedAt,
		&u.CreatedAt, &u.SubFetchAt, &u.SubAgent,
	}
}

const (
	userByName     = "SELECT " + userColumns + " FROM users WHERE username_key = $1"
	userByID       = "SELECT " + userColumns + " FROM users WHERE id = $1"
	userBySubID    = "SELECT " + userColumns + " FROM users WHERE sub_id = $1"
	inboundsOfUser = "SELECT inbound_id FROM user_inbounds WHERE user_id = $1 ORDER BY inbound_id"
)

// UserByName returns the user whose name has the same domain.NameKey; none is not_found.
func (r *Reader) UserByName(ctx context.Context, name string) (domain.User, error) {
	return r.user(ctx, userByName, domain.NameKey(name))
}

// UserByID returns a user; none is not_found.
func (r *Reader) UserByID(ctx context.Context, id int64) (domain.User, error) {
	return r.user(ctx, userByID, id)
}

// UserBySubID returns the user with exactly this subscription id; none is not_found.
func (r *Reader) UserBySubID(ctx context.Context, subID string) (domain.User, error) {
	return r.user(ctx, userBySubID, subID)
}

func (r *Reader) user(ctx context.Context, query string, key any) (domain.User, error) {
	var u domain.User
	err := r.row(ctx, query, key).Scan(userFields(&u)...)
	return u, r.found(ctx, domain.KindUser, err)
}

// UserInbounds returns the ids of the inbounds that a user is attached to, ascending; none for an unknown user.
func (r *Reader) UserInbounds(ctx context.Context, userID int64) ([]int64, error) {
	return r.ids(ctx, "read inbounds of user", inboundsOfUser, userID)
}

// InsertUser writes a new user with its inbounds and an empty traffic row. It fills ID (which must be 0), UsernameKey
// and Revision, and CreatedAt and UpdatedAt where they are 0. A value that must be unique and is not is a conflict
// with the column as Field; an unknown inbound or admin is not_found.
func (tx *Tx) InsertUser(ctx context.Context, u *domain.User, inboundIDs []int64) error {
	u.UsernameKey = domain.NameKey(u.Username)
	u.CreatedAt = cmp.Or(u.CreatedAt, tx.now)
	u.UpdatedAt = cmp.Or(u.UpdatedAt, tx.now)
	if err := tx.insert(ctx, domain.KindUser, &u.ID, &u.Revision, u); err != nil {
		return err
	}
	_, err := tx.tx.NewInsert().Model(&domain.Traffic{UserID: u.ID}).ModelTableExpr("user_traffic").Exec(ctx)
	if err != nil {
		return tx.fail(ctx, "insert traffic of user", err)
	}
	return tx.attach(ctx, u.ID, inboundIDs)
}

// UpdateUser writes every field of a user but its id, its creation and its last subscription fetch. It fills
// UsernameKey and Revision; UpdatedAt is the caller's, for time changes users too. Errors are those of InsertUser; an
// unknown user is not_found.
func (tx *Tx) UpdateUser(ctx context.Context, u *domain.User) error {
	return tx.UpdateUsers(ctx, []*domain.User{u})
}

// UpdateUsers is UpdateUser for many different users, each in a fraction of the time.
func (tx *Tx) UpdateUsers(ctx context.Context, users []*domain.User) error {
	ids := make([]int64, len(users))
	for i, u := range users {
		ids[i] = u.ID
	}
	if err := tx.recordAll(ctx, domain.KindUser, ids); err != nil {
		return err
	}
	for _, u := range users {
		u.UsernameKey, u.Revision = domain.NameKey(u.Username), tx.logged[row{domain.KindUser, u.ID}]
	}
	written, err := tx.engine.updateUsers(ctx, tx.tx, users)
	if err == nil && written != len(users) {
		err = notFound(domain.KindUser, nil)
	}
	return tx.fail(ctx, "update users", err)
}

// DeleteUser removes a user with its inbounds and its traffic; none is not_found.
func (tx *Tx) DeleteUser(ctx context.Context, id int64) error {
	if _, err := tx.record(ctx, domain.KindUser, id); err != nil {
		return err
	}
	return tx.modify(ctx, domain.KindUser, tx.tx.NewDelete().Model((*domain.User)(nil)).Where("id = ?", id))
}

// SetUserInbounds makes ids the inbounds of a user, in any order, and gives the user a new revision, the same that
// UpdateUser gave or gives it in this transaction. An unknown user or inbound is not_found.
func (tx *Tx) SetUserInbounds(ctx context.Context, userID int64, ids []int64) error {
	revision, err := tx.record(ctx, domain.KindUser, userID)
	if err != nil {
		return err
	}
	if err := tx.modify(ctx, domain.KindUser, tx.tx.NewUpdate().Model((*domain.User)(nil)).
		Set("revision = ?", revision).Where("id = ?", userID)); err != nil {
		return err
	}
	_, err = tx.tx.NewDelete().Table("user_inbounds").Where("user_id = ?", userID).Exec(ctx)
	if err != nil {
		return tx.fail(ctx, "detach user", err)
	}
	return tx.attach(ctx, userID, ids)
}

// attach adds inbounds to a user that has none. The ids come from inbounds itself, so that an unknown one is a count
// that does not fit and not an error of the database, which could not say which of the two is unknown.
func (tx *Tx) attach(ctx context.Context, userID int64, ids []int64) error {
	ids = slices.Compact(slices.Sorted(slices.Values(ids)))
	if len(ids) == 0 {
		return nil
	}
	res, err := tx.tx.NewRaw("INSERT INTO user_inbounds (user_id, inbound_id) SELECT ?, id FROM inbounds WHERE id IN (?)",
		userID, bun.List(ids)).Exec(ctx)
	if err != nil {
		return tx.fail(ctx, "attach user", err)
	}
	if n, err := res.RowsAffected(); err != nil || n != int64(len(ids)) {
		return tx.fail(ctx, "attach user", notFound(domain.KindInbound, err))
	}
	return nil
}

// NoteFetches stores when users' subscriptions were fetched, all or nothing, with at most one fetch per user. It is no
// change: revisions stay. Unknown users are ignored: they were deleted meanwhile.
func (db *DB) NoteFetches(ctx context.Context, fetches []domain.Fetch) error {
	sorted := slices.SortedFunc(slices.Values(fetches), func(a, b domain.Fetch) int { return cmp.Compare(a.UserID, b.UserID) })
	return db.transact(ctx, "note subscription fetches", func(tx bun.Tx) error {
		if err := db.engine.lockWrites(ctx, tx.Tx, true); err != nil {
			return err
		}
		for _, f := range sorted { // in id order, as two flushes lock rows
			_, err := tx.NewUpdate().Model((*domain.User)(nil)).
				Set("sub_fetch_at = ?", f.At).Set("sub_agent = ?", f.Agent).Where("id = ?", f.UserID).Exec(ctx)
			if err != nil {
				return err
			}
		}
		return nil
	})
}
