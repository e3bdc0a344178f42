package storage_test

import (
	"context"
	"reflect"
	"testing"

	"github.com/sluicehq/sluice/kernel/domain"
	"github.com/sluicehq/sluice/storage"
)

// fullTemplate has a value in every field.
func fullTemplate(groups ...int64) domain.Template {
	return domain.Template{
		Name: "Gold 'x' ?", Quota: ptr(int64(1)), Duration: 2, Prefix: ptr("pre_"), Suffix: ptr("_suf"),
		HasExtra: true, Flow: ptr("flow"), Method: ptr("method"), Hold: true, HoldTimeout: ptr(int64(3)), ResetUsage: true,
		ResetPolicy: "policy", ResetParams: `{"a":"?"}`, Disabled: true, CreatedAt: 4, UpdatedAt: 5, Groups: groups,
	}
}

func TestFullTemplateIsFull(t *testing.T) {
	p := fullTemplate(1)
	p.ID, p.Revision = 1, 1 // what storage fills
	v := reflect.ValueOf(p)
	for i := range v.NumField() {
		if v.Field(i).IsZero() {
			t.Errorf("%s is zero: the suite would not miss its column", v.Type().Field(i).Name)
		}
	}
}

func TestTemplates(t *testing.T) {
	each(t, func(t *testing.T, db *storage.DB) {
		ctx := context.Background()
		equal(t, "none", must(db.Templates(ctx))(t), []domain.Template{})
		red, blue, green := addGroup(t, db, "red").ID, addGroup(t, db, "blue").ID, addGroup(t, db, "green").ID
		full := fullTemplate(blue, red, blue)
		write(t, db, func(tx *storage.Tx) error { return tx.InsertTemplate(ctx, &full) })
		equal(t, "each group once", full.Groups, []int64{blue, red})
		plain := addTemplate(t, db, "plain")
		equal(t, "filled", plain, domain.Template{
			ID: full.ID + 1, Name: "plain", Revision: full.Revision + 1, CreatedAt: noon, UpdatedAt: noon, Groups: []int64{},
		})
		equal(t, "all", must(db.Templates(ctx))(t), []domain.Template{full, plain})
		equal(t, "by id", must(db.Template(ctx, full.ID))(t), full)

		changed := domain.Template{ID: full.ID, Name: "GOLD", CreatedAt: 9, Groups: []int64{green, blue, red, green}}
		write(t, db, func(tx *storage.Tx) error { return tx.UpdateTemplate(ctx, &changed) })
		want := domain.Template{
			ID: full.ID, Name: "GOLD", Revision: plain.Revision + 1, CreatedAt: 4, UpdatedAt: noon, Groups: []int64{green, blue, red},
		}
		equal(t, "cleared", must(db.Template(ctx, full.ID))(t), want)
		equal(t, "filled by the update", []int64{changed.Revision, changed.UpdatedAt}, []int64{want.Revision, noon})

		write(t, db, func(tx *storage.Tx) error { return tx.DeleteGroup(ctx, blue) })
		equal(t, "without a deleted group", must(db.Template(ctx, full.ID))(t).Groups, []int64{green, red})
		equal(t, "changes", must(db.Changes(ctx, full.Revision-1, 9))(t), []domain.Change{
			{Seq: full.Revision, Kind: domain.KindTemplate, ID: full.ID, At: noon},
			{Seq: full.Revision + 1, Kind: domain.KindTemplate, ID: plain.ID, At: noon},
			{Seq: full.Revision + 2, Kind: domain.KindTemplate, ID: full.ID, At: noon},
			{Seq: full.Revision + 3, Kind: domain.KindGroup, ID: blue, At: noon},
		})
	})
}

