package period

import (
	"fmt"
	"testing"
	"time"

	"github.com/sluicehq/sluice/sdk/wire"
)

// TestTransitionsTellTheTime compares the list with package time all along the span that it promises.
func TestTransitionsTellTheTime(t *testing.T) {
	var z zones
	for _, name := range []string{"", "UTC", "Europe/Berlin", "America/Sao_Paulo", "Pacific/Apia", "Africa/Casablanca", "Asia/Kolkata"} {
		loc, err := time.LoadLocation(name)
		if err != nil {
			t.Fatal(err)
		}
		for _, from := range []string{"2024-07-01T00:00:00Z", "1970-01-01T00:00:00Z", "0001-01-01T00:00:00Z", "2011-12-30T10:00:00Z"} {
			t.Run(name+" "+from, func(t *testing.T) {
				begin, now := at(t, from), at(t, "2026-07-01T00:00:00Z")
				list, err := z.transitions(name, begin, now+horizon)
				if err != nil || len(list) == 0 || list[0].At > begin {
					t.Fatalf("%+v, %v", list, err)
				}
				for i := 1; i < len(list); i++ {
					if list[i].At <= list[i-1].At || list[i].At >= now+horizon {
						t.Fatalf("%+v after %+v", list[i], list[i-1])
					}
				}
				i := 0
				for ms := begin; ms < now+horizon; ms += 9_999_999 {
					for i+1 < len(list) && list[i+1].At <= ms {
						i++
					}
					if _, offset := time.UnixMilli(ms).In(loc).Zone(); list[i].Offset != int64(offset) {
						t.Fatalf("%s: the list says %d, the zone %d", time.UnixMilli(ms).UTC(), list[i].Offset, offset)
					}
				}
			})
		}
	}
}

// TestTransitionsOfCenturies: where the zone database ends package time goes by a rule, and stands still in leap years.
func TestTransitionsOfCenturies(t *testing.T) {
	var z zones
	list, err := z.transitions("Europe/Berlin", at(t, "2030-01-01T00:00:00Z"), at(t, "9999-01-01T00:00:00Z"))
	if want := 2*(9999-2030) + 2; err != nil || len(list) != want {
		t.Errorf("%d transitions, %v; want %d", len(list), err, want)
	}
}

// TestTransitionsGrow checks that a list which was handed out stays as it was when the clock has moved on.
func TestTransitionsGrow(t *testing.T) {
	var z zones
	now := at(t, "2024-07-01T00:00:00Z")
	before, err := z.transitions("Europe/Berlin", now, now+horizon)
	if err != nil {
		t.Fatal(err)
	}
	seen := fmt.Sprint(before)
	later, err := z.transitions("Europe/Berlin", now+5*horizon, now+6*horizon)
	if err != nil {
		t.Fatal(err)
	}
	if fmt.Sprint(before) != seen || cap(before) != len(before) {
		t.Errorf("the list became %v, capacity %d", before, cap(before))
	}
	// Two changes a year, and two entries that lead up to the span.
	want := wire.Transition{At: at(t, "2084-03-26T01:00:00Z"), Offset: 7200}
	if len(before) != 22 || len(later) != 22 || later[len(later)-1] != want {
		t.Errorf("%d entries, then %d up to %+v", len(before), len(later), later[len(later)-1])
	}
}

func TestCacheIsBounded(t *testing.T) {
	z := zones{byName: map[string]*zone{}}
	for i := range maxZones {
		z.byName[fmt.Sprint(i)] = &zone{}
	}
	if err := z.check("Asia/Tokyo"); err != nil || len(z.byName) != 1 {
		t.Errorf("%d zones, %v", len(z.byName), err)
	}
}
