// Package subscription turns a user into what its app reads: the endpoints that it may use, rendered by a format
// plugin, with the headers that say how much is left. DESIGN.md tells how a fetch goes, and when a body is kept.
package subscription

import (
	"context"
	"sync"
	"sync/atomic"

	"github.com/jonboulle/clockwork"
	"go.uber.org/zap"

	"github.com/sluicehq/sluice/kernel/directory"
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
	// Counted returns accounts as read has them, which knows what is in the database, with what is not.
	Counted(read func() ([]domain.Account, error)) ([]domain.Account, error)
}

// Directory knows every user without asking the database.
type Directory interface {
	BySubID(subID string) (directory.Record, bool)
}

// External answers what a user's subscription has besides the inbounds.
type External interface {
	// Links returns share links. It may take a moment, and must be bounded by itself. Only the user's id is asked for.
	Links(ctx context.Context, user *domain.User) ([]string, error)
}

// Options are the parts that subscriptions stand on.
type Options struct {
	DB        *storage.DB
	Clock     clockwork.Clock
	Log       *zap.Logger
	Renderer  Renderer
	Usage     Usage     // nil = what is in the database is all
	Directory Directory // nil = the database is asked at every fetch, and no body is kept; it needs Usage
	External  External  // nil = nothing
	Loopback  bool      // the server listens on loopback only: a request's own Host may stand in links
	KeepBytes int       // how much memory rendered bodies may take, in bytes; 0 = 64 MiB, negative = none are kept
}

// Service renders subscriptions. It is safe for concurrent use.
type Service struct {
	Options
	current atomic.Pointer[snapshot]
	loading sync.Mutex    // one Reload at a time: one that read earlier must not be swapped in later
	loads   atomic.Uint64 // snapshots made
	plugins atomic.Uint64 // times that plugins were said to have changed
	owners  sync.Map      // admin id → name: neither ever changes
	bodies  bodies
	fetches fetches
}

// New returns the service; it renders nothing until Reload has been called.
func New(o Options) *Service {
	s := &Service{Options: o, bodies: newBodies(o.KeepBytes)}
	s.current.Store(&snapshot{})
	return s
}

// PluginsChanged says that the loaded plugins, or their settings, are others from now on: nothing that they rendered is
// handed out again.
func (s *Service) PluginsChanged() { s.plugins.Add(1) }
