package core

import (
	"time"

	"github.com/sluicehq/sluice/kernel/domain"
)

// Kick implements Backend.
func (e *Engine) Kick(userID int64) int { return e.gate.kick(userID) }

// Moved implements Backend.
func (e *Engine) Moved() (users []domain.TrafficDelta, inbounds []domain.InboundDelta) {
	return e.gate.deltas(), e.gate.meters.deltas()
}

// Flushed implements Backend.
func (e *Engine) Flushed(users []domain.TrafficDelta, inbounds []domain.InboundDelta) {
	e.gate.flushed(users)
	e.gate.meters.flushed(inbounds)
}

// Unflushed implements Backend.
func (e *Engine) Unflushed(userID int64) (up, down int64) { return e.gate.unflushed(userID) }

// UnflushedInbound implements Backend.
func (e *Engine) UnflushedInbound(inboundID int64) (up, down int64) {
	return e.gate.meters.unflushed(inboundID)
}

// Online implements Backend.
func (e *Engine) Online() []Online { return e.gate.online() }

// ActiveInbounds implements Backend.
func (e *Engine) ActiveInbounds() []int64 { return e.gate.activeInbounds() }

// Sightings implements Backend.
func (e *Engine) Sightings() []domain.Sighting { return e.gate.sightings() }

// SightingsOf implements Backend.
func (e *Engine) SightingsOf(userID int64) []domain.Sighting { return e.gate.sightingsOf(userID) }

// ForgetAddresses implements Backend.
func (e *Engine) ForgetAddresses(userID int64) { e.gate.forgetAddresses(userID) }

// SetAddressGrace implements Backend.
func (e *Engine) SetAddressGrace(d time.Duration) { e.gate.grace.Store(d.Milliseconds()) }

// Refused implements Backend.
func (e *Engine) Refused(userID int64) int64 { return e.gate.refused(userID) }

// Refusals implements Backend.
func (e *Engine) Refusals() map[string]int64 { return e.gate.refusals.byName() }

// Panics returns how many panics of the core were caught since the start.
func (e *Engine) Panics() int64 { return e.tasks.panics.Load() }
