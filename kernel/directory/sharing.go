package directory

import (
	"iter"
	"slices"
)

// sharing is the sets whose users match a query.
type sharing struct {
	d       *Directory
	match   []bool   // by number of the set
	numbers []uint32 // of those that match
}

// shares says whether the query asks for what users share.
func (q *Query) shares() bool {
	return len(q.Inbounds) > 0 || q.Groups != nil || q.AnyGroups != nil || q.Admins != nil || q.Policies != nil ||
		q.HasQuota != nil || q.Expires != nil
}

// sharing finds the sets that have what the query wants, nil if it wants nothing.
func (d *Directory) sharing(q *Query) *sharing {
	if !q.shares() {
		return nil
	}
	s := &sharing{d: d, match: make([]bool, len(d.sets.sets))}
	for number := range d.sets.sets {
		set := &d.sets.sets[number]
		if set.counts != (counts{}) && q.wants(&set.shared) {
			s.match[number] = true
			s.numbers = append(s.numbers, uint32(number))
		}
	}
	return s
}

// wants says whether users who share this match.
func (q *Query) wants(s *shared) bool {
	return (q.Groups == nil || len(s.groups) > 0 && slices.Contains(q.Groups, s.groups[0])) &&
		(q.AnyGroups == nil || intersect(s.groups, q.AnyGroups)) &&
		(q.Admins == nil || slices.Contains(q.Admins, s.admin)) &&
		(q.Policies == nil || slices.Contains(q.Policies, s.policy)) &&
		same(q.HasQuota, s.quota) && same(q.Expires, s.ends) &&
		!slices.ContainsFunc(q.Inbounds, func(any []int64) bool { return !intersect(s.inbounds, any) })
}

// count is how many users have one of the sets, and are in any of the states.
func (s *sharing) count(in state) int {
	n := 0
	for _, number := range s.numbers {
		n += s.d.sets.sets[number].counts.in(in)
	}
	return n
}

// walk yields the slots of the users with one of the sets who are in any of the states.
func (s *sharing) walk(in state) iter.Seq[uint32] {
	return func(yield func(uint32) bool) {
		for run := range s.runs {
			for slot := range run.walk(in, 0, false) {
				if !yield(slot) {
					return
				}
			}
		}
	}
}

// runs yields for each of the sets where its users are, in the order of their ids.
func (s *sharing) runs(yield func(span) bool) {
	for _, number := range s.numbers {
		if !yield(s.d.bySet.between(placeInSet(number, 0), placeInSet(number+1, 0)-1)) {
			return
		}
	}
}
