package core

import (
	"sync/atomic"
	"time"

	"go.uber.org/zap"
)

// refusal is why a connection is not let in. They are fixed values because a refused client tries again many times a
// second.
type refusal int

const (
	errShut refusal = iota
	errNoInbound
	errAnonymous
	errUser
	errMember
	errAddresses
	refusalCount
)

// refusalNames are the reasons as metrics call them.
var refusalNames = [refusalCount]string{"shut", "inbound_closed", "no_user", "not_admitted", "not_attached", "ip_limit"}

// Error implements error.
func (r refusal) Error() string {
	return [refusalCount]string{
		"the gate is shut",
		"the inbound is closed",
		"the inbound serves known users only",
		"the user is not admitted",
		"the user is not attached to the inbound",
		"the user has as many addresses as allowed",
	}[r]
}

// refusals counts connections that were not let in, by reason.
type refusals [refusalCount]atomic.Int64

// count counts a connection that was refused with err.
func (r *refusals) count(err error) {
	if reason, ok := err.(refusal); ok {
		r[reason].Add(1)
	}
}

// byName returns the counts under the names of the reasons, all of them.
func (r *refusals) byName() map[string]int64 {
	counts := make(map[string]int64, refusalCount)
	for reason, name := range refusalNames {
		counts[name] = r[reason].Load()
	}
	return counts
}

// tellEvery is how often at most the log says that a user is refused.
const tellEvery = time.Minute

// overcrowded counts a connection that the address limit refused. The log has a line for it at most every minute: an app
// that is refused tries again many times a second. The caller holds u.mu.
func (g *gate) overcrowded(u *user, now int64) {
	u.refused++
	h := u.here
	if h.toldAt != 0 && now-h.toldAt < tellEvery.Milliseconds() {
		return
	}
	g.tasks.log.Info("connections refused: as many addresses as allowed are in use",
		zap.Int64("user", u.id), zap.Int64("connections", u.refused-h.told))
	h.toldAt, h.told = now, u.refused
}
