package directory

import (
	"bytes"
	"cmp"
	"encoding/binary"
	"math"
	"sync/atomic"
)

// kind is an order in one direction, if its ties need one of their own.
type kind struct {
	sort Sort
	down bool
}

// kindOf returns what the query has to be answered from, and whether from its back.
func kindOf(q *Query) (k kind, back bool) {
	switch q.Sort {
	case SortName, SortCreated, SortUpdated, SortOnline:
		return kind{sort: q.Sort}, q.Descending
	case SortEnable, SortInbounds, SortTraffic, SortRemaining, SortExpiry:
		return kind{q.Sort, q.Descending}, false
	}
	return kind{}, q.Descending
}

// exact returns the list that is always in order, nil if the kind has none.
func (d *Directory) exact(k kind) *list {
	switch k.sort {
	case SortID:
		return &d.byID
	case SortName:
		return &d.byName
	}
	return nil
}

// lists yields the lists of all users, but for those that wait to be filled.
func (d *Directory) lists(yield func(*list) bool) {
	if !d.settled() || !yield(&d.byID) || !yield(&d.byName) {
		return
	}
	for _, o := range d.orders {
		if !o.waiting && !yield(&o.list) {
			return
		}
	}
}

// newLists makes the lists that are there from the start.
func (d *Directory) newLists() {
	bucket := func(slot uint32) Bucket { return d.recs.tag(slot).bucket }
	id := func(slot uint32) int64 { return d.recs.at(slot).id }
	byID := func(a, b uint32) int { return cmp.Compare(id(a), id(b)) }
	d.byID = list{key: id, tie: byID, bucket: bucket, waiting: true}
	d.byExpiry = list{
		key:     func(slot uint32) int64 { return d.recs.at(slot).expireAt },
		tie:     byID,
		bucket:  func(uint32) Bucket { return Active }, // nobody asks for less than all
		waiting: true,
	}
	d.byName = list{
		key:    func(slot uint32) int64 { return prefix(d.nameKey(slot)) },
		tie:    func(a, b uint32) int { return cmp.Or(bytes.Compare(d.nameKey(a), d.nameKey(b)), byID(a, b)) },
		bucket: bucket, waiting: true,
	}
}

// nameKey is the slot's username in the form in which names are compared.
func (d *Directory) nameKey(slot uint32) []byte { return d.text.at(d.recs.at(slot).text).key() }

// prefix is the first eight bytes of the text as a number of the same order.
func prefix(text []byte) int64 {
	var first [8]byte
	copy(first[:], text)
	return int64(binary.BigEndian.Uint64(first[:]) ^ 1<<63)
}

// order is a list by something that changes with usage or time. Users come and go at once; who changed is touched, and
// moved when somebody asks and the order is older than lag. Until then the keys say by what each slot is listed.
type order struct {
	list
	kind
	keys    []int64
	touched []uint32 // slots, each once
	marked  bitset   // those in touched
	changed bitset   // slots that were taken or left while the order was being built
	fresh   int64    // ms UTC when it was last in order
	asked   atomic.Int64
}

func (d *Directory) newOrder(k kind, now int64) *order {
	o := &order{kind: k, fresh: now}
	o.list = list{
		key: func(slot uint32) int64 { return o.keys[slot] }, tie: d.byID.tie, bucket: d.byID.bucket,
		waiting: true, // while it is being built
	}
	o.asked.Store(now)
	return o
}

// put lists a new user.
func (o *order) put(slot uint32, key int64) {
	if o.waiting {
		o.changed.set(slot)
		return
	}
	o.note(slot, key)
	o.add(slot)
}

func (o *order) note(slot uint32, key int64) {
	for len(o.keys) <= int(slot) {
		o.keys = append(o.keys, 0)
	}
	o.keys[slot] = key
}

// leave takes out a user.
func (o *order) leave(slot uint32) {
	if o.waiting {
		o.changed.set(slot)
		return
	}
	o.remove(slot)
}

// touch remembers that the user's place may be another.
func (d *Directory) touch(slot uint32) {
	for _, o := range d.orders {
		if !o.marked.has(slot) {
			o.marked.set(slot)
			o.touched = append(o.touched, slot)
		}
	}
}

// keyOf is what the slot is to be listed by in orders of the kind.
func (d *Directory) keyOf(k kind, slot uint32) int64 {
	key := d.ascending(k.sort, slot)
	if k.down {
		return ^key
	}
	return key
}

func (d *Directory) ascending(s Sort, slot uint32) int64 {
	r, t := d.recs.at(slot), d.recs.tag(slot)
	switch s {
	case SortEnable:
		if t.bucket&(Active|Expiring) != 0 {
			return 1
		}
		return 0
	case SortInbounds:
		return int64(len(d.sets.sets[t.set].inbounds))
	case SortTraffic:
		return r.up + r.down
	case SortRemaining:
		if t.is(limited) {
			return max(0, r.quota-r.up-r.down)
		}
	case SortExpiry:
		if t.is(expires) && !t.is(onHold) {
			return r.expireAt
		}
	case SortCreated:
		return r.createdAt
	case SortUpdated:
		return r.updatedAt
	case SortOnline:
		return r.onlineAt
	}
	return math.MaxInt64
}
