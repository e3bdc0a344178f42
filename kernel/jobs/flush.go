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
	// Moved returns what users and inbounds moved that is not marked as flushed.
	Moved() ([]domain.TrafficDelta, []domain.InboundDelta)
	// Flushed marks these deltas as stored.
	Flushed([]domain.TrafficDelta, []domain.InboundDelta)
	// Unflushed is what one user moved that is not marked as flushed, in bytes.
	Unflushed(userID int64) (up, down int64)
	// UnflushedInbound is the same of an inbound.
	UnflushedInbound(inboundID int64) (up, down int64)
}

// TrafficStore is where traffic is kept.
type TrafficStore interface {
	// FlushTraffic adds the chunk once for each (Node, Seq): a repeated call changes nothing.
	FlushTraffic(ctx context.Context, c domain.Chunk) error
	// LastFlush is the highest seq of the node, 0 = none.
	LastFlush(ctx context.Context, node string) (int64, error)
	Traffic(ctx context.Context, userID int64) (domain.Traffic, error)
}

// Flusher moves what was moved from the core's counters to the database. A chunk that was sent but not acknowledged is
// sent again as it was, under the same number, so that nothing is lost and nothing counts twice.
type Flusher struct {
	store    TrafficStore
	counters Counters
	clock    clockwork.Clock
	node     string

	flushing sync.Mutex // one flush at a time
	seq      int64      // of the last stored chunk
	pending  domain.Chunk

	settled sync.RWMutex // held while a chunk is in the database and still in the counters
	unsure  atomic.Bool  // nobody knows whether pending is in the database
	last    atomic.Int64 // ms UTC of the last flush that stored everything
	count   atomic.Int64 // of such flushes
	failed  atomic.Pointer[error]
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
	err := f.flush(ctx)
	if ctx.Err() == nil { // one that was told to end has not failed
		f.failed.Store(&err)
	}
	return err
}

func (f *Flusher) flush(ctx context.Context) error {
	if err := f.sendLocked(ctx, f.pending); err != nil {
		return err
	}
	users, inbounds := f.counters.Moved()
	next := domain.Chunk{Inbounds: inbounds}
	for part := range slices.Chunk(users, chunk) {
		next.Users = part
		if err := f.sendLocked(ctx, next); err != nil {
			return err
		}
		next = domain.Chunk{}
	}
	if err := f.sendLocked(ctx, next); err != nil { // inbounds, if no user moved anything
		return err
	}
	f.last.Store(f.clock.Now().UnixMilli())
	f.count.Add(1)
	return nil
}

// sendLocked stores a chunk in a transaction of its own. An empty one needs none.
func (f *Flusher) sendLocked(ctx context.Context, c domain.Chunk) error {
	if c.Empty() {
		return nil
	}
	f.settled.Lock()
	defer f.settled.Unlock()
	return f.send(c, func(c domain.Chunk) error {
		if err := f.store.FlushTraffic(ctx, c); err != nil {
			return fmt.Errorf("flush traffic of %d users: %w", len(c.Users), err)
		}
		return nil
	})
}

// send stores a chunk by commit. After an error nobody knows whether it is stored: it is the next one to be sent.
func (f *Flusher) send(c domain.Chunk, commit func(domain.Chunk) error) error {
	c.Node, c.Seq = f.node, f.seq+1
	f.pending = c
	if err := commit(c); err != nil {
		f.unsure.Store(true)
		return err
	}
	f.seq, f.pending = c.Seq, domain.Chunk{}
	f.counters.Flushed(c.Users, c.Inbounds)
	f.unsure.Store(false)
	return nil
}

// Drain is for a transaction that reads or sets the usage of users or inbounds: commit must store the chunk that it is
// given in its own transaction (storage.Tx.AddTraffic), so that the bytes of the last seconds are in what it reads, and
// call last once, when nothing but the commit itself is left to do. The chunk is empty when there are none. effect runs after the
// commit, before any other flush. Neither may call a Flusher.
//
// Who asks for usage waits from last until the bytes have left the counters, and not for the transaction or the effect,
// which may take seconds.
func (f *Flusher) Drain(
	ctx context.Context, userIDs, inboundIDs []int64, commit func(c domain.Chunk, last func()) error, effect func(),
) error {
	f.flushing.Lock()
	defer f.flushing.Unlock()
	if err := f.sendLocked(ctx, f.pending); err != nil {
		return err
	}
	if err := f.drain(f.unflushed(userIDs, inboundIDs), commit); err != nil {
		return err
	}
	effect()
	return nil
}

