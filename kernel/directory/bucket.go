package directory

import "math"

// Bucket is a set of buckets.
type Bucket uint8

// The buckets. A user is in exactly one of the first four by its facts at a moment; Online is beside them, and known to
// the caller (Query.Online).
const (
	Active   Bucket = 1 << iota // admitted by the core, and not expiring
	Expiring                    // admitted, and soon expired or its quota used up (SetExpiring)
	Depleted                    // expired or its quota used up
	Disabled                    // by the operator
	Online
)

// states are the states of who is in any of the buckets, but for Online.
func (b Bucket) states() state {
	s := state(0)
	for i, states := range [...]state{running | held, ending | scarce, expired | exhausted, disabled} {
		if b>>i&1 != 0 {
			s |= states
		}
	}
	return s
}

// move brings the user to the state that it is in at the directory's moment.
func (d *Directory) move(slot uint32) {
	t := d.recs.tag(slot)
	from, to := t.state, d.stateAt(slot, d.at)
	if from == to {
		return
	}
	t.state = to
	s := &d.sets.sets[t.set]
	for _, c := range []*counts{&d.counts, &s.counts} {
		c.add(from, -1)
		c.add(to, 1)
	}
	for l := range d.lists {
		l.moved(slot, from, to)
	}
	if t.ends() && d.settled() {
		d.byExpiry.moved(slot, from, to)
	}
	d.touch(slot)
}

// validAt says whether everybody is in the state that it has at now.
func (d *Directory) validAt(now int64) bool { return d.settled() && d.from <= now && now < d.until }

// advance moves the directory's moment, to whichever side, and with it the users whose expiry comes between, or comes
// near: they are found by their order. If they are many, because the clock was set or users were just read, all are counted
// anew. The lock is held for all of it, tens of milliseconds for a million users, for no answer could be right between. The
// first time everybody is listed besides.
func (d *Directory) advance(now int64) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if !d.settled() {
		d.settle(now)
		return
	}
	low, high := min(d.at, now), max(d.at, now)
	d.at, d.from, d.until = now, math.MinInt64, math.MaxInt64
	left := batch + d.recs.len()/64
	for _, shift := range [...]int64{0, d.within} {
		for slot := range d.byExpiry.between(later(low, shift), later(high, shift)).walk(everybody, 0, false) {
			if left--; left < 0 {
				d.recount()
				return
			}
			d.move(slot)
		}
	}
	d.bound()
}

// recount puts everybody in the state that it is in at the directory's moment.
func (d *Directory) recount() {
	d.counts = counts{}
	for i := range d.sets.sets {
		d.sets.sets[i].counts = counts{}
	}
	for slot := uint32(1); slot < d.recs.next; slot++ {
		t := d.recs.tag(slot)
		if !t.is(used) {
			continue
		}
		if s := d.stateAt(slot, d.at); s != t.state {
			t.state = s
			d.touch(slot)
		}
		d.counts.add(t.state, 1)
		d.sets.sets[t.set].counts.add(t.state, 1)
	}
	for l := range d.lists {
		l.recount()
	}
	d.byExpiry.recount()
	d.from, d.until = math.MinInt64, math.MaxInt64
	d.bound()
}

// bound narrows what validAt says to the users with an expiry at both sides of the directory's moment, and of the one
// that is as much later as an expiry is near.
func (d *Directory) bound() {
	for _, key := range [...]int64{later(d.at, 1), later(d.at, d.within)} {
		before, after, hasBefore, hasAfter := d.byExpiry.around(key)
		if hasBefore {
			d.limit(before)
		}
		if hasAfter {
			d.limit(after)
		}
	}
}

// limit narrows what validAt says to the moments at which a user of that expiry changes its state.
func (d *Directory) limit(expireAt int64) {
	for _, change := range [...]int64{expireAt, later(later(expireAt, 1), -d.within)} {
		if change <= d.at {
			d.from = max(d.from, change)
		} else {
			d.until = min(d.until, change)
		}
	}
}

// later adds ms to a moment, and stops at the end of time.
func later(moment, ms int64) int64 {
	sum := moment + ms
	switch {
	case ms > 0 && sum < moment:
		return math.MaxInt64
	case ms < 0 && sum > moment:
		return math.MinInt64
	}
	return sum
}

// SetExpiring says from when on a user is Expiring: less than within ms before its expiry, or with less than bytes left
// of its quota. Until it is called, that is three days and 1 GiB. A change looks at every user, and nobody is let in
// meanwhile.
func (d *Directory) SetExpiring(within, bytes int64) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if within == d.within && bytes == d.bytes {
		return
	}
	d.within, d.bytes = within, bytes
	d.recount()
}
