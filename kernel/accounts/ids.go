package accounts

import (
	"context"
	"slices"

	"github.com/sluicehq/sluice/kernel/directory"
	"github.com/sluicehq/sluice/kernel/domain"
)

// maxNamed is the longest list of users whose names a report has, and whose accounts are held until the commit.
const maxNamed = 5000

// OwnedPage is a part of the users in some order.
type OwnedPage struct {
	Users    []OwnedUser
	Filtered int // users that the query matches
}

// OwnedUser is a user of a list with the name of its admin; the name of its group is left out.
type OwnedUser struct {
	Listed
	Owner string
}

// mine narrows a query to the users that who may see.
func (p Principal) mine(q directory.Query) directory.Query {
	switch {
	case p.Admin.Sudo:
	case q.Admins == nil || slices.Contains(q.Admins, p.Admin.ID):
		q.Admins = []int64{p.Admin.ID}
	default:
		q.Admins = []int64{}
	}
	return q
}

// ListUsers answers a query about the users that who may see. Whom a commit removes meanwhile is missing.
func (s *Service) ListUsers(ctx context.Context, who Principal, q directory.Query) (OwnedPage, error) {
	if q.Buckets&directory.Online != 0 {
		q.Online = s.onlineIDs()
	}
	now := s.now()
	found := s.Directory.Page(now, who.mine(q))
	page := OwnedPage{Filtered: found.Filtered, Users: make([]OwnedUser, 0, len(found.IDs))}
	owners, err := s.DB.AdminNames(ctx)
	if err != nil {
		return OwnedPage{}, err
	}
	for some := range slices.Chunk(found.IDs, accountBatch) {
		accounts, err := s.counted(func() ([]domain.Account, error) { return s.DB.Accounts(ctx, some) })
		if err != nil {
			return OwnedPage{}, err
		}
		byID := make(map[int64]domain.Account, len(accounts))
		for _, a := range accounts {
			byID[a.User.ID] = a
		}
		for _, id := range some {
			if a, there := byID[id]; there {
				l := Listed{Account: a, Status: a.User.StatusAt(now, a.Traffic.Used())}
				page.Users = append(page.Users, OwnedUser{l, owners[a.User.AdminID]})
			}
		}
	}
	return page, nil
}

// UsersWith returns the ids of the users of whom exactly this is one of the credentials, never nil.
func (s *Service) UsersWith(ctx context.Context, credential string) ([]int64, error) {
	ids, err := s.DB.UsersByCredential(ctx, credential)
	return append([]int64{}, ids...), err
}

// UserName is what a user is called.
type UserName struct {
	ID       int64
	Username string // as given
}

// UserNames answers a query like ListUsers, from memory. filtered is how many users match.
func (s *Service) UserNames(who Principal, q directory.Query) (names []UserName, filtered int) {
	if q.Buckets&directory.Online != 0 {
		q.Online = s.onlineIDs()
	}
	found := s.Directory.Page(s.now(), who.mine(q))
	names = make([]UserName, 0, len(found.IDs))
	for _, id := range found.IDs {
		if r, known := s.Directory.ByID(id); known {
			names = append(names, UserName{id, r.Username})
		}
	}
	return names, found.Filtered
}

// SelectUsers returns the ids of the users that match and that who may see, ascending.
func (s *Service) SelectUsers(who Principal, q directory.Query) []int64 {
	return s.Directory.MatchingIDs(s.now(), who.mine(q))
}

// ChangeUsers lets change edit the users with these ids, as far as the fields of domain.User go, and stores those of which
// it says that they are others then; all or none. A user that does not exist, or that who may not see, is not_found, unless
// how wants those who are there.
// The report counts those that were changed, and names all if they are at most 5,000.
func (s *Service) ChangeUsers(
	ctx context.Context, who Principal, ids []int64, how How, change func(*domain.Account) (changed bool),
) (Report, error) {
	return s.byIDs(ctx, who, ids, how, "users changed", func(b *batch, accounts []domain.Account) ([]domain.Account, error) {
		var changed []domain.Account
		for i := range accounts {
			a := &accounts[i]
			if !change(a) {
				continue
			}
			if err := checkUser(&a.User); err != nil {
				return nil, err
			}
			changed = append(changed, s.touched(a))
		}
		return changed, conflict(b.tx.UpdateUsers(ctx, usersOf(changed)), "")
	})
}

