package storage_test

import (
	"context"
	"testing"
	"time"

	"github.com/jonboulle/clockwork"

	"github.com/sluicehq/sluice/kernel/domain"
	"github.com/sluicehq/sluice/storage"
	"github.com/sluicehq/sluice/storage/storagetest"
)

func TestHandlersAreReplaced(t *testing.T) {
	each(t, func(t *testing.T, db *storage.DB) {
		ctx := context.Background()
		for _, step := range []struct {
			handlers []domain.EventHandler
			want     []string // who is told of an event of type x
		}{
			{[]domain.EventHandler{{Handler: "p/a", Events: []string{"x"}}}, []string{"p/a"}},
			{[]domain.EventHandler{{Handler: "p/c", Events: []string{"y", "*"}}, {Handler: "p/b", Events: []string{"x", "x"}}, {Handler: "p/d", Events: []string{"x", "*"}}}, []string{"p/b", "p/c", "p/d"}},
			{[]domain.EventHandler{{Handler: "p/a", Events: nil}, {Handler: "p/b", Events: []string{"y"}}}, nil},
			{nil, nil},
		} {
			if err := db.SetHandlers(ctx, "node", step.handlers); err != nil {
				t.Fatal(err)
			}
			announce(t, db, "user/1 x")
			equal(t, "told", handlersTold(t, db), step.want)
		}
	})
}

// handlersTold returns to whom what waits goes, and empties the outbox.
func handlersTold(t *testing.T, db *storage.DB) (handlers []string) {
	t.Helper()
	for _, d := range must(db.Deliveries(context.Background(), domain.DeliveryQuery{State: domain.DeliveryWaiting, Limit: 99}))(t) {
		handlers = append(handlers, d.Handler)
		must(db.DropDeliveries(context.Background(), []int64{d.ID}))(t)
	}
	return handlers
}

// What happens before the plugins are loaded, or while another process has them, waits for them; for seven days.
func TestHandlersOutliveTheirProcess(t *testing.T) {
	storagetest.Each(t, func(t *testing.T, dsn string) {
		ctx := context.Background()
		clock := clockAt(noon)
		first := open(t, dsn, clock)
		if err := first.SetHandlers(ctx, "first", []domain.EventHandler{{Handler: "p/a", Events: []string{"x"}}}); err != nil {
			t.Fatal(err)
		}
		second := open(t, dsn, clock)
		announce(t, second, "user/1 x")
		equal(t, "known from the start", handlersTold(t, second), []string{"p/a"})
		if err := second.SetHandlers(ctx, "second", []domain.EventHandler{{Handler: "p/b", Events: []string{"x"}}}); err != nil {
			t.Fatal(err)
		}
		announce(t, first, "user/1 x")
		equal(t, "before it is looked", handlersTold(t, first), []string{"p/a"})
		if err := first.LoadHandlers(ctx); err != nil {
			t.Fatal(err)
		}
		announce(t, first, "user/1 x")
		equal(t, "of both", handlersTold(t, first), []string{"p/a", "p/b"})

		// A process that lives says so whenever it looks; the second one does not.
		for range 8 {
			clock.Advance(24 * time.Hour)
			if err := first.LoadHandlers(ctx); err != nil {
				t.Fatal(err)
			}
		}
		announce(t, first, "user/1 x")
		equal(t, "after eight days", handlersTold(t, first), []string{"p/a"})
		third := open(t, dsn, clock)
		announce(t, third, "user/1 x")
		equal(t, "as a third sees it", handlersTold(t, third), []string{"p/a"})
	})
}

// LoadHandlers is called all the time: it writes once an hour.
func TestLoadHandlersWritesRarely(t *testing.T) {
	eachAt(t, func(t *testing.T, db *storage.DB, clock *clockwork.FakeClock) {
		ctx := context.Background()
		handle(t, db, "p/h", "x")
		before := storagetest.Commits(db)
		for range 4 {
			clock.Advance(30 * time.Minute)
			if err := db.LoadHandlers(ctx); err != nil {
				t.Fatal(err)
			}
		}
		equal(t, "commits in two hours", storagetest.Commits(db)-before, int64(2))
	})
}

// A handler that was away for so long that retention took the heads of its queues goes on with what is left.
func TestQueuesResume(t *testing.T) {
	eachAt(t, func(t *testing.T, db *storage.DB, clock *clockwork.FakeClock) {
		ctx := context.Background()
		handle(t, db, "p/h", "*")
		announce(t, db, "user/1 a", "user/2 b")
		clock.Advance(time.Hour)
		announce(t, db, "user/1 c")
		handle(t, db, "p/other", "-")
		clock.Advance(30*24*time.Hour - time.Minute)
		if err := db.Prune(ctx, noon+30*day+1); err != nil {
			t.Fatal(err)
		}
		equal(t, "stuck", take(t, db, "p/h"), []string{})
		handle(t, db, "p/h", "*")
		equal(t, "back", take(t, db, "p/h"), []string{"3 user/1 c"})
	})
}
