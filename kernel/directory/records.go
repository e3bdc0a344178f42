package directory

import "unsafe"

const (
	chunkRecords = 32 << 10 / int(unsafe.Sizeof(record{})) // records that are allocated together
	chunkTags    = 32 << 10 / int(unsafe.Sizeof(tag{}))
)

// records hold the records by slot, and beside them the tags. They grow by chunks: nothing is copied, and the address of
// a record stays. The slot of a removed user is used again.
type records struct {
	chunks []*[chunkRecords]record
	tags   []*[chunkTags]tag
	next   uint32 // the first slot that was never used
	vacant []uint32
}

// newRecords starts at slot 1, so that 0 can mean none.
func newRecords() records {
	return records{chunks: []*[chunkRecords]record{{}}, tags: []*[chunkTags]tag{{}}, next: 1}
}

// at is the record in the slot, valid until the slot is released.
func (s *records) at(slot uint32) *record {
	return &s.chunks[slot/uint32(chunkRecords)][slot%uint32(chunkRecords)]
}

// tag is the tag of the slot, valid until the slot is released.
func (s *records) tag(slot uint32) *tag {
	return &s.tags[slot/uint32(chunkTags)][slot%uint32(chunkTags)]
}

// all yields the slots that were ever used.
func (s *records) all(yield func(uint32) bool) {
	for slot := uint32(1); slot < s.next && yield(slot); slot++ {
	}
}

// take returns an empty slot.
func (s *records) take() uint32 {
	if n := len(s.vacant); n > 0 {
		slot := s.vacant[n-1]
		s.vacant = s.vacant[:n-1]
		return slot
	}
	if int(s.next) == len(s.chunks)*chunkRecords {
		s.chunks = append(s.chunks, new([chunkRecords]record))
	}
	if int(s.next) == len(s.tags)*chunkTags {
		s.tags = append(s.tags, new([chunkTags]tag))
	}
	s.next++
	return s.next - 1
}

// release empties the slot.
func (s *records) release(slot uint32) {
	*s.at(slot), *s.tag(slot) = record{}, tag{}
	s.vacant = append(s.vacant, slot)
}

// len is the number of slots in use.
func (s *records) len() int { return int(s.next) - 1 - len(s.vacant) }
