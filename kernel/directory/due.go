package directory

import "github.com/sluicehq/sluice/kernel/domain"

// SetDeleteLimited says whether auto_delete counts from a used up quota too (domain.Settings.AutoDeleteLimited), and
// moves the users for whom that makes a difference.
func (d *Directory) SetDeleteLimited(on bool) {
	d.mu.Lock()
	d.deleteLimited = on
	d.mu.Unlock()
	for _, number := range d.pages() {
		d.mu.Lock()
		for slot := range d.ids.on(number) {
			if dues, ok := d.ruled[slot]; ok {
				d.setDue(slot, d.recs.at(slot), d.pick(dues))
			}
		}
		d.mu.Unlock()
	}
}

// Due returns the ids of the users whose next moment has come at now (ms UTC), soonest first, at most limit. They stay
// due until a Put or Postpone moves them on. It is asked all the time, and so keeps the states at the time, and forgets
// the orders that nobody asks for.
func (d *Directory) Due(now int64, limit int) []int64 {
	d.keepUp(now)
	d.mu.RLock()
	defer d.mu.RUnlock()
	items := d.due.items
	// In the heap nothing comes before its parent, so the next one is always a child of one that was taken.
	next := heap[int]{
		before: func(a, b int) bool { return d.sooner(items[a], items[b]) },
		moved:  func(int, int) {},
	}
	consider := func(from, to int) {
		for at := from; at < to; at++ {
			if d.recs.at(items[at]).due <= now {
				next.push(at)
			}
		}
	}
	var due []int64
	consider(0, min(1, len(items)))
	for len(next.items) > 0 && len(due) < limit {
		first := next.items[0]
		next.remove(0)
		due = append(due, d.recs.at(items[first]).id)
		consider(d.due.children(first))
	}
	return due
}

// keepUp does what time alone brings.
func (d *Directory) keepUp(now int64) {
	d.mu.RLock()
	valid := d.validAt(now)
	d.mu.RUnlock()
	if !valid {
		d.advance(now)
	}
	d.forget(now)
}

// Postpone makes until (ms UTC) the user's next moment, whatever was due, because what had to be done failed. The next
// Put forgets it. An unknown user is ignored.
func (d *Directory) Postpone(id, until int64) {
	d.mu.Lock()
	defer d.mu.Unlock()
	slot := d.ids.get(id)
	if slot == unknown || slot == gone {
		return
	}
	delete(d.ruled, slot)
	d.setDue(slot, d.recs.at(slot), until)
}

// schedule computes when something has to be done for the user next.
func (d *Directory) schedule(slot uint32, r *record, u *domain.User) {
	dues := [...]int64{u.DueAt(false), u.DueAt(true)}
	delete(d.ruled, slot)
	if dues[0] != dues[1] {
		d.ruled[slot] = dues
	}
	d.setDue(slot, r, d.pick(dues))
}

// pick chooses from the moments without and with deleteLimited.
func (d *Directory) pick(dues [2]int64) int64 {
	if d.deleteLimited {
		return dues[1]
	}
	return dues[0]
}

// setDue moves the user to its next moment, 0 = never.
func (d *Directory) setDue(slot uint32, r *record, at int64) {
	known := r.due
	r.due = at
	switch {
	case at == known:
	case known == 0:
		d.due.push(slot)
	case at == 0:
		d.due.remove(int(r.heapAt))
	default:
		d.due.fix(int(r.heapAt))
	}
}

// sooner orders the users by their moments, and those of one moment by id.
func (d *Directory) sooner(a, b uint32) bool {
	x, y := d.recs.at(a), d.recs.at(b)
	return x.due < y.due || x.due == y.due && x.id < y.id
}
