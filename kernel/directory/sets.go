package directory

import (
	"encoding/binary"
	"slices"
)

// interner keeps each set of inbounds once, however many users share it: most share a few. Number 0 is the empty set.
type interner struct {
	numbers map[string]uint32 // by the set's ids in bytes
	sets    []set
	vacant  []uint32
	key     []byte // where keys are composed
}

// set is some inbounds and the number of users that have them.
type set struct {
	ids   []int64
	users int
}

func newInterner() interner { return interner{numbers: map[string]uint32{}, sets: make([]set, 1)} }

// get returns the ids of the set. Nobody may change them; appending to them makes a copy.
func (n *interner) get(number uint32) []int64 { return n.sets[number].ids }

// take returns the number of the set, for one more user.
func (n *interner) take(ids []int64) uint32 {
	if len(ids) == 0 {
		return 0
	}
	n.compose(ids)
	number, known := n.numbers[string(n.key)]
	if !known {
		number = n.add(set{ids: slices.Clip(slices.Clone(ids))})
		n.numbers[string(n.key)] = number
	}
	n.sets[number].users++
	return number
}

// drop says that a user no longer has the set; without users it is forgotten.
func (n *interner) drop(number uint32) {
	s := &n.sets[number]
	if number == 0 {
		return
	}
	if s.users--; s.users > 0 {
		return
	}
	n.compose(s.ids)
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

// compose writes the key of the set.
func (n *interner) compose(ids []int64) {
	n.key = n.key[:0]
	for _, id := range ids {
		n.key = binary.AppendVarint(n.key, id)
	}
}
