package accounts

import (
	"context"
	"fmt"

	"github.com/sluicehq/sluice/kernel/directory"
	"github.com/sluicehq/sluice/kernel/domain"
	"github.com/sluicehq/sluice/storage"
)

// owns refuses another admin's user as if there were none: sudo admins have all (decisions.md §1.3).
func (p Principal) owns(u *domain.User) error {
	if p.Admin.Sudo || u.AdminID == p.Admin.ID {
		return nil
	}
	return errUnknown
}

// OwnedView is a user with the name of its admin.
type OwnedView struct {
	UserView
	Owner string
}

// ownedView is an account with the name of its admin, without the names of groups and what is external: dialects with owners
// do not show them.
func (s *Service) ownedView(ctx context.Context, a domain.Account) (OwnedView, error) {
	now := s.now()
	admin, err := s.DB.AdminByID(ctx, a.User.AdminID)
	return OwnedView{UserView{
		User: a.User, Traffic: a.Traffic, Status: a.User.StatusAt(now, a.Traffic.Used()), Now: now,
		Inbounds: a.Inbounds, GroupIDs: append([]int64{}, a.Groups...),
	}, admin.Username}, err
}

func (s *Service) owned(ctx context.Context, v UserView, err error) (OwnedView, error) {
	if err != nil {
		return OwnedView{}, err
	}
	admin, err := s.DB.AdminByID(ctx, v.AdminID)
	return OwnedView{v, admin.Username}, err
}

// ownedUser is the user of that name if it is one of who's.
func (s *Service) ownedUser(ctx context.Context, who Principal, name string) (domain.User, error) {
	user, err := s.DB.UserByName(ctx, name)
	if err == nil {
		err = who.owns(&user)
	}
	return user, err
}

// UserOf is User for who: another admin's user is not found, here and in the functions like it, but by a sudo admin.
func (s *Service) UserOf(ctx context.Context, who Principal, name string) (OwnedView, error) {
	user, err := s.ownedUser(ctx, who, name)
	if err != nil {
		return OwnedView{}, err
	}
	accounts, err := s.counted(func() ([]domain.Account, error) { return s.DB.Accounts(ctx, []int64{user.ID}) })
	switch {
	case err != nil:
		return OwnedView{}, err
	case len(accounts) == 0: // deleted just now
		return OwnedView{}, errUnknown
	}
	return s.ownedView(ctx, accounts[0])
}

// CreateUserOf is CreateUser of a user of who's.
func (s *Service) CreateUserOf(ctx context.Context, who Principal, n NewUser) (OwnedView, error) {
	n.AdminID = who.Admin.ID
	v, err := s.CreateUser(ctx, n, nil)
	return s.owned(ctx, v, err)
}

// UpdateUserOf is UpdateUser for who.
func (s *Service) UpdateUserOf(ctx context.Context, who Principal, name string, edit func(*UserView) error) (OwnedView, error) {
	v, err := s.UpdateUser(ctx, name, func(v *UserView) error {
		if err := who.owns(&v.User); err != nil {
			return err
		}
		return edit(v)
	})
	return s.owned(ctx, v, err)
}

// DeleteUserOf is DeleteUser for who.
func (s *Service) DeleteUserOf(ctx context.Context, who Principal, name string) error {
	user, err := s.ownedUser(ctx, who, name)
	if err != nil {
		return err
	}
	_, err = s.DeleteUsersOf(ctx, who, []int64{user.ID})
	return err
}

// SetOwner gives a user to the admin of that name.
func (s *Service) SetOwner(ctx context.Context, who Principal, name, admin string) (OwnedView, error) {
	to, err := s.DB.AdminByName(ctx, admin)
	if err != nil {
		return OwnedView{}, err
	}
	return s.UpdateUserOf(ctx, who, name, func(v *UserView) error {
		v.AdminID = to.ID
		return nil
	})
}

// UsageOf returns what a user moved in each hour that starts at from or later and before to (ms UTC), with what is not
// stored yet.
func (s *Service) UsageOf(ctx context.Context, who Principal, name string, from, to int64) ([]domain.HourUsage, error) {
	user, err := s.ownedUser(ctx, who, name)
	if err != nil {
		return nil, err
	}
	return s.HourlyUsage(ctx, user.ID, from, to)
}

// HourlyUsage is UsageOf by id, for whoever may see it.
func (s *Service) HourlyUsage(ctx context.Context, userID, from, to int64) ([]domain.HourUsage, error) {
	if err := s.flush(ctx); err != nil {
		return nil, err
	}
	return s.DB.HourlyUsage(ctx, userID, from, to)
}

// SubFetchesOf returns the last fetches of a user's subscription, the newest first, and how many are known.
func (s *Service) SubFetchesOf(ctx context.Context, who Principal, name string, offset, limit int) ([]domain.Fetch, int, error) {
	user, err := s.ownedUser(ctx, who, name)
	if err != nil {
		return nil, 0, err
	}
	return s.DB.SubFetches(ctx, user.ID, offset, limit)
}

// GroupsOf is Groups for who: but by a sudo admin, only who's own users are counted, and what they moved is left out.
func (s *Service) GroupsOf(ctx context.Context, who Principal) ([]GroupView, error) {
	views, err := s.Groups(ctx)
	for i, g := range views {
		views[i] = s.groupOf(who, g)
	}
	return views, err
}

// GroupOf is GroupByID under the rule of GroupsOf.
func (s *Service) GroupOf(ctx context.Context, who Principal, id int64) (GroupView, error) {
	g, err := s.GroupByID(ctx, id)
	return s.groupOf(who, g), err
}

func (s *Service) groupOf(who Principal, g GroupView) GroupView {
	if who.Admin.Sudo {
		return g
	}
	own := s.Directory.Page(s.now(), who.mine(directory.Query{AnyGroups: []int64{g.ID}}))
	return GroupView{Group: g.Group, Users: own.Filtered}
}

// room is how many more users an admin may have.
type room struct {
	limit *int // domain.Admin.UserLimit
	left  int  // below 0 = it has more than that already
}

func roomOf(ctx context.Context, tx *storage.Tx, adminID int64) (*room, error) {
	admin, err := tx.AdminByID(ctx, adminID)
	if err != nil || admin.UserLimit == nil {
		return &room{}, err
	}
	has, err := tx.UserCountOfAdmin(ctx, adminID)
	return &room{admin.UserLimit, *admin.UserLimit - has}, err
}

// take makes room for so many users, or says that there is none.
func (r *room) take(users int) *domain.Error {
	if r.limit != nil && users > max(r.left, 0) {
		return domain.Invalid("", fmt.Sprintf("User limit reached (%d)", *r.limit))
	}
	r.left -= users
	return nil
}

// takeRoom refuses users that an admin may not have.
func takeRoom(ctx context.Context, tx *storage.Tx, adminID int64, users int) error {
	r, err := roomOf(ctx, tx, adminID)
	if err != nil {
		return err
	}
	if why := r.take(users); why != nil {
		return why
	}
	return nil
}

// rooms remembers the rooms that a request has asked for, by the id of the admin.
type rooms map[int64]*room

func (r rooms) of(ctx context.Context, tx *storage.Tx, adminID int64) (*room, error) {
	if known := r[adminID]; known != nil {
		return known, nil
	}
	found, err := roomOf(ctx, tx, adminID)
	r[adminID] = found
	return found, err
}
