package subscription

import (
	"context"

	"github.com/sluicehq/sluice/kernel/directory"
	"github.com/sluicehq/sluice/kernel/domain"
)

// errUnknown is the answer to every wrong question alike.
var errUnknown = domain.NotFound("subscription not found")

// holder is whose subscription is fetched, at one moment.
type holder struct {
	user     domain.User // whole, or what the directory knows: without credentials
	traffic  domain.Traffic
	inbounds []int64 // effective, ascending, if it is of the directory
	whole    bool    // of the database
}

// holder finds the user with that subscription id, who must have that name too, unless it is "". The directory answers
// nearly always; the database is asked about ids that it does not know, because another process may just have made the
// user.
func (s *Service) holder(ctx context.Context, subID, username string) (holder, error) {
	if s.Directory != nil {
		h, known, err := s.remembered(subID)
		switch {
		case err != nil:
			return h, err
		case known && !named(&h.user, username):
			return h, errUnknown
		case known:
			return h, nil
		}
	}
	user, err := s.Owner(ctx, subID, username)
	if err != nil {
		return holder{}, err
	}
	traffic, err := s.traffic(ctx, user.ID)
	return holder{user: user, traffic: traffic, whole: true}, err
}

// remembered is the user as the directory knows it, with the bytes of the last seconds.
func (s *Service) remembered(subID string) (h holder, known bool, err error) {
	accounts, err := s.Usage.Counted(func() ([]domain.Account, error) {
		r, found := s.Directory.BySubID(subID)
		if !found {
			return nil, nil
		}
		return []domain.Account{accountOf(&r)}, nil
	})
	if err != nil || len(accounts) == 0 {
		return h, false, err
	}
	a := &accounts[0]
	return holder{user: a.User, traffic: a.Traffic, inbounds: a.Inbounds}, true, nil
}

// accountOf is what the directory knows of an account.
func accountOf(r *directory.Record) domain.Account {
	return domain.Account{
		User: domain.User{
			ID: r.ID, Revision: r.Revision, Username: r.Username, SubID: r.SubID, Note: r.Note, AdminID: r.AdminID,
			Enabled: r.Enabled, HoldSince: r.HoldSince, HoldDuration: r.HoldDuration, HoldTimeout: r.HoldTimeout,
			ExpireAt: r.ExpireAt, Quota: r.Quota, CreatedAt: r.CreatedAt,
		},
		Traffic:  domain.Traffic{UserID: r.ID, Up: r.Up, Down: r.Down, OnlineAt: r.OnlineAt},
		Inbounds: r.Inbounds,
	}
}

// named says whether the user has that name in any spelling of it; "" = any name will do.
func named(user *domain.User, username string) bool {
	return username == "" || username == user.Username || domain.NameKey(username) == domain.NameKey(user.Username)
}

// Owner returns the user with that subscription id, who must have that name too, unless it is "". A wrong id, the id of
// nobody and the name of somebody else are the same not_found. An id that no user can have is not asked for: not every
// database takes every character.
func (s *Service) Owner(ctx context.Context, subID, username string) (domain.User, error) {
	if err := domain.CheckSubID(subID); err != nil {
		return domain.User{}, errUnknown
	}
	user, err := s.DB.UserBySubID(ctx, subID)
	switch {
	case domain.CodeOf(err) == domain.CodeNotFound, err == nil && !named(&user, username):
		return domain.User{}, errUnknown
	}
	return user, err
}

func (s *Service) traffic(ctx context.Context, userID int64) (domain.Traffic, error) {
	if s.Usage == nil {
		return s.DB.Traffic(ctx, userID)
	}
	return s.Usage.Usage(ctx, userID)
}
