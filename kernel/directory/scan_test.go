package directory

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/sluicehq/sluice/kernel/domain"
)

func named(id, revision int64, name string) domain.Account {
	return with(id, revision, func(a *domain.Account) { a.User.Username = name })
}

// Who changes while a search is under way is looked at again.
func TestScanAmongChanges(t *testing.T) {
	for _, c := range []struct {
		name string
		do   func(d *Directory)
		want []int64
	}{
		{"nothing", func(*Directory) {}, []int64{1, 2}},
		{"renamed away", func(d *Directory) { d.Put(named(1, 2, "carl")) }, []int64{2}},
		{"renamed to", func(d *Directory) { d.Put(named(3, 2, "annika")) }, []int64{1, 2, 3}},
		{"removed", func(d *Directory) { d.Remove(1) }, []int64{2}},
		{"removed, and another took the slot", func(d *Directory) {
			d.Remove(1)
			d.Put(named(9, 1, "carl"))
		}, []int64{2}},
		{"added", func(d *Directory) { d.Put(named(9, 1, "hanna")) }, []int64{2, 1, 9}},
	} {
		t.Run(c.name, func(t *testing.T) {
			d := filled(t, named(1, 1, "anna"), named(2, 1, "ANNE"), named(3, 1, "bob"))
			s := d.scan(&Query{Search: "ann"})
			c.do(d)
			s.finish()
			d.endScan(s)
			var got []int64
			for slot := range s.slots.all {
				got = append(got, d.recs.at(slot).id)
			}
			slices.Sort(got)
			slices.Sort(c.want)
			if !slices.Equal(got, c.want) || len(d.scans) != 0 {
				t.Errorf("%v with %d scans left, want %v", got, len(d.scans), c.want)
			}
		})
	}
}

// A text that is moved to where a search has been already is looked at again.
func TestScanHearsOfMovedTexts(t *testing.T) {
	const users = 1_000
	d := New()
	before := map[uint32]ref{}
	for id := range int64(users) {
		d.Put(account(id, 1))
		slot := d.ids.get(id)
		before[slot] = d.recs.at(slot).text
	}
	s := &scan{d: d, q: &Query{}}
	d.scans = append(d.scans, s)
	for id := range int64(users) {
		if id%3 != 0 {
			d.Remove(id)
		}
	}
	moved := 0
	for id := int64(0); id < users; id += 3 {
		slot := d.ids.get(id)
		if d.recs.at(slot).text == before[slot] {
			continue
		}
		if moved++; !slices.Contains(s.changed, slot) {
			t.Errorf("the text of user %d was moved, and the search does not know", id)
		}
	}
	if moved == 0 {
		t.Error("no text was moved")
	}
}

// What is found does not depend on how often the bytes of the needle come, nor on where chunks end, nor on old texts.
func TestSearch(t *testing.T) {
	const users = 5_000
	d := New()
	for id := range int64(users) {
		d.Put(named(id, 1, fmt.Sprintf("old%d", id)))
		d.Put(named(id, 2, fmt.Sprintf("u%d.%s", id, []string{"q", "Qx", "zz"}[id%3])))
	}
	for needle, some := range map[string]bool{
		"q": true, "QX": true, ".zz": true, "u": true, "u49": true, "00": true, "49.q": true, "u4999.qx": true, "u4998.zz": false,
		"old": false, "zzz": false, "u4999.qxs": false, "\x00": false,
	} {
		want := []int64{}
		for r := range d.Each {
			if strings.Contains(strings.ToLower(r.Username), strings.ToLower(needle)) || strings.Contains(r.SubID, needle) {
				want = append(want, r.ID)
			}
		}
		p := d.Page(0, Query{Search: needle, Limit: users})
		if !slices.Equal(p.IDs, want) || p.Filtered != len(want) || some != (len(want) > 0) {
			t.Errorf("%q: %d users of %d, want %d", needle, len(p.IDs), p.Filtered, len(want))
		}
	}
}

func TestRarest(t *testing.T) {
	text := []byte(strings.Repeat("aaab", 40) + "cde" + strings.Repeat("e", 5))
	for needle, want := range map[string]int{"a": -1, "ab": -1, "ae": -1, "ac": 1, "cade": 0, "bxc": 1} {
		if got := rarest([]byte(needle), text); got != want {
			t.Errorf("%q: %d, want %d", needle, got, want)
		}
	}
}
