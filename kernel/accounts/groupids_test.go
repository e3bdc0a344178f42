package accounts_test

import (
	"context"
	"slices"
	"strings"
	"testing"

	"github.com/sluicehq/sluice/kernel/accounts"
	"github.com/sluicehq/sluice/kernel/domain"
	"github.com/sluicehq/sluice/storage"
)

// ctx keeps tables of what is refused short.
type ctx = context.Context

func TestNewGroup(t *testing.T) {
	b := newDoors(t)
	g, err := b.NewGroup(t.Context(), "fresh", []int64{5, 1, 5}, true)
	if err != nil || g.ID != 4 || !g.Disabled || g.Users != 0 || !slices.Equal(g.Inbounds, []int64{1, 5}) {
		t.Errorf("made %+v, %v", g, err)
	}
	if again, err := b.GroupByID(t.Context(), 4); err != nil || again.Name != "fresh" || !slices.Equal(again.Inbounds, g.Inbounds) {
		t.Errorf("read %+v, %v", again, err)
	}
	if two, err := b.GroupByID(t.Context(), 1); err != nil || two.Users != 1 {
		t.Errorf("read %+v, %v", two, err)
	}
}

func TestGroupsRefuse(t *testing.T) {
	b := newDoors(t)
	make := func(name string, inbounds ...int64) func(ctx) error {
		return func(ctx ctx) error { _, err := b.NewGroup(ctx, name, inbounds, false); return err }
	}
	change := func(id int64, change func(g *domain.Group)) func(ctx) error {
		return func(ctx ctx) error {
			_, err := b.UpdateGroup(ctx, id, func(g *domain.Group) error { change(g); return nil })
			return err
		}
	}
	for _, c := range []struct {
		name  string
		do    func(ctx) error
		code  domain.Code
		field string
		want  string
	}{
		{"no name", make(""), domain.CodeInvalid, "group", "group name is required"},
		{"a long name", make(strings.Repeat("a", 1025)), domain.CodeInvalid, "group", "group name is longer than 1024 bytes"},
		{"a name in use", make("two", 1), domain.CodeConflict, "group", "group already exists: two"},
		{"an unknown inbound", make("new", 1, 9), domain.CodeNotFound, "", "inbound 9: not found"},
		{"an unknown group", change(9, func(*domain.Group) {}), domain.CodeNotFound, "", "group not found"},
		{"a change to no name", change(1, func(g *domain.Group) { g.Name = " " }), domain.CodeInvalid, "group", "group name is required"},
		{"a change to a name in use", change(1, func(g *domain.Group) { g.Name = "four" }), domain.CodeConflict, "group", "group already exists: four"},
		{"a change to an unknown inbound", change(1, func(g *domain.Group) { g.Inbounds = []int64{9} }), domain.CodeNotFound, "", "inbound 9: not found"},
		{"a deletion of which one is unknown", func(ctx ctx) error {
			_, err := b.DeleteGroups(ctx, []int64{1, 9})
			return err
		}, domain.CodeNotFound, "", "group not found"},
		{"a switch of which one is unknown", func(ctx ctx) error {
			_, err := b.DisableGroups(ctx, []int64{1, 9}, true)
			return err
		}, domain.CodeNotFound, "", "group not found"},
	} {
		t.Run(c.name, func(t *testing.T) { b.refused(c.code, c.field, c.want, c.do) })
	}
	b.agree()
}

// An edit that changes nothing writes nothing, and neither does shutting what is shut.
func TestGroupsIdle(t *testing.T) {
	b := newDoors(t)
	before := b.lastChange()
	updateGroup(1, func(g *domain.Group) { g.Inbounds = []int64{2, 1} })(b)
	shutGroups(false, 1, 2, 3)(b)
	if after := b.lastChange(); after != before {
		t.Errorf("change %d after %d", after, before)
	}
}

