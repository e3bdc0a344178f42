package jobs

import (
	"time"

	"github.com/jonboulle/clockwork"
)

// steadyClock counts on from its start and never jumps. The scheduler compares times of day: were the machine's clock set
// back by a day, it would run nothing for that day.
type steadyClock struct {
	clockwork.Clock
	start time.Time
}

func steady(clock clockwork.Clock) steadyClock { return steadyClock{clock, clock.Now()} }

// Now is the start and the time that has passed since.
func (c steadyClock) Now() time.Time { return c.start.Round(0).Add(c.Since(c.start)) }

// jumpFrom is the least difference between the time of day and the time passed that is called a jump. Less is a clock
// that is being adjusted.
const jumpFrom = 10 * time.Second

// wallWatch notices that the time of day was set, or that the machine slept.
type wallWatch struct {
	clock  steadyClock
	offset time.Duration // of the time of day to the steady clock, at the last look
}

func watchWall(clock clockwork.Clock) wallWatch { return wallWatch{clock: steady(clock)} }

// jumped returns by how much the time of day has jumped since the last call: positive is forward, 0 is not at all.
func (w *wallWatch) jumped() time.Duration {
	offset := w.clock.Clock.Now().Round(0).Sub(w.clock.Now())
	jump := offset - w.offset
	if jump.Abs() < jumpFrom {
		return 0
	}
	w.offset = offset
	return jump
}
