package accounts

import (
	"context"
	"slices"

	"github.com/sluicehq/sluice/kernel/directory"
	"github.com/sluicehq/sluice/kernel/domain"
)

// Listed is a user as lists show it.
type Listed struct {
	domain.Account // with what is not flushed yet
	Status         domain.Status
	Group          string   // name of its first group, "" = none
	GroupNames     []string // of all its groups, in their order
}

// Page is a part of the users in some order.
type Page struct {
	Users    []Listed          // without what pages do not show: see storage.Reader.Overviews
	Filtered int               // users that the query matches
	Summary  directory.Summary // of all users
	Online   int               // users with open connections
	Names    []string          // of the first of those by id
	Groups   []string          // names of all groups, in alphabetical order
}

// Users answers a query about users, with at most names names in each list around the page. It costs as much as the page
// is long and users are online, but for a search, which looks at every user's texts in memory. Whom a commit removes
// meanwhile is missing.
func (s *Service) Users(ctx context.Context, q directory.Query, names int) (Page, error) {
	now := s.now()
	online := s.onlineIDs()
	if q.Buckets&directory.Online != 0 {
		q.Online = online
	}
	found := s.Directory.Page(now, q)
	page := Page{
		Filtered: found.Filtered, Summary: s.Directory.Summary(now, names),
		Online: len(online), Names: s.Directory.Names(online[:min(len(online), names)]),
	}
	groups, err := s.groupNames(ctx)
	if err != nil {
		return Page{}, err
	}
	page.Groups = groups.sorted()
	accounts, err := s.counted(func() ([]domain.Account, error) { return s.DB.Overviews(ctx, found.IDs) })
	if err != nil {
		return Page{}, err
	}
	byID := make(map[int64]domain.Account, len(accounts))
	for _, a := range accounts {
		byID[a.User.ID] = a
	}
	page.Users = make([]Listed, 0, len(found.IDs))
	for _, id := range found.IDs {
		a, there := byID[id]
		r, known := s.Directory.ByID(id)
		if there && known {
			a.Inbounds, a.Groups = append([]int64{}, r.Inbounds...), r.Groups
			page.Users = append(page.Users, groups.listed(a, now))
		}
	}
	return page, nil
}

// onlineIDs are the ids of the users with open connections, ascending.
func (s *Service) onlineIDs() []int64 {
	if s.Core == nil {
		return nil
	}
	online := s.Core.Online()
	ids := make([]int64, len(online))
	for i, o := range online {
		ids[i] = o.UserID
	}
	slices.Sort(ids)
	return ids
}

// UsersByTgID returns the users with that Telegram id, by id.
func (s *Service) UsersByTgID(ctx context.Context, tgID int64) ([]UserView, error) {
	ids, err := s.DB.UsersByTgID(ctx, tgID)
	if err != nil {
		return nil, err
	}
	views := make([]UserView, 0, len(ids))
	for _, id := range ids {
		user, err := s.DB.UserByID(ctx, id)
		if err != nil {
			return nil, err
		}
		v, err := s.view(ctx, user)
		if err != nil {
			return nil, err
		}
		views = append(views, v)
	}
	return views, nil
}

// EachUser calls yield with every user by id until it returns false. Users are read in portions, so that it needs no more
// memory with more of them; those that come or go meanwhile may be missing or not.
func (s *Service) EachUser(ctx context.Context, yield func(Listed) bool) error {
	return s.each(ctx, func(after int64) ([]domain.Account, error) {
		return s.DB.AccountsAfter(ctx, after, accountBatch)
	}, yield)
}

// counted adds what is not flushed yet to accounts that read has from the database.
func (s *Service) counted(read func() ([]domain.Account, error)) ([]domain.Account, error) {
	if s.Usage == nil {
		return read()
	}
	return s.Usage.Counted(read)
}

// groupNames are the names of all groups by id.
type groupNames map[int64]string

func (s *Service) groupNames(ctx context.Context) (groupNames, error) {
	return s.DB.GroupNames(ctx)
}

func (n groupNames) sorted() []string {
	names := make([]string, 0, len(n))
	for _, name := range n {
		names = append(names, name)
	}
	slices.Sort(names)
	return names
}

func (n groupNames) listed(a domain.Account, now int64) Listed {
	l := Listed{Account: a, Status: a.User.StatusAt(now, a.Traffic.Used())}
	for _, id := range a.Groups {
		if name, there := n[id]; there { // it may have been made, or deleted, since the names were read
			l.GroupNames = append(l.GroupNames, name)
		}
	}
	if len(l.GroupNames) > 0 {
		l.Group = l.GroupNames[0]
	}
	return l
}
