package kernel

import (
	"context"
	"time"

	"github.com/sluicehq/sluice/kernel/core"
	"github.com/sluicehq/sluice/kernel/plugin"
)

// Health is the state of a started kernel.
type Health struct {
	Database error          // nil = it answers
	Core     error          // nil = it runs
	Inbounds []core.Problem // those that the core does not serve
	Plugins  []plugin.Info  // all of them, refused ones with their reason
	FlushAge time.Duration  // since all traffic was stored
}

// staleFlush is the age at which unstored traffic is a problem: six flushes missed.
const staleFlush = 6 * flushEvery

// Readiness is one word for a load balancer.
type Readiness string

// The readinesses.
const (
	Ready    Readiness = "ready"
	Degraded Readiness = "degraded" // serving, but something needs a look
	Unready  Readiness = "unready"  // the database or the core is down
)

// Health asks every part.
func (k *Kernel) Health(ctx context.Context) Health {
	return Health{
		Database: k.db.Ping(ctx),
		Core:     k.Core.Health(),
		Inbounds: k.Core.Problems(),
		Plugins:  k.Plugins.Plugins(),
		FlushAge: k.flusher.Age(),
	}
}

// Readiness sums the state up.
func (h Health) Readiness() Readiness {
	switch {
	case h.Database != nil || h.Core != nil:
		return Unready
	case len(h.Inbounds) > 0 || h.FlushAge > staleFlush:
		return Degraded
	}
	for _, p := range h.Plugins {
		if p.State != plugin.StateLoaded {
			return Degraded
		}
	}
	return Ready
}

// Panics are how many panics of the core and of the plugin host were caught since the start. Each is a bug.
func (k *Kernel) Panics() (core, plugins uint64) { return uint64(k.Core.Panics()), k.Plugins.Panics() }

// OnlineUsers is how many users have an open connection.
func (k *Kernel) OnlineUsers() int { return len(k.Core.Online()) }
