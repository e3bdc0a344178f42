package storage

import (
	"cmp"
	"context"

	"github.com/uptrace/bun"

	"github.com/sluicehq/sluice/kernel/domain"
)

const tokenByHash = "SELECT t.id, t.name, t.hash, t.admin_id, t.scope, t.enabled, t.expires_at, t.created_at, " +
	adminColumns + " FROM tokens AS t JOIN admins AS a ON a.id = t.admin_id WHERE t.hash = $1"

// TokenByHash returns the token whose secret has this hash (hex SHA-256) with the admin it acts for, both as they are:
// disabled and expired ones too. None is not_found.
func (r *Reader) TokenByHash(ctx context.Context, hash string) (t domain.Token, a domain.Admin, err error) {
	fields := []any{&t.ID, &t.Name, &t.Hash, &t.AdminID, &t.Scope, &t.Enabled, &t.ExpiresAt, &t.CreatedAt}
	err = r.raw.row(ctx, tokenByHash, hash).Scan(append(fields, adminFields(&a)...)...)
	return t, a, r.found(ctx, domain.KindToken, err)
}

// Tokens returns every token in id order.
func (r *Reader) Tokens(ctx context.Context) ([]domain.Token, error) {
	return selectAll[domain.Token](ctx, r, "read tokens", func(q *bun.SelectQuery) { q.Order("id") })
}

// InsertToken writes a new token. It fills ID (which must be 0), and CreatedAt where it is 0. A name in use is a
// conflict, an unknown admin not_found.
func (tx *Tx) InsertToken(ctx context.Context, t *domain.Token) error {
	t.CreatedAt = cmp.Or(t.CreatedAt, tx.now)
	return tx.insert(ctx, domain.KindToken, &t.ID, nil, t)
}

// UpdateToken writes the name, the scope, the expiry of a token and whether it is enabled. A name in use is a conflict,
// an unknown token not_found.
func (tx *Tx) UpdateToken(ctx context.Context, t *domain.Token) error {
	if _, err := tx.record(ctx, domain.KindToken, t.ID); err != nil {
		return err
	}
	return tx.modify(ctx, domain.KindToken,
		tx.tx.NewUpdate().Model(t).Column("name", "scope", "enabled", "expires_at").WherePK())
}

// DeleteToken removes a token; none is not_found.
func (tx *Tx) DeleteToken(ctx context.Context, id int64) error {
	if _, err := tx.record(ctx, domain.KindToken, id); err != nil {
		return err
	}
	return tx.modify(ctx, domain.KindToken, tx.tx.NewDelete().Model((*domain.Token)(nil)).Where("id = ?", id))
}
