package period

import (
	"fmt"
	"math"
	"slices"
	"sync"
	"time"
	_ "time/tzdata" // for machines without a zone database of their own

	"github.com/sluicehq/sluice/kernel/domain"
	"github.com/sluicehq/sluice/sdk/wire"
)

// horizon is how far ahead of now plugins are told of a zone's transitions, in ms: ten years.
const horizon = 3653 * 24 * 60 * 60 * 1000

// maxZones bounds the cache. There are some 600 zones, but file systems may know them by more names.
const maxZones = 1000

// The moments that have a date of four digits, ms UTC: others are nobody's anchor, and a walk from there takes long.
var (
	earliest = time.Time{}.UnixMilli() // 0001-01-01
	latest   = time.Date(10_000, 1, 1, 0, 0, 0, 0, time.UTC).UnixMilli()
)

// zones caches the transitions of time zones. The zero value is empty.
type zones struct {
	mu     sync.Mutex
	byName map[string]*zone
}

// zone is what is known of one time zone.
type zone struct {
	location *time.Location
	list     []wire.Transition // ascending, from the year 1 on: those before next
	next     int64             // ms UTC of the first that is not in the list, MaxInt64 = there is none
}

// transitions returns those of a zone that lie after from and before to (ms UTC), with the two before them: one tells
// what the clocks show at from, the other what they had shown already. "" is UTC. The caller must not change the list.
func (z *zones) transitions(name string, from, to int64) ([]wire.Transition, error) {
	if from < earliest || to < from || to > latest+horizon {
		return nil, domain.Invalid("reset_anchor", "must lie in the years 1 to 9999, and so must the clock")
	}
	z.mu.Lock()
	defer z.mu.Unlock()
	known, err := z.find(name)
	if err != nil {
		return nil, err
	}
	known.extend(to)
	begin, end := known.after(from), known.after(to-1)
	begin = max(begin-2, 0)
	return known.list[begin:end:end], nil
}

// check refuses a name that is no zone's.
func (z *zones) check(name string) error {
	z.mu.Lock()
	defer z.mu.Unlock()
	_, err := z.find(name)
	return err
}

// find returns a zone, from the cache or from the database of the machine or the binary.
func (z *zones) find(name string) (*zone, error) {
	if known := z.byName[name]; known != nil {
		return known, nil
	}
	location, err := load(name)
	if err != nil {
		return nil, err
	}
	if len(z.byName) >= maxZones || z.byName == nil {
		z.byName = map[string]*zone{}
	}
	known := &zone{location: location, next: earliest}
	z.byName[name] = known
	return known, nil
}

// CheckZone refuses a name that is no time zone's. "" is UTC.
func CheckZone(name string) error {
	_, err := load(name)
	return err
}

func load(name string) (*time.Location, error) {
	location, err := time.LoadLocation(name)
	if name == "Local" || err != nil { // Local would be another zone on another machine
		return nil, domain.Invalid("time_zone", fmt.Sprintf("is not an IANA time zone such as Europe/Berlin: %q", name)).Because(err)
	}
	return location, nil
}

// extend completes the list up to a moment. Lists handed out before stay as they are: only what lies behind them is
// written.
func (z *zone) extend(to int64) {
	for z.next < to {
		at := time.UnixMilli(z.next).In(z.location)
		_, offset := at.Zone()
		if n := len(z.list); n == 0 || z.list[n-1].Offset != int64(offset) { // else only the name has changed
			z.list = append(z.list, wire.Transition{At: z.next, Offset: int64(offset)})
		}
		_, end := at.ZoneBounds()
		switch {
		case end.IsZero():
			z.next = math.MaxInt64
		case end.After(at):
			z.next = end.UnixMilli()
		default: // far ahead package time ends a zone with the 365th day, also in leap years, and gets no further
			z.next += 24 * 60 * 60 * 1000
		}
	}
}

// after is the index of the first transition after at.
func (z *zone) after(at int64) int {
	i, found := slices.BinarySearchFunc(z.list, at, func(t wire.Transition, at int64) int {
		return int(min(max(t.At-at, -1), 1))
	})
	if found {
		i++
	}
	return i
}
