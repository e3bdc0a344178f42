package subscription

import (
	"context"
	"slices"
	"strings"

	"github.com/sluicehq/sluice/kernel/domain"
	"github.com/sluicehq/sluice/kernel/plugin"
)

// Links returns the user's share links, one for each endpoint, without external ones, never nil.
func (s *Service) Links(ctx context.Context, user *domain.User, host string) ([]string, error) {
	return s.links(ctx, user, host, extras{})
}

// LinksBySubID returns the share links of the user with that subscription id, external ones last, none for the id of
// nobody.
func (s *Service) LinksBySubID(ctx context.Context, subID, host string) ([]string, error) {
	user, err := s.Owner(ctx, subID, "")
	if domain.CodeOf(err) == domain.CodeNotFound {
		return []string{}, nil
	}
	if err != nil {
		return nil, err
	}
	external, _ := s.external(ctx, &user) // it has logged the error
	return s.links(ctx, &user, host, extras{status: true, links: external})
}

func (s *Service) links(ctx context.Context, user *domain.User, host string, more extras) ([]string, error) {
	snap := s.current.Load()
	d, err := s.fresh(ctx, snap, user, snap.address(host, "", s.Loopback), more)
	if err != nil {
		return nil, err
	}
	rendered, err := s.render(ctx, s.Renderer, formatLinks, s.formats(), d)
	if err != nil {
		return nil, err
	}
	return slices.DeleteFunc(strings.Split(string(rendered.Body), "\n"), func(l string) bool { return l == "" }), nil
}

// fresh is a draft of what the database has now.
func (s *Service) fresh(ctx context.Context, snap *snapshot, user *domain.User, at address, more extras) (*draft, error) {
	traffic, err := s.traffic(ctx, user.ID)
	if err != nil {
		return nil, err
	}
	inbounds, err := s.DB.UserInbounds(ctx, user.ID)
	if err != nil {
		return nil, err
	}
	return s.draft(ctx, snap, user, traffic, inbounds, at, more)
}

// here is how a client would reach this server of which no request says it.
func (s *Service) here(snap *snapshot) address { return snap.address("localhost", "", s.Loopback) }

// RenderAs makes the subscription of a user with a format of r, as an app would get it, without keeping or noting
// anything. Its errors are those of r.
func (s *Service) RenderAs(ctx context.Context, r Renderer, user *domain.User, format string) (plugin.Rendered, error) {
	d, err := s.whole(ctx, user)
	if err != nil {
		return plugin.Rendered{}, err
	}
	d.ID = format
	return r.Render(ctx, &d.FormatRequest)
}

// whole is a draft of everything that an app gets.
func (s *Service) whole(ctx context.Context, user *domain.User) (*draft, error) {
	snap := s.current.Load()
	external, _ := s.external(ctx, user) // it has logged the error
	return s.fresh(ctx, snap, user, s.here(snap), extras{status: true, links: external})
}
