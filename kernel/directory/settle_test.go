package directory

import (
	"fmt"
	"math/rand/v2"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/sluicehq/sluice/kernel/domain"
)

// Nobody is listed until the first question, and that is answered as if everybody had been, whatever happened before, and
// whichever it is.
func TestFirstQuestion(t *testing.T) {
	all := Query{Limit: 1_000}
	byName := Query{Limit: 1_000, Sort: SortName, Buckets: Expiring | Disabled}
	byTraffic := Query{Limit: 1_000, Sort: SortTraffic, Search: "ann"}
	depleted := func(m *model) func(domain.Account) bool {
		return func(a domain.Account) bool { return m.bucketOf(a) == Depleted }
	}
	for _, c := range []struct {
		name string
		ask  func(d *Directory, m *model) (got, want any)
	}{
		{"page", func(d *Directory, m *model) (any, any) { return d.Page(m.now, all), m.page(all) }},
		{"page by name", func(d *Directory, m *model) (any, any) { return d.Page(m.now, byName), m.page(byName) }},
		{"page of a search", func(d *Directory, m *model) (any, any) { return d.Page(m.now, byTraffic), m.page(byTraffic) }},
		{"summary", func(d *Directory, m *model) (any, any) { return d.Summary(m.now, 7), m.summary(7) }},
		{"depleted", func(d *Directory, m *model) (any, any) { return d.DepletedIDs(m.now), m.ids(depleted(m)) }},
		{"due", func(d *Directory, m *model) (any, any) { return d.Due(m.now, 1_000), m.due() }},
	} {
		t.Run(c.name, func(t *testing.T) {
			d, m := New(), newModel(11)
			for i := range 2_000 {
				m.step(t, d)
				m.now++
				if i%500 == 0 {
					m.within, m.bytes = m.rnd.Int64N(100), m.rnd.Int64N(400)
					d.SetExpiring(m.within, m.bytes)
				}
			}
			if d.settled() || len(d.byName.chunks)+len(d.byExpiry.chunks) > 0 {
				t.Fatal("users were listed before anybody asked")
			}
			if got, want := c.ask(d, m); !reflect.DeepEqual(got, want) || len(m.users) < 100 {
				t.Fatalf("of %d users\n got %v\nwant %v", len(m.users), got, want)
			}
			m.lists(t, d)
			for range 300 {
				m.step(t, d)
				m.now++
			}
			m.comparePages(t, d)
		})
	}
}

// Names are in order however much of them is the same, and however many are.
func TestSortedByName(t *testing.T) {
	for _, c := range []struct {
		name string
		of   func(id int64) string
	}{
		{"nothing in common", func(id int64) string { return fmt.Sprintf("%x", mixed(id)) }},
		{"the first eight bytes", func(id int64) string { return fmt.Sprintf("customer%d", mixed(id)) }},
		{"all but the end", func(id int64) string { return strings.Repeat("longer", 20) + fmt.Sprint(mixed(id)) }},
		{"one begins with the other", func(id int64) string {
			return strings.Repeat("\x00a", int(id%3)) + strings.Repeat("b", int(id/3))
		}},
		{"not only ASCII", func(id int64) string { return fmt.Sprintf("%cÄß%d", 'ä'+rune(id%500), mixed(id)) }},
	} {
		t.Run(c.name, func(t *testing.T) {
			const users = 1_500
			d := New()
			ids := rand.New(rand.NewPCG(1, 1)).Perm(users)
			var want []string
			for _, id := range ids {
				a := named(int64(id), 1, c.of(int64(id)))
				d.Put(a)
				want = append(want, domain.NameKey(a.User.Username))
			}
			slices.Sort(want)
			var got []string
			for _, id := range d.Page(0, Query{Sort: SortName, Limit: users}).IDs {
				got = append(got, domain.NameKey(c.of(id)))
			}
			if !slices.Equal(got, want) {
				t.Errorf("%d names are not in order", len(got))
			}
		})
	}
}
