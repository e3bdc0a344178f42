package jobs

import (
	"context"
	"errors"
	"runtime"
	"testing"
	"time"

	"github.com/jonboulle/clockwork"

	"github.com/sluicehq/sluice/kernel/domain"
	"github.com/sluicehq/sluice/storage"
	"github.com/sluicehq/sluice/storage/storagetest"
)

// counted stands where the core's counters stand: it is fed by hand, so that exact bytes can be asked for.
type counted map[int64]domain.TrafficDelta

func (c counted) move(user, up, down int64) {
	d := c[user]
	c[user] = domain.TrafficDelta{UserID: user, Up: d.Up + up, Down: d.Down + down, OnlineAt: 7}
}

func (c counted) Moved() (ds []domain.TrafficDelta, _ []domain.InboundDelta) {
	for _, d := range c {
		if d.Up+d.Down > 0 {
			ds = append(ds, d)
		}
	}
	return ds, nil
}

func (c counted) Flushed(ds []domain.TrafficDelta, _ []domain.InboundDelta) {
	for _, d := range ds {
		left := c[d.UserID]
		c[d.UserID] = domain.TrafficDelta{UserID: d.UserID, Up: left.Up - d.Up, Down: left.Down - d.Down}
	}
}

func (c counted) Unflushed(user int64) (up, down int64) { return c[user].Up, c[user].Down }

func (c counted) UnflushedInbound(int64) (up, down int64) { return 0, 0 }

// unsure is a database whose answer is lost on the way back, or that does not take the chunk at all.
type unsure struct {
	*storage.DB
	fail error
	take bool
}

func (u *unsure) FlushTraffic(ctx context.Context, c domain.Chunk) error {
	if u.fail == nil || u.take {
		if err := u.DB.FlushTraffic(ctx, c); err != nil {
			return err
		}
	}
	return u.fail
}

func TestFlush(t *testing.T) {
	lost := errors.New("the answer was lost")
	for _, c := range []struct {
		name  string
		fail  error
		taken bool
	}{
		{"stored at once", nil, true},
		{"not stored, then retried", lost, false},
		{"stored but not acknowledged, then retried", lost, true},
	} {
		t.Run(c.name, func(t *testing.T) {
			ctx, db := t.Context(), storagetest.SQLite(t)
			user := insertUser(t, db)
			store, counters := &unsure{DB: db, fail: c.fail, take: c.taken}, counted{}
			f, err := NewFlusher(ctx, store, counters, clockwork.NewFakeClock(), "node")
			if err != nil {
				t.Fatal(err)
			}
			counters.move(user, 100, 1000)
			if err := f.Flush(ctx); !errors.Is(err, c.fail) {
				t.Fatalf("first flush: %v, want %v", err, c.fail)
			}
			counters.move(user, 1, 10) // while the first chunk is not acknowledged
			store.fail = nil
			for range 2 { // the second finds nothing to do
				if err := f.Flush(ctx); err != nil {
					t.Fatal(err)
				}
			}
			stored, err := db.Traffic(ctx, user)
			if err != nil || stored.Up != 101 || stored.Down != 1010 || stored.LifetimeUp != 101 || stored.OnlineAt != 7 {
				t.Fatalf("stored %+v, %v; want 101 up and 1010 down", stored, err)
			}
			seen, err := f.Usage(ctx, user)
			if err != nil || seen.Up != 101 || seen.Down != 1010 {
				t.Fatalf("usage %+v, %v", seen, err)
			}
		})
	}
}

func TestUsageShowsWhatIsNotStoredYet(t *testing.T) {
	ctx, db, counters := t.Context(), storagetest.SQLite(t), counted{}
	user := insertUser(t, db)
	f, err := NewFlusher(ctx, db, counters, clockwork.NewFakeClock(), "node")
	if err != nil {
		t.Fatal(err)
	}
	counters.move(user, 5, 6)
	got, err := f.Usage(ctx, user)
	if err != nil || got.Up != 5 || got.Down != 6 || got.LifetimeUp != 5 || got.LifetimeDown != 6 {
		t.Fatalf("usage %+v, %v", got, err)
	}
}

