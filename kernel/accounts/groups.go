package accounts

import (
	"cmp"
	"context"
	"slices"
	"strings"

	"github.com/sluicehq/sluice/kernel/directory"
	"github.com/sluicehq/sluice/kernel/domain"
	"github.com/sluicehq/sluice/storage"
)

// GroupView is a group with what its users moved since its count was reset.
type GroupView struct {
	domain.Group
	Users    int
	Up, Down int64 // bytes, as of the last flush; never below 0
}

func viewGroup(g domain.Group, t directory.GroupTotal) GroupView {
	return GroupView{g, t.Users, max(t.Up-g.BaseUp, 0), max(t.Down-g.BaseDown, 0)}
}

// Groups returns every group, in the order of names without regard to case.
func (s *Service) Groups(ctx context.Context) ([]GroupView, error) {
	groups, err := s.DB.Groups(ctx)
	if err != nil {
		return nil, err
	}
	totals := s.Directory.GroupTotals()
	views := make([]GroupView, len(groups))
	for i, g := range groups {
		views[i] = viewGroup(g, totals[g.ID])
	}
	slices.SortFunc(views, func(a, b GroupView) int {
		return cmp.Or(cmp.Compare(strings.ToLower(a.Name), strings.ToLower(b.Name)), cmp.Compare(a.Name, b.Name))
	})
	return views, nil
}

// GroupMembers returns the names of a group's users in alphabetical order, none for a group that does not exist.
func (s *Service) GroupMembers(ctx context.Context, name string) ([]string, error) {
	names := []string{}
	if domain.CheckGroupName(name) != nil {
		return names, nil
	}
	group, err := s.DB.GroupByName(ctx, name)
	if domain.CodeOf(err) == domain.CodeNotFound {
		return names, nil
	}
	if err != nil {
		return nil, err
	}
	members, err := s.DB.GroupMembers(ctx, group.ID)
	if err != nil {
		return nil, err
	}
	for _, id := range members {
		if r, known := s.Directory.ByID(id); known {
			names = append(names, r.Username)
		}
	}
	slices.Sort(names)
	return names, nil
}

// groupNameFree refuses a name that a group has.
func groupNameFree(ctx context.Context, tx *storage.Tx, name string) error {
	switch _, err := tx.GroupByName(ctx, name); {
	case err == nil:
		return domain.Conflict("group", "already exists: "+name)
	case domain.CodeOf(err) != domain.CodeNotFound:
		return err
	}
	return nil
}

func unknownGroup(name string) *domain.Error { return domain.NotFound("group not found: " + name) }

// CreateGroup makes a group without users and inbounds.
func (s *Service) CreateGroup(ctx context.Context, name string) error {
	_, err := s.NewGroup(ctx, name, nil, false)
	return err
}

// RenameGroup gives a group another name and returns how many users it has. The same name is no change.
func (s *Service) RenameGroup(ctx context.Context, oldName, newName string) (users int, err error) {
	if err := domain.CheckGroupName(newName); err != nil {
		return 0, err
	}
	var renamed int64 // the revision of that
	err = s.write(ctx, func(tx *storage.Tx) error {
		group, err := groupNamed(ctx, tx, oldName)
		if err != nil || oldName == newName {
			return err
		}
		if err := groupNameFree(ctx, tx, newName); err != nil {
			return err
		}
		group.Name = newName
		users = s.Directory.GroupTotals()[group.ID].Users
		err = tx.UpdateGroup(ctx, &group)
		renamed = group.Revision
		return err
	}, func(context.Context) { s.done[renamed] = true })
	return users, err
}

// DeleteGroup removes a group and returns how many users it had; they stay.
func (s *Service) DeleteGroup(ctx context.Context, name string) (users int, err error) {
	var members []int64
	err = s.write(ctx, func(tx *storage.Tx) error {
		group, err := groupNamed(ctx, tx, name)
		if err != nil {
			return err
		}
		members, err = deleteGroup(ctx, tx, group.ID)
		return err
	}, func(ctx context.Context) { s.reread(ctx, "group deleted", members) })
	return len(members), err
}

// deleteGroup takes the users out of a group, for each of whom that is a change, and removes it.
func deleteGroup(ctx context.Context, tx *storage.Tx, id int64) (members []int64, err error) {
	if members, err = tx.GroupMembers(ctx, id); err != nil {
		return nil, err
	}
	for some := range slices.Chunk(members, accountBatch) {
		accounts, err := tx.Accounts(ctx, some)
		if err != nil {
			return nil, err
		}
		for i := range accounts {
			accounts[i].Groups = without(accounts[i].Groups, id)
		}
		if err := tx.ReplaceGroups(ctx, accounts); err != nil {
			return nil, err
		}
	}
	return members, tx.DeleteGroup(ctx, id)
}

// ResetGroup makes a group's own count begin anew; its users keep theirs.
func (s *Service) ResetGroup(ctx context.Context, name string) error {
	if err := s.flush(ctx); err != nil {
		return err
	}
	var group domain.Group
	return s.write(ctx, func(tx *storage.Tx) (err error) {
		if group, err = groupNamed(ctx, tx, name); err != nil {
			return err
		}
		total := s.Directory.GroupTotals()[group.ID]
		group.BaseUp, group.BaseDown = total.Up, total.Down
		return tx.UpdateGroup(ctx, &group)
	}, func(context.Context) { s.done[group.Revision] = true })
}

func groupNamed(ctx context.Context, tx *storage.Tx, name string) (domain.Group, error) {
	if err := domain.CheckGroupName(name); err != nil {
		return domain.Group{}, err
	}
	group, err := tx.GroupByName(ctx, name)
	if domain.CodeOf(err) == domain.CodeNotFound {
		return group, unknownGroup(name).Because(err)
	}
	return group, err
}
