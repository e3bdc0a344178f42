package plugin

import (
	"sync"
	"sync/atomic"
	"time"

	"github.com/jonboulle/clockwork"
)

// When a plugin is switched off, and for how long.
const (
	breakerFailures = 5
	breakerWindow   = time.Minute
	breakerFirst    = 10 * time.Second
	breakerLongest  = 10 * time.Minute
)

// breaker switches a plugin off that keeps crashing. After a back-off one call may try; if it fails too the next
// back-off is twice as long.
type breaker struct {
	clock clockwork.Clock
	// Read without the lock, and nearly always false.
	open   atomic.Bool // the plugin is switched off
	unwell atomic.Bool // its last call failed

	mu      sync.Mutex
	recent  [breakerFailures]time.Time // of the last failures, a ring
	next    int                        // the oldest of them, to be replaced next
	until   time.Time                  // when the next try is allowed
	backoff time.Duration
	trying  bool // a call is under way that decides
	last    string
}

// allow returns nil or an ErrFailed. Whoever was allowed must report success or failure.
func (b *breaker) allow() error {
	if !b.open.Load() {
		return nil
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	if !b.trying && !b.clock.Now().Before(b.until) {
		b.trying = true
		return nil
	}
	return fail(ErrFailed, "%s", b.sentence())
}

// success closes the breaker if the call was the one that decides, and reports whether it did.
func (b *breaker) success() (closed bool) {
	if b.unwell.Load() {
		b.unwell.Store(false)
	}
	if !b.open.Load() {
		return false
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	if !b.trying {
		return false // a call from before the switch-off
	}
	b.recent, b.trying, b.backoff = [breakerFailures]time.Time{}, false, 0
	b.open.Store(false)
	return true
}

// failure counts a failure and reports whether it switched the plugin off.
func (b *breaker) failure(reason string) (opened bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	now := b.clock.Now()
	b.last = reason
	b.unwell.Store(true)
	if b.open.Load() {
		if b.trying {
			b.trip(now)
		}
		return false
	}
	b.recent[b.next] = now
	b.next = (b.next + 1) % breakerFailures
	if oldest := b.recent[b.next]; oldest.IsZero() || now.Sub(oldest) > breakerWindow {
		return false
	}
	b.trip(now)
	return true
}

// trip starts a back-off: the first one, or twice the last.
func (b *breaker) trip(now time.Time) {
	b.backoff = min(max(2*b.backoff, breakerFirst), breakerLongest)
	b.until, b.trying = now.Add(b.backoff), false
	b.open.Store(true)
}

// state says how the plugin does, and why it is not loaded and well. One that is called rarely, such as a period for one
// user, may never fail often enough to be switched off.
func (b *breaker) state() (State, string) {
	if !b.open.Load() && !b.unwell.Load() {
		return StateLoaded, ""
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.open.Load() {
		return StateFailed, "it " + b.sentence()
	}
	return StateFailing, "its last call failed: it " + b.last
}

// sentence goes on after the plugin's name, or "it". The caller holds the lock.
func (b *breaker) sentence() string {
	return "is switched off until " + b.until.UTC().Format(time.RFC3339) + " because it failed again and again, last: " + b.last
}
