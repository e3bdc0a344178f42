package accounts

import (
	"context"
	"slices"

	"github.com/sluicehq/sluice/kernel/domain"
	"github.com/sluicehq/sluice/storage"
)

// UserView is a user with what is derived from it.
type UserView struct {
	domain.User
	Traffic  domain.Traffic
	Status   domain.Status
	Now      int64   // ms UTC, the moment of Status
	Inbounds []int64 // ids of the effective inbounds, ascending, never nil
	Group    string  // name of its first group, "" = none
	GroupIDs []int64 // ids of its groups, the first one first, never nil
	External []ExternalView
}

// ExternalView is an external link with how fetching it went.
type ExternalView struct {
	domain.ExternalLink
	TriedAt int64  // ms UTC of the last fetch of a subscription, 0 = none
	Error   string // why that failed, "" = it did not
}

// User returns the user of that name, compared case-insensitively.
func (s *Service) User(ctx context.Context, name string) (UserView, error) {
	user, err := s.DB.UserByName(ctx, name)
	if err != nil {
		return UserView{}, err
	}
	return s.view(ctx, user)
}

// UserByID returns the user of that id.
func (s *Service) UserByID(ctx context.Context, id int64) (UserView, error) {
	user, err := s.DB.UserByID(ctx, id)
	if err != nil {
		return UserView{}, err
	}
	return s.view(ctx, user)
}

func (s *Service) view(ctx context.Context, user domain.User) (UserView, error) {
	a := domain.Account{User: user}
	var err error
	if a.Traffic, err = s.usage(ctx, user.ID); err != nil {
		return UserView{}, err
	}
	if a.Inbounds, err = s.DB.UserInbounds(ctx, user.ID); err != nil {
		return UserView{}, err
	}
	if a.Groups, err = s.DB.UserGroups(ctx, user.ID); err != nil {
		return UserView{}, err
	}
	return s.viewOf(ctx, &s.DB.Reader, a)
}

// viewOf is the account with what belongs to it in r.
func (s *Service) viewOf(ctx context.Context, r *storage.Reader, a domain.Account) (v UserView, err error) {
	now := s.now()
	v = UserView{
		User: a.User, Traffic: a.Traffic, Status: a.User.StatusAt(now, a.Traffic.Used()), Now: now,
		Inbounds: slices.Clip(a.Inbounds), GroupIDs: append([]int64{}, a.Groups...),
	}
	if len(a.Groups) > 0 {
		group, err := r.Group(ctx, a.Groups[0])
		if err != nil && domain.CodeOf(err) != domain.CodeNotFound { // it was deleted since the account was read
			return v, err
		}
		v.Group = group.Name
	}
	v.External, err = externalViews(ctx, r, a.User.ID)
	return v, err
}

func externalViews(ctx context.Context, r *storage.Reader, userID int64) ([]ExternalView, error) {
	links, err := r.ExternalLinks(ctx, userID)
	if err != nil {
		return nil, err
	}
	views := make([]ExternalView, len(links))
	var urls []string
	for i, l := range links {
		views[i].ExternalLink = l
		if l.Kind == domain.ExternalSubscription {
			urls = append(urls, l.Value)
		}
	}
	if len(urls) == 0 {
		return views, nil
	}
	contents, err := r.ExternalContents(ctx, urls)
	if err != nil {
		return nil, err
	}
	for _, c := range contents {
		for i := range views {
			if v := &views[i]; v.Kind == domain.ExternalSubscription && v.Value == c.URL {
				v.TriedAt, v.Error = c.TriedAt, c.Error
			}
		}
	}
	return views, nil
}

func (s *Service) usage(ctx context.Context, userID int64) (domain.Traffic, error) {
	if s.Usage == nil {
		return s.DB.Traffic(ctx, userID)
	}
	return s.Usage.Usage(ctx, userID)
}
