package plugin

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/sync/semaphore"
)

// errRetired tells a caller that the plugin was replaced while it waited: it has to look again.
var errRetired = errors.New("the plugin has been replaced")

// pool bounds the calls in flight of one plugin and keeps the instances between calls. Instances are made when one is
// needed and none is idle, so there are never more than slots.
type pool struct {
	slots   *semaphore.Weighted
	size    int64
	retired atomic.Bool

	mu   sync.Mutex
	idle []*instance // the last used one at the end: its memory is the warmest
}

func newPool(size int) *pool {
	return &pool{slots: semaphore.NewWeighted(int64(size)), size: int64(size)}
}

// acquire takes a slot, waiting for one at most wait and not after ctx has ended.
func (p *pool) acquire(ctx context.Context, wait time.Duration) error {
	if p.retired.Load() {
		return errRetired
	}
	if !p.slots.TryAcquire(1) {
		patience, cancel := context.WithTimeout(ctx, wait)
		defer cancel()
		if err := p.slots.Acquire(patience, 1); err != nil {
			if p.retired.Load() {
				return errRetired
			}
			if ctx.Err() != nil {
				return ctx.Err()
			}
			return fail(ErrBusy, "is busy: none of its %d instances became free within %s", p.size, milliseconds(wait))
		}
	}
	if p.retired.Load() {
		p.slots.Release(1)
		return errRetired
	}
	return nil
}

// release gives the slot back, and in too unless it is nil.
func (p *pool) release(in *instance) {
	if in != nil {
		p.mu.Lock()
		p.idle = append(p.idle, in)
		p.mu.Unlock()
	}
	p.slots.Release(1)
}

// take returns an idle instance, nil when there is none. The caller holds a slot.
func (p *pool) take() *instance {
	p.mu.Lock()
	defer p.mu.Unlock()
	n := len(p.idle)
	if n == 0 {
		return nil
	}
	in := p.idle[n-1]
	p.idle = p.idle[:n-1]
	return in
}

// empty closes the instances that are idle; others are made when they are needed.
func (p *pool) empty() {
	for in := p.take(); in != nil; in = p.take() {
		in.close()
	}
}

// drain refuses new calls, waits until those in flight have ended, and closes all instances.
func (p *pool) drain() {
	p.retired.Store(true)
	if err := p.slots.Acquire(context.Background(), p.size); err != nil {
		return // can not happen: the context never ends and size slots exist
	}
	defer p.slots.Release(p.size) // wakes whoever queued behind, to find the pool retired
	p.empty()
}
