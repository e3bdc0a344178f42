package directory

import (
	"bytes"
	"slices"

	"github.com/sluicehq/sluice/kernel/domain"
)

// What is looked at before the lock is given to others: a megabyte of text, or as many users. Either takes less than a
// millisecond.
const (
	scanChunks = 64
	scanSlots  = 16 << 10
)

// scan looks at all users, and lets others in. Whoever is put or removed meanwhile is looked at again at the end, so that what
// it finds is right at that moment.
type scan struct {
	d       *Directory
	q       *Query
	needle  []byte // of the search, in the form of a key
	rare    int    // place of its rarest byte, -1 = none is rare
	slots   bitset // that match
	changed []uint32
}

// scans says whether the query asks for what nothing is kept of.
func (q *Query) scans() bool {
	return !q.named() && (q.Search != "" || q.Renews != nil || q.HasTgID != nil || q.HasNote != nil)
}

// named says whether the query names the users, so that nobody else has to be looked at.
func (q *Query) named() bool { return q.IDs != nil || q.Names != nil }

// named finds those of the users that the query names who match what a scan would look for. The lock is held.
func (d *Directory) named(q *Query) bitset {
	var named bitset
	if q.IDs != nil {
		named = d.among(q.IDs, nil)
	}
	if q.Names != nil {
		byName := bitset{}
		for _, name := range q.Names {
			if slot := d.name.find(domain.NameKey(name)); slot != 0 && (named == nil || named.has(slot)) {
				byName.set(slot)
			}
		}
		named = byName
	}
	s := &scan{d: d, q: q, needle: []byte(form(q.Search)), slots: bitset{}, changed: slices.Collect(named.all)}
	s.finish()
	return s.slots
}

// scan finds the users that match the query, but for its states, bounds and what users share. It has to be finished and ended.
func (d *Directory) scan(q *Query) *scan {
	s := &scan{d: d, q: q, needle: []byte(form(q.Search)), slots: bitset{}}
	d.mu.Lock()
	d.scans = append(d.scans, s)
	if s.rare = -1; len(d.text.chunks) > 0 {
		s.rare = rarest(s.needle, d.text.chunks[0].data)
	}
	d.mu.Unlock()
	part := s.partOfSlots
	if len(s.needle) > 0 {
		part = s.partOfTexts
	}
	for from := 0; part(from); from++ {
	}
	return s
}

// finish looks at those again who have changed. The lock is held.
func (s *scan) finish() {
	for _, slot := range s.changed {
		s.slots.clear(slot)
		if s.matches(slot) && s.mentions(slot) {
			s.slots.set(slot)
		}
	}
}

// mentions says whether the slot's user has the needle in its texts.
func (s *scan) mentions(slot uint32) bool {
	return len(s.needle) == 0 || s.d.text.at(s.d.recs.at(slot).text).contains(s.needle, 0, !s.q.SearchNames)
}

func (d *Directory) endScan(s *scan) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.scans = slices.DeleteFunc(d.scans, func(other *scan) bool { return other == s })
}

// disturb tells the scans that the slot's user came, left or changed, or that its text was moved.
func (d *Directory) disturb(slot uint32) {
	for _, s := range d.scans {
		s.changed = append(s.changed, slot)
	}
}

// partOfSlots looks at the n-th part of the slots, and says whether there was one.
func (s *scan) partOfSlots(n int) bool {
	s.d.mu.RLock()
	defer s.d.mu.RUnlock()
	from := uint32(n * scanSlots)
	to := min(from+scanSlots, s.d.recs.next)
	for slot := from; slot < to; slot++ {
		if s.matches(slot) {
			s.slots.set(slot)
		}
	}
	return from < to
}

// partOfTexts looks at the n-th part of the texts, and says whether there was one.
func (s *scan) partOfTexts(n int) bool {
	s.d.mu.RLock()
	defer s.d.mu.RUnlock()
	from := n * scanChunks
	to := min(from+scanChunks, len(s.d.text.chunks))
	for number := from; number < to; number++ {
		s.search(uint32(number))
	}
	return from < to
}

// search looks for the needle in a chunk of texts. Where it occurs, the entry is looked at, for it may be in two texts, or in
// none that is searched.
func (s *scan) search(number uint32) {
	data := s.d.text.chunks[number].data
	for at := 0; at < len(data); {
		e := entry(data[at:])
		hit := s.index(e)
		if hit < 0 {
			return
		}
		size := e.size()
		for size <= hit {
			at, hit, e = at+size, hit-size, e[size:]
			size = e.size()
		}
		if slot := e.slot(); slot != 0 && e.contains(s.needle, hit, !s.q.SearchNames) && s.matches(slot) {
			s.slots.set(slot)
		}
		at += size
	}
}

// index is where the needle comes first in the text, -1 = nowhere.
func (s *scan) index(text []byte) int {
	if s.rare < 0 {
		return bytes.Index(text, s.needle)
	}
	for at := 0; at+len(s.needle) <= len(text); {
		hit := bytes.IndexByte(text[at+s.rare:], s.needle[s.rare])
		if hit < 0 {
			return -1
		}
		at += hit
		if bytes.HasPrefix(text[at:], s.needle) {
			return at
		}
		at++
	}
	return -1
}

// rarest is the place in the needle of the byte that comes least often in the text, -1 if each comes so often that it does
// not help. To look for one byte is ten times faster than for a text that begins like many.
func rarest(needle, text []byte) int {
	const often = 32 // a byte in so many
	var times [256]int
	for _, b := range text {
		times[b]++
	}
	best := -1
	for i, b := range needle {
		if times[b] <= len(text)/often && (best < 0 || times[b] < times[needle[best]]) {
			best = i
		}
	}
	return best
}

// matches says whether the slot's user is what the query asks for, but for the search.
func (s *scan) matches(slot uint32) bool {
	q, t := s.q, s.d.recs.tag(slot)
	return t.is(used) && same(q.Renews, t.is(renews)) && same(q.HasTgID, t.is(hasTgID)) && same(q.HasNote, t.is(hasNote))
}

// same says whether the fact is the wanted one, nil = either.
func same(wanted *bool, fact bool) bool { return wanted == nil || *wanted == fact }
