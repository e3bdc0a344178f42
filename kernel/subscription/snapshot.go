package subscription

import (
	"context"
	"fmt"
	"reflect"
	"slices"
	"time"

	"go.uber.org/zap"

	"github.com/sluicehq/sluice/kernel/domain"
)

// snapshot is everything but the user that a subscription is made of. It is never changed, only replaced.
type snapshot struct {
	number    uint64            // no other has it, and the same one means the same content
	made      source            // of
	endpoints []endpoint        // of enabled inbounds, by inbound id
	byInbound map[int64]int     // index into endpoints
	hosts     map[int64][]*host // enabled ones of those inbounds, by priority and then by id
	asksOwner bool              // something names the admin of its user
	settings  domain.Settings
	zone      *time.Location // of the settings
	title     text           // of the profile, nil = none
	rules     []rule         // of the settings, or those that come with Sluice
}

// source is what a snapshot was made of.
type source struct {
	inbounds []domain.Inbound // without what moves or tells of changes only
	hosts    []domain.Host
	settings domain.Settings
}

func (s *Service) source(ctx context.Context) (from source, err error) {
	if from.inbounds, err = s.DB.Inbounds(ctx); err != nil {
		return from, fmt.Errorf("read inbounds: %w", err)
	}
	for i := range from.inbounds {
		in := &from.inbounds[i]
		in.Up, in.Down, in.Revision, in.UpdatedAt = 0, 0, 0, 0
	}
	if from.hosts, err = s.DB.Hosts(ctx); err != nil {
		return from, fmt.Errorf("read hosts: %w", err)
	}
	if from.settings, err = s.DB.Settings(ctx); err != nil {
		return from, fmt.Errorf("read settings: %w", err)
	}
	return from, nil
}

// Reload reads inbounds, hosts and settings anew and swaps them in. If nothing of them has changed, everything that was
// rendered stays good. An inbound that can not be described to clients is left out and logged.
func (s *Service) Reload(ctx context.Context) error {
	s.loading.Lock()
	defer s.loading.Unlock()
	from, err := s.source(ctx)
	if err != nil {
		return err
	}
	if current := s.current.Load(); current.number > 0 && reflect.DeepEqual(current.made, from) {
		return nil
	}
	s.current.Store(s.newSnapshot(from))
	return nil
}

func (s *Service) newSnapshot(from source) *snapshot {
	zone, err := time.LoadLocation(from.settings.TimeZone)
	if err != nil { // it was checked when it was set
		zone = time.UTC
	}
	next := &snapshot{
		number: s.loads.Add(1), made: from, settings: from.settings, zone: zone, byInbound: make(map[int64]int, len(from.inbounds)),
		title: newText(from.settings.ProfileTitle), rules: rulesOf(&from.settings), asksOwner: namesOwner(from.settings.ProfileTitle),
	}
	for _, in := range from.inbounds {
		if !in.Enabled {
			continue
		}
		e, err := newEndpoint(in)
		if err != nil {
			s.Log.Warn("inbound is left out of subscriptions", zap.String("inbound", in.Tag), zap.Error(err))
			continue
		}
		next.byInbound[in.ID] = len(next.endpoints)
		next.endpoints = append(next.endpoints, e)
		next.asksOwner = next.asksOwner || namesOwner(in.Remark)
	}
	next.addHosts(from.hosts)
	return next
}

// addHosts puts the hosts, which are in order, in front of their inbounds.
func (s *snapshot) addHosts(hosts []domain.Host) {
	for place, h := range hosts {
		i, served := s.byInbound[h.InboundID]
		if h.Disabled || !served {
			continue
		}
		if s.hosts == nil {
			s.hosts = map[int64][]*host{}
		}
		front := newHost(h, s.endpoints[i])
		front.place = place
		s.hosts[h.InboundID] = append(s.hosts[h.InboundID], front)
		s.asksOwner = s.asksOwner || front.asksOwner()
	}
}

// hostsOf are those of the inbounds that users of that status are told of, in order.
func (s *snapshot) hostsOf(inbounds []int64, status domain.Status) (hosts []*host) {
	for _, id := range inbounds {
		for _, h := range s.hosts[id] {
			if h.shownTo(status) {
				hosts = append(hosts, h)
			}
		}
	}
	slices.SortFunc(hosts, func(a, b *host) int { return a.place - b.place })
	return hosts
}