// ChangeMemberships puts users into groups, behind those that they are in, or takes them out; under the rules of
// ChangeUsers.
func (s *Service) ChangeMemberships(
	ctx context.Context, who Principal, ids, groups []int64, join bool, how How,
) (Report, error) {
	if err := checkGroups(ctx, &s.DB.Reader, groups); err != nil { // also if nobody is meant
		return Report{}, err
	}
	return s.byIDs(ctx, who, ids, how, "users grouped", func(b *batch, accounts []domain.Account) ([]domain.Account, error) {
		var changed []domain.Account
		for i := range accounts {
			a := &accounts[i]
			after := slices.Clone(a.Groups)
			for _, id := range groups {
				switch has := slices.Contains(after, id); {
				case join && !has:
					after = append(after, id)
				case !join && has:
					after = without(after, id)
				}
			}
			if !slices.Equal(a.Groups, after) {
				a.Groups = after
				changed = append(changed, s.touched(a))
			}
		}
		if err := b.tx.UpdateUsers(ctx, usersOf(changed)); err != nil {
			return nil, err
		}
		return changed, b.tx.ReplaceGroups(ctx, changed)
	})
}

// DeleteUsersOf is DeleteUsers by ids, under the rules of ChangeUsers.
func (s *Service) DeleteUsersOf(ctx context.Context, who Principal, ids []int64) (Report, error) {
	return s.byIDs(ctx, who, ids, How{}, "users deleted", func(b *batch, accounts []domain.Account) ([]domain.Account, error) {
		gone := idsIn(accounts)
		b.gone = append(b.gone, gone...)
		b.report.Count += len(gone)
		return nil, b.tx.DeleteUsers(ctx, gone)
	})
}

// DeleteExpired removes those of the users that match and that who may see who have expired, and still have when they are
// removed. The report names them if they are few.
func (s *Service) DeleteExpired(ctx context.Context, who Principal, q directory.Query) (Report, error) {
	q.Statuses = []domain.Status{domain.StatusExpired}
	var names []string
	report, err := s.deleteAll(ctx, How{}, "expired users deleted", s.SelectUsers(who, q), func(a *domain.Account) bool {
		u := &a.User
		if u.StatusAt(s.now(), a.Traffic.Used()) != domain.StatusExpired || who.owns(u) != nil {
			return false
		}
		if len(names) <= maxNamed {
			names = append(names, u.Username)
		}
		return true
	})
	if len(names) <= maxNamed {
		report.Done = append(report.Done, names...)
	}
	return report, err
}

// ResetUsagesOf sets the usage of users to zero, as a PasarGuard operator does: it is logged, their hourly history is
// cleared, and a next plan is dropped. Under the rules of ChangeUsers.
func (s *Service) ResetUsagesOf(ctx context.Context, who Principal, ids []int64, how How) (Report, error) {
	return s.byIDs(ctx, who, ids, how, "usage reset", func(b *batch, accounts []domain.Account) ([]domain.Account, error) {
		for i := range accounts {
			accounts[i].User.NextPlan = domain.NextPlan{}
		}
		if err := s.reset(ctx, b.tx, accounts); err != nil {
			return nil, err
		}
		return accounts, b.tx.ClearUsages(ctx, idsIn(accounts))
	})
}

