package directory

import (
	"iter"
	"slices"
)

// Summary counts the users by bucket.
type Summary struct {
	Total, Active, Expiring, Depleted, Disabled int

	ExpiringNames, DepletedNames, DisabledNames []string // of the first by id, never nil
}

// Summary returns the counts at now (ms UTC), with at most names usernames of each bucket.
func (d *Directory) Summary(now int64, names int) Summary {
	l := d.view(now, kind{})
	defer d.mu.RUnlock()
	of := func(b Bucket) []string { return d.usernames(l.walk(b, 0, false), min(names, d.counts.in(b))) }
	return Summary{
		Total: d.recs.len(), Active: d.counts.in(Active), Expiring: d.counts.in(Expiring),
		Depleted: d.counts.in(Depleted), Disabled: d.counts.in(Disabled),
		ExpiringNames: of(Expiring), DepletedNames: of(Depleted), DisabledNames: of(Disabled),
	}
}

// usernames are copies of the names of the first n slots; they share one allocation.
func (d *Directory) usernames(slots iter.Seq[uint32], n int) []string {
	var text []byte
	ends := make([]int, 0, max(0, n))
	if n > 0 {
		for slot := range slots {
			text = append(text, d.username(slot)...)
			if ends = append(ends, len(text)); len(ends) == n {
				break
			}
		}
	}
	all, from := string(text), 0
	names := make([]string, len(ends))
	for i, to := range ends {
		names[i], from = all[from:to], to
	}
	return names
}

// username is valid as long as the lock is held.
func (d *Directory) username(slot uint32) []byte { return d.text.at(d.recs.at(slot).text).name() }

// Names returns the usernames of the ids in their order, without those of unknown ids.
func (d *Directory) Names(ids []int64) []string {
	names := make([]string, 0, len(ids))
	for part := range slices.Chunk(ids, batch) {
		d.mu.RLock()
		for _, id := range part {
			if slot := d.ids.get(id); slot != unknown && slot != gone {
				names = append(names, string(d.username(slot)))
			}
		}
		d.mu.RUnlock()
	}
	return names
}

// DepletedIDs returns the ids of the users that are Depleted at now (ms UTC), ascending.
func (d *Directory) DepletedIDs(now int64) []int64 {
	l := d.view(now, kind{})
	defer d.mu.RUnlock()
	ids := make([]int64, 0, d.counts.in(Depleted))
	for slot := range l.walk(Depleted, 0, false) {
		ids = append(ids, d.recs.at(slot).id)
	}
	return ids
}

// OrphanIDs returns the ids of the users that have neither an inbound nor a group, ascending. When there are none, it
// costs as much as there are different sets of what users share; else it looks at every user.
func (d *Directory) OrphanIDs() []int64 {
	if !d.shared(func(s *set) bool { return s.orphaned() }) {
		return nil
	}
	return d.idsOf(func(slot uint32) bool { return d.sets.sets[d.recs.tag(slot).set].orphaned() })
}

// GroupTotal is what the members of a group are together.
type GroupTotal struct {
	Users    int
	Up, Down int64 // bytes
}

// GroupTotals returns the totals of every group that has members, by group id. It costs as much as there are different
// sets of what users share.
func (d *Directory) GroupTotals() map[int64]GroupTotal {
	d.mu.RLock()
	defer d.mu.RUnlock()
	totals := map[int64]GroupTotal{}
	for i := range d.sets.sets {
		s := &d.sets.sets[i]
		for _, group := range s.groups {
			t := totals[group]
			totals[group] = GroupTotal{t.Users + s.counts.in(everybody), t.Up + s.up, t.Down + s.down}
		}
	}
	return totals
}
