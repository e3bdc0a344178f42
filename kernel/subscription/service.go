// Package subscription turns a user into what its app reads: the endpoints that it may use, rendered by a format
// plugin, with the headers that say how much is left.
package subscription

import (
	"context"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"github.com/jonboulle/clockwork"
	"go.uber.org/zap"

	"github.com/sluicehq/sluice/kernel/domain"
	"github.com/sluicehq/sluice/kernel/plugin"
	"github.com/sluicehq/sluice/sdk/wire"
	"github.com/sluicehq/sluice/storage"
)

// Renderer runs the format plugins.
type Renderer interface {
	Render(ctx context.Context, req *wire.FormatRequest) (plugin.Rendered, error)
	Items(kind string) []plugin.Item
}

// Usage answers what a user has moved, with what is not in the database yet.
type Usage interface {
	Usage(ctx context.Context, userID int64) (domain.Traffic, error)
}

// External answers what a user's subscription has besides the inbounds.
type External interface {
	// Links returns share links. It may take a moment, and must be bounded by itself.
	Links(ctx context.Context, user *domain.User) ([]string, error)
}

// Options are the parts that subscriptions stand on.
type Options struct {
	DB       *storage.DB
	Clock    clockwork.Clock
	Log      *zap.Logger
	Renderer Renderer
	Usage    Usage
	External External // nil = nothing
	Loopback bool     // the server listens on loopback only: a request's own Host may stand in links
}

// Service renders subscriptions. It is safe for concurrent use.
type Service struct {
	Options
	current atomic.Pointer[snapshot]
	loading sync.Mutex    // one Reload at a time: one that read earlier must not be swapped in later
	loads   atomic.Uint64 // snapshots made
	fetches fetches
}

// snapshot is everything but the user that a subscription is made of. It is never changed, only replaced.
type snapshot struct {
	number    uint64            // no other has it
	endpoints []endpoint        // of enabled inbounds, by inbound id
	byInbound map[int64]int     // index into endpoints
	hosts     map[int64][]*host // enabled ones of those inbounds, by priority and then by id
	asksOwner bool              // a host names the admin of its user
	settings  domain.Settings
	zone      *time.Location // of the settings
}

// New returns the service; it renders nothing until Reload has been called.
func New(o Options) *Service {
	s := &Service{Options: o}
	s.current.Store(&snapshot{})
	return s
}

// Reload reads inbounds, hosts and settings anew and swaps them in. An inbound that can not be described to clients is
// left out and logged.
func (s *Service) Reload(ctx context.Context) error {
	s.loading.Lock()
	defer s.loading.Unlock()
	inbounds, err := s.DB.Inbounds(ctx)
	if err != nil {
		return fmt.Errorf("read inbounds: %w", err)
	}
	hosts, err := s.DB.Hosts(ctx)
	if err != nil {
		return fmt.Errorf("read hosts: %w", err)
	}
	settings, err := s.DB.Settings(ctx)
	if err != nil {
		return fmt.Errorf("read settings: %w", err)
	}
	zone, err := time.LoadLocation(settings.TimeZone)
	if err != nil { // it was checked when it was set
		zone = time.UTC
	}
	next := &snapshot{number: s.loads.Add(1), settings: settings, zone: zone, byInbound: make(map[int64]int, len(inbounds))}
	for _, in := range inbounds {
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
	}
	next.addHosts(hosts)
	s.current.Store(next)
	return nil
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
