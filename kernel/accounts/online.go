package accounts

import (
	"cmp"
	"context"
	"slices"

	"go.uber.org/zap"

	"github.com/sluicehq/sluice/kernel/core"
	"github.com/sluicehq/sluice/kernel/directory"
	"github.com/sluicehq/sluice/kernel/domain"
	"github.com/sluicehq/sluice/storage"
)

// OnlineUser is a user with open connections.
type OnlineUser struct {
	core.Online
	Username string
}

// Online returns who is connected to this node now, by name. It costs as much as there are such users.
func (s *Service) Online() []OnlineUser {
	list := []OnlineUser{}
	if s.Core == nil {
		return list
	}
	for _, o := range s.Core.Online() {
		if r, known := s.Directory.ByID(o.UserID); known {
			list = append(list, OnlineUser{o, r.Username})
		}
	}
	slices.SortFunc(list, func(a, b OnlineUser) int { return cmp.Compare(a.Username, b.Username) })
	return list
}

// ActiveInbounds returns the tags of the inbounds with open connections on this node, in id order.
func (s *Service) ActiveInbounds(ctx context.Context) ([]string, error) {
	tags := []string{}
	list, err := s.DB.Inbounds(ctx)
	if err != nil || s.Core == nil {
		return tags, err
	}
	active := s.Core.ActiveInbounds()
	for _, in := range list {
		if slices.Contains(active, in.ID) {
			tags = append(tags, in.Tag)
		}
	}
	return tags, nil
}

// LastOnline calls yield with every user's name and the time of its last byte (ms UTC, 0 = never) until it returns false.
// The time is as of the last flush.
func (s *Service) LastOnline(yield func(username string, at int64) bool) {
	s.Directory.Each(func(r directory.Record) bool { return yield(r.Username, r.OnlineAt) })
}

// IPs returns the addresses that a user came from within the last 30 days, the newest first, those open now included.
func (s *Service) IPs(ctx context.Context, name string) ([]domain.Sighting, error) {
	user, err := s.DB.UserByName(ctx, name)
	if err != nil {
		return nil, err
	}
	if s.Core != nil { // what was seen since the last time is not stored yet
		if err := s.note(ctx, s.Core.SightingsOf(user.ID)); err != nil {
			s.Log.Warn("addresses can not be stored now, they are kept", zap.Error(err))
		}
	}
	return s.DB.UserIPs(ctx, user.ID)
}

// RecentIPs returns the addresses of all users since a moment (ms UTC), by node and name, in the order of addresses.
func (s *Service) RecentIPs(ctx context.Context, since int64) (map[string]map[string][]domain.Sighting, error) {
	list, err := s.DB.IPs(ctx, since)
	if err != nil {
		return nil, err
	}
	nodes := map[string]map[string][]domain.Sighting{}
	for _, seen := range list {
		r, known := s.Directory.ByID(seen.UserID)
		if !known {
			continue
		}
		if nodes[seen.Node] == nil {
			nodes[seen.Node] = map[string][]domain.Sighting{}
		}
		nodes[seen.Node][r.Username] = append(nodes[seen.Node][r.Username], seen)
	}
	return nodes, nil
}

// ClearIPs forgets a user's addresses. Those without an open connection no longer count against its limit.
func (s *Service) ClearIPs(ctx context.Context, name string) error {
	user, err := s.DB.UserByName(ctx, name)
	if err != nil {
		return err
	}
	return s.write(ctx, func(tx *storage.Tx) error { return tx.ClearIPs(ctx, user.ID) }, func(context.Context) {
		if s.Core != nil {
			s.Core.ForgetAddresses(user.ID)
		}
	})
}

// maxUnnoted bounds the sightings that wait for a database that fails.
const maxUnnoted = 100_000

// NoteSightings stores which addresses users came from since the last call. What can not be stored is kept for the next.
func (s *Service) NoteSightings(ctx context.Context) error { return s.note(ctx, s.Core.Sightings()) }

func (s *Service) note(ctx context.Context, seen []domain.Sighting) error {
	s.noting.Lock()
	defer s.noting.Unlock()
	for i := range seen {
		seen[i].Node = s.Node
	}
	seen = append(s.unnoted, seen...)
	s.unnoted = nil
	if len(seen) == 0 {
		return nil
	}
	err := s.DB.NoteSightings(ctx, seen)
	if err != nil {
		s.unnoted = seen[max(0, len(seen)-maxUnnoted):]
	}
	return err
}

// Refused is how often a user was refused for its IP limit since the start of this process.
func (s *Service) Refused(userID int64) int64 {
	if s.Core == nil {
		return 0
	}
	return s.Core.Refused(userID)
}
