package kernel

import (
	"context"
	"time"

	"github.com/sluicehq/sluice/kernel/core"
	"github.com/sluicehq/sluice/kernel/directory"
	"github.com/sluicehq/sluice/kernel/domain"
	"github.com/sluicehq/sluice/kernel/event"
	"github.com/sluicehq/sluice/kernel/plugin"
)

// Health is the state of a started kernel.
type Health struct {
	At       time.Time             // when it was asked for
	Database error                 // nil = it answers
	Core     error                 // nil = it runs
	Inbounds []core.Problem        // those that the core does not serve
	Plugins  []plugin.Info         // all of them, refused ones with their reason
	Traffic  error                 // why the last flush failed, nil = it did not; nothing is lost while the process lives
	FlushAge time.Duration         // since all traffic was stored
	Stale    bool                  // that is too long ago
	Events   domain.DeliveryCounts // as they were a few seconds ago: counting takes longer the more of them wait
	EventAge time.Duration         // of the oldest event on its way, 0 = there is none
	Handlers []event.Trouble       // event handlers that fail, since when and why
}

// missedFlushes is how many flushes in a row may be missed before that is a problem.
const missedFlushes = 6

// handlerPatience is how long an event handler may fail before that is a problem: receivers are restarted too.
const handlerPatience = 10 * time.Minute

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
	age := k.flusher.Age()
	h := Health{
		At:      k.o.Clock.Now(),
		Traffic: k.flusher.Err(), Stale: age > missedFlushes*time.Duration(k.flushEvery.Load()),
		Database: k.db.Ping(ctx),
		Core:     k.Core.Health(),
		Inbounds: k.Core.Problems(),
		Plugins:  k.Plugins.Plugins(),
		FlushAge: age,
		Handlers: k.deliveries.Troubles(),
	}
	if counted := k.outbox.Load(); counted != nil {
		h.Events = *counted
	}
	if h.Events.Oldest != 0 {
		h.EventAge = k.o.Clock.Since(time.UnixMilli(h.Events.Oldest))
	}
	return h
}

// Readiness sums the state up.
func (h Health) Readiness() Readiness {
	switch {
	case h.Database != nil || h.Core != nil:
		return Unready
	case len(h.Inbounds) > 0 || h.Traffic != nil || h.Stale:
		return Degraded
	}
	for _, t := range h.Handlers {
		if h.At.Sub(t.Since) > handlerPatience {
			return Degraded
		}
	}
	for _, p := range h.Plugins {
		if p.State != plugin.StateLoaded && p.State != plugin.StateDisabled {
			return Degraded
		}
	}
	return Ready
}

// Panics are how many panics were caught since the start, by part. Each is a bug.
func (k *Kernel) Panics() map[string]uint64 {
	return map[string]uint64{
		"core": uint64(k.Core.Panics()), "plugins": k.Plugins.Panics(), "external": k.external.Panics(),
		"events": k.deliveries.Panics(), "install": k.Installed.Panics() + k.notices.panics.Load(),
	}
}

// Counts are what the parts counted since the start, for metrics.
type Counts struct {
	Users    directory.Memory // that there are now, and what the directory holds for them
	Flushes  int64            // that stored everything
	Repaired int64            // differences between the database and what follows it that were mended
	Refused  map[string]int64 // connections, by reason
}

// Counts asks every part.
func (k *Kernel) Counts() Counts {
	return Counts{
		Users: k.directory.Memory(), Flushes: k.flusher.Flushes(), Repaired: k.repaired.Load(), Refused: k.Core.Refusals(),
	}
}

// OnlineUsers is how many users have an open connection.
func (k *Kernel) OnlineUsers() int { return len(k.Core.Online()) }
