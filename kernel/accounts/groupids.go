package accounts

import (
	"context"
	"reflect"
	"slices"

	"github.com/sluicehq/sluice/kernel/domain"
	"github.com/sluicehq/sluice/storage"
)

// GroupByID returns one group.
func (s *Service) GroupByID(ctx context.Context, id int64) (GroupView, error) {
	group, err := s.DB.Group(ctx, id)
	return s.groupView(group), err
}

func (s *Service) groupView(g domain.Group) GroupView {
	return viewGroup(g, s.Directory.GroupTotals()[g.ID])
}

// NewGroup makes a group that lets its users into inbounds, which have to exist.
func (s *Service) NewGroup(ctx context.Context, name string, inbounds []int64, disabled bool) (GroupView, error) {
	group := domain.Group{Name: name, Inbounds: inbounds, Disabled: disabled}
	if err := domain.CheckGroupName(name); err != nil {
		return GroupView{}, err
	}
	err := s.write(ctx, func(tx *storage.Tx) error {
		if err := checkGroup(ctx, tx, &group, ""); err != nil {
			return err
		}
		return tx.InsertGroup(ctx, &group)
	}, func(context.Context) { s.done[group.Revision] = true })
	if err != nil {
		return GroupView{}, err
	}
	return s.groupView(group), nil
}

// checkGroup refuses a name that another group has, and inbounds that there are none of.
func checkGroup(ctx context.Context, tx *storage.Tx, g *domain.Group, oldName string) error {
	slices.Sort(g.Inbounds)
	g.Inbounds = append([]int64{}, slices.Compact(g.Inbounds)...)
	inbounds, err := tx.InboundIDs(ctx)
	if err != nil {
		return err
	}
	if why := unknownInbound(g.Inbounds, inbounds); why != nil {
		return why
	}
	if g.Name == oldName {
		return nil
	}
	return groupNameFree(ctx, tx, g.Name)
}

// UpdateGroup lets edit change the name, the inbounds and the state of a group, and stores it: its users are let in, and
// cut, as it is then. An edit that changes nothing writes nothing.
func (s *Service) UpdateGroup(ctx context.Context, id int64, edit func(*domain.Group) error) (GroupView, error) {
	var group domain.Group
	changed, doors := false, false
	err := s.write(ctx, func(tx *storage.Tx) error {
		before, err := tx.Group(ctx, id)
		if err != nil {
			return err
		}
		group = before
		group.Inbounds = slices.Clone(before.Inbounds)
		if err := edit(&group); err != nil {
			return err
		}
		if err := domain.CheckGroupName(group.Name); err != nil {
			return err
		}
		if err := checkGroup(ctx, tx, &group, before.Name); err != nil {
			return err
		}
		if reflect.DeepEqual(before, group) {
			return nil
		}
		changed, doors = true, before.Disabled != group.Disabled || !slices.Equal(before.Inbounds, group.Inbounds)
		return tx.UpdateGroup(ctx, &group)
	}, func(ctx context.Context) {
		switch {
		case doors:
			s.groupChanged(ctx, group)
		case changed:
			s.done[group.Revision] = true
		}
	})
	if err != nil {
		return GroupView{}, err
	}
	return s.groupView(group), nil
}

// groupChanged makes the directory and the core follow a group whose inbounds are others now.
func (s *Service) groupChanged(ctx context.Context, g domain.Group) {
	members, err := s.DB.GroupMembers(ctx, g.ID)
	if err != nil {
		s.lost("group changed", err)
		return
	}
	if s.reread(ctx, "group changed", members) {
		s.done[g.Revision] = true // else Follow sees to it
	}
}

// DeleteGroups removes groups, all or none; their users stay. It returns their names in the order of ids. One that does not
// exist is not_found.
func (s *Service) DeleteGroups(ctx context.Context, ids []int64) (names []string, err error) {
	var members []int64
	err = s.write(ctx, func(tx *storage.Tx) error {
		names, members = []string{}, nil
		for _, id := range distinct(ids) {
			group, err := tx.Group(ctx, id)
			if err != nil {
				return err
			}
			left, err := deleteGroup(ctx, tx, id)
			if err != nil {
				return err
			}
			names, members = append(names, group.Name), append(members, left...)
		}
		return nil
	}, func(ctx context.Context) { s.reread(ctx, "groups deleted", unique(members)) })
	return names, err
}

// DisableGroups shuts the inbounds of groups for their users, or opens them again; under the rules of DeleteGroups.
func (s *Service) DisableGroups(ctx context.Context, ids []int64, disabled bool) (names []string, err error) {
	var changed []domain.Group
	err = s.write(ctx, func(tx *storage.Tx) error {
		names, changed = []string{}, nil
		for _, id := range distinct(ids) {
			group, err := tx.Group(ctx, id)
			if err != nil {
				return err
			}
			names = append(names, group.Name)
			if group.Disabled == disabled {
				continue
			}
			group.Disabled = disabled
			if err := tx.UpdateGroup(ctx, &group); err != nil {
				return err
			}
			changed = append(changed, group)
		}
		return nil
	}, func(ctx context.Context) {
		for _, g := range changed {
			s.groupChanged(ctx, g)
		}
	})
	return names, err
}

// unique sorts ids and leaves each once.
func unique(ids []int64) []int64 {
	slices.Sort(ids)
	return slices.Compact(ids)
}

// distinct returns ids, each where it comes first; never nil.
func distinct(ids []int64) []int64 {
	seen, once := make(map[int64]bool, len(ids)), make([]int64, 0, len(ids))
	for _, id := range ids {
		if !seen[id] {
			seen[id] = true
			once = append(once, id)
		}
	}
	return once
}
