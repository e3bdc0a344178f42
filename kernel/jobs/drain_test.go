package jobs

import (
	"context"
	"errors"
	"testing"

	"github.com/jonboulle/clockwork"

	"github.com/sluicehq/sluice/kernel/domain"
	"github.com/sluicehq/sluice/storage"
	"github.com/sluicehq/sluice/storage/storagetest"
)

// drain stores the user's bytes in a transaction that resets them, and fails after it if lost is not nil.
func drain(ctx context.Context, f *Flusher, db *storage.DB, user int64, refuse, lost error) (reset domain.UsageReset, err error) {
	err = f.Drain(ctx, []int64{user}, nil, func(c domain.Chunk, last func()) error {
		err := db.Write(ctx, func(tx *storage.Tx) error {
			if err := tx.AddTraffic(ctx, c); err != nil {
				return err
			}
			if reset, err = tx.ResetTraffic(ctx, user, domain.ResetByOperator); err != nil {
				return err
			}
			last()
			return refuse
		})
		return errors.Join(err, lost)
	}, func() {})
	return reset, err
}

// A reset takes the bytes that the database has not seen yet along, once, whatever becomes of its transaction.
func TestDrain(t *testing.T) {
	refused, lost := errors.New("refused"), errors.New("the answer was lost")
	for _, c := range []struct {
		name         string
		refuse, lost error
		flushBefore  bool
		want         domain.Traffic // after one more flush
	}{
		{name: "stored", want: domain.Traffic{Up: 0, LifetimeUp: 100}},
		{name: "stored, with a part flushed before", flushBefore: true, want: domain.Traffic{Up: 0, LifetimeUp: 100}},
		{name: "refused: the bytes come with the next flush", refuse: refused, want: domain.Traffic{Up: 100, LifetimeUp: 100}},
		{name: "stored, but not acknowledged", lost: lost, want: domain.Traffic{Up: 0, LifetimeUp: 100}},
	} {
		t.Run(c.name, func(t *testing.T) {
			ctx, db, counters := t.Context(), storagetest.SQLite(t), counted{}
			user := insertUser(t, db)
			f, err := NewFlusher(ctx, db, counters, clockwork.NewFakeClock(), "node")
			if err != nil {
				t.Fatal(err)
			}
			counters.move(user, 60, 0)
			if c.flushBefore {
				if err := f.Flush(ctx); err != nil {
					t.Fatal(err)
				}
			}
			counters.move(user, 40, 0)
			reset, err := drain(ctx, f, db, user, c.refuse, c.lost)
			if want := errors.Join(c.refuse, c.lost); (err != nil) != (want != nil) {
				t.Fatalf("drain: %v, want %v", err, want)
			}
			if reset.Up != 100 {
				t.Errorf("%d bytes at the reset, want 100", reset.Up)
			}
			if err := f.Flush(ctx); err != nil {
				t.Fatal(err)
			}
			got, err := db.Traffic(ctx, user)
			if err != nil || got.Up != c.want.Up || got.LifetimeUp != c.want.LifetimeUp {
				t.Errorf("stored %d up, %d ever, %v; want %d and %d", got.Up, got.LifetimeUp, err, c.want.Up, c.want.LifetimeUp)
			}
			if up, _ := counters.Unflushed(user); up != 0 {
				t.Errorf("%d bytes are still counted as not stored", up)
			}
		})
	}
}

// A chunk that failed is stored before anything is drained: its number must not be given to other bytes.
func TestDrainStoresWhatFailedBefore(t *testing.T) {
	ctx, store, counters := t.Context(), &unsure{DB: storagetest.SQLite(t)}, counted{}
	user := insertUser(t, store.DB)
	f, err := NewFlusher(ctx, store, counters, clockwork.NewFakeClock(), "node")
	if err != nil {
		t.Fatal(err)
	}
	counters.move(user, 10, 0)
	store.fail, store.take = errors.New("the answer was lost"), true
	if err := f.Flush(ctx); err == nil || !errors.Is(f.Err(), store.fail) {
		t.Fatalf("a flush whose answer is lost: %v, and remembered %v", err, f.Err())
	}
	counters.move(user, 5, 0)
	if _, err := drain(ctx, f, store.DB, user, nil, nil); err == nil {
		t.Fatal("drained while the database fails")
	}
	store.fail = nil
	reset, err := drain(ctx, f, store.DB, user, nil, nil)
	if err != nil || reset.Up != 15 {
		t.Fatalf("%d bytes at the reset, %v; want 15", reset.Up, err)
	}
	if err := f.Flush(ctx); err != nil || f.Err() != nil || f.Flushes() != 1 {
		t.Fatalf("a good flush: %v, remembered %v, %d flushes", err, f.Err(), f.Flushes())
	}
}

