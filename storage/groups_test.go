package storage_test

import (
	"context"
	"testing"

	"github.com/sluicehq/sluice/kernel/domain"
	"github.com/sluicehq/sluice/storage"
)

func TestGroups(t *testing.T) {
	each(t, func(t *testing.T, db *storage.DB) {
		ctx := context.Background()
		a, b, c := addInbound(t, db, "a").ID, addInbound(t, db, "b").ID, addInbound(t, db, "c").ID
		last := must(db.LastChange(ctx))(t)
		equal(t, "none", must(db.Groups(ctx))(t), []domain.Group{})
		equal(t, "no names", must(db.GroupNames(ctx))(t), map[int64]string{})
		full := domain.Group{
			Name: "Ålice's 'friends' ?", Disabled: true, BaseUp: 1, BaseDown: 2, CreatedAt: 3, UpdatedAt: 4, Inbounds: []int64{c, a, c},
		}
		write(t, db, func(tx *storage.Tx) error { return tx.InsertGroup(ctx, &full) })
		equal(t, "sorted", full.Inbounds, []int64{a, c})
		plain := addGroup(t, db, "plain")
		equal(t, "filled", plain, domain.Group{
			ID: full.ID + 1, Name: "plain", Revision: full.Revision + 1, CreatedAt: noon, UpdatedAt: noon, Inbounds: []int64{},
		})
		equal(t, "all", must(db.Groups(ctx))(t), []domain.Group{full, plain})
		equal(t, "names", must(db.GroupNames(ctx))(t), map[int64]string{full.ID: full.Name, plain.ID: "plain"})
		equal(t, "by id", must(db.Group(ctx, full.ID))(t), full)
		equal(t, "by name", must(db.GroupByName(ctx, full.Name))(t), full)
		equal(t, "of ids", must(db.GroupsOf(ctx, []int64{plain.ID, 99, full.ID}))(t), []domain.Group{full, plain})
		equal(t, "of one id", must(db.GroupsOf(ctx, []int64{plain.ID}))(t), []domain.Group{plain})
		equal(t, "of no id", must(db.GroupsOf(ctx, nil))(t), []domain.Group{})

		changed := full
		changed.Name, changed.BaseUp, changed.BaseDown, changed.CreatedAt = "PLAIN", 5, 6, 7
		changed.Disabled, changed.Inbounds = false, []int64{b, a}
		write(t, db, func(tx *storage.Tx) error { return tx.UpdateGroup(ctx, &changed) })
		equal(t, "stored", must(db.GroupByName(ctx, "PLAIN"))(t), domain.Group{
			ID: full.ID, Name: "PLAIN", BaseUp: 5, BaseDown: 6, Revision: plain.Revision + 1, CreatedAt: 3, UpdatedAt: noon,
			Inbounds: []int64{a, b},
		})
		equal(t, "revision", changed.Revision, plain.Revision+1)
		equal(t, "sorted too", changed.Inbounds, []int64{a, b})
		write(t, db, func(tx *storage.Tx) error { _, err := tx.DeleteInbound(ctx, a); return err })
		equal(t, "without a deleted inbound", must(db.Group(ctx, full.ID))(t).Inbounds, []int64{b})
		write(t, db, func(tx *storage.Tx) error { return tx.DeleteGroup(ctx, full.ID) })
		equal(t, "left", must(db.Groups(ctx))(t), []domain.Group{plain})
		equal(t, "inbounds left", must(db.Count(ctx, "SELECT count(*) FROM group_inbounds"))(t), int64(0))
		equal(t, "changes", must(db.Changes(ctx, last, 9))(t), []domain.Change{
			{Seq: last + 1, Kind: domain.KindGroup, ID: full.ID, At: noon},
			{Seq: last + 2, Kind: domain.KindGroup, ID: plain.ID, At: noon},
			{Seq: last + 3, Kind: domain.KindGroup, ID: full.ID, At: noon},
			{Seq: last + 4, Kind: domain.KindInbound, ID: a, At: noon},
			{Seq: last + 5, Kind: domain.KindGroup, ID: full.ID, At: noon},
		})
	})
}

func TestGroupErrors(t *testing.T) {
	each(t, func(t *testing.T, db *storage.DB) {
		ctx := context.Background()
		first, second := addGroup(t, db, "first"), addGroup(t, db, "second")
		none, taken := domain.NotFound("group not found"), domain.Conflict("name", "is already in use")
		inbound := domain.NotFound("inbound not found")
		second.Name = "first"
		for _, test := range []struct {
			name string
			want *domain.Error
			do   func(tx *storage.Tx) error
		}{
			{"insert", taken, func(tx *storage.Tx) error { return tx.InsertGroup(ctx, &domain.Group{Name: "first"}) }},
			{"update to a name in use", taken, func(tx *storage.Tx) error { return tx.UpdateGroup(ctx, ptr(second)) }},
			{"insert an unknown inbound", inbound, func(tx *storage.Tx) error {
				return tx.InsertGroup(ctx, &domain.Group{Name: "x", Inbounds: []int64{9}})
			}},
			{"update an unknown inbound", inbound, func(tx *storage.Tx) error {
				return tx.UpdateGroup(ctx, &domain.Group{ID: first.ID, Name: "x", Inbounds: []int64{9}})
			}},
			{"update", none, func(tx *storage.Tx) error { return tx.UpdateGroup(ctx, &domain.Group{ID: 9}) }},
			{"delete", none, func(tx *storage.Tx) error { return tx.DeleteGroup(ctx, 9) }},
			{"by id", none, func(tx *storage.Tx) error { _, err := tx.Group(ctx, 9); return err }},
			{"by name", none, func(tx *storage.Tx) error { _, err := tx.GroupByName(ctx, "FIRST"); return err }},
		} {
			t.Run(test.name, func(t *testing.T) { fails(t, db.Write(ctx, test.do), test.want) })
		}
		equal(t, "first", must(db.Group(ctx, first.ID))(t), first)
	})
}

// A group and a user take the membership along, and nothing else.
func TestGroupMembers(t *testing.T) {
	each(t, func(t *testing.T, db *storage.DB) {
		ctx := context.Background()
		users := addUsers(t, db, addAdmin(t, db, "root").ID, 3)
		red, blue := addGroup(t, db, "red").ID, addGroup(t, db, "blue").ID
		write(t, db, func(tx *storage.Tx) error {
			return tx.ReplaceGroups(ctx, []domain.Account{
				{User: users[2], Groups: []int64{red, blue}}, {User: users[0], Groups: []int64{blue, red}}, {User: users[1], Groups: []int64{red}},
			})
		})
		equal(t, "red", must(db.GroupMembers(ctx, red))(t), []int64{1, 2, 3})
		equal(t, "blue", must(db.GroupMembers(ctx, blue))(t), []int64{1, 3})
		equal(t, "unknown", must(db.GroupMembers(ctx, 9))(t), []int64{})

		write(t, db, func(tx *storage.Tx) error { return tx.DeleteUser(ctx, users[2].ID) })
		equal(t, "red without the user", must(db.GroupMembers(ctx, red))(t), []int64{1, 2})
		write(t, db, func(tx *storage.Tx) error { return tx.DeleteGroup(ctx, red) })
		equal(t, "members of nothing", must(db.GroupMembers(ctx, red))(t), []int64{})
		equal(t, "groups of a member", must(db.UserGroups(ctx, users[0].ID))(t), []int64{blue})
		equal(t, "users", len(accounts(t, db)), 2)
	})
}
