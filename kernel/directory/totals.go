package directory

import "github.com/sluicehq/sluice/kernel/domain"

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

// AdminTotal is what the users of an admin are together.
type AdminTotal struct {
	Users    int
	Up, Down int64                 // bytes
	Lifetime int64                 // bytes up and down, ever
	ByStatus map[domain.Status]int // users by status, without those that nobody has; not nil
}

// AdminTotals returns the totals of every admin who has users, by admin id. The statuses are those of the moment for which
// the directory was asked last, by Due or for a page. It costs as much as there are different sets of what users share.
func (d *Directory) AdminTotals() map[int64]AdminTotal {
	d.mu.RLock()
	defer d.mu.RUnlock()
	totals := map[int64]AdminTotal{}
	for i := range d.sets.sets {
		s := &d.sets.sets[i]
		users := s.counts.in(everybody)
		if users == 0 {
			continue
		}
		t := totals[s.admin]
		if t.ByStatus == nil {
			t.ByStatus = map[domain.Status]int{}
		}
		for status, in := range statusStates {
			if n := s.counts.in(in); n > 0 {
				t.ByStatus[status] += n
			}
		}
		t.Users += users
		t.Up += s.up
		t.Down += s.down
		t.Lifetime += s.lifetime
		totals[s.admin] = t
	}
	return totals
}