// Who asks for usage does not wait for a transaction that takes its time, nor for its effect, and never reads bytes twice.
func TestDrainLetsReadersGoOn(t *testing.T) {
	ctx, db, counters := t.Context(), storagetest.SQLite(t), counted{}
	user := insertUser(t, db)
	f, err := NewFlusher(ctx, db, counters, clockwork.NewFakeClock(), "node")
	if err != nil {
		t.Fatal(err)
	}
	counters.move(user, 10, 0)
	want := func(when string, up int64) {
		t.Helper()
		if got, err := f.Usage(ctx, user); err != nil || got.Up != up {
			t.Errorf("%s: %d bytes, %v, want %d", when, got.Up, err, up)
		}
	}
	meanwhile := make(chan int64, 1)
	err = f.Drain(ctx, []int64{user}, nil, func(c domain.Chunk, last func()) error {
		err := db.Write(ctx, func(tx *storage.Tx) error {
			if err := tx.AddTraffic(ctx, c); err != nil {
				return err
			}
			want("in the transaction", 10)
			last()
			go func() {
				got, err := f.Usage(ctx, user)
				if err != nil {
					got.Up = -1
				}
				meanwhile <- got.Up
			}()
			return nil
		})
		if f.settled.TryRLock() { // as Usage does
			f.settled.RUnlock()
			t.Error("nothing keeps readers out between commit and counters")
		}
		return err
	}, func() { want("in the effect", 10) })
	if err != nil {
		t.Fatal(err)
	}
	if up := <-meanwhile; up != 10 {
		t.Errorf("between commit and counters: %d bytes, want 10", up)
	}
}

// What hands accounts to the core first stores a chunk of which nobody knows whether it is stored: else its bytes would be
// in the account and come again.
func TestSettledAfterALostAnswer(t *testing.T) {
	ctx, store, counters := t.Context(), &unsure{DB: storagetest.SQLite(t)}, counted{}
	user := insertUser(t, store.DB)
	f, err := NewFlusher(ctx, store, counters, clockwork.NewFakeClock(), "node")
	if err != nil {
		t.Fatal(err)
	}
	counters.move(user, 10, 0)
	store.fail, store.take = errors.New("the answer was lost"), true
	if err := f.Flush(ctx); err == nil {
		t.Fatal("a flush whose answer is lost")
	}
	if err := f.Settled(ctx, func() error { t.Error("ran unsettled"); return nil }); !errors.Is(err, store.fail) {
		t.Errorf("while the database fails: %v", err)
	}
	store.fail = nil
	err = f.Settled(ctx, func() error {
		got, err := store.Traffic(ctx, user)
		if up, _ := counters.Unflushed(user); err != nil || got.Up != 10 || up != 0 {
			t.Errorf("%d bytes stored and %d counted, %v", got.Up, up, err)
		}
		return nil
	})
	if err != nil {
		t.Error(err)
	}
}

// Inbounds are stored even when no user moved anything, and once when the flush takes several chunks.
func TestFlushInbounds(t *testing.T) {
	for _, c := range []struct {
		name   string
		users  int
		chunks int64
	}{{"no user", 0, 1}, {"one chunk", 1, 1}, {"two chunks", chunk + 1, 2}} {
		t.Run(c.name, func(t *testing.T) {
			ctx, db := t.Context(), storagetest.SQLite(t)
			in := domain.Inbound{Tag: "in", Protocol: domain.VLESS, Port: 1, Settings: "{}"}
			if err := db.Write(ctx, func(tx *storage.Tx) error { return tx.InsertInbound(ctx, &in) }); err != nil {
				t.Fatal(err)
			}
			counters := &withInbound{counted: counted{}, delta: domain.InboundDelta{InboundID: in.ID, Up: 3, Down: 4}}
			for id := range c.users {
				counters.move(int64(id+1), 1, 1) // of users that are gone: dropped, but a part of the chunk
			}
			f, err := NewFlusher(ctx, db, counters, clockwork.NewFakeClock(), "node")
			if err != nil {
				t.Fatal(err)
			}
			for range 2 { // the second has nothing to store
				if err := f.Flush(ctx); err != nil {
					t.Fatal(err)
				}
			}
			got, err := db.Inbound(ctx, in.ID)
			if err != nil || got.Up != 3 || got.Down != 4 {
				t.Errorf("stored %d up and %d down, %v; want 3 and 4", got.Up, got.Down, err)
			}
			if seq, err := db.LastFlush(ctx, "node"); err != nil || seq != c.chunks {
				t.Errorf("%d chunks, %v; want %d", seq, err, c.chunks)
			}
			counters.delta = domain.InboundDelta{InboundID: in.ID, Up: 5}
			err = f.Drain(ctx, nil, []int64{in.ID}, func(c domain.Chunk, _ func()) error {
				if len(c.Users) != 0 || len(c.Inbounds) != 1 || c.Inbounds[0].Up != 5 {
					t.Errorf("drained %+v", c)
				}
				return db.Write(ctx, func(tx *storage.Tx) error { return tx.AddTraffic(ctx, c) })
			}, func() {})
			if got, _ := db.Inbound(ctx, in.ID); err != nil || got.Up != 8 || counters.delta.Up != 0 {
				t.Errorf("after draining %d up are stored and %d are not, %v", got.Up, counters.delta.Up, err)
			}
		})
	}
}

// withInbound are counters of users and of one inbound.
type withInbound struct {
	counted
	delta domain.InboundDelta
}

func (w *withInbound) Moved() ([]domain.TrafficDelta, []domain.InboundDelta) {
	users, _ := w.counted.Moved()
	if w.delta.Up == 0 {
		return users, nil
	}
	return users, []domain.InboundDelta{w.delta}
}

func (w *withInbound) UnflushedInbound(int64) (up, down int64) { return w.delta.Up, w.delta.Down }

func (w *withInbound) Flushed(users []domain.TrafficDelta, inbounds []domain.InboundDelta) {
	w.counted.Flushed(users, nil)
	if len(inbounds) > 0 {
		w.delta = domain.InboundDelta{}
	}
}
