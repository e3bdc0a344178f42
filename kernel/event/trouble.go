package event

import (
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/sluicehq/sluice/kernel/domain"
)

// Trouble is a handler that has handled nothing since then, although it was asked to.
type Trouble struct {
	Handler string
	Since   time.Time // of the first event that failed
	Problem string    // what became of the last one
}

// Troubles lists the handlers that fail, sorted.
func (d *Dispatcher) Troubles() (list []Trouble) {
	d.mu.Lock()
	defer d.mu.Unlock()
	for handler, f := range d.feeders {
		if t, fails := f.trouble.of(handler); fails {
			list = append(list, t)
		}
	}
	slices.SortFunc(list, func(a, b Trouble) int { return strings.Compare(a.Handler, b.Handler) })
	return list
}

// trouble is that of one handler.
type trouble struct {
	mu      sync.Mutex
	since   time.Time // zero = there is none
	problem string
}

// note follows a batch of which so many were handled; failure is the last one that failed, nil = none did.
func (t *trouble) note(handled int, failure *domain.Failure, now time.Time) {
	t.mu.Lock()
	defer t.mu.Unlock()
	switch {
	case handled > 0:
		t.since, t.problem = time.Time{}, ""
	case failure != nil:
		if t.since.IsZero() {
			t.since = now
		}
		t.problem = failure.Error
	}
}

func (t *trouble) of(handler string) (Trouble, bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	return Trouble{handler, t.since, t.problem}, !t.since.IsZero()
}
