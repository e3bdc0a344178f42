package periods

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/sluicehq/sluice/sdk"
	"github.com/sluicehq/sluice/sdk/wire"
)

func location(t testing.TB, name string) *time.Location {
	t.Helper()
	loc, err := time.LoadLocation(name)
	if err != nil {
		t.Fatal(err)
	}
	return loc
}

// transitions are what a request carries for a zone: those of from until to, and the one before them.
func transitions(loc *time.Location, from, to time.Time) []wire.Transition {
	var list []wire.Transition
	at, _ := from.In(loc).ZoneBounds()
	for at.Before(to) {
		here := at.In(loc)
		_, offset := here.Zone()
		list = append(list, wire.Transition{At: at.UnixMilli(), Offset: int64(offset)})
		if _, at = here.ZoneBounds(); !at.After(here) {
			break
		}
	}
	return list
}

// ask has a rule answer natively.
func ask(t testing.TB, id string, req sdk.PeriodRequest) (sdk.PeriodReply, error) {
	t.Helper()
	rules := Rules()
	i := slices.IndexFunc(rules, func(r Rule) bool { return r.ID == id })
	if i < 0 {
		t.Fatalf("there is no rule %s", id)
	}
	return rules[i].Next(&req)
}

// watched is a rule with what it means for somebody who watches the clock on the wall.
type watched struct {
	id, params string
	due        func(wall time.Time) bool // whether a boundary belongs to what the clock shows; a full hour
	again      bool                      // an hour that is shown twice counts twice
}

func onDay(dayOfMonth, hour int) func(wall time.Time) bool {
	return func(wall time.Time) bool {
		last := time.Date(wall.Year(), wall.Month()+1, 0, 0, 0, 0, 0, time.UTC).Day()
		return wall.Hour() == hour && wall.Day() == min(dayOfMonth, last)
	}
}

var watchedRules = []watched{
	{id: "hourly", due: func(time.Time) bool { return true }, again: true},
	{id: "daily", due: func(wall time.Time) bool { return wall.Hour() == 0 }},
	{id: "weekly", due: func(wall time.Time) bool { return wall.Hour() == 0 && wall.Weekday() == time.Sunday }},
	{id: "monthly", due: onDay(1, 0)},
	{id: "monthly", params: `{"day":30}`, due: onDay(30, 0)},
	{id: "monthly", params: `{"day":31}`, due: onDay(31, 0)},
	{id: "calendar", params: `{"day_of_month":31,"hour":2}`, due: onDay(31, 2)},
	{id: "calendar", params: `{"day_of_month":1,"hour":23}`, due: onDay(1, 23)},
	{id: "calendar", params: `{"day_of_week":0,"hour":2}`, due: func(wall time.Time) bool {
		return wall.Hour() == 2 && wall.Weekday() == time.Sunday
	}},
	{id: "calendar", params: `{"day_of_week":6,"hour":1}`, due: func(wall time.Time) bool {
		return wall.Hour() == 1 && wall.Weekday() == time.Saturday
	}},
}

// watch looks at a wall clock once a minute and notes the boundaries of every rule.
func watch(loc *time.Location, from, to time.Time) [][]int64 {
	boundaries := make([][]int64, len(watchedRules))
	var ahead, changes int64 // ms ahead of UTC, and until when
	before, latest := int64(math.MinInt64), int64(math.MinInt64)
	for at := from.UnixMilli() - 2*day; at < to.UnixMilli(); at += 60_000 {
		if at >= changes {
			here := time.UnixMilli(at).In(loc)
			_, offset := here.Zone()
			ahead, changes = int64(offset)*1000, math.MaxInt64
			if _, end := here.ZoneBounds(); !end.IsZero() {
				changes = end.UnixMilli()
			}
		}
		wall := at + ahead
		for i, rule := range watchedRules {
			seen := max(latest, wall-day*2)
			if rule.again {
				seen = min(max(before, wall-day), wall-60_000)
			}
			for w := seen - seen%hour + hour; w <= wall; w += hour {
				if rule.due(time.UnixMilli(w).UTC()) {
					boundaries[i] = append(boundaries[i], at)
					break
				}
			}
		}
		before, latest = wall, max(latest, wall)
	}
	return boundaries
}

// TestRulesAgreeWithAClockOnTheWall is the property: whatever the moment, the next boundary is the next one that somebody
// who watches the clock of that zone notes. So it is in the future, none is left out, and none comes twice.
func TestRulesAgreeWithAClockOnTheWall(t *testing.T) {
	for _, c := range []struct {
		zone string
		year int // the first of two
	}{
		{"UTC", 2023},
		{"Europe/Berlin", 2023},
		{"America/New_York", 2023},
		{"Asia/Kolkata", 2023},        // half an hour, no summer time
		{"Australia/Lord_Howe", 2023}, // summer time of half an hour
		{"America/Sao_Paulo", 2016},   // the clock was changed at midnight: days without a 00:00
		{"America/Havana", 2023},      // back from 01:00: days with two
		{"Asia/Tehran", 2020},
		{"Africa/Casablanca", 2023}, // winter time during Ramadan
		{"Antarctica/Troll", 2023},  // summer time of two hours
		{"Pacific/Apia", 2010},      // no 30 December 2011
		{"America/Goose_Bay", 2010}, // back at one minute past midnight
	} {
		t.Run(c.zone, func(t *testing.T) {
			loc := location(t, c.zone)
			from := time.Date(c.year, 1, 1, 0, 0, 0, 0, time.UTC)
			to := from.AddDate(2, 0, 0)
			list := transitions(loc, from.AddDate(-1, 0, 0), to.AddDate(10, 0, 0))
			random := rand.New(rand.NewPCG(1, uint64(c.year)))
			for i, boundaries := range watch(loc, from, to.AddDate(0, 3, 0)) {
				rule := watchedRules[i]
				check := func(now int64) {
					t.Helper()
					n, found := slices.BinarySearch(boundaries, now)
					if found {
						n++
					}
					got, err := ask(t, rule.id, sdk.PeriodRequest{Now: now, Params: rule.params, Transitions: list})
					if want := boundaries[n]; err != nil || got.Never || got.Next != want {
						t.Fatalf("%s %s after %s: got %s, %v; want %s", rule.id, rule.params, show(now, loc),
							show(got.Next, loc), err, show(want, loc))
					}
				}
				for range 2000 {
					check(from.UnixMilli() + random.Int64N(to.Sub(from).Milliseconds()))
				}
				for _, change := range list { // the hours around a change of the clock
					if change.At < from.UnixMilli() || change.At > to.UnixMilli() {
						continue
					}
					for m := int64(-26 * 60); m <= 26*60; m += 7 {
						check(change.At + m*60_000)
					}
					check(change.At - 1)
				}
				for _, at := range boundaries {
					if at > from.UnixMilli() && at < to.UnixMilli() {
						check(at - 1)
						check(at)
					}
				}
			}
		})
	}
}

func show(ms int64, loc *time.Location) string {
	return time.UnixMilli(ms).In(loc).Format("2006-01-02T15:04:05.999Z07:00")
}
