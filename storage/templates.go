package storage

import (
	"cmp"
	"context"

	"github.com/uptrace/bun"

	"github.com/sluicehq/sluice/kernel/domain"
)

// Templates returns every template in id order.
func (r *Reader) Templates(ctx context.Context) ([]domain.Template, error) {
	return r.templates(ctx, func(*bun.SelectQuery) {})
}

// Template returns a template; none is not_found.
func (r *Reader) Template(ctx context.Context, id int64) (domain.Template, error) {
	all, err := r.templates(ctx, func(q *bun.SelectQuery) { q.Where("id = ?", id) })
	return only(ctx, r, domain.KindTemplate, all, err)
}

func (r *Reader) templates(ctx context.Context, where func(q *bun.SelectQuery)) (all []domain.Template, err error) {
	err = r.snapshot(ctx, "read templates", func(r *Reader) error {
		all, err = selectAll[domain.Template](ctx, r, "read templates", func(q *bun.SelectQuery) { where(q.Order("id")) })
		if err != nil {
			return err
		}
		return r.addTemplateGroups(ctx, all)
	})
	return all, err
}

// addTemplateGroups fills Groups.
func (r *Reader) addTemplateGroups(ctx context.Context, all []domain.Template) error {
	ids := make([]int64, len(all))
	for i := range all {
		ids[i] = all[i].ID
	}
	groups, err := r.lists(ctx, templateGroups, ids)
	for i := range all {
		all[i].Groups = append([]int64{}, groups[ids[i]]...)
	}
	return err
}

// InsertTemplate writes a new template. It fills ID (which must be 0) and Revision, and CreatedAt and UpdatedAt where
// they are 0, and leaves each of Groups in it once. A name in use is a conflict, an unknown group not_found.
func (tx *Tx) InsertTemplate(ctx context.Context, t *domain.Template) error {
	t.CreatedAt = cmp.Or(t.CreatedAt, tx.now)
	t.UpdatedAt = cmp.Or(t.UpdatedAt, tx.now)
	if err := tx.insert(ctx, domain.KindTemplate, &t.ID, &t.Revision, t); err != nil {
		return err
	}
	return tx.writeTemplateGroups(ctx, t)
}

// UpdateTemplate writes every field of a template but its id and its creation. It fills Revision and UpdatedAt, and
// leaves each of Groups in it once. A name in use is a conflict, an unknown template or group not_found.
func (tx *Tx) UpdateTemplate(ctx context.Context, t *domain.Template) (err error) {
	if t.Revision, err = tx.record(ctx, domain.KindTemplate, t.ID); err != nil {
		return err
	}
	t.UpdatedAt = tx.now
	err = tx.modify(ctx, domain.KindTemplate, tx.tx.NewUpdate().Model(t).ExcludeColumn("id", "created_at").WherePK())
	if err != nil {
		return err
	}
	return tx.writeTemplateGroups(ctx, t)
}

func (tx *Tx) writeTemplateGroups(ctx context.Context, t *domain.Template) error {
	t.Groups = distinct(t.Groups)
	return tx.rewrite(ctx, templateGroups, []int64{t.ID}, templateGroups.rows(t.ID, t.Groups))
}

const (
	usersOfNextTemplate = "SELECT id FROM users WHERE next_template = $1 ORDER BY id"
	clearNextPlan       = "has_next_plan = FALSE, next_template = NULL, next_quota = NULL, next_duration = 0, " +
		"next_carries_over = FALSE"
)

// DeleteTemplate removes a template, and the next plan of the users whose plan names it: each of them has a new
// revision. It returns their ids, ascending. An unknown template is not_found.
func (tx *Tx) DeleteTemplate(ctx context.Context, id int64) (userIDs []int64, err error) {
	if _, err := tx.record(ctx, domain.KindTemplate, id); err != nil {
		return nil, err
	}
	userIDs, err = tx.ids(ctx, "read users of template", usersOfNextTemplate, id)
	if err != nil {
		return nil, err
	}
	if err := tx.setOf(ctx, userIDs, clearNextPlan, "next_template = $2", id); err != nil {
		return nil, err
	}
	return userIDs, tx.modify(ctx, domain.KindTemplate,
		tx.tx.NewDelete().Model((*domain.Template)(nil)).Where("id = ?", id))
}
