package directory

import "iter"

// sortable is a slot and what it is sorted by.
type sortable struct {
	key  int64
	slot uint32
}

// slotsOf yields the slots of all.
func slotsOf(all []sortable) iter.Seq[uint32] {
	return func(yield func(uint32) bool) {
		for _, s := range all {
			if !yield(s.slot) {
				return
			}
		}
	}
}

// sorted returns all by key; those of one key stay in their order. It goes over them once for each of the eight bytes of
// a key in which they differ, which takes a million a tenth of the time of comparing them. Both slices are used up.
func sorted(all []sortable) []sortable {
	const digits = 8
	var counts [digits][256]int
	for _, s := range all {
		for digit := range digits {
			counts[digit][s.digit(digit)]++
		}
	}
	spare := make([]sortable, len(all))
	for digit := range digits {
		places := &counts[digit]
		if len(all) > 0 && places[all[0].digit(digit)] == len(all) {
			continue
		}
		next := 0
		for value, n := range places {
			places[value] = next
			next += n
		}
		for _, s := range all {
			place := &places[s.digit(digit)]
			spare[*place] = s
			*place++
		}
		all, spare = spare, all
	}
	return all
}

// digit is a byte of the key, from the lowest on. The highest bit is turned, for negative keys come first.
func (s sortable) digit(n int) uint8 { return uint8((uint64(s.key) ^ 1<<63) >> (8 * n)) }
