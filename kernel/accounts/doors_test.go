package accounts_test

import (
	"fmt"
	"slices"
	"testing"

	"github.com/sluicehq/sluice/kernel/accounts"
	"github.com/sluicehq/sluice/kernel/domain"
	"github.com/sluicehq/sluice/storage"
)

// group makes a group that lets into inbounds.
func (b *bench) group(name string, inbounds ...int64) int64 {
	b.t.Helper()
	g, err := b.NewGroup(b.t.Context(), name, inbounds, false)
	if err != nil {
		b.t.Fatalf("make the group %s: %v", name, err)
	}
	return g.ID
}

// newDoors has the inbounds 1 to 5, the groups 1 "two" with the inbounds 1 and 2, 2 "four" with inbound 4, and 3 "label"
// with none, and alice in 1, with inbound 3 of her own.
func newDoors(t *testing.T) *bench {
	t.Helper()
	b := newBench(t)
	b.inbounds(5)
	b.group("two", 1, 2)
	b.group("four", 4)
	b.group("label")
	n := b.user("alice")
	n.Inbounds, n.Groups = []int64{3}, []int64{1, 1} // once is enough
	b.create(n)
	return b
}

// doors are what a user is let into by itself and by its groups, and what follows.
func (b *bench) doors(name string) string {
	b.t.Helper()
	user, err := b.db.UserByName(b.t.Context(), name)
	if err != nil {
		b.t.Fatal(err)
	}
	a, err := b.db.Account(b.t.Context(), user.ID)
	if err != nil {
		b.t.Fatal(err)
	}
	return fmt.Sprintf("own %v, groups %v: %v", a.Direct, a.Groups, a.Inbounds)
}

func updateGroup(id int64, change func(g *domain.Group)) step {
	return func(b *bench) {
		b.t.Helper()
		if _, err := b.UpdateGroup(b.t.Context(), id, func(g *domain.Group) error { change(g); return nil }); err != nil {
			b.t.Fatal(err)
		}
	}
}

func shutGroups(shut bool, ids ...int64) step {
	return func(b *bench) {
		b.t.Helper()
		if _, err := b.DisableGroups(b.t.Context(), ids, shut); err != nil {
			b.t.Fatal(err)
		}
	}
}

func join(groups ...int64) step { return edits(func(v *accounts.UserView) { v.GroupIDs = groups }) }

// Whatever lets alice in or not, she is where she and her open groups are let in, and the directory and the core know.
func TestEffectiveInbounds(t *testing.T) {
	for _, c := range []struct {
		name  string
		steps []step
		want  string
		told  []string
	}{
		{"made", nil, "own [3], groups [1]: [1 2 3]", nil},
		{"her group is shut", []step{shutGroups(true, 1)}, "own [3], groups [1]: [3]", []string{"user 1 [3]"}},
		{"and opened", []step{shutGroups(true, 1), shutGroups(false, 1)}, "own [3], groups [1]: [1 2 3]", []string{"user 1 [3]", "user 1 [1 2 3]"}},
		{"it was open", []step{shutGroups(false, 1)}, "own [3], groups [1]: [1 2 3]", nil},
		{"a strange group is shut", []step{shutGroups(true, 2)}, "own [3], groups [1]: [1 2 3]", nil},
		{
			"her group has others",
			[]step{updateGroup(1, func(g *domain.Group) { g.Inbounds = []int64{5, 3, 5} })},
			"own [3], groups [1]: [3 5]",
			[]string{"user 1 [3 5]"},
		},
		{"her group has none", []step{updateGroup(1, func(g *domain.Group) { g.Inbounds = nil })}, "own [3], groups [1]: [3]", []string{"user 1 [3]"}},
		{"her group is renamed", []step{updateGroup(1, func(g *domain.Group) { g.Name = "too" })}, "own [3], groups [1]: [1 2 3]", nil},
		{"an edit of nothing", []step{updateGroup(1, func(g *domain.Group) { g.Inbounds = []int64{2, 1, 2} })}, "own [3], groups [1]: [1 2 3]", nil},
		{"another group too", []step{join(2, 1, 2)}, "own [3], groups [2 1]: [1 2 3 4]", []string{"user 1 [1 2 3 4]"}},
		{"another order", []step{join(1, 2), join(2, 1)}, "own [3], groups [2 1]: [1 2 3 4]", []string{"user 1 [1 2 3 4]", "user 1 [1 2 3 4]"}},
		{"the same again", []step{join(1, 1)}, "own [3], groups [1]: [1 2 3]", nil},
		{"no group", []step{join()}, "own [3], groups []: [3]", []string{"user 1 [3]"}},
		{"two groups have it, one is shut", []step{
			updateGroup(2, func(g *domain.Group) { g.Inbounds = []int64{2, 4} }), join(1, 2), shutGroups(true, 1),
		}, "own [3], groups [1 2]: [2 3 4]", []string{"user 1 [1 2 3 4]", "user 1 [2 3 4]"}},
		{"her group is deleted", []step{func(b *bench) {
			if _, err := b.DeleteGroups(b.t.Context(), []int64{1}); err != nil {
				b.t.Fatal(err)
			}
		}}, "own [3], groups []: [3]", []string{"user 1 [3]"}},
		{"her group is deleted by name", []step{func(b *bench) {
			if n, err := b.DeleteGroup(b.t.Context(), "two"); n != 1 || err != nil {
				b.t.Fatal(n, err)
			}
		}}, "own [3], groups []: [3]", []string{"user 1 [3]"}},
		{"an inbound of her group is deleted", []step{func(b *bench) {
			if err := b.DeleteInbound(b.t.Context(), 2); err != nil {
				b.t.Fatal(err)
			}
		}}, "own [3], groups [1]: [1 3]", []string{"no inbound 2", "user 1 [1 3]", "reload"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			b := newDoors(t)
			for _, s := range c.steps {
				s(b)
			}
			if got := b.doors("alice"); got != c.want {
				t.Errorf("alice\n got %s\nwant %s", got, c.want)
			}
			b.core.wantTold(t, append([]string{"user 1 [1 2 3]"}, c.told...)...)
			b.agree()
		})
	}
}

