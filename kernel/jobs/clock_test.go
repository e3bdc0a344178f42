package jobs

import (
	"context"
	"sync/atomic"
	"testing"
	"time"

	"github.com/jonboulle/clockwork"
	"go.uber.org/zap"
)

// wallClock is a clock whose time of day can be set while its steady time goes on, as that of a machine.
type wallClock struct {
	*clockwork.FakeClock
	offset atomic.Int64 // ns
}

func newWallClock() *wallClock {
	return &wallClock{FakeClock: clockwork.NewFakeClockAt(time.UnixMilli(1_800_000_000_000))}
}

func (c *wallClock) Now() time.Time { return c.FakeClock.Now().Add(time.Duration(c.offset.Load())) }

func TestWallWatch(t *testing.T) {
	const day = 24 * time.Hour
	for _, c := range []struct {
		name string
		set  []time.Duration // by how much the time of day is set, one after the other
		want []time.Duration
	}{
		{"time goes on", []time.Duration{0, 0}, []time.Duration{0, 0}},
		{"a day forward, once", []time.Duration{day, 0}, []time.Duration{day, 0}},
		{"a day back", []time.Duration{-day, 0}, []time.Duration{-day, 0}},
		{"there and back", []time.Duration{day, -day}, []time.Duration{day, -day}},
		{"adjusted by little", []time.Duration{time.Second, -2 * time.Second}, []time.Duration{0, 0}},
		{"by little for long", []time.Duration{6 * time.Second, 6 * time.Second}, []time.Duration{0, 12 * time.Second}},
	} {
		t.Run(c.name, func(t *testing.T) {
			clock := newWallClock()
			w := watchWall(clock)
			for i, by := range c.set {
				clock.Advance(time.Minute)
				clock.offset.Add(int64(by))
				if got := w.jumped(); got != c.want[i] {
					t.Errorf("look %d: jumped by %s, want %s", i, got, c.want[i])
				}
			}
		})
	}
}

// The scheduler goes on when the time of day is set back: it must not wait for the time to come again.
func TestJobsRunOnAfterTheClockIsSetBack(t *testing.T) {
	clock, ran := newWallClock(), make(chan struct{}, 1)
	r, err := Start(clock, zap.NewNop(), Job{"count", time.Second, func(context.Context) error {
		ran <- struct{}{}
		return nil
	}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = r.Stop() })
	for _, by := range []time.Duration{0, -24 * time.Hour, 24 * time.Hour} {
		clock.offset.Add(int64(by))
		for range 3 {
			if err := clock.BlockUntilContext(t.Context(), 1); err != nil {
				t.Fatal(err)
			}
			clock.Advance(time.Second)
			<-ran
		}
	}
	r.Now("count")
	<-ran
}
