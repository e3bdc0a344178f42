package directory

import (
	"bytes"
	"cmp"
	"slices"
)

// simplify leaves out of Order what changes nothing, and makes a single one the query's Sort.
func (q *Query) simplify() {
	for i, by := range q.Order {
		if k, _ := kindOf(&Query{Sort: by.Sort}); k.sort == SortID || k.sort == SortName { // nobody shares it
			q.Order = q.Order[:i+1]
			break
		}
	}
	switch len(q.Order) {
	case 0:
		q.Order = nil
	case 1:
		q.Sort, q.Descending, q.Order = q.Order[0].Sort, q.Order[0].Descending, nil
	}
}

// ordered returns the slots of limit users of those n that are kept, by several orders one after the other, from the offset
// on. They are sorted now, by what they are now: those of the page if it is short, else all.
func (s *sieve) ordered(by []OrderBy, offset, limit, n int) []uint32 {
	const long = 32 // of so many is one that is wanted
	if most := offset + limit; most*long <= n || n <= batch {
		first := selection{ordering: s.d.inOrder(by), most: most}
		for slot := range s.kept {
			first.add(slot)
		}
		return first.slots()[offset:]
	}
	all := s.sortedBy(by, n)[offset:]
	return slices.Collect(slotsOf(all[:limit]))
}

// inOrder compares by the orders one after the other, and by the ids in the end.
func (d *Directory) inOrder(by []OrderBy) ordering {
	key := func(i int, slot uint32) int64 { return d.keyOf(kind{by[i].Sort, by[i].Descending}, slot) }
	return ordering{
		key: func(slot uint32) int64 { return key(0, slot) },
		tie: func(a, b uint32) int {
			for i := 1; i < len(by); i++ {
				order := 0
				switch {
				case by[i].Sort != SortName:
					order = cmp.Compare(key(i, a), key(i, b))
				case by[i].Descending:
					order = bytes.Compare(d.nameKey(b), d.nameKey(a))
				default:
					order = bytes.Compare(d.nameKey(a), d.nameKey(b))
				}
				if order != 0 {
					return order
				}
			}
			return d.byID.tie(a, b)
		},
	}
}

// sortedBy sorts the n that are kept by each of the orders, the last one first: those of one key stay as the later orders
// left them. That takes as long for every user, however many share a key.
func (s *sieve) sortedBy(by []OrderBy, n int) []sortable {
	l, last := &s.d.byID, by[len(by)-1]
	if last.Sort == SortName {
		l, by = &s.d.byName, by[:len(by)-1]
	}
	all := make([]sortable, 0, n)
	for slot := range l.walk(s.in(), 0, l == &s.d.byName && last.Descending) {
		if s.keeps(slot) {
			all = append(all, sortable{slot: slot})
		}
	}
	for _, order := range slices.Backward(by) {
		for i := range all {
			all[i].key = s.d.keyOf(kind{order.Sort, order.Descending}, all[i].slot)
		}
		all = sorted(all)
	}
	return all
}