// Many groups are deleted, or shut, in one transaction, each once, and their names are in the order of the request.
func TestGroupsAtOnce(t *testing.T) {
	b := newDoors(t)
	b.edit("alice", func(v *accounts.UserView) { v.GroupIDs = []int64{2, 3, 1} })
	told := len(b.core.told())
	names, err := b.DisableGroups(t.Context(), []int64{2, 1, 2}, true)
	if err != nil || !slices.Equal(names, []string{"four", "two"}) || b.doors("alice") != "own [3], groups [2 3 1]: [3]" {
		t.Errorf("shut %q, %v, alice %s", names, err, b.doors("alice"))
	}
	names, err = b.DeleteGroups(t.Context(), []int64{3, 1, 3})
	if err != nil || !slices.Equal(names, []string{"label", "two"}) || b.doors("alice") != "own [3], groups [2]: [3]" {
		t.Errorf("deleted %q, %v, alice %s", names, err, b.doors("alice"))
	}
	if got := b.core.told()[told:]; !slices.Equal(got, []string{"user 1 [3]", "user 1 [3]", "user 1 [3]"}) { // once for each shut group
		t.Errorf("effects %q", got)
	}
	b.agree()
}

// What another process does to groups is followed, whatever this one does to them at the same time.
func TestFollowGroups(t *testing.T) {
	shut := func(ctx ctx, id int64) func(tx *storage.Tx) error {
		return func(tx *storage.Tx) error {
			g, err := tx.Group(ctx, id)
			if err != nil {
				return err
			}
			g.Disabled = true
			return tx.UpdateGroup(ctx, &g)
		}
	}
	rename := updateGroup(1, func(g *domain.Group) { g.Name = "too" })
	for _, c := range []struct {
		name string
		do   func(b *bench, n neighbour)
		told []string // when this process follows
	}{
		{"shut", func(_ *bench, n neighbour) { n.write(shut(t.Context(), 1)) }, []string{"user 1 [3]"}},
		{"deleted", func(_ *bench, n neighbour) {
			n.write(func(tx *storage.Tx) error {
				a, err := tx.Account(t.Context(), 1)
				if err != nil {
					return err
				}
				a.Groups = []int64{}
				if err := tx.ReplaceGroups(t.Context(), []domain.Account{a}); err != nil {
					return err
				}
				return tx.DeleteGroup(t.Context(), 1)
			})
		}, []string{"user 1 [3]"}},
		{"a strange one", func(_ *bench, n neighbour) { n.write(shut(t.Context(), 2)) }, nil},
		{"shut, and renamed here", func(b *bench, n neighbour) { n.write(shut(t.Context(), 1)); rename(b) }, []string{"user 1 [3]"}},
		{"shut, and renamed to the same here", func(b *bench, n neighbour) {
			n.write(shut(t.Context(), 1))
			if _, err := b.RenameGroup(t.Context(), "two", "two"); err != nil {
				t.Error(err)
			}
			updateGroup(1, func(*domain.Group) {})(b)
		}, []string{"user 1 [3]"}},
		{"renamed here, and shut", func(b *bench, n neighbour) { rename(b); n.write(shut(t.Context(), 1)) }, []string{"user 1 [3]"}},
		{"all is done here", func(b *bench, _ neighbour) {
			shutGroups(true, 1, 2)(b)
			rename(b)
			b.group("new", 1)
			shutGroups(false, 1)(b)
			if _, err := b.RenameGroup(t.Context(), "too", "three"); err != nil {
				t.Error(err)
			}
			if err := b.ResetGroup(t.Context(), "three"); err != nil {
				t.Error(err)
			}
			if _, err := b.DeleteGroups(t.Context(), []int64{1}); err != nil {
				t.Error(err)
			}
		}, nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			b := newDoors(t)
			b.FollowFrom(b.lastChange())
			c.do(b, b.neighbour())
			told := len(b.core.told())
			b.follow()
			if got := b.core.told()[told:]; !slices.Equal(got, c.told) {
				t.Errorf("effects\n got %q\nwant %q", got, c.told)
			}
			b.agree()
		})
	}
}
