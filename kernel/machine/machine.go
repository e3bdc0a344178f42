// Package machine tells how busy the computer is that Sluice runs on.
package machine

import (
	"sync"
	"time"

	"github.com/jonboulle/clockwork"
)

// Gauge is how much there is of something and how much of it is used, in bytes.
type Gauge struct{ Used, Total uint64 }

// Status is how the computer is. What it does not tell is zero: swap where there is none, sockets elsewhere than on Linux.
type Status struct {
	Cores, Threads int     // physical and logical ones
	MHz            float64 // of the first core
	CPU            float64 // percent of all cores together, since the reading before
	Load           [3]float64

	Memory, Swap, Disk Gauge // Disk is the one that / is on
	Uptime             time.Duration

	Sent, Received         uint64 // bytes of every interface but loopback, since the boot
	SentRate, ReceivedRate uint64 // bytes per second, since the reading before
	TCP, UDP               int    // open sockets
}

// reading is a status with the counters that its rates are made of.
type reading struct {
	Status
	busy, all float64 // CPU seconds since the boot
}

// fresh is how long a reading serves: a rate over less time than this says nothing.
const fresh = time.Second

// Machine is the computer that this process runs on. It is safe for concurrent use.
type Machine struct {
	clock clockwork.Clock
	read  func() reading

	mu   sync.Mutex
	last reading
	at   time.Time // of last, zero = there is none yet
}

// New returns the computer; clock tells the time that rates are counted in.
func New(clock clockwork.Clock) *Machine { return &Machine{clock: clock, read: read} }

// Status reads the computer, at most once a second and only when it is asked. Rates are those since the reading before;
// those of the first one are the averages since the boot.
func (m *Machine) Status() Status {
	m.mu.Lock()
	defer m.mu.Unlock()
	now := m.clock.Now()
	elapsed := now.Sub(m.at)
	if !m.at.IsZero() && elapsed >= 0 && elapsed < fresh {
		return m.last.Status
	}
	next := m.read()
	if m.at.IsZero() {
		elapsed = next.Uptime
	}
	next.SentRate = rate(m.last.Sent, next.Sent, elapsed)
	next.ReceivedRate = rate(m.last.Received, next.Received, elapsed)
	if busy, all := next.busy-m.last.busy, next.all-m.last.all; busy > 0 && all > 0 {
		next.CPU = min(100*busy/all, 100)
	}
	m.last, m.at = next, now
	return next.Status
}

// rate is per second. A counter that has fallen is one whose interface has gone: nothing is known then.
func rate(before, after uint64, elapsed time.Duration) uint64 {
	if after < before || elapsed <= 0 {
		return 0
	}
	return uint64(float64(after-before) / elapsed.Seconds())
}
