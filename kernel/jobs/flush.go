package jobs

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/jonboulle/clockwork"

	"github.com/sluicehq/sluice/kernel/domain"
)

// chunk is the most users whose traffic one transaction writes, so that no flush holds the writer for long.
const chunk = 2000

// Counters are the byte counters of the running core.
type Counters interface {
	// Moved returns what each user moved that is not marked as flushed.
	Moved() []domain.TrafficDelta
	// Flushed marks these deltas as stored.
	Flushed([]domain.TrafficDelta)
	// Unflushed is what one user moved that is not marked as flushed, in bytes.
	Unflushed(userID int64) (up, down int64)
}

// TrafficStore is where traffic is kept.
type TrafficStore interface {
	// FlushTraffic adds the deltas once for each (node, seq): a repeated call changes nothing.
	FlushTraffic(ctx context.Context, node string, seq int64, ds []domain.TrafficDelta) error
	// LastFlush is the highest seq of the node, 0 = none.
	LastFlush(ctx context.Context, node string) (int64, error)
	Traffic(ctx context.Context, userID int64) (domain.Traffic, error)
}

// Flusher moves what users moved from the core's counters to the database. A chunk that was sent but not acknowledged
// is sent again as it was, under the same number, so that nothing is lost and nothing counts twice.
type Flusher struct {
	store    TrafficStore
	counters Counters
	clock    clockwork.Clock
	node     string

	flushing sync.Mutex // one flush at a time
	seq      int64      // of the last stored chunk
	pending  []domain.TrafficDelta

	settled sync.RWMutex // held while a chunk is in the database and still in the counters
	last    atomic.Int64 // ms UTC of the last flush that stored everything
}

// NewFlusher returns the flusher of this node. It goes on after the last chunk that the database knows of.
func NewFlusher(ctx context.Context, store TrafficStore, counters Counters, clock clockwork.Clock, node string) (*Flusher, error) {
	seq, err := store.LastFlush(ctx, node)
	if err != nil {
		return nil, fmt.Errorf("find the last flush: %w", err)
	}
	f := &Flusher{store: store, counters: counters, clock: clock, node: node, seq: seq}
	f.last.Store(clock.Now().UnixMilli())
	return f, nil
}

// Flush writes everything that moved. After an error the rest waits for the next call; nothing is lost.
func (f *Flusher) Flush(ctx context.Context) error {
	f.flushing.Lock()
	defer f.flushing.Unlock()
	if err := f.flushChunk(ctx, f.pending); err != nil {
		return err
	}
	for part := range slices.Chunk(f.counters.Moved(), chunk) {
		if err := f.flushChunk(ctx, part); err != nil {
			return err
		}
	}
	f.last.Store(f.clock.Now().UnixMilli())
	return nil
}

func (f *Flusher) flushChunk(ctx context.Context, part []domain.TrafficDelta) error {
	if len(part) == 0 {
		return nil
	}
	f.settled.Lock()
	defer f.settled.Unlock()
	f.pending = part
	if err := f.store.FlushTraffic(ctx, f.node, f.seq+1, part); err != nil {
		return fmt.Errorf("flush traffic of %d users: %w", len(part), err)
	}
	f.seq++
	f.pending = nil
	f.counters.Flushed(part)
	return nil
}

// Settled runs fn while no chunk is both in the database and in the counters. fn must not call a Flusher.
func (f *Flusher) Settled(fn func() error) error {
	f.settled.RLock()
	defer f.settled.RUnlock()
	return fn()
}

// Usage returns what the user has moved, the bytes of the last seconds included.
func (f *Flusher) Usage(ctx context.Context, userID int64) (t domain.Traffic, err error) {
	err = f.Settled(func() error {
		if t, err = f.store.Traffic(ctx, userID); err != nil {
			return err
		}
		up, down := f.counters.Unflushed(userID)
		t.Up, t.Down = t.Up+up, t.Down+down
		t.LifetimeUp, t.LifetimeDown = t.LifetimeUp+up, t.LifetimeDown+down
		return nil
	})
	return t, err
}

// Age is the time since everything was stored.
func (f *Flusher) Age() time.Duration {
	return f.clock.Now().Sub(time.UnixMilli(f.last.Load()))
}
