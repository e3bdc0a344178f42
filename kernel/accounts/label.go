package accounts

import (
	"context"
	"slices"

	"github.com/sluicehq/sluice/kernel/domain"
	"github.com/sluicehq/sluice/storage"
)

// Label makes a group the first one of users, as the group of a client is set; a group of that name is made if there is
// none, and "" takes the first group away. A first group with inbounds stays, behind the new one. Done are those of whom
// that changed something, Idle the others.
func (s *Service) Label(ctx context.Context, names []string, group string, how How) (Report, error) {
	if err := checkLabel(group); err != nil {
		return Report{}, err
	}
	ids, err := s.idsOf(ctx, names)
	if err != nil {
		return Report{}, err
	}
	return s.bulk(ctx, how, "users grouped", ids, func(b *batch) error {
		id, err := (groupsByName{}).find(ctx, b.tx, group)
		if err != nil {
			return err
		}
		groups, err := allDoors(ctx, b.tx)
		if err != nil {
			return err
		}
		err = b.each(ctx, names, ids, func(name string, a *domain.Account) {
			after := groups.labelled(a.Groups, id)
			if slices.Equal(a.Groups, after) {
				b.idle(name)
				return
			}
			b.did(name)
			a.Groups = after
			b.put = append(b.put, s.touched(a))
		})
		if err != nil {
			return err
		}
		if err := b.tx.UpdateUsers(ctx, usersOf(b.put)); err != nil {
			return err
		}
		return b.tx.ReplaceGroups(ctx, b.put)
	})
}

// checkLabel checks the name of the group that a user is to have, "" = none.
func checkLabel(group string) error {
	if group == "" {
		return nil
	}
	return domain.CheckGroupName(group)
}

// relabel makes the group of that name the first one of an account.
func relabel(ctx context.Context, tx *storage.Tx, a *domain.Account, name string) error {
	id, err := (groupsByName{}).find(ctx, tx, name)
	if err != nil {
		return err
	}
	groups, err := doorsOf(ctx, tx, a.Groups)
	if err != nil {
		return err
	}
	return regroup(ctx, tx, a, groups.labelled(a.Groups, id))
}

// labelled puts the group with that id, 0 = none, in the place of the first of the groups, or before it if it has inbounds
// (decisions.md §1.2, groups).
func (d doors) labelled(groups []int64, id int64) []int64 {
	after := []int64{}
	if id != 0 {
		after = append(after, id)
	}
	if len(groups) > 0 && len(d[groups[0]].Inbounds) == 0 {
		groups = groups[1:]
	}
	return append(after, without(groups, id)...)
}

func without(ids []int64, id int64) []int64 {
	return slices.DeleteFunc(slices.Clone(ids), func(other int64) bool { return other == id })
}

// groupsByName remembers the groups that a request has found or made.
type groupsByName map[string]int64

// find returns the id of the group of that name, and makes the group if there is none; 0 for "".
func (g groupsByName) find(ctx context.Context, tx *storage.Tx, name string) (int64, error) {
	if name == "" {
		return 0, nil
	}
	if id, ok := g[name]; ok {
		return id, nil
	}
	group, err := tx.GroupByName(ctx, name)
	if domain.CodeOf(err) == domain.CodeNotFound {
		group = domain.Group{Name: name}
		err = tx.InsertGroup(ctx, &group)
	}
	g[name] = group.ID
	return group.ID, err
}

// of returns the ids of the groups that a new user is to be in.
func (g groupsByName) of(ctx context.Context, tx *storage.Tx, n *NewUser) ([]int64, error) {
	if len(n.GroupNames) == 0 {
		return n.Groups, nil
	}
	ids := make([]int64, len(n.GroupNames))
	for i, name := range n.GroupNames {
		var err error
		if ids[i], err = g.find(ctx, tx, name); err != nil {
			return nil, err
		}
	}
	return ids, nil
}
