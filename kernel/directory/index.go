package directory

// index finds the slot of a text. It keeps a hash of 32 bits and compares with the text in the arena, which costs a
// fifth of a map of strings and leaves the garbage collector nothing to follow. Of texts with one hash (a hundred pairs
// in a million) the first is found by it and the others by themselves.
type index struct {
	hash   func(string) uint32
	text   func(slot uint32) []byte // the text that the slot is found by now
	slots  map[uint32]uint32        // by hash
	others map[string]uint32        // by text
}

func newIndex(hash func(string) uint32, text func(slot uint32) []byte) index {
	return index{hash: hash, text: text, slots: map[uint32]uint32{}, others: map[string]uint32{}}
}

// find returns the slot of the text, 0 = none.
func (x *index) find(text string) uint32 {
	if slot, ok := x.slots[x.hash(text)]; ok && string(x.text(slot)) == text {
		return slot
	}
	return x.others[text]
}

// set lets the text, which is already the slot's, lead to the slot. It takes the text from a slot that had it: after two
// users have swapped names, the first of them to arrive here meets the other's old name.
func (x *index) set(text string, slot uint32) {
	h := x.hash(text)
	if holder, taken := x.slots[h]; taken && string(x.text(holder)) != text {
		x.others[text] = slot
		return
	}
	x.slots[h] = slot
}

// remove forgets the text, which is still the slot's, unless it leads to another slot by now.
func (x *index) remove(text string, slot uint32) {
	if h := x.hash(text); x.slots[h] == slot {
		delete(x.slots, h)
	}
	if x.others[text] == slot {
		delete(x.others, text)
	}
}