func TestFlushGoesOnAfterARestart(t *testing.T) {
	ctx, db := t.Context(), storagetest.SQLite(t)
	user := insertUser(t, db)
	for run := range 3 { // a new process each time, with counters from zero
		counters := counted{}
		f, err := NewFlusher(ctx, db, counters, clockwork.NewFakeClock(), "node")
		if err != nil {
			t.Fatal(err)
		}
		counters.move(user, 10, 0)
		if err := f.Flush(ctx); err != nil {
			t.Fatal(err)
		}
		if got, _ := db.Traffic(ctx, user); got.Up != int64(run+1)*10 {
			t.Fatalf("after run %d: %d bytes up", run, got.Up)
		}
	}
}

func TestAgeGrowsUntilAFlushStoresEverything(t *testing.T) {
	ctx, clock := t.Context(), clockwork.NewFakeClockAt(time.UnixMilli(1_800_000_000_000))
	store, counters := &unsure{DB: storagetest.SQLite(t)}, counted{}
	user := insertUser(t, store.DB)
	f, err := NewFlusher(ctx, store, counters, clock, "node")
	if err != nil {
		t.Fatal(err)
	}
	clock.Advance(time.Minute)
	counters.move(user, 1, 1)
	store.fail = errors.New("disk full")
	if err := f.Flush(ctx); err == nil || f.Age() != time.Minute {
		t.Fatalf("a failed flush: %v, age %s", err, f.Age())
	}
	store.fail = nil
	if err := f.Flush(ctx); err != nil || f.Age() != 0 {
		t.Fatalf("a good flush: %v, age %s", err, f.Age())
	}
}

func insertUser(t *testing.T, db *storage.DB) int64 {
	t.Helper()
	ctx := t.Context()
	admin := domain.Admin{Username: "root", UsernameKey: "root", PasswordHash: "x", Sudo: true, Enabled: true}
	user := domain.User{
		Username: "alice", UsernameKey: "alice", SubID: "s", Enabled: true,
		Credentials: domain.Credentials{VLESSID: "a", VMessID: "b", TrojanPassword: "c", ShadowsocksPassword: "d", HysteriaAuth: "e"},
	}
	err := db.Write(ctx, func(tx *storage.Tx) error {
		if err := tx.InsertAdmin(ctx, &admin); err != nil {
			return err
		}
		user.AdminID = admin.ID
		return tx.InsertUser(ctx, &user, nil)
	})
	if err != nil {
		t.Fatal(err)
	}
	return user.ID
}

// asked tells when a flush has asked for what moved, which it does before it writes.
type asked struct {
	counted
	moved chan struct{}
}

func (a asked) Moved() ([]domain.TrafficDelta, []domain.InboundDelta) {
	defer close(a.moved)
	return a.counted.Moved()
}

// ordered notes the flush among other things that happen.
type ordered struct {
	*storage.DB
	happened chan string
}

func (o ordered) FlushTraffic(ctx context.Context, c domain.Chunk) error {
	o.happened <- "flush"
	return o.DB.FlushTraffic(ctx, c)
}

func TestSettledKeepsFlushesOut(t *testing.T) {
	ctx, store := t.Context(), ordered{storagetest.SQLite(t), make(chan string, 2)}
	counters := asked{counted{}, make(chan struct{})}
	counters.move(insertUser(t, store.DB), 1, 1)
	f, err := NewFlusher(ctx, store, counters, clockwork.NewFakeClock(), "node")
	if err != nil {
		t.Fatal(err)
	}
	flushed := make(chan error, 1)
	err = f.Settled(ctx, func() error {
		go func() { flushed <- f.Flush(ctx) }()
		<-counters.moved
		for range 100 { // the flush may run if nothing keeps it out
			runtime.Gosched()
		}
		store.happened <- "settled"
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if err := <-flushed; err != nil {
		t.Fatal(err)
	}
	if first, second := <-store.happened, <-store.happened; first != "settled" || second != "flush" {
		t.Errorf("%s happened before %s", first, second)
	}
}
