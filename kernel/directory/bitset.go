package directory

import "math/bits"

// bitset is a set of slots, a bit for each.
type bitset []uint64

func (s *bitset) set(slot uint32) {
	if more := int(slot/64) + 1 - len(*s); more > 0 {
		*s = append(*s, make([]uint64, more)...)
	}
	(*s)[slot/64] |= 1 << (slot % 64)
}

func (s bitset) clear(slot uint32) {
	if int(slot/64) < len(s) {
		s[slot/64] &^= 1 << (slot % 64)
	}
}

func (s bitset) has(slot uint32) bool {
	return int(slot/64) < len(s) && s[slot/64]&(1<<(slot%64)) != 0
}

func (s bitset) len() int {
	n := 0
	for _, word := range s {
		n += bits.OnesCount64(word)
	}
	return n
}

// all yields the slots, ascending.
func (s bitset) all(yield func(uint32) bool) {
	for i, word := range s {
		for ; word != 0; word &= word - 1 {
			if !yield(uint32(i*64 + bits.TrailingZeros64(word))) {
				return
			}
		}
	}
}
