package storage

import (
	"cmp"
	"context"

	"github.com/uptrace/bun"

	"github.com/sluicehq/sluice/kernel/domain"
)

// Admins returns every admin in id order.
func (r *Reader) Admins(ctx context.Context) ([]domain.Admin, error) {
	return selectAll[domain.Admin](ctx, r, "read admins", func(q *bun.SelectQuery) { q.Order("id") })
}

// adminColumns are those of admins AS a, in the order of adminFields.
const adminColumns = "a.id, a.username, a.username_key, a.password_hash, a.sudo, a.enabled, " +
	"a.password_at, a.user_limit, a.profile, a.revision, a.created_at"

func adminFields(a *domain.Admin) []any {
	return []any{
		&a.ID, &a.Username, &a.UsernameKey, &a.PasswordHash, &a.Sudo, &a.Enabled,
		&a.PasswordAt, &a.UserLimit, &a.Profile, &a.Revision, &a.CreatedAt,
	}
}

// What every session and every shown user asks.
const (
	adminByID  = "SELECT " + adminColumns + " FROM admins AS a WHERE a.id = $1"
	adminNames = "SELECT id, username FROM admins"
)

// AdminByID returns an admin; none is not_found.
func (r *Reader) AdminByID(ctx context.Context, id int64) (a domain.Admin, err error) {
	err = r.raw.row(ctx, adminByID, id).Scan(adminFields(&a)...)
	return a, r.found(ctx, domain.KindAdmin, err)
}

// AdminNames returns the names of all admins by id.
func (r *Reader) AdminNames(ctx context.Context) (map[int64]string, error) {
	names := map[int64]string{}
	var id int64
	var name string
	err := r.scan(ctx, []any{&id, &name}, func() { names[id] = name }, adminNames)
	return names, fail(ctx, r.engine, "read names of admins", err)
}

// AdminByName returns the admin whose name has the same domain.NameKey; none is not_found.
func (r *Reader) AdminByName(ctx context.Context, name string) (domain.Admin, error) {
	if !isStorable(name) {
		return domain.Admin{}, notFound(domain.KindAdmin, nil)
	}
	return r.admin(ctx, func(q *bun.SelectQuery) { q.Where("username_key = ?", domain.NameKey(name)) })
}

// FirstSudo returns the oldest enabled sudo admin, the one that commands on this machine act for; none is not_found.
func (r *Reader) FirstSudo(ctx context.Context) (domain.Admin, error) {
	return r.admin(ctx, func(q *bun.SelectQuery) { q.Where("sudo AND enabled").Order("id") })
}

func (r *Reader) admin(ctx context.Context, where func(q *bun.SelectQuery)) (domain.Admin, error) {
	return selectOne[domain.Admin](ctx, r, domain.KindAdmin, where)
}

// InsertAdmin writes a new admin. It fills ID (which must be 0), UsernameKey and Revision, CreatedAt where it is 0, and
// PasswordAt from it where that is 0. A name in use is a conflict.
func (tx *Tx) InsertAdmin(ctx context.Context, a *domain.Admin) error {
	a.UsernameKey = domain.NameKey(a.Username)
	a.CreatedAt = cmp.Or(a.CreatedAt, tx.now)
	a.PasswordAt = cmp.Or(a.PasswordAt, a.CreatedAt)
	return tx.insert(ctx, domain.KindAdmin, &a.ID, &a.Revision, a)
}

// UpdateAdmin writes every field of an admin but its id and its creation. It fills UsernameKey and Revision. A name in
// use is a conflict, an unknown admin not_found.
func (tx *Tx) UpdateAdmin(ctx context.Context, a *domain.Admin) (err error) {
	if a.Revision, err = tx.record(ctx, domain.KindAdmin, a.ID); err != nil {
		return err
	}
	a.UsernameKey = domain.NameKey(a.Username)
	return tx.modify(ctx, domain.KindAdmin, tx.tx.NewUpdate().Model(a).ExcludeColumn("id", "created_at").WherePK())
}

const (
	usersOfAdmin = "SELECT id FROM users WHERE admin_id = $1 ORDER BY id"
	countOfAdmin = "SELECT count(*) FROM users WHERE admin_id = $1"
)

// UserCountOfAdmin returns how many users an admin owns; an unknown one owns none.
func (r *Reader) UserCountOfAdmin(ctx context.Context, adminID int64) (n int, err error) {
	err = r.raw.row(ctx, countOfAdmin, adminID).Scan(&n)
	return n, fail(ctx, r.engine, "count users of admin", err)
}

// MoveUsers gives all users of one admin to another, each with a new revision, and returns their ids, ascending. An
// unknown new owner is not_found.
func (tx *Tx) MoveUsers(ctx context.Context, fromAdmin, toAdmin int64) (ids []int64, err error) {
	if err := tx.know(ctx, domain.KindAdmin, toAdmin); err != nil {
		return nil, err
	}
	if ids, err = tx.ids(ctx, "read users of admin", usersOfAdmin, fromAdmin); err != nil {
		return nil, err
	}
	return ids, tx.setOf(ctx, ids, "admin_id = $3", "admin_id = $2", fromAdmin, toAdmin)
}

// DeleteAdmin removes an admin with its tokens. One that owns users is a conflict, none at all not_found. The one change
// recorded is the admin's: that its tokens are gone follows from it.
func (tx *Tx) DeleteAdmin(ctx context.Context, id int64) error {
	switch owned, err := tx.UserCountOfAdmin(ctx, id); {
	case err != nil:
		return err
	case owned > 0:
		return tx.fail(ctx, "delete admin", domain.Conflict("admin", "still has users"))
	}
	if _, err := tx.record(ctx, domain.KindAdmin, id); err != nil {
		return err
	}
	return tx.modify(ctx, domain.KindAdmin, tx.tx.NewDelete().Model((*domain.Admin)(nil)).Where("id = ?", id))
}
