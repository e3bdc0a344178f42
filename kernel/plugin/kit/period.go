package kit

import (
	"fmt"
	"strings"
	"time"

	"github.com/sluicehq/sluice/kernel/period"
	"github.com/sluicehq/sluice/sdk/wire"
)

// zoneNames are zones with everything that a zone can do: none, an hour forward and back in both hemispheres, half an
// hour, quarter hours, a day left out, no more changes since lately.
var zoneNames = []string{
	"UTC", "Europe/Berlin", "America/Santiago", "Australia/Lord_Howe", "Asia/Kathmandu", "Pacific/Apia", "Asia/Tehran",
}

// anchors are moments at which calendars go wrong.
var anchors = []time.Time{
	time.Date(1970, 1, 1, 0, 0, 1, 0, time.UTC),
	time.Date(2000, 2, 29, 12, 0, 0, 0, time.UTC),
	time.Date(2011, 12, 30, 9, 59, 59, 0, time.UTC), // Apia goes to the 31st
	time.Date(2023, 12, 31, 23, 59, 59, 999e6, time.UTC),
	time.Date(2024, 2, 29, 23, 30, 0, 0, time.UTC),
	time.Date(2025, 3, 30, 0, 59, 59, 0, time.UTC), // Berlin is about to lose an hour
	time.Date(2025, 10, 26, 0, 30, 0, 0, time.UTC), // and to have one twice
	time.Date(2025, 1, 31, 1, 30, 0, 0, time.UTC),
	time.Date(2030, 6, 15, 0, 0, 0, 0, time.UTC), // later than now
}

// checkPeriod holds a period item against what keeps a user's quota honest.
func (s *session) checkPeriod(item *wire.Item, params string) {
	if err := period.New(s.host).Check(item.ID, params); err != nil {
		s.judge(what(item), "its parameters can be used", err)
		return
	}
	walker := walk{s, item, period.New(s.host), params}
	var failure error
	for _, zone := range zoneNames {
		for _, anchor := range anchors {
			if failure == nil {
				failure = walker.from(anchor, zone)
			}
		}
	}
	s.judge(what(item), "boundaries come in order, each in the future", failure)
	end := time.Date(9999, 12, 31, 23, 59, 59, 0, time.UTC)
	_, _, err := walker.next(period.Question{Anchor: end.UnixMilli(), Now: end.UnixMilli()})
	s.advise(what(item), "there is an end before the year 10000", err)
	req := wire.PeriodRequest{
		ID: item.ID, Now: today.UnixMilli(), Entropy: entropy(1), Params: params, Anchor: anchors[4].UnixMilli(),
		TimeZone: "UTC", Transitions: []wire.Transition{{At: 0}},
	}
	long := req
	long.TimeZone = strings.Repeat("x", 1<<20)
	_, err = s.host.Period(s.ctx, &long)
	s.strain(what(item), "a time zone of 1 MiB does no harm", err)
	bare := req
	bare.TimeZone, bare.Transitions = "", nil
	s.checkReproducible(item, &req, &bare)
	s.checkMemory(item, &req)
}

// walk follows the boundaries of one item.
type walk struct {
	s      *session
	item   *wire.Item
	ask    *period.Service
	params string
}

// next asks for a boundary as the kernel does.
func (w *walk) next(q period.Question) (next int64, never bool, err error) {
	q.ID, q.Params = w.item.ID, w.params
	err = w.s.timed(wire.OpPeriod, w.item, func() error {
		next, never, err = w.ask.Next(w.s.ctx, q)
		return err
	})
	return next, never, err
}

// from walks 30 boundaries. Halfway to a boundary, and a moment before it, the answer has to be the same one: a user is
// asked about whenever something changes, and a late run must not move what follows.
func (w *walk) from(anchor time.Time, zone string) error {
	q := period.Question{Anchor: anchor.UnixMilli(), Now: anchor.UnixMilli(), TimeZone: zone}
	if anchor.After(today) {
		q.Now = today.UnixMilli()
	}
	for range 30 {
		next, never, err := w.next(q)
		if err != nil {
			return fmt.Errorf("after %s, anchor %s, %s: %w", stamp(q.Now), stamp(q.Anchor), zone, err)
		}
		if never {
			return nil
		}
		for _, now := range []int64{q.Now + (next-q.Now)/2, next - 1} {
			between := q
			between.Now = now
			again, never, err := w.next(between)
			switch {
			case err != nil:
				return fmt.Errorf("after %s, anchor %s, %s: %w", stamp(now), stamp(q.Anchor), zone, err)
			case never || again != next:
				return fmt.Errorf("anchor %s, %s: asked at %s the next boundary is %s, asked at %s it is %s",
					stamp(q.Anchor), zone, stamp(q.Now), stamp(next), stamp(now), stamp(again))
			}
		}
		q.Last, q.Now = next, next
	}
	return nil
}

func stamp(ms int64) string { return time.UnixMilli(ms).UTC().Format("2006-01-02T15:04:05.999Z") }