// drain stores a chunk with what commit writes.
func (f *Flusher) drain(c domain.Chunk, commit func(c domain.Chunk, last func()) error) error {
	locked := false
	last := func() {
		f.settled.Lock()
		locked = true
	}
	defer func() {
		if locked {
			f.settled.Unlock()
		}
	}()
	if c.Empty() {
		return commit(c, last)
	}
	return f.send(c, func(c domain.Chunk) error { return commit(c, last) })
}

// unflushed is what users and inbounds moved since the last flush.
func (f *Flusher) unflushed(userIDs, inboundIDs []int64) (c domain.Chunk) {
	now := f.clock.Now().UnixMilli()
	for _, id := range userIDs {
		if up, down := f.counters.Unflushed(id); up != 0 || down != 0 {
			c.Users = append(c.Users, domain.TrafficDelta{UserID: id, Up: up, Down: down, OnlineAt: now})
		}
	}
	for _, id := range inboundIDs {
		if up, down := f.counters.UnflushedInbound(id); up != 0 || down != 0 {
			c.Inbounds = append(c.Inbounds, domain.InboundDelta{InboundID: id, Up: up, Down: down})
		}
	}
	return c
}

// Settled runs fn while no chunk is both in the database and in the counters: one of which nobody knows is stored first.
// fn must not call a Flusher.
func (f *Flusher) Settled(ctx context.Context, fn func() error) error {
	f.settled.RLock()
	for f.unsure.Load() {
		f.settled.RUnlock()
		if err := f.sure(ctx); err != nil {
			return err
		}
		f.settled.RLock()
	}
	defer f.settled.RUnlock()
	return fn()
}

// sure stores the chunk of which nobody knows whether it is.
func (f *Flusher) sure(ctx context.Context) error {
	f.flushing.Lock()
	defer f.flushing.Unlock()
	return f.sendLocked(ctx, f.pending)
}

// reading runs fn, which reads usage, while no flush is under way. After one of which nobody knows how it ended, its bytes
// may count twice until the next: better than no answer while the database can not be written.
func (f *Flusher) reading(fn func() error) error {
	f.settled.RLock()
	defer f.settled.RUnlock()
	return fn()
}

// Usage returns what the user has moved, the bytes of the last seconds included.
func (f *Flusher) Usage(ctx context.Context, userID int64) (t domain.Traffic, err error) {
	err = f.reading(func() error {
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

// Counted returns accounts as read has them in the database, with the bytes of the last seconds. read must not call a
// Flusher.
func (f *Flusher) Counted(read func() ([]domain.Account, error)) (accounts []domain.Account, err error) {
	err = f.reading(func() error {
		if accounts, err = read(); err != nil {
			return err
		}
		for i := range accounts {
			a := &accounts[i]
			up, down := f.counters.Unflushed(a.User.ID)
			a.Traffic.Up, a.Traffic.Down = a.Traffic.Up+up, a.Traffic.Down+down
			a.Traffic.LifetimeUp, a.Traffic.LifetimeDown = a.Traffic.LifetimeUp+up, a.Traffic.LifetimeDown+down
		}
		return nil
	})
	return accounts, err
}

// Flushes is how many flushes stored everything since the start.
func (f *Flusher) Flushes() int64 { return f.count.Load() }

// Err is why the last flush failed, nil = it did not.
func (f *Flusher) Err() error {
	if err := f.failed.Load(); err != nil {
		return *err
	}
	return nil
}

// Age is the time since everything was stored.
func (f *Flusher) Age() time.Duration {
	return f.clock.Now().Sub(time.UnixMilli(f.last.Load()))
}
