package storage_test

import (
	"context"
	"testing"
	"time"

	"github.com/jonboulle/clockwork"

	"github.com/sluicehq/sluice/kernel/domain"
	"github.com/sluicehq/sluice/storage"
)

// stateOfAll returns the ids of the deliveries by their state.
func stateOfAll(t *testing.T, db *storage.DB) map[domain.DeliveryState][]int64 {
	t.Helper()
	all := map[domain.DeliveryState][]int64{}
	for _, state := range []domain.DeliveryState{domain.DeliveryWaiting, domain.DeliveryDelivered, domain.DeliveryDead} {
		for _, d := range must(db.Deliveries(context.Background(), domain.DeliveryQuery{State: state, Limit: 99}))(t) {
			all[state] = append(all[state], d.ID)
			equal(t, "state", d.State(), state)
		}
	}
	return all
}

func TestDeliveriesByState(t *testing.T) {
	eachAt(t, func(t *testing.T, db *storage.DB, clock *clockwork.FakeClock) {
		ctx := context.Background()
		equal(t, "counts of none", must(db.DeliveryCounts(ctx))(t), domain.DeliveryCounts{})
		if err := db.SetHandlers(ctx, "node", []domain.EventHandler{
			{Handler: "p/a", Events: []string{"*"}}, {Handler: "p/b", Events: []string{"x"}},
		}); err != nil {
			t.Fatal(err)
		}
		announce(t, db, "user/1 x", "user/2 y", "user/3 y") // 1 and 2, 3, 4
		clock.Advance(time.Second)
		announce(t, db, "user/1 y", "user/4 x") // 5, 6 and 7
		take(t, db, "p/a", "p/b")
		finish(t, db, []int64{1, 3}, domain.Failure{ID: 4, Dead: true, Error: "e"}, domain.Failure{ID: 2, NextAt: noon + 9000, Error: "e"})
		equal(t, "states", stateOfAll(t, db), map[domain.DeliveryState][]int64{
			domain.DeliveryWaiting: {2, 5, 6, 7}, domain.DeliveryDelivered: {1, 3}, domain.DeliveryDead: {4},
		})
		equal(t, "counts", must(db.DeliveryCounts(ctx))(t), domain.DeliveryCounts{Waiting: 4, Dead: 1, Oldest: noon})
		finish(t, db, []int64{2})
		equal(t, "counts", must(db.DeliveryCounts(ctx))(t), domain.DeliveryCounts{Waiting: 3, Dead: 1, Oldest: noon + 1000})

		for _, test := range []struct {
			name string
			q    domain.DeliveryQuery
			want []int64
		}{
			{"of a handler", domain.DeliveryQuery{State: domain.DeliveryWaiting, Handler: "p/a", Limit: 9}, []int64{5, 6}},
			{"a page", domain.DeliveryQuery{State: domain.DeliveryWaiting, Limit: 2}, []int64{5, 6}},
			{"the next page", domain.DeliveryQuery{State: domain.DeliveryWaiting, AfterID: 6, Limit: 2}, []int64{7}},
			{"delivered after one", domain.DeliveryQuery{State: domain.DeliveryDelivered, AfterID: 1, Limit: 1}, []int64{2}},
			{"of an unknown handler", domain.DeliveryQuery{State: domain.DeliveryDead, Handler: "p/b", Limit: 9}, nil},
			{"of no handler's name", domain.DeliveryQuery{State: domain.DeliveryDead, Handler: "\x00", Limit: 9}, nil},
		} {
			var ids []int64
			for _, d := range must(db.Deliveries(ctx, test.q))(t) {
				ids = append(ids, d.ID)
			}
			equal(t, test.name, ids, test.want)
		}
		_, err := db.Deliveries(ctx, domain.DeliveryQuery{State: "lost"})
		fails(t, err, domain.Invalid("state", "must be waiting, delivered or dead"))
	})
}

