package directory

import "slices"

// How long an order may lag, and is kept when nobody asks for it, in ms.
const (
	lag  = 5_000
	idle = 10 * 60_000
)

// view returns the list of the kind as it is at now, with the lock held for reading. Then the order that tells who is
// within a bound can be asked, too.
func (d *Directory) view(now int64, k, tells kind) *list {
	for {
		d.mu.RLock()
		valid, l, told := d.validAt(now), d.list(now, k), d.tells(now, tells)
		if valid && l != nil && told {
			return l
		}
		d.mu.RUnlock()
		switch {
		case !valid:
			d.advance(now)
		case l == nil:
			d.sort(now, k)
		default:
			d.sort(now, tells)
		}
	}
}

// list returns the list of the kind if it is fresh enough to be shown, else nil.
func (d *Directory) list(now int64, k kind) *list {
	o := d.order(k)
	if o == nil || o.moving || apart(now, o.fresh, lag) {
		return d.exact(k)
	}
	o.asked.Store(now)
	return &o.list
}

// tells says whether it is known who is listed elsewhere than it belongs in the order of the kind, and they are few. Then
// it may be as old as it likes.
func (d *Directory) tells(now int64, k kind) bool {
	o := d.order(k)
	if o == nil || o.moving || o.crowded() {
		return d.exact(k) != nil
	}
	o.asked.Store(now)
	return true
}

// order returns the one of the kind, nil if it has to be built.
func (d *Directory) order(k kind) *order {
	i := slices.IndexFunc(d.orders, func(o *order) bool { return !o.waiting && o.kind == k })
	if i < 0 {
		return nil
	}
	return d.orders[i]
}

// apart says whether two moments are at least so many ms apart. The clock may be set back.
func apart(a, b, ms int64) bool { return a-b >= ms || b-a >= ms }

// sort brings the order up to date: it moves the users whose keys have changed, or builds it anew if they are many.
// One caller does it, the others wait; users are looked up and changed meanwhile.
func (d *Directory) sort(now int64, k kind) {
	d.sorting.Lock()
	defer d.sorting.Unlock()
	d.mu.Lock()
	o := d.order(k)
	if o == nil {
		d.mu.Unlock()
		d.build(now, k)
		return
	}
	if !apart(now, o.fresh, lag) && !o.crowded() { // somebody else did it
		d.mu.Unlock()
		return
	}
	touched := o.touched
	o.touched, o.marked, o.moving = nil, nil, true
	few := d.recs.len()/32 + batch
	d.mu.Unlock()
	if touched = d.misplaced(o, touched); len(touched) > few {
		d.build(now, k)
		return
	}
	for part := range slices.Chunk(touched, batch) {
		d.mu.Lock()
		for _, slot := range part {
			if d.isMisplaced(o, slot) {
				o.remove(slot)
				o.put(slot, d.keyOf(k, slot))
			}
		}
		d.mu.Unlock()
	}
	d.mu.Lock()
	o.fresh, o.moving = now, false
	d.mu.Unlock()
}

// misplaced returns the slots whose keys have changed.
func (d *Directory) misplaced(o *order, slots []uint32) []uint32 {
	var changed []uint32
	for part := range slices.Chunk(slots, batch) {
		d.mu.RLock()
		for _, slot := range part {
			if d.isMisplaced(o, slot) {
				changed = append(changed, slot)
			}
		}
		d.mu.RUnlock()
	}
	return changed
}

func (d *Directory) isMisplaced(o *order, slot uint32) bool {
	return d.recs.tag(slot).is(used) && o.keys[slot] != d.keyOf(o.kind, slot)
}

// build makes the order from all users, and replaces the one that is there.
func (d *Directory) build(now int64, k kind) {
	o, all := d.collect(now, k)
	all = sorted(all) // those of one key stay in the order of the ids
	for _, s := range all {
		o.note(s.slot, s.key)
	}
	d.install(o, all)
}

// collect returns a new order, which from here on hears of changes, and what all users are sorted by, in the order of their
// ids.
func (d *Directory) collect(now int64, k kind) (*order, []sortable) {
	o := d.newOrder(k, now)
	d.mu.Lock()
	d.orders = append(d.orders, o)
	all := make([]sortable, 0, d.recs.len())
	o.keys = make([]int64, d.recs.next)
	d.mu.Unlock()
	for _, number := range d.pages() {
		d.mu.RLock()
		for slot := range d.ids.on(number) {
			all = append(all, sortable{d.keyOf(k, slot), slot})
		}
		d.mu.RUnlock()
	}
	return o, all
}

// install makes the order of the sorted slots. Those that were taken or left since they were collected are put in by what
// they are now.
func (d *Directory) install(o *order, all []sortable) {
	d.mu.Lock()
	defer d.mu.Unlock()
	o.fill(func(yield func(uint32) bool) {
		for _, s := range all {
			if !o.changed.has(s.slot) && !yield(s.slot) {
				return
			}
		}
	})
	for slot := range o.changed.all {
		if d.recs.tag(slot).is(used) {
			o.put(slot, d.keyOf(o.kind, slot))
		}
	}
	o.changed = nil
	d.orders = slices.DeleteFunc(d.orders, func(old *order) bool { return old != o && old.kind == o.kind })
}

// forget drops the orders that nobody asks for.
func (d *Directory) forget(now int64) {
	unasked := func(o *order) bool { return !o.waiting && apart(now, o.asked.Load(), idle) }
	d.mu.RLock()
	some := slices.ContainsFunc(d.orders, unasked)
	d.mu.RUnlock()
	if !some || !d.sorting.TryLock() { // while one is sorted, orders are in use
		return
	}
	defer d.sorting.Unlock()
	d.mu.Lock()
	defer d.mu.Unlock()
	d.orders = slices.DeleteFunc(d.orders, unasked)
}
