package directory

import (
	"slices"

	"github.com/sluicehq/sluice/kernel/domain"
)

// ByID returns the user's record, false when it is unknown or was removed.
func (d *Directory) ByID(id int64) (Record, bool) {
	d.mu.RLock()
	defer d.mu.RUnlock()
	slot := d.ids.get(id)
	if slot == gone {
		slot = 0
	}
	return d.found(slot)
}

// ByName returns the record of the user of that name, in any spelling of the same domain.NameKey.
func (d *Directory) ByName(name string) (Record, bool) {
	key := domain.NameKey(name)
	d.mu.RLock()
	defer d.mu.RUnlock()
	return d.found(d.name.find(key))
}

// BySubID returns the record of the user whose subscription has that id, in exactly that spelling.
func (d *Directory) BySubID(subID string) (Record, bool) {
	d.mu.RLock()
	defer d.mu.RUnlock()
	return d.found(d.sub.find(subID))
}

// found copies the record in the slot, if it is not 0.
func (d *Directory) found(slot uint32) (Record, bool) {
	if slot == 0 {
		return Record{}, false
	}
	return d.copy(slot), true
}

// Revision is the revision of what is known of the user, 0 = unknown or removed.
func (d *Directory) Revision(id int64) int64 {
	d.mu.RLock()
	defer d.mu.RUnlock()
	slot := d.ids.get(id)
	if slot == unknown || slot == gone {
		return 0
	}
	return d.recs.at(slot).revision
}

// Len is the number of users.
func (d *Directory) Len() int {
	d.mu.RLock()
	defer d.mu.RUnlock()
	return d.recs.len()
}

// Each yields every user in the order of the ids, until it is told to stop. No lock is held meanwhile: each record is of
// one moment, but not all of the same one, and users that come or go during the walk may be missing or not.
func (d *Directory) Each(yield func(Record) bool) {
	copies := make([]Record, 0, pageSize)
	for _, number := range d.pages() {
		copies = d.copyPage(copies[:0], number)
		for _, r := range copies {
			if !yield(r) {
				return
			}
		}
	}
}

func (d *Directory) copyPage(to []Record, number int64) []Record {
	d.mu.RLock()
	defer d.mu.RUnlock()
	for slot := range d.ids.on(number) {
		to = append(to, d.copy(slot))
	}
	return to
}

// UsersOf returns the ids of the users that are attached to any of the inbounds, ascending. When nobody is, it costs as
// much as there are different sets of what users share; else it looks at every user.
func (d *Directory) UsersOf(inbounds []int64) []int64 {
	attached := func(s *set) bool { return intersect(s.inbounds, inbounds) }
	if !d.shared(attached) {
		return nil
	}
	return d.idsOf(func(slot uint32) bool { return attached(&d.sets.sets[d.recs.tag(slot).set]) })
}

// shared says whether somebody has such a set.
func (d *Directory) shared(such func(*set) bool) bool {
	d.mu.RLock()
	defer d.mu.RUnlock()
	for i := range d.sets.sets {
		if s := &d.sets.sets[i]; s.counts != (counts{}) && such(s) {
			return true
		}
	}
	return false
}

// idsOf returns the ids of the users whose slots are such, ascending.
func (d *Directory) idsOf(such func(slot uint32) bool) []int64 {
	var ids []int64
	for _, number := range d.pages() {
		d.mu.RLock()
		for slot := range d.ids.on(number) {
			if such(slot) {
				ids = append(ids, d.recs.at(slot).id)
			}
		}
		d.mu.RUnlock()
	}
	return ids
}

func intersect(a, b []int64) bool {
	return slices.ContainsFunc(a, func(id int64) bool { return slices.Contains(b, id) })
}

// Stale returns the ids of the users whose stored status is not the one that their facts give at now (ms UTC),
// ascending. It looks at every user, and is for when the clock jumped.
func (d *Directory) Stale(now int64) []int64 {
	return d.idsOf(func(slot uint32) bool { return d.statusAt(slot, now) != statuses[d.recs.tag(slot).status] })
}

// pages are the numbers of the pages that have users, ascending.
func (d *Directory) pages() []int64 {
	d.mu.RLock()
	numbers := make([]int64, 0, len(d.ids.pages))
	for number, p := range d.ids.pages {
		if p != deserted {
			numbers = append(numbers, number)
		}
	}
	d.mu.RUnlock()
	slices.Sort(numbers)
	return numbers
}