// RevokeSubsOf gives users a new subscription id and new credentials: what their apps have is worth nothing then. Under
// the rules of ChangeUsers.
func (s *Service) RevokeSubsOf(ctx context.Context, who Principal, ids []int64) (Report, error) {
	return s.ChangeUsers(ctx, who, ids, How{}, func(a *domain.Account) bool {
		u := &a.User
		fresh := NewUser{Flow: u.Flow, VMessSecurity: u.VMessSecurity, Method: u.Method}
		u.SubID, u.Credentials = secret(), fresh.credentials()
		return true
	})
}

// SetOwners gives users to the admin of that name, under the rules of ChangeUsers.
func (s *Service) SetOwners(ctx context.Context, who Principal, ids []int64, admin string) (Report, error) {
	to, err := s.DB.AdminByName(ctx, admin)
	if err != nil {
		return Report{}, err
	}
	return s.byIDs(ctx, who, ids, How{}, "users given to an admin", func(b *batch, accounts []domain.Account) ([]domain.Account, error) {
		moved := slices.DeleteFunc(accounts, func(a domain.Account) bool { return a.User.AdminID == to.ID })
		if err := takeRoom(ctx, b.tx, to.ID, len(moved)); err != nil {
			return nil, err
		}
		for i := range moved {
			moved[i].User.AdminID = to.ID
			s.touched(&moved[i])
		}
		return moved, b.tx.UpdateUsers(ctx, usersOf(moved))
	})
}

// ResetUsageOf is ResetUsagesOf for one user.
func (s *Service) ResetUsageOf(ctx context.Context, who Principal, name string) (OwnedView, error) {
	return s.one(ctx, who, name, func(ctx context.Context, who Principal, ids []int64) (Report, error) {
		return s.ResetUsagesOf(ctx, who, ids, How{})
	})
}

// RevokeSubOf is RevokeSubsOf for one user.
func (s *Service) RevokeSubOf(ctx context.Context, who Principal, name string) (OwnedView, error) {
	return s.one(ctx, who, name, s.RevokeSubsOf)
}

// one does to the user of that name what is there for many, and returns it as it is then. do has to change whom it is given.
func (s *Service) one(
	ctx context.Context, who Principal, name string, do func(context.Context, Principal, []int64) (Report, error),
) (OwnedView, error) {
	user, err := s.ownedUser(ctx, who, name)
	if err != nil {
		return OwnedView{}, err
	}
	report, err := do(ctx, who, []int64{user.ID})
	if err != nil {
		return OwnedView{}, err
	}
	return s.ownedView(ctx, report.changed[0])
}

// byIDs runs change on the users with these ids in one transaction, some at a time; it returns those that it has changed,
// and stored.
func (s *Service) byIDs(
	ctx context.Context, who Principal, ids []int64, how How, what string,
	change func(b *batch, accounts []domain.Account) (changed []domain.Account, err error),
) (Report, error) {
	ids = slices.Compact(slices.Sorted(slices.Values(ids)))
	few := len(ids) <= maxNamed
	return s.bulk(ctx, how, what, ids, func(b *batch) error {
		for some := range slices.Chunk(ids, accountBatch) {
			accounts, err := b.tx.Accounts(ctx, some)
			if err != nil {
				return err
			}
			mine := slices.DeleteFunc(accounts, func(a domain.Account) bool { return who.owns(&a.User) != nil })
			if len(mine) < len(some) && !how.There {
				return errUnknown
			}
			for i := range mine {
				if few {
					b.report.Done = append(b.report.Done, mine[i].User.Username)
				}
			}
			changed, err := change(b, mine)
			if err != nil {
				return err
			}
			b.report.Count += len(changed)
			if few {
				b.put = append(b.put, changed...)
				b.report.changed = b.put
			} else {
				b.others = append(b.others, idsIn(changed)...)
			}
		}
		return nil
	})
}

// idsIn are the ids of the accounts' users.
func idsIn(accounts []domain.Account) []int64 {
	ids := make([]int64, len(accounts))
	for i := range accounts {
		ids[i] = accounts[i].User.ID
	}
	return ids
}
