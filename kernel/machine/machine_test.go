package machine

import (
	"testing"
	"time"

	"github.com/jonboulle/clockwork"
)

// Rates are those between two readings, which are a second apart at least.
func TestRates(t *testing.T) {
	clock := clockwork.NewFakeClock()
	var next reading
	reads := 0
	m := New(clock)
	m.read = func() reading { reads++; return next }
	for _, step := range []struct {
		name               string
		after              time.Duration
		sent, received     uint64
		busy, all          float64
		reads              int
		wantSent, wantRecv uint64
		wantCPU            float64
	}{
		{"since the boot, 100 s ago", 0, 1000, 5000, 50, 200, 1, 10, 50, 25},
		{"at once again", 0, 9000, 9000, 60, 210, 1, 10, 50, 25},
		{"in the same second", 999 * time.Millisecond, 9000, 9000, 60, 210, 1, 10, 50, 25},
		{"a second later", time.Millisecond, 1500, 5000, 53, 204, 2, 500, 0, 75},
		{"four seconds later", 4 * time.Second, 1900, 13000, 53, 208, 3, 100, 2000, 0},
		{"an interface is gone", time.Second, 100, 13500, 54, 212, 4, 0, 500, 25},
		{"CPU time runs backwards", time.Second, 100, 13500, 53, 211, 5, 0, 0, 0},
		{"more work than time", time.Second, 100, 13500, 63, 215, 6, 0, 0, 100},
		{"the clock runs backwards", -time.Hour, 1100, 13500, 63, 216, 7, 0, 0, 0},
	} {
		t.Run(step.name, func(t *testing.T) {
			clock.Advance(step.after)
			next = reading{Status: Status{Uptime: 100 * time.Second, Sent: step.sent, Received: step.received}, busy: step.busy, all: step.all}
			got := m.Status()
			if got.SentRate != step.wantSent || got.ReceivedRate != step.wantRecv || got.CPU != step.wantCPU || reads != step.reads {
				t.Errorf("sent %d/s, received %d/s, CPU %v %% after %d readings, want %d/s, %d/s, %v %% after %d",
					got.SentRate, got.ReceivedRate, got.CPU, reads, step.wantSent, step.wantRecv, step.wantCPU, step.reads)
			}
		})
	}
}

// One reading is a few small files, whatever the number of connections.
func BenchmarkStatus(b *testing.B) {
	clock := clockwork.NewFakeClock()
	m := New(clock)
	for b.Loop() {
		clock.Advance(fresh)
		m.Status()
	}
}
