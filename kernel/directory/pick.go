package directory

import (
	"iter"
	"math/bits"
)

// pick returns the slots of limit users of those that are kept, in the order of the list, from the offset on. Either it
// walks along the list, or it looks at all that are kept, whichever is expected to be the shorter way. They may all be at
// the end of the list: so the walk gives up when it has become as long as the other way.
func (s *sieve) pick(l *list, k kind, back bool, offset, limit, n int) []uint32 {
	if s.plain() {
		return gather(l.walk(s.states, offset, back), limit)
	}
	const fetch = 8 // a key is fetched from anywhere, a step of a walk mostly has a bit at hand
	along, steps := l.walk(s.in(), 0, back), s.d.recs.len()
	for _, b := range s.bounds {
		if b.sort == k.sort { // then they lie together
			r := s.d.ranged(k, b)
			along, steps = r.walk(s.in(), back), r.len(s.in())
		}
	}
	selecting := fetch * s.selecting(l, offset+limit)
	if steps/n*(offset+limit) <= selecting {
		if slots, arrived := s.along(along, offset, limit, selecting); arrived {
			return slots
		}
	}
	return s.selected(l, back, offset, limit)
}

// byRuns says whether the slots that are kept come in the order of the list in few runs.
func (s *sieve) byRuns(l *list) bool { return l == &s.d.byID && s.sets != nil && s.found == nil }

// selecting is about how many keys have to be fetched to find the first most of those that are kept.
func (s *sieve) selecting(l *list, most int) int {
	_, n := s.candidates()
	sorting := most * bits.Len(uint(most))
	if s.byRuns(l) {
		const seek = 16
		n = min(n, seek*len(s.sets.numbers)+sorting)
	}
	return n + sorting
}

// selected looks at all that are kept, or in the order of the ids at the first of each set's.
func (s *sieve) selected(l *list, back bool, offset, limit int) []uint32 {
	first := selection{ordering: l.ordering, back: back, most: offset + limit}
	if !s.byRuns(l) {
		for slot := range s.kept {
			first.add(slot)
		}
		return first.slots()[offset:]
	}
	for run := range s.sets.runs {
		for slot := range run.walk(s.in(), 0, back) {
			if s.keeps(slot) && !first.add(slot) {
				break
			}
		}
	}
	return first.slots()[offset:]
}

// gather returns the first slots.
func gather(slots iter.Seq[uint32], limit int) []uint32 {
	first := make([]uint32, 0, limit)
	for slot := range slots {
		if first = append(first, slot); len(first) == limit {
			break
		}
	}
	return first
}

// along picks from the slots that are kept, and says whether it took no more than so many steps.
func (s *sieve) along(slots iter.Seq[uint32], offset, limit, steps int) (picked []uint32, arrived bool) {
	picked = make([]uint32, 0, limit)
	for slot := range slots {
		if steps--; steps < 0 {
			return nil, false
		}
		if !s.keeps(slot) {
			continue
		}
		if offset--; offset >= 0 {
			continue
		}
		if picked = append(picked, slot); len(picked) == limit {
			break
		}
	}
	return picked, true
}
