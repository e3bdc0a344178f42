package directory

import (
	"reflect"
	"testing"

	"github.com/sluicehq/sluice/kernel/domain"
)

// The totals of the admins follow whatever becomes of their users.
func TestAdminTotals(t *testing.T) {
	const active, limited, disabled = domain.StatusActive, domain.StatusLimited, domain.StatusDisabled
	user := func(id, revision, admin int64, change func(*domain.Account)) domain.Account {
		return with(id, revision, func(a *domain.Account) {
			a.User.AdminID = admin
			a.Traffic = domain.Traffic{Up: 1, Down: 20, LifetimeUp: 300, LifetimeDown: 4_000}
			change(a)
		})
	}
	as := func(*domain.Account) {}
	d := filled(t,
		user(1, 1, 5, as),
		user(2, 1, 5, func(a *domain.Account) { a.User.Quota, a.Groups = ptr(int64(30)), []int64{4} }),
		user(3, 1, 6, func(a *domain.Account) { a.User.Enabled = false }),
	)
	for _, c := range []struct {
		name string
		do   func()
		want map[int64]AdminTotal
	}{
		{"put", func() {}, map[int64]AdminTotal{
			5: {2, 2, 40, 8_600, map[domain.Status]int{active: 2}}, 6: {1, 1, 20, 4_300, map[domain.Status]int{disabled: 1}},
		}},
		{"moved", func() { d.Moved([]domain.TrafficDelta{{UserID: 2, Up: 4, Down: 5}, {UserID: 9, Up: 1}}) }, map[int64]AdminTotal{
			5: {2, 6, 45, 8_609, map[domain.Status]int{active: 1, limited: 1}}, 6: {1, 1, 20, 4_300, map[domain.Status]int{disabled: 1}},
		}},
		{"reset", func() {
			d.Put(user(2, 2, 5, func(a *domain.Account) { a.Traffic.Up, a.Traffic.Down, a.Traffic.LifetimeUp = 0, 0, 309 }))
		}, map[int64]AdminTotal{
			5: {2, 1, 20, 8_609, map[domain.Status]int{active: 2}}, 6: {1, 1, 20, 4_300, map[domain.Status]int{disabled: 1}},
		}},
		{"given to another", func() { d.Put(user(1, 2, 6, as)) }, map[int64]AdminTotal{
			5: {1, 0, 0, 4_309, map[domain.Status]int{active: 1}},
			6: {2, 2, 40, 8_600, map[domain.Status]int{active: 1, disabled: 1}},
		}},
		{"older news", func() { d.Put(user(1, 1, 5, as)) }, map[int64]AdminTotal{
			5: {1, 0, 0, 4_309, map[domain.Status]int{active: 1}},
			6: {2, 2, 40, 8_600, map[domain.Status]int{active: 1, disabled: 1}},
		}},
		{"removed", func() { d.Remove(2, 3) }, map[int64]AdminTotal{6: {1, 1, 20, 4_300, map[domain.Status]int{active: 1}}}},
	} {
		c.do()
		d.Due(1_000, 1)
		if got := d.AdminTotals(); !reflect.DeepEqual(got, c.want) {
			t.Errorf("%s: %+v, want %+v", c.name, got, c.want)
		}
	}
}
