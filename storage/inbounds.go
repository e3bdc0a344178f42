package storage

import (
	"cmp"
	"context"

	"github.com/uptrace/bun"

	"github.com/sluicehq/sluice/kernel/domain"
)

// Inbounds returns every inbound in id order.
func (r *Reader) Inbounds(ctx context.Context) ([]domain.Inbound, error) {
	return selectAll[domain.Inbound](ctx, r, "read inbounds", func(q *bun.SelectQuery) { q.Order("id") })
}

const inboundIDs = "SELECT id FROM inbounds ORDER BY id"

// InboundIDs returns the id of every inbound, ascending.
func (r *Reader) InboundIDs(ctx context.Context) ([]int64, error) {
	return r.ids(ctx, "read ids of inbounds", inboundIDs)
}

// Inbound returns an inbound; none is not_found.
func (r *Reader) Inbound(ctx context.Context, id int64) (domain.Inbound, error) {
	return selectOne[domain.Inbound](ctx, r, domain.KindInbound, func(q *bun.SelectQuery) { q.Where("id = ?", id) })
}

// InsertInbound writes a new inbound. It fills ID (which must be 0) and Revision, and CreatedAt and UpdatedAt where
// they are 0. A tag in use is a conflict.
func (tx *Tx) InsertInbound(ctx context.Context, in *domain.Inbound) error {
	in.CreatedAt = cmp.Or(in.CreatedAt, tx.now)
	in.UpdatedAt = cmp.Or(in.UpdatedAt, tx.now)
	return tx.insert(ctx, domain.KindInbound, &in.ID, &in.Revision, in)
}

// UpdateInbound writes every field of an inbound but its id, its creation and its counters. It fills Revision and
// UpdatedAt. A tag in use is a conflict, an unknown inbound not_found.
func (tx *Tx) UpdateInbound(ctx context.Context, in *domain.Inbound) (err error) {
	if in.Revision, err = tx.record(ctx, domain.KindInbound, in.ID); err != nil {
		return err
	}
	in.UpdatedAt = tx.now
	return tx.modify(ctx, domain.KindInbound,
		tx.tx.NewUpdate().Model(in).ExcludeColumn("id", "created_at", "up", "down").WherePK())
}

// ResetInbound sets the counters of an inbound to zero and gives it a new revision, the same that UpdateInbound gave or
// gives it in this transaction; an unknown inbound is not_found.
func (tx *Tx) ResetInbound(ctx context.Context, id int64) error {
	revision, err := tx.record(ctx, domain.KindInbound, id)
	if err != nil {
		return err
	}
	return tx.modify(ctx, domain.KindInbound, tx.tx.NewUpdate().Model((*domain.Inbound)(nil)).
		Set("up = 0").Set("down = 0").Set("revision = ?", revision).Where("id = ?", id))
}

// DeleteInbound removes an inbound with its hosts and returns the users who had it, themselves or by a group that is not
// disabled, ascending; an unknown inbound is not_found. The one change recorded is the inbound's: that its users and
// groups lost it follows from that, and a revision for each would make the cost of a deletion grow with the users.
func (tx *Tx) DeleteInbound(ctx context.Context, id int64) (userIDs []int64, err error) {
	if _, err := tx.record(ctx, domain.KindInbound, id); err != nil {
		return nil, err
	}
	if userIDs, err = tx.ids(ctx, "read users of inbound", usersOfInbound, id); err != nil {
		return nil, err
	}
	return userIDs, tx.modify(ctx, domain.KindInbound,
		tx.tx.NewDelete().Model((*domain.Inbound)(nil)).Where("id = ?", id))
}