func TestTemplateErrors(t *testing.T) {
	each(t, func(t *testing.T, db *storage.DB) {
		ctx := context.Background()
		first, second := addTemplate(t, db, "first", addGroup(t, db, "g").ID), addTemplate(t, db, "second")
		none, taken := domain.NotFound("template not found"), domain.Conflict("name", "is already in use")
		group := domain.NotFound("group not found")
		for _, test := range []struct {
			name string
			want *domain.Error
			do   func(tx *storage.Tx) error
		}{
			{"insert", taken, func(tx *storage.Tx) error { return tx.InsertTemplate(ctx, &domain.Template{Name: "first"}) }},
			{"insert an unknown group", group, func(tx *storage.Tx) error {
				return tx.InsertTemplate(ctx, &domain.Template{Name: "x", Groups: []int64{1, 9}})
			}},
			{"update to a name in use", taken, func(tx *storage.Tx) error {
				return tx.UpdateTemplate(ctx, &domain.Template{ID: second.ID, Name: "first"})
			}},
			{"update to an unknown group", group, func(tx *storage.Tx) error {
				return tx.UpdateTemplate(ctx, &domain.Template{ID: second.ID, Name: "x", Groups: []int64{9}})
			}},
			{"update", none, func(tx *storage.Tx) error { return tx.UpdateTemplate(ctx, &domain.Template{ID: 9}) }},
			{"delete", none, func(tx *storage.Tx) error { _, err := tx.DeleteTemplate(ctx, 9); return err }},
			{"by id", none, func(tx *storage.Tx) error { _, err := tx.Template(ctx, 9); return err }},
		} {
			t.Run(test.name, func(t *testing.T) { fails(t, db.Write(ctx, test.do), test.want) })
		}
		equal(t, "all", must(db.Templates(ctx))(t), []domain.Template{first, second})
	})
}

// A template takes along the next plans that name it, and no others.
func TestDeleteTemplate(t *testing.T) {
	each(t, func(t *testing.T, db *storage.DB) {
		ctx := context.Background()
		group := addGroup(t, db, "g").ID
		gone, stays := addTemplate(t, db, "gone", group).ID, addTemplate(t, db, "stays", group).ID
		rows, want := []*storage.NewUser{}, []domain.User{}
		for i, u := range names(addAdmin(t, db, "root").ID, 6) {
			u.HasNextPlan, u.NextQuota, u.NextDuration, u.NextCarriesOver = true, ptr(int64(1)), 2, true
			u.NextTemplate = []*int64{&gone, &stays, nil}[i%3]
			rows = append(rows, &storage.NewUser{User: u})
		}
		write(t, db, func(tx *storage.Tx) error { return tx.InsertUsers(ctx, rows) })
		for _, row := range rows {
			want = append(want, row.User)
		}
		last := must(db.LastChange(ctx))(t)
		var cleared []int64
		write(t, db, func(tx *storage.Tx) (err error) {
			want[3].Note, want[4].Note = "written before", "written before"
			if err := tx.UpdateUsers(ctx, []*domain.User{&want[3], &want[4]}); err != nil {
				return err
			}
			cleared, err = tx.DeleteTemplate(ctx, gone)
			return err
		})
		equal(t, "cleared", cleared, []int64{1, 4})
		want[0].NextPlan, want[3].NextPlan = domain.NextPlan{}, domain.NextPlan{}
		want[0].Revision = last + 4 // after those that were written before and the template
		for i, a := range accounts(t, db) {
			equal(t, "user", a.User, want[i])
		}
		equal(t, "changes", must(db.Changes(ctx, last, 9))(t), []domain.Change{
			{Seq: last + 1, Kind: domain.KindUser, ID: 4, At: noon},
			{Seq: last + 2, Kind: domain.KindUser, ID: 5, At: noon},
			{Seq: last + 3, Kind: domain.KindTemplate, ID: gone, At: noon},
			{Seq: last + 4, Kind: domain.KindUser, ID: 1, At: noon},
		})
		equal(t, "groups left", must(db.Count(ctx, "SELECT count(*) FROM template_groups"))(t), int64(1))
		write(t, db, func(tx *storage.Tx) (err error) { cleared, err = tx.DeleteTemplate(ctx, addedLast(t, tx)); return err })
		equal(t, "cleared by one that nobody waits for", cleared, []int64{})
	})
}

// addedLast is a template that was added in the transaction.
func addedLast(t *testing.T, tx *storage.Tx) int64 {
	t.Helper()
	p := domain.Template{Name: "last"}
	if err := tx.InsertTemplate(context.Background(), &p); err != nil {
		t.Fatal(err)
	}
	return p.ID
}
