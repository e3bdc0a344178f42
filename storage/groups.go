package storage

import (
	"cmp"
	"context"
	"slices"

	"github.com/uptrace/bun"

	"github.com/sluicehq/sluice/kernel/domain"
)

// Groups returns every group in id order.
func (r *Reader) Groups(ctx context.Context) ([]domain.Group, error) {
	return r.groups(ctx, func(*bun.SelectQuery) {})
}

// GroupsOf returns the groups with these ids in id order; those that are gone are left out.
func (r *Reader) GroupsOf(ctx context.Context, ids []int64) ([]domain.Group, error) {
	if len(ids) == 0 {
		return []domain.Group{}, nil
	}
	return r.groups(ctx, func(q *bun.SelectQuery) { q.Where("id IN (?)", bun.List(ids)) })
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
	return r.group(ctx, func(q *bun.SelectQuery) { q.Where("id = ?", id) })
}

// GroupByName returns the group with exactly this name; none is not_found.
func (r *Reader) GroupByName(ctx context.Context, name string) (domain.Group, error) {
	if !isStorable(name) {
		return domain.Group{}, notFound(domain.KindGroup, nil)
	}
	return r.group(ctx, func(q *bun.SelectQuery) { q.Where("name = ?", name) })
}

func (r *Reader) group(ctx context.Context, where func(q *bun.SelectQuery)) (domain.Group, error) {
	all, err := r.groups(ctx, where)
	return only(ctx, r, domain.KindGroup, all, err)
}

func (r *Reader) groups(ctx context.Context, where func(q *bun.SelectQuery)) (all []domain.Group, err error) {
	err = r.snapshot(ctx, "read groups", func(r *Reader) error {
		all, err = selectAll[domain.Group](ctx, r, "read groups", func(q *bun.SelectQuery) { where(q.Order("id")) })
		if err != nil {
			return err
		}
		return r.addGroupInbounds(ctx, all)
	})
	return all, err
}

// addGroupInbounds fills Inbounds.
func (r *Reader) addGroupInbounds(ctx context.Context, all []domain.Group) error {
	ids := make([]int64, len(all))
	for i := range all {
		ids[i] = all[i].ID
	}
	inbounds, err := r.lists(ctx, groupInbounds, ids)
	for i := range all {
		all[i].Inbounds = append([]int64{}, inbounds[ids[i]]...)
	}
	return err
}

const membersOfGroup = "SELECT user_id FROM user_groups WHERE group_id = $1 ORDER BY user_id"

// GroupMembers returns the ids of the users in a group, ascending; none for an unknown group.
func (r *Reader) GroupMembers(ctx context.Context, groupID int64) ([]int64, error) {
	return r.ids(ctx, "read members of group", membersOfGroup, groupID)
}

// InsertGroup writes a new group. It fills ID (which must be 0) and Revision, and CreatedAt and UpdatedAt where they
// are 0, and sorts Inbounds. A name in use is a conflict, an unknown inbound not_found.
func (tx *Tx) InsertGroup(ctx context.Context, g *domain.Group) error {
	g.CreatedAt = cmp.Or(g.CreatedAt, tx.now)
	g.UpdatedAt = cmp.Or(g.UpdatedAt, tx.now)
	if err := tx.insert(ctx, domain.KindGroup, &g.ID, &g.Revision, g); err != nil {
		return err
	}
	return tx.writeGroupInbounds(ctx, g)
}

// UpdateGroup writes every field of a group but its id and its creation. It fills Revision and UpdatedAt, and sorts
// Inbounds. A name in use is a conflict, an unknown group or inbound not_found. The one change recorded is the group's:
// which inbounds its members have then follows from it.
func (tx *Tx) UpdateGroup(ctx context.Context, g *domain.Group) (err error) {
	if g.Revision, err = tx.record(ctx, domain.KindGroup, g.ID); err != nil {
		return err
	}
	g.UpdatedAt = tx.now
	err = tx.modify(ctx, domain.KindGroup, tx.tx.NewUpdate().Model(g).ExcludeColumn("id", "created_at").WherePK())
	if err != nil {
		return err
	}
	return tx.writeGroupInbounds(ctx, g)
}

func (tx *Tx) writeGroupInbounds(ctx context.Context, g *domain.Group) error {
	g.Inbounds = append([]int64{}, slices.Compact(slices.Sorted(slices.Values(g.Inbounds)))...)
	return tx.rewrite(ctx, groupInbounds, []int64{g.ID}, groupInbounds.rows(g.ID, g.Inbounds))
}

// DeleteGroup removes a group, its members and templates stay; an unknown group is not_found. The one change recorded is
// the group's: who wants a new revision for each member takes them out with ReplaceGroups before.
func (tx *Tx) DeleteGroup(ctx context.Context, id int64) error {
	if _, err := tx.record(ctx, domain.KindGroup, id); err != nil {
		return err
	}
	return tx.modify(ctx, domain.KindGroup, tx.tx.NewDelete().Model((*domain.Group)(nil)).Where("id = ?", id))
}
