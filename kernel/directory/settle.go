package directory

import "slices"

// settled says whether the lists of all users are kept, and the states are right. The first advance sees to it.
func (d *Directory) settled() bool { return !d.byID.waiting }

// settle lists everybody, and puts them in the states that they are in at now. Users that are read at the start come by
// the hundred thousand; if each looked for its place in the lists, that would take twice the time of all the rest of Put. So
// the lists wait until somebody asks what depends on them, and are sorted at once. The lock is held.
func (d *Directory) settle(now int64) {
	byID := make([]sortable, 0, d.recs.len())
	for slot := uint32(1); slot < d.recs.next; slot++ {
		if d.recs.tag(slot).is(used) {
			byID = append(byID, sortable{d.byID.key(slot), slot})
		}
	}
	byID = sorted(byID)

	bySet := make([]sortable, 0, len(byID)) // those of one set, and of one moment, stay in the order of the ids
	byExpiry := make([]sortable, 0, len(byID))
	for _, s := range byID {
		t := d.recs.tag(s.slot)
		bySet = append(bySet, sortable{int64(t.set), s.slot})
		if t.ends() {
			byExpiry = append(byExpiry, sortable{d.byExpiry.key(s.slot), s.slot})
		}
	}
	d.byExpiry.fill(slotsOf(sorted(byExpiry)))
	d.at = now
	d.recount() // before the other lists are filled, which counts by state what is in them
	d.byID.fill(slotsOf(byID))
	d.bySet.fill(slotsOf(sorted(bySet)))
	d.byName.fill(slotsOf(d.sortedByName(byID, 0)))
}

// sortedByName returns all by their names, which are known to be the same up to the offset: by the eight bytes that follow,
// and those who share them by what follows then. The slice is used up.
func (d *Directory) sortedByName(all []sortable, offset int) []sortable {
	const (
		few  = 256 // are compared sooner than counted
		deep = 64  // names that are the same so far are not worth more passes
	)
	if len(all) <= few || offset >= deep {
		slices.SortFunc(all, func(a, b sortable) int { return d.byName.tie(a.slot, b.slot) })
		return all
	}
	for i := range all {
		name := d.nameKey(all[i].slot)
		all[i].key = prefix(name[min(offset, len(name)):])
	}
	all = sorted(all)
	for from := 0; from < len(all); {
		to := from + 1
		for to < len(all) && all[to].key == all[from].key {
			to++
		}
		same := all[from:to]
		copy(same, d.sortedByName(same, offset+8))
		from = to
	}
	return all
}