// Who speaks of all the inbounds of a user changes its own: what a group gives never becomes its own, and can not be taken.
func TestWantedInbounds(t *testing.T) {
	wants := func(ids ...int64) step { return edits(func(v *accounts.UserView) { v.Inbounds = ids }) }
	detach := func(ids ...int64) step {
		return func(b *bench) {
			if _, err := b.Detach(b.t.Context(), []string{"alice"}, ids, accounts.How{}); err != nil {
				b.t.Fatal(err)
			}
		}
	}
	for _, c := range []struct {
		name  string
		steps []step
		want  string
	}{
		{"the same", []step{wants(3, 1, 2)}, "own [3], groups [1]: [1 2 3]"},
		{"one more", []step{wants(1, 2, 3, 4)}, "own [3 4], groups [1]: [1 2 3 4]"},
		{"without her own", []step{wants(1, 2)}, "own [], groups [1]: [1 2]"},
		{"another of her own", []step{wants(1, 2, 5)}, "own [5], groups [1]: [1 2 5]"},
		{"attached where her group is", []step{func(b *bench) {
			r, err := b.Attach(b.t.Context(), []string{"alice"}, []int64{1}, accounts.How{})
			if err != nil || !slices.Equal(r.Idle, []string{"alice"}) {
				b.t.Errorf("%+v, %v", r, err)
			}
		}}, "own [3], groups [1]: [1 2 3]"},
		{"detached from her own", []step{detach(3)}, "own [], groups [1]: [1 2]"},
		{"with a group that gives one more", []step{edits(func(v *accounts.UserView) {
			v.Group, v.Inbounds = "four", []int64{1, 2, 3, 5}
		})}, "own [3 5], groups [2 1]: [1 2 3 4 5]"},
		{"with a group that gives what is wanted", []step{edits(func(v *accounts.UserView) {
			v.Group, v.Inbounds = "four", []int64{1, 2, 3, 4}
		})}, "own [3], groups [2 1]: [1 2 3 4]"},
		{"shown, and then shut", []step{func(b *bench) {
			b.edit("alice", func(v *accounts.UserView) {
				shutGroups(true, 1)(b)
				v.Inbounds = []int64{1, 2, 3, 4}
			})
		}}, "own [3 4], groups [1]: [3 4]"},
		{"shown, and then the group has more", []step{func(b *bench) {
			b.edit("alice", func(v *accounts.UserView) {
				updateGroup(1, func(g *domain.Group) { g.Inbounds = []int64{1, 2, 5} })(b)
				v.Inbounds = []int64{1, 2, 3, 4}
			})
		}}, "own [3 4], groups [1]: [1 2 3 4 5]"},
		{"what she has twice stays while a group gives it", []step{
			shutGroups(true, 1), wants(1, 3), shutGroups(false, 1), shutGroups(true, 1),
		}, "own [1 3], groups [1]: [1 3]"},
	} {
		t.Run(c.name, func(t *testing.T) {
			b := newDoors(t)
			for _, s := range c.steps {
				s(b)
			}
			if got := b.doors("alice"); got != c.want {
				t.Errorf("alice\n got %s\nwant %s", got, c.want)
			}
			b.agree()
		})
	}
}

