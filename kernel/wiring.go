package kernel

import (
	"slices"

	"github.com/sluicehq/sluice/kernel/core"
	"github.com/sluicehq/sluice/kernel/directory"
	"github.com/sluicehq/sluice/kernel/domain"
)

// lifeGate is the gate as time sees it: a user whose subscription is about to be renewed, or followed by its next plan, is
// not cut for the moment that this takes.
type lifeGate struct {
	core      *core.Engine
	directory *directory.Directory
}

// Recheck cuts those of the users whose time is over for good.
func (g lifeGate) Recheck(userIDs []int64) error {
	return g.core.Recheck(slices.DeleteFunc(slices.Clone(userIDs), func(id int64) bool {
		r, known := g.directory.ByID(id)
		return known && (r.Renews || r.HasNextPlan)
	}))
}

// meters are the core's counters, whose flushed bytes the directory counts too.
type meters struct {
	*core.Engine
	directory *directory.Directory
}

// Flushed marks deltas as stored.
func (m meters) Flushed(users []domain.TrafficDelta, inbounds []domain.InboundDelta) {
	m.Engine.Flushed(users, inbounds)
	m.directory.Moved(users)
}
