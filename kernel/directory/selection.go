package directory

import "slices"

// selection keeps the first of the slots that it is given, in an order. It needs no more room than twice as many.
type selection struct {
	ordering
	back bool // the last ones first
	most int  // how many are wanted
	best []sortable
	cut  bool // the first most of best are in order, and none of the others that came until then is before them
}

func (s *selection) before(a, b sortable) int {
	if s.back {
		a, b = b, a
	}
	return s.compare(a.key, a.slot, b.key, b.slot)
}

// add takes the slot into account, and says whether it may be one of the first. If not, none that comes after it is.
func (s *selection) add(slot uint32) bool {
	const room = 256 // so that few are not sorted again and again
	a := sortable{s.key(slot), slot}
	if s.cut && s.before(a, s.best[s.most-1]) > 0 {
		return false
	}
	if s.best = append(s.best, a); len(s.best) >= 2*s.most+room {
		s.sort()
		s.cut = true
	}
	return true
}

// sort puts the best in order, and forgets those that are not wanted.
func (s *selection) sort() {
	slices.SortFunc(s.best, s.before)
	s.best = s.best[:min(s.most, len(s.best))]
}

// slots are the first in order, at most as many as are wanted.
func (s *selection) slots() []uint32 {
	s.sort()
	return slices.Collect(slotsOf(s.best))
}
