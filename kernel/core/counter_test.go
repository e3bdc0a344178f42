package core

import (
	"reflect"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/jonboulle/clockwork"
	"go.uber.org/zap"

	"github.com/sluicehq/sluice/kernel/domain"
)

func testGate(t testing.TB) (*gate, *clockwork.FakeClock) {
	t.Helper()
	clock := clockwork.NewFakeClockAt(time.UnixMilli(1_000_000))
	return newGate(clock, &tasks{log: zap.NewNop()}), clock
}

func TestMovedAndFlushed(t *testing.T) {
	g, clock := testGate(t)
	alice, bob := g.put(account(7, 1)), g.put(account(8, 1))
	g.put(account(9, 1)) // moves nothing
	g.count(bob, 10, 0)
	g.count(alice, 1, 2)
	g.deltas()
	clock.Advance(time.Second)
	g.count(alice, 0, 3)
	want := []domain.TrafficDelta{
		{UserID: 7, Up: 1, Down: 5, OnlineAt: 1_001_000},
		{UserID: 8, Up: 10, OnlineAt: 1_000_000},
	}
	first := g.deltas()
	if !reflect.DeepEqual(first, want) {
		t.Fatalf("moved %+v, want %+v", first, want)
	}
	g.count(alice, 100, 0) // while the deltas are stored
	g.flushed(first)
	want = []domain.TrafficDelta{{UserID: 7, Up: 100, OnlineAt: 1_001_000}}
	if got := g.deltas(); !reflect.DeepEqual(got, want) {
		t.Errorf("moved %+v, want %+v", got, want)
	}
	if up, down := g.unflushed(7); up != 100 || down != 0 {
		t.Errorf("unflushed %d up, %d down, want 100 and 0", up, down)
	}
	g.remove(7)
	if got := g.deltas(); !reflect.DeepEqual(got, want) {
		t.Errorf("the last bytes of a removed user: %+v, want %+v", got, want)
	}
	g.flushed(want)
	if got := g.deltas(); len(got) != 0 {
		t.Errorf("moved %+v, want nothing", got)
	}
}

func TestNoByteIsLostBetweenCountingAndFlushing(t *testing.T) {
	const users, workers, rounds = 5, 4, 2000
	g, _ := testGate(t)
	for id := range int64(users) {
		g.put(account(id, 1))
	}
	var stored [users]int64
	store := func() {
		ds := g.deltas()
		for _, d := range ds {
			stored[d.UserID] += d.Up + d.Down
		}
		g.flushed(ds)
	}
	var counting sync.WaitGroup
	var over atomic.Bool
	for range workers {
		counting.Go(func() {
			for i := range rounds {
				g.count(g.users.get(int64(i%users)), 1, 2)
			}
		})
	}
	flushing := make(chan struct{})
	go func() {
		defer close(flushing)
		for !over.Load() {
			store()
		}
		store()
	}()
	counting.Wait()
	over.Store(true)
	<-flushing
	for id, n := range stored {
		if n != workers*rounds/users*3 {
			t.Errorf("user %d: stored %d bytes, want %d", id, n, workers*rounds/users*3)
		}
	}
}

func TestTheByteThatCrossesTheQuotaTripsIt(t *testing.T) {
	g, _ := testGate(t)
	trips := make(chan int64, 10)
	g.onTrip = func(u *user) { trips <- u.id }
	quota := int64(100)
	a := account(7, 1, 1)
	a.User.Quota, a.Traffic.Up = &quota, 40
	u := g.put(a)
	admitted := func() bool { _, ok := u.view(0); return ok }

	g.count(u, 30, 29) // 99 of 100
	if !admitted() || len(trips) != 0 {
		t.Fatal("refused although a byte is left")
	}
	g.flushed(g.deltas()) // the database counts them now: still one byte left
	if !admitted() {
		t.Fatal("a flush changed what is left")
	}
	g.count(u, 0, 1)
	if admitted() {
		t.Fatal("admitted although nothing is left")
	}
	g.count(u, 5, 5) // what was still on its way
	if id := <-trips; id != 7 {
		t.Errorf("user %d tripped, want 7", id)
	}
	a.User.Revision, a.Traffic.Up = 2, 0 // a reset
	g.put(a)
	if !admitted() {
		t.Fatal("refused after a reset")
	}
	g.count(u, 89, 0) // and 11 that were not flushed before the reset
	if admitted() {
		t.Fatal("bytes that are not flushed do not count")
	}
	if id := <-trips; id != 7 || len(trips) != 0 {
		t.Errorf("user %d tripped, %d trips more, want one for each budget", id, len(trips))
	}
}

// A process that ends between storing bytes and storing the status that follows leaves a user who is spent and called
// active: whoever reads it next is told.
func TestASpentUserThatIsNotCalledLimitedIsTold(t *testing.T) {
	quota := int64(100)
	for _, c := range []struct {
		name   string
		status domain.Status
		used   int64
		want   int
	}{
		{"called active", domain.StatusActive, 100, 1},
		{"called limited", domain.StatusLimited, 100, 0},
		{"a byte left", domain.StatusActive, 99, 0},
	} {
		t.Run(c.name, func(t *testing.T) {
			g, _ := testGate(t)
			told := make(chan int64, 10)
			g.onTrip = func(u *user) { told <- u.id }
			a := account(7, 1, 1)
			a.User.Quota, a.Traffic.Up, a.User.Status = &quota, c.used, c.status
			g.put(a)
			if err := g.tasks.wait(t.Context()); err != nil || len(told) != c.want {
				t.Errorf("told %d times, want %d (%v)", len(told), c.want, err)
			}
		})
	}
}
