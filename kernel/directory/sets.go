package directory

import (
	"encoding/binary"
	"slices"
)

// interner keeps what users share once, however many they are: the same inbounds, groups and owner. Few combinations
// exist, so what is asked of all users with one of them is added up here. Number 0 is not used.
type interner struct {
	numbers map[string]uint32 // by the set's ids in bytes
	sets    []set
	vacant  []uint32
	key     []byte // where keys are composed
}

// set is what some users share, and what they are together. Its slices are not to be changed; appending to them makes a
// copy.
type set struct {
	inbounds []int64 // ascending, nil = none
	groups   []int64 // the first one first, nil = none
	admin    int64
	counts   counts
	up, down int64 // bytes
}

// orphaned says whether nothing keeps the set's users.
func (s *set) orphaned() bool { return len(s.inbounds) == 0 && len(s.groups) == 0 }

func newInterner() interner { return interner{numbers: map[string]uint32{}, sets: make([]set, 1)} }

// number returns the number of the set. Who asks for it joins it.
func (n *interner) number(inbounds, groups []int64, admin int64) uint32 {
	n.compose(inbounds, groups, admin)
	number, known := n.numbers[string(n.key)]
	if !known {
		number = n.add(set{inbounds: keep(inbounds), groups: keep(groups), admin: admin})
		n.numbers[string(n.key)] = number
	}
	return number
}

// keep makes a copy, nil of nothing.
func keep(ids []int64) []int64 { return slices.Clip(append([]int64(nil), ids...)) }

// join says that one more user has the set.
func (n *interner) join(number uint32, b Bucket, up, down int64) {
	s := &n.sets[number]
	s.counts.add(b, 1)
	s.up += up
	s.down += down
}

// leave says that a user no longer has the set; without users it is forgotten.
func (n *interner) leave(number uint32, b Bucket, up, down int64) {
	s := &n.sets[number]
	s.counts.add(b, -1)
	s.up -= up
	s.down -= down
	if s.counts != (counts{}) {
		return
	}
	n.compose(s.inbounds, s.groups, s.admin)
	delete(n.numbers, string(n.key))
	*s = set{}
	n.vacant = append(n.vacant, number)
}

func (n *interner) add(s set) uint32 {
	if last := len(n.vacant) - 1; last >= 0 {
		number := n.vacant[last]
		n.vacant = n.vacant[:last]
		n.sets[number] = s
		return number
	}
	n.sets = append(n.sets, s)
	return uint32(len(n.sets) - 1)
}

// compose writes the key of the set. The number of inbounds says where they end.
func (n *interner) compose(inbounds, groups []int64, admin int64) {
	n.key = binary.AppendUvarint(n.key[:0], uint64(len(inbounds)))
	for _, id := range inbounds {
		n.key = binary.AppendVarint(n.key, id)
	}
	for _, id := range groups {
		n.key = binary.AppendVarint(n.key, id)
	}
	n.key = binary.AppendVarint(n.key, admin)
}