// A dead letter that is tried again is what it was at first; what came after it meanwhile is not kept waiting twice.
func TestRetryDelivery(t *testing.T) {
	each(t, func(t *testing.T, db *storage.DB) {
		ctx := context.Background()
		handle(t, db, "p/h", "*")
		announce(t, db, "user/1 a", "user/1 b", "user/1 c", "user/2 d")
		take(t, db, "p/h")
		finish(t, db, []int64{4}, domain.Failure{ID: 1, Dead: true, Error: "e"})
		equal(t, "not dead", must(db.RetryDelivery(ctx, []int64{2, 4, 99}))(t), 0)
		equal(t, "next", take(t, db, "p/h"), []string{"2 user/1 b"})
		equal(t, "retried", must(db.RetryDelivery(ctx, []int64{1, 2}))(t), 1)
		equal(t, "states", stateOfAll(t, db), map[domain.DeliveryState][]int64{
			domain.DeliveryWaiting: {1, 2, 3}, domain.DeliveryDelivered: {4},
		})
		again := must(db.TakeDeliveries(ctx, []string{"p/h"}, lease, 9))(t)
		equal(t, "again", len(again), 1)
		equal(t, "id", again[0].ID, int64(1))
		equal(t, "attempts", again[0].Attempts, int64(0))
		finish(t, db, []int64{2})
		equal(t, "while the oldest is under way", take(t, db, "p/h"), []string{})
		finish(t, db, []int64{1})
		equal(t, "then", take(t, db, "p/h"), []string{"3 user/1 c"})
	})
}

// Who has repaired what events are sent to does not have to wait for their next attempt. What may be under way, or has an
// older one before it, is left alone.
func TestRetryDeliveryThatWaits(t *testing.T) {
	eachAt(t, func(t *testing.T, db *storage.DB, clock *clockwork.FakeClock) {
		ctx := context.Background()
		handle(t, db, "p/h", "*")
		announce(t, db, "user/1 a", "user/1 b", "user/2 c", "user/3 d")
		take(t, db, "p/h")
		finish(t, db, nil, domain.Failure{ID: 1, NextAt: noon + (8 * time.Hour).Milliseconds(), Error: "e"})
		finish(t, db, nil, domain.Failure{ID: 3, NextAt: noon + time.Minute.Milliseconds(), Error: "e"})
		equal(t, "retried", must(db.RetryDelivery(ctx, []int64{1, 2, 3, 4}))(t), 1)
		equal(t, "due", take(t, db, "p/h"), []string{"1 user/1 a"})
		clock.Advance(time.Minute - time.Millisecond)
		equal(t, "sooner than their time", take(t, db, "p/h"), []string{})
		clock.Advance(time.Millisecond)
		equal(t, "in time", take(t, db, "p/h"), []string{"1 user/1 a", "3 user/2 c", "4 user/3 d"})
	})
}

func TestDropDeliveries(t *testing.T) {
	each(t, func(t *testing.T, db *storage.DB) {
		ctx := context.Background()
		handle(t, db, "p/h", "*")
		announce(t, db, "user/1 a", "user/1 b", "user/1 c", "user/2 d")
		take(t, db, "p/h")
		finish(t, db, nil, domain.Failure{ID: 4, Dead: true, Error: "e"})
		equal(t, "dropped", must(db.DropDeliveries(ctx, []int64{1, 2, 4, 99}))(t), 3)
		equal(t, "behind them", take(t, db, "p/h"), []string{"3 user/1 c"})
		equal(t, "states", stateOfAll(t, db), map[domain.DeliveryState][]int64{domain.DeliveryWaiting: {3}})
		finish(t, db, []int64{1, 3}) // 1 is gone
		equal(t, "none", must(db.DropDeliveries(ctx, nil))(t), 0)
	})
}

// More than one transaction drops, among those of another handler.
func TestDropHandler(t *testing.T) {
	const n = 2100
	each(t, func(t *testing.T, db *storage.DB) {
		ctx := context.Background()
		if err := db.SetHandlers(ctx, "node", []domain.EventHandler{
			{Handler: "p/a", Events: []string{"*"}}, {Handler: "p/b", Events: []string{"x"}},
		}); err != nil {
			t.Fatal(err)
		}
		events := []string{"user/2 x"}
		for range n {
			events = append(events, "user/1 y")
		}
		announce(t, db, events...)
		handle(t, db, "p/b", "x")
		if err := db.DropHandler(ctx, "p/a"); err != nil {
			t.Fatal(err)
		}
		equal(t, "left", take(t, db, "p/a", "p/b"), []string{"2 user/2 x"})
		equal(t, "rows", must(db.Count(ctx, "SELECT count(*) FROM outbox"))(t), int64(1))
		if err := db.DropHandler(ctx, "p/a"); err != nil {
			t.Fatal(err)
		}
	})
}
