package storage

import (
	"cmp"
	"context"

	"github.com/uptrace/bun"

	"github.com/sluicehq/sluice/kernel/domain"
)

// Hosts returns every host by priority, then by id.
func (r *Reader) Hosts(ctx context.Context) ([]domain.Host, error) {
	return selectAll[domain.Host](ctx, r, "read hosts", func(q *bun.SelectQuery) { q.Order("priority", "id") })
}

// Host returns a host; none is not_found.
func (r *Reader) Host(ctx context.Context, id int64) (domain.Host, error) {
	return selectOne[domain.Host](ctx, r, domain.KindHost, func(q *bun.SelectQuery) { q.Where("id = ?", id) })
}

// InsertHost writes a new host. It fills ID (which must be 0) and Revision, and CreatedAt and UpdatedAt where they are
// 0. An unknown inbound is not_found.
func (tx *Tx) InsertHost(ctx context.Context, h *domain.Host) error {
	if err := tx.know(ctx, domain.KindInbound, h.InboundID); err != nil {
		return err
	}
	h.CreatedAt = cmp.Or(h.CreatedAt, tx.now)
	h.UpdatedAt = cmp.Or(h.UpdatedAt, tx.now)
	return tx.insert(ctx, domain.KindHost, &h.ID, &h.Revision, h)
}

// UpdateHost writes every field of a host but its id and its creation. It fills Revision and UpdatedAt. An unknown host
// or inbound is not_found.
func (tx *Tx) UpdateHost(ctx context.Context, h *domain.Host) (err error) {
	if err := tx.know(ctx, domain.KindInbound, h.InboundID); err != nil {
		return err
	}
	if h.Revision, err = tx.record(ctx, domain.KindHost, h.ID); err != nil {
		return err
	}
	h.UpdatedAt = tx.now
	return tx.modify(ctx, domain.KindHost, tx.tx.NewUpdate().Model(h).ExcludeColumn("id", "created_at").WherePK())
}

// DeleteHost removes a host; none is not_found.
func (tx *Tx) DeleteHost(ctx context.Context, id int64) error {
	if _, err := tx.record(ctx, domain.KindHost, id); err != nil {
		return err
	}
	return tx.modify(ctx, domain.KindHost, tx.tx.NewDelete().Model((*domain.Host)(nil)).Where("id = ?", id))
}
