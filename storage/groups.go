package storage

import (
	"cmp"
	"context"

	"github.com/uptrace/bun"

	"github.com/sluicehq/sluice/kernel/domain"
)

// Groups returns every group in id order.
func (r *Reader) Groups(ctx context.Context) ([]domain.Group, error) {
	return selectAll[domain.Group](ctx, r, "read groups", func(q *bun.SelectQuery) { q.Order("id") })
}

const groupNames = "SELECT id, name FROM groups"

// GroupNames returns the names of all groups by id.
func (r *Reader) GroupNames(ctx context.Context) (map[int64]string, error) {
	names := map[int64]string{}
	var id int64
	var name string
	err := r.scan(ctx, []any{&id, &name}, func() { names[id] = name }, groupNames)
	return names, fail(ctx, r.engine, "read names of groups", err)
}

// Group returns a group; none is not_found.
func (r *Reader) Group(ctx context.Context, id int64) (domain.Group, error) {
	return selectOne[domain.Group](ctx, r, domain.KindGroup, func(q *bun.SelectQuery) { q.Where("id = ?", id) })
}

// GroupByName returns the group with exactly this name; none is not_found.
func (r *Reader) GroupByName(ctx context.Context, name string) (domain.Group, error) {
	return selectOne[domain.Group](ctx, r, domain.KindGroup, func(q *bun.SelectQuery) { q.Where("name = ?", name) })
}

const membersOfGroup = "SELECT user_id FROM user_groups WHERE group_id = $1 ORDER BY user_id"

// GroupMembers returns the ids of the users in a group, ascending; none for an unknown group.
func (r *Reader) GroupMembers(ctx context.Context, groupID int64) ([]int64, error) {
	return r.ids(ctx, "read members of group", membersOfGroup, groupID)
}

// InsertGroup writes a new group. It fills ID (which must be 0) and Revision, and CreatedAt and UpdatedAt where they
// are 0. A name in use is a conflict.
func (tx *Tx) InsertGroup(ctx context.Context, g *domain.Group) error {
	g.CreatedAt = cmp.Or(g.CreatedAt, tx.now)
	g.UpdatedAt = cmp.Or(g.UpdatedAt, tx.now)
	return tx.insert(ctx, domain.KindGroup, &g.ID, &g.Revision, g)
}

// UpdateGroup writes every field of a group but its id and its creation. It fills Revision and UpdatedAt. A name in use
// is a conflict, an unknown group not_found.
func (tx *Tx) UpdateGroup(ctx context.Context, g *domain.Group) (err error) {
	if g.Revision, err = tx.record(ctx, domain.KindGroup, g.ID); err != nil {
		return err
	}
	g.UpdatedAt = tx.now
	return tx.modify(ctx, domain.KindGroup, tx.tx.NewUpdate().Model(g).ExcludeColumn("id", "created_at").WherePK())
}

// DeleteGroup removes a group, its members stay; an unknown group is not_found. The one change recorded is the group's:
// who wants a new revision for each member takes them out with ReplaceGroups before.
func (tx *Tx) DeleteGroup(ctx context.Context, id int64) error {
	if _, err := tx.record(ctx, domain.KindGroup, id); err != nil {
		return err
	}
	return tx.modify(ctx, domain.KindGroup, tx.tx.NewDelete().Model((*domain.Group)(nil)).Where("id = ?", id))
}
