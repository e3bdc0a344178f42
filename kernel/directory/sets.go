package directory

import (
	"encoding/binary"
	"slices"
)

// interner keeps what users share once, however many they are. Few combinations exist, so what is asked of all users with
// one of them is added up here. Number 0 is not used.
type interner struct {
	numbers map[string]uint32 // by the shared in bytes
	sets    []set
	vacant  []uint32
	key     []byte // where keys are composed
}

// shared is what some users have in common. Its slices are not to be changed; appending to them makes a copy.
type shared struct {
	inbounds []int64 // ascending, nil = none
	groups   []int64 // the first one first, nil = none
	admin    int64
	policy   string // of resets, "" = never
	quota    bool   // has one
	ends     bool   // has an expiry that counts
}

// set is what some users share, and what they are together.
type set struct {
	shared
	counts counts
	usage
}

// usage is what was moved, in bytes.
type usage struct{ up, down, lifetime int64 }

func (u *usage) add(o usage) {
	u.up += o.up
	u.down += o.down
	u.lifetime += o.lifetime
}

func (u *usage) subtract(o usage) { u.add(usage{-o.up, -o.down, -o.lifetime}) }

// orphaned says whether nothing keeps the set's users.
func (s *shared) orphaned() bool { return len(s.inbounds) == 0 && len(s.groups) == 0 }

func newInterner() interner { return interner{numbers: map[string]uint32{}, sets: make([]set, 1)} }

// number returns the number of the set. Who asks for it joins it.
func (n *interner) number(s shared) uint32 {
	number, known := n.numbers[string(n.compose(&s))]
	if !known {
		s.inbounds, s.groups = keep(s.inbounds), keep(s.groups)
		number = n.add(set{shared: s})
		n.numbers[string(n.key)] = number
	}
	return number
}

// keep makes a copy, nil of nothing.
func keep(ids []int64) []int64 { return slices.Clip(append([]int64(nil), ids...)) }

// join says that one more user has the set.
func (n *interner) join(number uint32, in state, u usage) {
	s := &n.sets[number]
	s.counts.add(in, 1)
	s.add(u)
}

// leave says that a user no longer has the set; without users it is forgotten.
func (n *interner) leave(number uint32, in state, u usage) {
	s := &n.sets[number]
	s.counts.add(in, -1)
	s.subtract(u)
	if s.counts != (counts{}) {
		return
	}
	delete(n.numbers, string(n.compose(&s.shared)))
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

// compose returns the key of the set, valid until the next one. Lengths say where lists end.
func (n *interner) compose(s *shared) []byte {
	n.key = n.key[:0]
	for _, ids := range [...][]int64{s.inbounds, s.groups} {
		n.key = binary.AppendUvarint(n.key, uint64(len(ids)))
		for _, id := range ids {
			n.key = binary.AppendVarint(n.key, id)
		}
	}
	n.key = binary.AppendVarint(n.key, s.admin)
	for _, has := range [...]bool{s.quota, s.ends} {
		bit := byte(0)
		if has {
			bit = 1
		}
		n.key = append(n.key, bit)
	}
	n.key = append(n.key, s.policy...)
	return n.key
}
