package event

import (
	"time"

	"go.uber.org/zap"

	"github.com/sluicehq/sluice/kernel/domain"
)

// reportEvery is how often the log tells of a handler whose events fail: one that is down for a night has a hundred
// thousand of them, each of which is tried again and again.
const reportEvery = time.Minute

// report is what has gone wrong for one handler since the log was told of it last.
type report struct {
	log     *zap.Logger
	told    time.Time // zero = never
	again   int       // events that failed and come again
	dead    int       // events that were given up
	event   *domain.Delivery
	failure *domain.Failure // of event, the last one that failed
	storage error           // why events can not be taken or finished
	trouble *trouble        // the same for who asks
}

// add counts a failed delivery. One that was not even tried is none.
func (r *report) add(e *domain.Delivery, f *domain.Failure) {
	switch {
	case f.Unasked:
		return
	case f.Dead:
		r.dead++
	default:
		r.again++
	}
	r.event, r.failure = e, f
}

// write tells the log, if there is anything to tell and it was not told just before.
func (r *report) write(now time.Time) {
	if r.event == nil && r.storage == nil || !r.told.IsZero() && now.Sub(r.told) < reportEvery {
		return
	}
	if r.storage != nil {
		r.log.Error("events can not be taken from the database, or what became of them can not be stored: they are tried again, and may be "+
			"delivered twice", zap.Error(r.storage))
	}
	if r.event != nil {
		level, what := r.log.Warn, "events were not handled, they come again"
		if r.dead > 0 {
			level, what = r.log.Error, "events were not handled and are given up: they are dead letters now, see GET /api/events?state=dead"
		}
		level(what, zap.Int("given_up", r.dead), zap.Int("come_again", r.again), zap.String("last_type", r.event.Type),
			zap.Int64("last_event", r.event.ID), zap.Int64("last_attempt", r.event.Attempts+1), zap.String("error", r.failure.Error))
	}
	*r = report{log: r.log, told: now, trouble: r.trouble}
}
