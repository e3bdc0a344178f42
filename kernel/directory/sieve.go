package directory

import (
	"iter"
	"math/bits"
	"slices"
)

// sieve keeps the users that a query matches. It is valid as long as the lock is held.
type sieve struct {
	d       *Directory
	buckets Bucket // in any of these,
	online  bitset // or in this, which may be nil
	sets    []bool // by number of the set, nil = any
	found   bitset // nil = any
}

// sieve makes the sieve of the query, from what was found for it, nil = nothing was searched.
func (d *Directory) sieve(q *Query, found *scan) *sieve {
	s := &sieve{d: d, buckets: q.Buckets & everybody, sets: d.matching(q)}
	if found != nil {
		found.finish()
		s.found = found.slots
	}
	switch online := q.Buckets&Online != 0; {
	case q.Buckets == 0 || s.buckets == everybody:
		s.buckets = everybody
	case online && s.buckets == 0:
		s.buckets, s.found = everybody, d.among(q.Online, s.found)
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

// matching says which sets have the inbounds and groups that the query wants, nil if it wants none.
func (d *Directory) matching(q *Query) []bool {
	if len(q.Inbounds) == 0 && q.Groups == nil {
		return nil
	}
	matching := make([]bool, len(d.sets.sets))
	for number := range matching {
		s := &d.sets.sets[number]
		matching[number] = (q.Groups == nil || len(s.groups) > 0 && slices.Contains(q.Groups, s.groups[0])) &&
			!slices.ContainsFunc(q.Inbounds, func(any []int64) bool { return !intersect(s.inbounds, any) })
	}
	return matching
}

// counted says whether the counts of the buckets tell how many users are kept.
func (s *sieve) counted() bool { return s.found == nil && s.online == nil }

func (s *sieve) keeps(slot uint32) bool {
	t := s.d.recs.tag(slot)
	return t.is(used) && (s.sets == nil || s.sets[t.set]) && (t.bucket&s.buckets != 0 || s.online.has(slot)) &&
		(s.found == nil || s.found.has(slot))
}

// count is how many users are kept.
func (s *sieve) count() int {
	n := 0
	switch {
	case s.counted() && s.sets == nil:
		return s.d.counts.in(s.buckets)
	case s.counted():
		for number, matching := range s.sets {
			if matching {
				n += s.d.sets.sets[number].counts.in(s.buckets)
			}
		}
		return n
	case s.online == nil && s.sets == nil && s.buckets == everybody:
		return s.found.len()
	}
	for range s.kept {
		n++
	}
	return n
}

// kept yields the slots that are kept, in no order.
func (s *sieve) kept(yield func(uint32) bool) {
	if s.found != nil {
		for slot := range s.found.all {
			if s.keeps(slot) && !yield(slot) {
				return
			}
		}
		return
	}
	for slot := uint32(1); slot < s.d.recs.next; slot++ {
		if s.keeps(slot) && !yield(slot) {
			return
		}
	}
}

// pick yields slots in the order of the list from the offset on, at least limit of the n that are kept. Either it walks
// along the list, or it sorts what is kept, whichever is the shorter way.
func (s *sieve) pick(l *list, back bool, offset, limit, n int) iter.Seq[uint32] {
	if s.counted() && s.sets == nil {
		return l.walk(s.buckets, offset, back)
	}
	all := s.d.recs.len()
	const fetch = 16 // a comparison fetches records from anywhere, a step of a walk mostly has a bit at hand
	sorting := n * bits.Len(uint(n)) * fetch
	if s.found == nil {
		sorting += all
	}
	if walking := all / n * (offset + limit); walking > sorting {
		return slices.Values(s.sorted(l, back, n)[offset:])
	}
	in := s.buckets
	if s.online != nil {
		in = everybody
	}
	return func(yield func(uint32) bool) {
		skip := offset
		for slot := range l.walk(in, 0, back) {
			if !s.keeps(slot) {
				continue
			}
			if skip > 0 {
				skip--
				continue
			}
			if !yield(slot) {
				return
			}
		}
	}
}

// sorted returns the n slots that are kept, in the order of the list.
func (s *sieve) sorted(l *list, back bool, n int) []uint32 {
	kept := make([]sortable, 0, n)
	for slot := range s.kept {
		kept = append(kept, sortable{l.key(slot), slot})
	}
	slices.SortFunc(kept, func(a, b sortable) int { return l.compare(a.key, a.slot, b.key, b.slot) })
	if back {
		slices.Reverse(kept)
	}
	slots := make([]uint32, len(kept))
	for i := range kept {
		slots[i] = kept[i].slot
	}
	return slots
}
