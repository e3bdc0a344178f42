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
	l := d.view(now, kind{}, kind{})
	defer d.mu.RUnlock()
	count := func(b Bucket) int { return d.counts.in(b.states()) }
	of := func(b Bucket) []string { return d.usernames(l.walk(b.states(), 0, false), min(names, count(b))) }
	return Summary{
		Total: d.recs.len(), Active: count(Active), Expiring: count(Expiring),
		Depleted: count(Depleted), Disabled: count(Disabled),
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
	l := d.view(now, kind{}, kind{})
	defer d.mu.RUnlock()
	in := Depleted.states()
	ids := make([]int64, 0, d.counts.in(in))
	for slot := range l.walk(in, 0, false) {
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
