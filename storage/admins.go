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

// AdminByID returns an admin; none is not_found.
func (r *Reader) AdminByID(ctx context.Context, id int64) (domain.Admin, error) {
	return r.admin(ctx, func(q *bun.SelectQuery) { q.Where("id = ?", id) })
}

// AdminByName returns the admin whose name has the same domain.NameKey; none is not_found.
func (r *Reader) AdminByName(ctx context.Context, name string) (domain.Admin, error) {
	return r.admin(ctx, func(q *bun.SelectQuery) { q.Where("username_key = ?", domain.NameKey(name)) })
}

// FirstSudo returns the oldest enabled sudo admin, the one that commands on this machine act for; none is not_found.
func (r *Reader) FirstSudo(ctx context.Context) (domain.Admin, error) {
	return r.admin(ctx, func(q *bun.SelectQuery) { q.Where("sudo AND enabled").Order("id") })
}

func (r *Reader) admin(ctx context.Context, where func(q *bun.SelectQuery)) (domain.Admin, error) {
	return selectOne[domain.Admin](ctx, r, domain.KindAdmin, where)
}

// InsertAdmin writes a new admin. It fills ID (which must be 0), UsernameKey and Revision, and CreatedAt where it is 0.
// A name in use is a conflict.
func (tx *Tx) InsertAdmin(ctx context.Context, a *domain.Admin) error {
	a.UsernameKey = domain.NameKey(a.Username)
	a.CreatedAt = cmp.Or(a.CreatedAt, tx.now)
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
