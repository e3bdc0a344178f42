package directory

import (
	"iter"
	"math"
)

// pageSize is the number of consecutive ids that share a page.
const pageSize = 256

// What a page says of an id that has no slot.
const (
	unknown uint32 = 0
	gone    uint32 = math.MaxUint32
)

// page says for consecutive ids in which slot each is.
type page struct {
	slots [pageSize]uint32
	gone  int // how many of them are gone
}

// ids find the slot of an id, and remember which ids are gone. Ids are handed out one after the other, so pages are full;
// those whose ids are all gone share one page and cost next to nothing.
type ids struct {
	pages map[int64]*page // by id / pageSize
	own   int             // how many of them are not the shared one
}

// deserted is the page of all pages whose ids are gone.
var deserted = func() *page {
	p := &page{gone: pageSize}
	for i := range p.slots {
		p.slots[i] = gone
	}
	return p
}()

// split is the number of the id's page and its place there. The shift rounds down below zero too.
func split(id int64) (number int64, place int) { return id >> 8, int(id & (pageSize - 1)) }

// get returns the id's slot, unknown or gone.
func (t *ids) get(id int64) uint32 {
	number, place := split(id)
	if p := t.pages[number]; p != nil {
		return p.slots[place]
	}
	return unknown
}

// set notes the slot of an id that is not gone.
func (t *ids) set(id int64, slot uint32) {
	number, place := split(id)
	t.page(number).slots[place] = slot
}

// remove notes that the id is gone for good.
func (t *ids) remove(id int64) {
	number, place := split(id)
	p := t.page(number)
	if p.slots[place] == gone {
		return
	}
	p.slots[place] = gone
	if p.gone++; p.gone == pageSize {
		t.pages[number] = deserted
		t.own--
	}
}

func (t *ids) page(number int64) *page {
	p := t.pages[number]
	if p == nil {
		p = new(page)
		t.pages[number] = p
		t.own++
	}
	return p
}

// on gives the slots in use on a page, in the order of their ids.
func (t *ids) on(number int64) iter.Seq[uint32] {
	return func(yield func(uint32) bool) {
		p := t.pages[number]
		if p == nil || p == deserted {
			return
		}
		for _, slot := range p.slots {
			if slot != unknown && slot != gone && !yield(slot) {
				return
			}
		}
	}
}
