package storage

import (
	"context"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/sluicehq/sluice/kernel/domain"
)

// The columns of users, in the order of userFields.
const (
	// userKeys have an index each, or lead to another table: to write one costs, even if it stays what it is.
	userKeys = "username, username_key, sub_id, admin_id, tg_id, " +
		"vless_id, vmess_id, trojan_password, shadowsocks_password, hysteria_auth"
	// userFacts are the others that UpdateUser writes.
	userFacts = "flow, vmess_security, method, " +
		"enabled, hold_since, hold_duration, hold_timeout, expire_at, quota, " +
		"reset_policy, reset_params, reset_anchor, next_reset_at, reset_retry_at, " +
		"renew_days, renew_day, renew_max, renew_count, " +
		"limit_ip, note, limit_hwid, reverse, ad_tag, secret, " +
		"has_next_plan, next_template, next_quota, next_duration, next_carries_over, " +
		"auto_delete, status, status_since, revision, updated_at"
	userColumns = "id, " + userKeys + ", " + userFacts + ", created_at, sub_fetch_at, sub_agent"
)

// count returns how many columns a list has.
func count(columns string) int { return 1 + strings.Count(columns, ",") }

// userFields are where a row of userColumns goes to, or comes from.
func userFields(u *domain.User) []any {
	return []any{
		&u.ID,
		&u.Username, &u.UsernameKey, &u.SubID, &u.AdminID, &u.TgID,
		&u.VLESSID, &u.VMessID, &u.TrojanPassword, &u.ShadowsocksPassword, &u.HysteriaAuth,
		&u.Flow, &u.VMessSecurity, &u.Method,
		&u.Enabled, &u.HoldSince, &u.HoldDuration, &u.HoldTimeout, &u.ExpireAt, &u.Quota,
		&u.ResetPolicy, &u.ResetParams, &u.ResetAnchor, &u.NextResetAt, &u.ResetRetryAt,
		&u.RenewDays, &u.RenewDay, &u.RenewMax, &u.RenewCount,
		&u.LimitIP, &u.Note, &u.LimitHWID, &u.Reverse, &u.AdTag, &u.Secret,
		&u.HasNextPlan, &u.NextTemplate, &u.NextQuota, &u.NextDuration, &u.NextCarriesOver,
		&u.AutoDelete, &u.Status, &u.StatusSince, &u.Revision, &u.UpdatedAt,
		&u.CreatedAt, &u.SubFetchAt, &u.SubAgent,
	}
}

// storable refuses the texts that PostgreSQL can not store and SQLite and bun let pass.
func storable(u *domain.User) error {
	for _, field := range userFields(u) {
		if text, ok := field.(*string); ok && !isStorable(*text) {
			return failures[classText]
		}
	}
	return nil
}

// isStorable says whether both databases take a text, also to look for it.
func isStorable(text string) bool { return !strings.ContainsRune(text, 0) && utf8.ValidString(text) }

const (
	userByName  = "SELECT " + userColumns + " FROM users WHERE username_key = $1"
	userByID    = "SELECT " + userColumns + " FROM users WHERE id = $1"
	userBySubID = "SELECT " + userColumns + " FROM users WHERE sub_id = $1"
	// The second condition is that of the index, which is not used without it.
	usersByTgID = "SELECT id FROM users WHERE tg_id = $1 AND tg_id <> 0 ORDER BY id"
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

// UsersByTgID returns the ids of the users with a Telegram id, ascending. Nobody has 0.
func (r *Reader) UsersByTgID(ctx context.Context, tgID int64) ([]int64, error) {
	return r.ids(ctx, "read users by Telegram id", usersByTgID, tgID)
}

// usersByCredential has a seek in the index of each credential; that of the vless ids is made of a part of them.
const usersByCredential = "SELECT id FROM users WHERE (substr(vless_id, 1, 14) || substr(vless_id, 19)) = $2 AND vless_id = $1 " +
	"UNION SELECT id FROM users WHERE vmess_id = $1 UNION SELECT id FROM users WHERE trojan_password = $1 " +
	"UNION SELECT id FROM users WHERE shadowsocks_password = $1 UNION SELECT id FROM users WHERE hysteria_auth = $1 ORDER BY id"

// UsersByCredential returns the ids of the users of whom exactly this is one of the credentials, ascending.
func (r *Reader) UsersByCredential(ctx context.Context, credential string) ([]int64, error) {
	if !isStorable(credential) {
		return []int64{}, nil
	}
	key := domain.Credentials{VLESSID: credential}.VLESSKey()
	return r.ids(ctx, "read users by credential", usersByCredential, credential, key)
}

const idsByName = "SELECT username_key, id FROM users WHERE username_key " + isListed

// UserIDs returns the ids of the users of these names (at most 5,000), by domain.NameKey; unknown names are left out.
func (r *Reader) UserIDs(ctx context.Context, usernames []string) (map[string]int64, error) {
	ids := make(map[string]int64, len(usernames))
	var (
		key string
		id  int64
	)
	keys := slices.DeleteFunc(nameKeys(usernames), func(key string) bool { return !isStorable(key) })
	err := r.scan(ctx, []any{&key, &id}, func() { ids[key] = id }, idsByName, r.engine.list(keys))
	return ids, fail(ctx, r.engine, "read ids of users", err)
}

func (r *Reader) user(ctx context.Context, query string, key any) (domain.User, error) {
	var u domain.User
	if text, ok := key.(string); ok && !isStorable(text) {
		return u, notFound(domain.KindUser, nil)
	}
	err := r.raw.row(ctx, query, key).Scan(userFields(&u)...)
	return u, r.found(ctx, domain.KindUser, err)
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
		if err := storable(u); err != nil {
			return tx.fail(ctx, "update users", err)
		}
	}
	written, err := tx.engine.updateUsers(ctx, tx, users)
	if err == nil && written != len(users) {
		err = notFound(domain.KindUser, nil)
	}
	return tx.fail(ctx, "update users", err)
}

// DeleteUser removes a user with its inbounds, its groups, its external links and its traffic; none is not_found.
func (tx *Tx) DeleteUser(ctx context.Context, id int64) error {
	return tx.DeleteUsers(ctx, []int64{id})
}

const deleteUsers = "DELETE FROM users WHERE id " + isListed

// DeleteUsers is DeleteUser for many different users, at most 5,000. If one is not there it is not_found.
func (tx *Tx) DeleteUsers(ctx context.Context, ids []int64) error {
	if len(ids) == 0 {
		return nil
	}
	if err := tx.recordAll(ctx, domain.KindUser, ids); err != nil {
		return err
	}
	res, err := tx.raw.exec(ctx, deleteUsers, tx.engine.list(ids))
	return tx.wroteAll(ctx, domain.KindUser, len(ids), res, err)
}
