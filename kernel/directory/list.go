package directory

import (
	"cmp"
	"iter"
	"slices"
	"sort"
)

// chunkSlots is how many slots a chunk of a list holds at most, 1 KiB.
const chunkSlots = 256

// list keeps slots in an order, in chunks that know how many of their users are in each state: the k-th user of any
// states is found by stepping over chunks, four thousand for a million users. The order of a slot must not change while it
// is listed: it is removed before and added again after.
type list struct {
	ordering
	state  func(slot uint32) state // the one that the slot is counted in
	chunks []chunk                 // none is empty

	waiting bool // for fill; until then nothing is listed
}

// ordering says which of two slots comes first.
type ordering struct {
	key func(slot uint32) int64 // what the slots are ordered by
	tie func(a, b uint32) int   // and those of the same key
}

// chunk is a part of a list.
type chunk struct {
	slots  *[chunkSlots]uint32
	len    int
	first  int64 // key of the first slot
	counts counts
}

func (c *chunk) all() []uint32 { return c.slots[:c.len] }

// compare says whether the slot a, whose key is given, comes before b (< 0) or after it.
func (o *ordering) compare(key int64, a uint32, other int64, b uint32) int {
	if key != other {
		return cmp.Compare(key, other)
	}
	return o.tie(a, b)
}

// find returns where the slot is, or would have to be put.
func (l *list) find(slot uint32) (at, place int) {
	key := l.key(slot)
	at = sort.Search(len(l.chunks), func(i int) bool {
		c := &l.chunks[i]
		return l.compare(c.first, c.slots[0], key, slot) > 0
	})
	if at == 0 {
		return 0, 0
	}
	c := &l.chunks[at-1]
	return at - 1, sort.Search(c.len, func(i int) bool {
		return l.compare(l.key(c.slots[i]), c.slots[i], key, slot) >= 0
	})
}

// add puts the slot where it belongs.
func (l *list) add(slot uint32) {
	if l.waiting {
		return
	}
	if len(l.chunks) == 0 {
		l.chunks = append(l.chunks, chunk{slots: new([chunkSlots]uint32)})
	}
	at, place := l.find(slot)
	if l.chunks[at].len == chunkSlots {
		at, place = l.split(at, place)
	}
	c := &l.chunks[at]
	copy(c.slots[place+1:c.len+1], c.slots[place:c.len])
	c.slots[place] = slot
	c.len++
	c.counts.add(l.state(slot), 1)
	if place == 0 {
		c.first = l.key(slot)
	}
}

// split makes room in a full chunk, and returns where the place is now. What is added at the end of the list goes to a
// chunk of its own, so that chunks are full when slots come in order.
func (l *list) split(at, place int) (newAt, newPlace int) {
	half := chunkSlots / 2
	if at == len(l.chunks)-1 && place == chunkSlots {
		half = chunkSlots
	}
	next := chunk{slots: new([chunkSlots]uint32)}
	c := &l.chunks[at]
	next.len = copy(next.slots[:], c.slots[half:])
	c.len = half
	if next.len > 0 {
		l.count(&next)
		l.count(c)
	}
	l.chunks = slices.Insert(l.chunks, at+1, next)
	if place <= half && place < chunkSlots {
		return at, place
	}
	return at + 1, place - half
}

// count looks at all slots of the chunk.
func (l *list) count(c *chunk) {
	c.first = l.key(c.slots[0])
	c.counts = counts{}
	for _, slot := range c.all() {
		c.counts.add(l.state(slot), 1)
	}
}

// recount looks at all slots.
func (l *list) recount() {
	for i := range l.chunks {
		l.count(&l.chunks[i])
	}
}

// remove takes out the slot, which has to be there.
func (l *list) remove(slot uint32) {
	if l.waiting {
		return
	}
	at, place := l.find(slot)
	c := &l.chunks[at]
	copy(c.slots[place:], c.slots[place+1:c.len])
	c.len--
	c.counts.add(l.state(slot), -1)
	switch {
	case c.len == 0:
		l.chunks = slices.Delete(l.chunks, at, at+1)
		return
	case place == 0:
		c.first = l.key(c.slots[0])
	}
	l.join(at)
	l.join(at - 1)
}

// join makes one chunk of two that together fill no more than half of one.
func (l *list) join(at int) {
	if at < 0 || at+1 >= len(l.chunks) || l.chunks[at].len+l.chunks[at+1].len > chunkSlots/2 {
		return
	}
	c, next := &l.chunks[at], &l.chunks[at+1]
	c.len += copy(c.slots[c.len:], next.all())
	for i, n := range next.counts {
		c.counts[i] += n
	}
	l.chunks = slices.Delete(l.chunks, at+1, at+2)
}

// moved says that the slot is to be counted in another state.
func (l *list) moved(slot uint32, from, to state) {
	at, _ := l.find(slot)
	l.chunks[at].counts.add(from, -1)
	l.chunks[at].counts.add(to, 1)
}

// fill makes the list of slots that are in order already. Its chunks have room for more.
func (l *list) fill(slots iter.Seq[uint32]) {
	l.chunks, l.waiting = nil, false
	var c chunk
	for slot := range slots {
		if c.slots == nil {
			c.slots = new([chunkSlots]uint32)
		}
		c.slots[c.len] = slot
		if c.len++; c.len == chunkSlots*7/8 {
			l.count(&c)
			l.chunks, c = append(l.chunks, c), chunk{}
		}
	}
	if c.len > 0 {
		l.count(&c)
		l.chunks = append(l.chunks, c)
	}
}

// seek returns where the first slot is whose key is not less than key.
func (l *list) seek(key int64) (at, place int) {
	at = sort.Search(len(l.chunks), func(i int) bool { return l.chunks[i].first >= key })
	if at == 0 {
		return 0, 0
	}
	c := &l.chunks[at-1]
	return at - 1, sort.Search(c.len, func(i int) bool { return l.key(c.slots[i]) >= key })
}

// around returns the key of the last slot before key, and of the first from it on; false where there is none.
func (l *list) around(key int64) (before, after int64, hasBefore, hasAfter bool) {
	at, place := l.seek(key)
	if at < len(l.chunks) && place == l.chunks[at].len {
		at, place = at+1, 0
	}
	if hasAfter = at < len(l.chunks); hasAfter {
		after = l.key(l.chunks[at].slots[place])
	}
	if place == 0 && at > 0 {
		at--
		place = l.chunks[at].len
	}
	if hasBefore = place > 0; hasBefore {
		before = l.key(l.chunks[at].slots[place-1])
	}
	return before, after, hasBefore, hasAfter
}
