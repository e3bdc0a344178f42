package directory

import "iter"

// sieve keeps the users that a query matches. It is valid as long as the lock is held.
type sieve struct {
	d      *Directory
	states state    // in any of these,
	online bitset   // or in this, which may be nil,
	only   state    // and in any of these
	sets   *sharing // nil = any
	bounds []bound
	ranged *ranged // where those are who are within a bound, nil = not known
	found  bitset  // nil = any
}

// sieve makes the sieve of the query, from what was found for it, nil = nothing was searched. tells is the order that tells
// who is within a bound.
func (d *Directory) sieve(q *Query, found *scan, tells kind) *sieve {
	only, in := statesOf(q.Statuses), q.Buckets.states()
	s := &sieve{d: d, states: in & only, only: only, sets: d.sharing(q), bounds: q.bounds()}
	switch {
	case found != nil:
		found.finish()
		s.found = found.slots
	case q.named():
		s.found = d.named(q)
	case len(s.bounds) > 0:
		s.ranged = d.ranged(tells, s.bounds[0])
	}
	switch online := q.Buckets&Online != 0; {
	case q.Buckets == 0 || in == everybody:
		s.states = only
	case online && in == 0:
		s.states, s.found = only, d.among(q.Online, s.found)
	case online:
		s.online = d.among(q.Online, nil)
	}
	return s
}

// among is the set of the users of the ids, of those in the set, nil = of all.
func (d *Directory) among(ids []int64, slots bitset) bitset {
	among := bitset{}
	for _, id := range ids {
		if slot := d.ids.get(id); slot != unknown && slot != gone && (slots == nil || slots.has(slot)) {
			among.set(slot)
		}
	}
	return among
}

// counted says whether the counts of the states tell how many users are kept.
func (s *sieve) counted() bool { return s.found == nil && s.online == nil }

// plain says whether the users that are kept differ from others by their states alone.
func (s *sieve) plain() bool { return s.counted() && s.sets == nil && len(s.bounds) == 0 }

// in is the states of which each user has one that is kept.
func (s *sieve) in() state {
	if s.online != nil {
		return s.only
	}
	return s.states
}

func (s *sieve) keeps(slot uint32) bool {
	t := s.d.recs.tag(slot)
	return t.is(used) && (s.sets == nil || s.sets.match[t.set]) &&
		(t.state&s.states != 0 || t.state&s.only != 0 && s.online.has(slot)) &&
		(s.found == nil || s.found.has(slot)) && s.d.inBounds(slot, s.bounds)
}

// count is how many users are kept.
func (s *sieve) count() int {
	switch {
	case s.plain():
		return s.d.counts.in(s.states)
	case s.counted() && len(s.bounds) == 0:
		return s.sets.count(s.states)
	case s.counted() && s.sets == nil && len(s.bounds) == 1:
		return s.ranged.count(s.states)
	case s.found != nil && s.sets == nil && len(s.bounds) == 0 && s.states == everybody:
		return s.found.len()
	}
	n := 0
	for range s.kept {
		n++
	}
	return n
}

// kept yields the slots that are kept, in no order.
func (s *sieve) kept(yield func(uint32) bool) {
	all, _ := s.candidates()
	for slot := range all {
		if s.keeps(slot) && !yield(slot) {
			return
		}
	}
}

// candidates yields the slots of all that are kept, and of others, and says how many it yields.
func (s *sieve) candidates() (all iter.Seq[uint32], n int) {
	if s.found != nil {
		return s.found.all, s.found.len()
	}
	all, n = s.d.recs.all, s.d.recs.len()
	if s.sets != nil {
		all, n = s.sets.walk(s.in()), s.sets.count(s.in())
	}
	if s.ranged != nil {
		if ranged := s.ranged.len(s.in()); ranged < n {
			all, n = s.ranged.walk(s.in(), false), ranged
		}
	}
	return all, n
}
