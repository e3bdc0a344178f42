package directory

import (
	"math/bits"

	"github.com/sluicehq/sluice/kernel/domain"
)

// state is a set of states.
type state uint8

// The states. A user is in exactly one by its facts at a moment. They are fine enough for the statuses and the buckets,
// which cut across each other, to be sets of them.
const (
	running state = 1 << iota // active, and not expiring
	ending                    // active, and expiring
	held                      // on hold, and not expiring
	scarce                    // on hold, and expiring, for little of the quota is left
	expired
	exhausted // the quota is used up
	disabled
)

const (
	everybody = running | ending | held | scarce | expired | exhausted | disabled
	admitted  = running | ending | held | scarce // by the core
)

// statusStates are the states of who has the status.
var statusStates = map[domain.Status]state{
	domain.StatusActive: running | ending, domain.StatusOnHold: held | scarce, domain.StatusExpired: expired,
	domain.StatusLimited: exhausted, domain.StatusDisabled: disabled,
}

// statesOf are the states of who has any of the statuses, nil = whatever status.
func statesOf(statuses []domain.Status) state {
	if statuses == nil {
		return everybody
	}
	s := state(0)
	for _, status := range statuses {
		s |= statusStates[status]
	}
	return s
}

// counts are how many users are in each of the seven states.
type counts [7]int32

func (c *counts) add(s state, n int32) { c[bits.TrailingZeros8(uint8(s))] += n }

// in is how many users are in any of the states.
func (c *counts) in(s state) int {
	n := int32(0)
	for i, in := range c {
		n += in & -int32(s>>i&1) // no branch: a page of a million users asks four thousand chunks
	}
	return int(n)
}

// stateAt is the state that follows from the slot's facts at now.
func (d *Directory) stateAt(slot uint32, now int64) state {
	r, t := d.recs.at(slot), d.recs.tag(slot)
	left := r.quota - (r.up + r.down)
	little := t.is(limited) && left < d.bytes
	switch {
	case !t.is(enabled):
		return disabled
	case t.is(onHold) && little:
		return scarce
	case t.is(onHold):
		return held
	case t.is(expires) && r.expireAt <= now:
		return expired
	case t.is(limited) && left <= 0:
		return exhausted
	case little, t.is(expires) && r.expireAt-now < d.within:
		return ending
	}
	return running
}