// What comes with a group is not taken from a user, and the error says whose it is.
func TestInboundsOfGroupsStay(t *testing.T) {
	const why = `inbound 2 comes with the group "two" and can not be detached`
	b := newDoors(t)
	b.refused(domain.CodeConflict, "", why, func(ctx ctx) error {
		_, err := b.UpdateUser(ctx, "alice", func(v *accounts.UserView) error { v.Inbounds = []int64{1, 3}; return nil })
		return err
	})
	report, err := b.Detach(t.Context(), []string{"alice"}, []int64{2, 3}, accounts.How{})
	if _, skipped := lists(report); err != nil || !slices.Equal(skipped, []string{"alice: " + why}) || report.Count != 0 {
		t.Errorf("%+v, %v", report, err)
	}
	b.refused(domain.CodeConflict, "settings.clients", "settings.clients must go on to name alice: "+why, func(ctx ctx) error {
		_, err := b.UpdateInboundWith(ctx, 2, func(*domain.Inbound) error { return nil }, nil)
		return err
	})
	if got := b.doors("alice"); got != "own [3], groups [1]: [1 2 3]" {
		t.Errorf("alice: %s", got)
	}
}

// The one group of a 3x-ui client is the first of its groups; one with inbounds is not pushed out by it.
func TestLabelBesideGroups(t *testing.T) {
	label := func(name string) step {
		return func(b *bench) {
			if _, err := b.Label(b.t.Context(), []string{"alice"}, name, accounts.How{}); err != nil {
				b.t.Fatal(err)
			}
		}
	}
	relabel := func(name string) step { return edits(func(v *accounts.UserView) { v.Group = name }) }
	for _, set := range []struct {
		how   string
		label func(string) step
	}{{"many", label}, {"one", relabel}} {
		for _, c := range []struct {
			name   string
			labels []string
			want   string
		}{
			{"in front of a group with inbounds", []string{"label"}, "own [3], groups [3 1]: [1 2 3]"},
			{"in the place of one without", []string{"label", "new"}, "own [3], groups [4 1]: [1 2 3]"},
			{"one with inbounds", []string{"four"}, "own [3], groups [2 1]: [1 2 3 4]"},
			{"the same", []string{"two"}, "own [3], groups [1]: [1 2 3]"},
			{"one that she is in already", []string{"label", "two"}, "own [3], groups [1]: [1 2 3]"},
			{"none instead of one without inbounds", []string{"label", ""}, "own [3], groups [1]: [1 2 3]"},
			{"none instead of one with inbounds", []string{""}, "own [3], groups [1]: [1 2 3]"},
		} {
			t.Run(set.how+"/"+c.name, func(t *testing.T) {
				b := newDoors(t)
				for _, name := range c.labels {
					set.label(name)(b)
				}
				if got := b.doors("alice"); got != c.want {
					t.Errorf("alice\n got %s\nwant %s", got, c.want)
				}
				b.agree()
			})
		}
	}
}

// A user that is there is attached to what it does not have yet: what its group gives is nothing new.
func TestAttachBesideGroups(t *testing.T) {
	b := newDoors(t)
	again := b.user("alice")
	b.edit("alice", func(v *accounts.UserView) { v.SubID = "hers" })
	again.SubID, again.Inbounds = "hers", []int64{2, 4}
	b.create(again)
	if got := b.doors("alice"); got != "own [3 4], groups [1]: [1 2 3 4]" {
		t.Errorf("alice: %s", got)
	}
	b.agree()
}

// A group that is gone when a user is to be put into it is named, and nothing is left of the user.
func TestUnknownGroup(t *testing.T) {
	b := newDoors(t)
	b.write(func(tx *storage.Tx) error { return tx.DeleteGroup(t.Context(), 3) })
	b.refused(domain.CodeNotFound, "", "group not found", func(ctx ctx) error {
		n := b.user("bob")
		n.Groups = []int64{1, 3}
		_, err := b.CreateUser(ctx, n, nil)
		return err
	})
	b.refused(domain.CodeNotFound, "", "group not found", func(ctx ctx) error {
		_, err := b.UpdateUser(ctx, "alice", func(v *accounts.UserView) error { v.GroupIDs = []int64{3}; return nil })
		return err
	})
	b.agree()
}
