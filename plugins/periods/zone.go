package periods

import (
	"math"

	"github.com/sluicehq/sluice/sdk/wire"
)

// zone answers what the clocks of a time zone show. Entry i begins stretch i, in which their distance from UTC is the
// same; the first stretch has no beginning, the last no end. A local time is what the clocks show, written as the ms that
// UTC's clock would take to show it.
type zone []wire.Transition

var utc = zone{{}}

// zoneOf is the zone that a request names. One without transitions is UTC.
func zoneOf(transitions []wire.Transition) zone {
	if len(transitions) == 0 {
		return utc
	}
	return transitions
}

// offset is how far local time is ahead of UTC in stretch i, in ms.
func (z zone) offset(i int) int64 { return z[i].Offset * second }

// end is the moment at which the next stretch begins.
func (z zone) end(i int) int64 {
	if i+1 == len(z) {
		return math.MaxInt64
	}
	return z[i+1].At
}

// next is the first boundary after now of a rule by the calendar, where after gives the first one after a local time. No
// boundary comes twice when the clock is set back: what counts is the latest that it has shown.
func (z zone) next(now int64, after func(local int64) int64) int64 {
	return z.first(after(z.latest(now)))
}

// latest is the latest local time that the clock has shown up to now.
func (z zone) latest(now int64) int64 {
	shown := int64(math.MinInt64)
	for i := range z {
		shown = max(shown, min(now, z.end(i)-1)+z.offset(i))
		if now < z.end(i) {
			break
		}
	}
	return shown
}

// first is the moment at which the clock first shows this local time or a later one: of a time that it shows twice that
// is the first, of a time that it skips the end of the gap.
func (z zone) first(local int64) int64 {
	at := local - z.offset(0)
	for i := 1; i < len(z) && at >= z[i].At; i++ {
		at = max(z[i].At, local-z.offset(i))
	}
	return at
}

// nextHour is the first moment after now at which the clock shows a full hour or skips one. An hour that it shows twice
// is two hours.
func (z zone) nextHour(now int64) int64 {
	var at int64
	for i := range z {
		from := now + 1
		if i > 0 && z[i].At > now {
			from = z[i].At
			if ceil(from+z.offset(i-1), hour) < from+z.offset(i) {
				return from
			}
		}
		if at = ceil(from+z.offset(i), hour) - z.offset(i); at < z.end(i) {
			break
		}
	}
	return at
}
