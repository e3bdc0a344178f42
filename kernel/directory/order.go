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
	if q.Order != nil {
		return kind{}, false // they are sorted when they are asked for
	}
	switch q.Sort {
	case SortName, SortCreated, SortUpdated, SortEdited, SortOnline:
		return kind{sort: q.Sort}, q.Descending
	case SortEnable, SortInbounds, SortTraffic, SortRemaining, SortExpiry, SortQuota:
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
	if !d.settled() || !yield(&d.byID) || !yield(&d.byName) || !yield(&d.bySet) {
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
	state := func(slot uint32) state { return d.recs.tag(slot).state }
	id := func(slot uint32) int64 { return d.recs.at(slot).id }
	byID := func(a, b uint32) int { return cmp.Compare(id(a), id(b)) }
	expiry := func(slot uint32) int64 { return d.recs.at(slot).expireAt }
	name := func(slot uint32) int64 { return prefix(d.nameKey(slot)) }
	byName := func(a, b uint32) int { return cmp.Or(bytes.Compare(d.nameKey(a), d.nameKey(b)), byID(a, b)) }
	set := func(slot uint32) int64 { return placeInSet(d.recs.tag(slot).set, id(slot)) }
	d.byID = list{ordering: ordering{id, byID}, state: state, waiting: true}
	d.byExpiry = list{ordering: ordering{expiry, byID}, state: state, waiting: true}
	d.byName = list{ordering: ordering{name, byName}, state: state, waiting: true}
	d.bySet = list{ordering: ordering{set, byID}, state: state, waiting: true}
}

// placeInSet orders users by set, and by id there. Ids that are larger than anybody's are left to the tie.
func placeInSet(set uint32, id int64) int64 {
	const bits = 40
	return int64(set)<<bits | min(max(id, 0), 1<<bits-1)
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
	touched []uint32 // slots that may be listed by another key than they have, each once
	marked  bitset   // those in touched
	moving  bool     // those that were touched are being moved, and are no longer noted
	changed bitset   // slots that were taken or left while the order was being built
	fresh   int64    // ms UTC when it was last in order
	asked   atomic.Int64
}

func (d *Directory) newOrder(k kind, now int64) *order {
	o := &order{kind: k, fresh: now}
	o.list = list{
		ordering: ordering{func(slot uint32) int64 { return o.keys[slot] }, d.byID.tie}, state: d.byID.state,
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

// crowded says whether so many users may be listed elsewhere than they belong that asking each takes too long.
func (o *order) crowded() bool { return len(o.touched) > 8*batch }

// touch remembers that the user's place is another. Keys of an order that is being built are its builder's.
func (d *Directory) touch(slot uint32) {
	for _, o := range d.orders {
		if (o.waiting || d.isMisplaced(o, slot)) && !o.marked.has(slot) {
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
		if t.state&admitted != 0 {
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
		if t.ends() {
			return r.expireAt
		}
	case SortCreated:
		return r.createdAt
	case SortUpdated:
		return r.updatedAt
	case SortEdited:
		if r.updatedAt == r.createdAt {
			return 0
		}
		return r.updatedAt
	case SortQuota:
		if !t.is(limited) {
			return -1
		}
		return r.quota
	case SortOnline:
		return r.onlineAt
	default:
		return r.id
	}
	return math.MaxInt64
}
