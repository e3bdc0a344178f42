package storage_test

import (
	"context"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/jonboulle/clockwork"

	"github.com/sluicehq/sluice/kernel/domain"
	"github.com/sluicehq/sluice/storage"
	"github.com/sluicehq/sluice/storage/storagetest"
)

const lease = time.Minute

// handle gives the database one handler that is told of these types.
func handle(t testing.TB, db *storage.DB, handler string, types ...string) {
	t.Helper()
	err := db.SetHandlers(context.Background(), "node", []domain.EventHandler{{Handler: handler, Events: types}})
	if err != nil {
		t.Fatal(err)
	}
}

// announce stores one event for each text "subject type".
func announce(t testing.TB, db *storage.DB, events ...string) {
	t.Helper()
	write(t, db, func(tx *storage.Tx) error {
		for _, e := range events {
			subject, eventType, _ := strings.Cut(e, " ")
			tx.Announce(domain.Event{Type: eventType, Subject: subject, Payload: "{}"})
		}
		return nil
	})
}

// take takes deliveries and returns them as texts "id subject type".
func take(t testing.TB, db *storage.DB, handlers ...string) []string {
	t.Helper()
	texts := []string{}
	for _, d := range must(db.TakeDeliveries(context.Background(), handlers, lease, 100))(t) {
		texts = append(texts, fmt.Sprint(d.ID, " ", d.Subject, " ", d.Type))
	}
	return texts
}

func finish(t testing.TB, db *storage.DB, done []int64, failed ...domain.Failure) {
	t.Helper()
	if err := db.FinishDeliveries(context.Background(), done, failed); err != nil {
		t.Fatal(err)
	}
}

// eachAt is each with the clock.
func eachAt(t *testing.T, fn func(t *testing.T, db *storage.DB, clock *clockwork.FakeClock)) {
	t.Helper()
	storagetest.Each(t, func(t *testing.T, dsn string) {
		clock := clockAt(noon)
		fn(t, open(t, dsn, clock), clock)
	})
}

// Of each subject one delivery is under way, the oldest; the next comes when it is done. Others do not wait for it.
func TestDeliveriesOfASubjectComeInOrder(t *testing.T) {
	each(t, func(t *testing.T, db *storage.DB) {
		handle(t, db, "p/h", "*")
		announce(t, db, "user/1 a", "user/2 b", "user/1 c")
		announce(t, db, "user/1 d", "user/3 e")
		equal(t, "heads", take(t, db, "p/h"), []string{"1 user/1 a", "2 user/2 b", "5 user/3 e"})
		equal(t, "while they are under way", take(t, db, "p/h"), []string{})
		finish(t, db, []int64{2})
		equal(t, "after one that was alone", take(t, db, "p/h"), []string{})
		finish(t, db, []int64{1, 5})
		equal(t, "the second", take(t, db, "p/h"), []string{"3 user/1 c"})
		announce(t, db, "user/1 f", "user/2 g")
		equal(t, "of a queue that was empty", take(t, db, "p/h"), []string{"7 user/2 g"})
		finish(t, db, []int64{3})
		equal(t, "the third", take(t, db, "p/h"), []string{"4 user/1 d"})
	})
}

// A handler that fails keeps nobody waiting but itself, there the events of one subject.
func TestHandlersHaveQueuesOfTheirOwn(t *testing.T) {
	each(t, func(t *testing.T, db *storage.DB) {
		ctx := context.Background()
		if err := db.SetHandlers(ctx, "node", []domain.EventHandler{
			{Handler: "p/a", Events: []string{"x"}}, {Handler: "p/b", Events: []string{"x", "y"}}, {Handler: "p/all", Events: []string{"*"}},
		}); err != nil {
			t.Fatal(err)
		}
		announce(t, db, "user/1 x", "user/1 y", "user/1 z")
		equal(t, "of a", take(t, db, "p/a"), []string{"1 user/1 x"})
		finish(t, db, nil, domain.Failure{ID: 1, NextAt: noon + 1000, Error: "down"})
		equal(t, "of b and all", take(t, db, "p/b", "p/all"), []string{"2 user/1 x", "3 user/1 x"})
		finish(t, db, []int64{2, 3})
		equal(t, "of all three", take(t, db, "p/a", "p/b", "p/all"), []string{"4 user/1 y", "5 user/1 y"})
	})
}

func TestDeliveriesThatFail(t *testing.T) {
	eachAt(t, func(t *testing.T, db *storage.DB, clock *clockwork.FakeClock) {
		ctx := context.Background()
		handle(t, db, "p/h", "*")
		announce(t, db, "user/1 a", "user/1 b", "user/2 c")
		take(t, db, "p/h")
		finish(t, db, []int64{3}, domain.Failure{ID: 1, NextAt: noon + 5000, Error: "no route\x00\xff"})
		clock.Advance(5*time.Second - time.Millisecond)
		equal(t, "a moment too early", take(t, db, "p/h"), []string{})
		clock.Advance(time.Millisecond)
		again := must(db.TakeDeliveries(ctx, []string{"p/h"}, lease, 9))(t)
		equal(t, "again", again, []domain.Delivery{{
			ID: 1, Handler: "p/h", Type: "a", Subject: "user/1", Payload: "{}", CreatedAt: noon, Attempts: 1,
			NextAt: noon + 5000 + lease.Milliseconds(), LastError: "no route??",
		}})
		finish(t, db, nil, domain.Failure{ID: 1, NextAt: noon + 6000, Unasked: true, Error: "switched off"})
		clock.Advance(time.Second)
		again = must(db.TakeDeliveries(ctx, []string{"p/h"}, lease, 9))(t)
		equal(t, "attempts", again[0].Attempts, int64(1))
		finish(t, db, nil, domain.Failure{ID: 1, Dead: true, Error: strings.Repeat("é", 600)})
		equal(t, "the next of the subject", take(t, db, "p/h"), []string{"2 user/1 b"})
		dead := must(db.Deliveries(ctx, domain.DeliveryQuery{State: domain.DeliveryDead, Limit: 9}))(t)
		equal(t, "dead letters", len(dead), 1)
		equal(t, "attempts", dead[0].Attempts, int64(2))
		equal(t, "given up at", dead[0].DeadAt, ptr(noon+6000))
		equal(t, "error", dead[0].LastError, strings.Repeat("é", 500))
	})
}

// Who took a delivery and died, or took too long, loses it: another gets it, and the first may still finish it.
func TestLeases(t *testing.T) {
	storagetest.Each(t, func(t *testing.T, dsn string) {
		ctx := context.Background()
		clock := clockAt(noon)
		db := open(t, dsn, clock)
		handle(t, db, "p/h", "*")
		announce(t, db, "user/1 a", "user/1 b")
		equal(t, "taken", take(t, db, "p/h"), []string{"1 user/1 a"})
		clock.Advance(lease - time.Millisecond)
		equal(t, "held", take(t, db, "p/h"), []string{})
		clock.Advance(time.Millisecond)
		equal(t, "taken over", take(t, db, "p/h"), []string{"1 user/1 a"})
		finish(t, db, []int64{1})
		// The first comes late, once with a failure and once with a success: neither changes what was stored.
		finish(t, db, nil, domain.Failure{ID: 1, Dead: true, Error: "late"})
		finish(t, db, []int64{1})
		done := must(db.Deliveries(ctx, domain.DeliveryQuery{State: domain.DeliveryDelivered, Limit: 9}))(t)
		equal(t, "delivered", len(done), 1)
		equal(t, "at", done[0].DeliveredAt, ptr(noon+lease.Milliseconds()))
		equal(t, "error", done[0].LastError, "")
		equal(t, "next", take(t, db, "p/h"), []string{"2 user/1 b"})
	})
}

// What was put off while the clock was ahead by years does not wait for years when the clock is right again.
func TestClockIsSetBack(t *testing.T) {
	storagetest.Each(t, func(t *testing.T, dsn string) {
		ahead, err := storage.Open(context.Background(), storage.Options{DSN: dsn, Clock: clockAt(noon + (1000 * 24 * time.Hour).Milliseconds())})
		if err != nil {
			t.Fatal(err)
		}
		handle(t, ahead, "p/h", "*")
		announce(t, ahead, "user/1 a", "user/1 b", "user/2 c")
		if err := ahead.Close(); err != nil {
			t.Fatal(err)
		}
		clock := clockAt(noon)
		db := open(t, dsn, clock)
		equal(t, "due", take(t, db, "p/h"), []string{"1 user/1 a", "3 user/2 c"})
		finish(t, db, []int64{1}, domain.Failure{ID: 3, NextAt: noon + (8 * time.Hour).Milliseconds(), Error: "e"})
		equal(t, "next", take(t, db, "p/h"), []string{"2 user/1 b"})
		clock.Advance(30 * time.Second)
		equal(t, "put off by right clock", take(t, db, "p/h"), []string{})
	})
}

// Several processes deliver one outbox: each delivery is taken once, and of each subject in order.
func TestProcessesShareDeliveries(t *testing.T) {
	const subjects, each, takers = 10, 6, 3
	storagetest.Each(t, func(t *testing.T, dsn string) {
		ctx := context.Background()
		dbs := processes(t, dsn, takers)
		handle(t, dbs[0], "p/h", "*")
		for i := range each {
			for s := range subjects {
				announce(t, dbs[0], fmt.Sprintf("user/%d e%d", s, i))
			}
		}
		var mu sync.Mutex
		told := map[string][]string{}
		var wg sync.WaitGroup
		for _, db := range dbs {
			wg.Go(func() {
				for {
					taken, err := db.TakeDeliveries(ctx, []string{"p/h"}, lease, 4)
					if err != nil {
						t.Error(err)
						return
					}
					ids := []int64{}
					mu.Lock()
					for _, d := range taken {
						ids, told[d.Subject] = append(ids, d.ID), append(told[d.Subject], d.Type)
					}
					left := subjects * each
					for _, types := range told {
						left -= len(types)
					}
					mu.Unlock()
					if err := db.FinishDeliveries(ctx, ids, nil); err != nil {
						t.Error(err)
					}
					if left <= 0 {
						return
					}
				}
			})
		}
		wg.Wait()
		for s := range subjects {
			equal(t, fmt.Sprint("user/", s), told[fmt.Sprint("user/", s)], []string{"e0", "e1", "e2", "e3", "e4", "e5"})
		}
	})
}

// Who delivers is woken by commits that made something due, and by no others.
func TestOnDeliveries(t *testing.T) {
	each(t, func(t *testing.T, db *storage.DB) {
		woken := 0
		db.OnDeliveries(func() { woken++ })
		for _, step := range []struct {
			name string
			do   func()
			want int
		}{
			{"nobody wants it", func() { announce(t, db, "user/1 a") }, 0},
			{"a handler that has nothing to do", func() { handle(t, db, "p/h", "a") }, 0},
			{"another type", func() { announce(t, db, "user/1 b") }, 0},
			{"an event", func() { announce(t, db, "user/1 a") }, 1},
			{"one behind it", func() { announce(t, db, "user/1 a") }, 0},
			{"two at once", func() { announce(t, db, "user/2 a", "user/3 a") }, 1},
			{"taken", func() { take(t, db, "p/h") }, 0},
			{"done, with one behind it", func() { finish(t, db, []int64{1}) }, 1},
			{"done, with none behind it", func() { finish(t, db, []int64{3}) }, 0},
			{"nothing done", func() { finish(t, db, nil) }, 0},
		} {
			woken = 0
			step.do()
			equal(t, step.name, woken, step.want)
		}
		db.OnDeliveries(nil)
		announce(t, db, "user/9 a")
		equal(t, "nobody is called", woken, 0)
	})
}

// A look at an outbox in which nothing is due writes nothing.
func TestTakeNothing(t *testing.T) {
	each(t, func(t *testing.T, db *storage.DB) {
		handle(t, db, "p/h", "*")
		announce(t, db, "user/1 a")
		take(t, db, "p/h")
		before := storagetest.Commits(db)
		equal(t, "taken", take(t, db, "p/h", "p/other"), []string{})
		equal(t, "of no handler", take(t, db), []string{})
		equal(t, "commits", storagetest.Commits(db), before)
	})
}

// The rows that were delivered stay for days. They are looked at by nobody who takes, finishes or counts.
func TestOutboxPlans(t *testing.T) {
	db := storagetest.SQLite(t)
	byID, queue := "INTEGER PRIMARY KEY (rowid=?)", "INDEX outbox_queue"
	want := map[string][]string{ // how each reads the table
		"due": {"INDEX outbox_due (handler=? AND next_at<?)"}, "lost": {"INDEX outbox_due (handler=? AND next_at>?)"}, "lease": {byID}, "delivered": {byID}, "failed": {byID},
		"promote": {byID, byID, queue + " (handler=? AND subject=?)"}, "revive": {byID}, "hasten": {byID}, "bury": {byID}, "drop": {byID},
		"resume": {byID, queue + " (handler=?)"}, "count": {queue, "INDEX outbox_dead", byID},
		"list waiting": {queue}, "list dead": {"INDEX outbox_dead (id>?)"}, "list delivered": {"INTEGER PRIMARY KEY (rowid>?)"},
		"prune by created_at": {queue}, "prune by dead_at": {"INDEX outbox_dead"},
		"prune by delivered_at": {"INDEX outbox_delivered (delivered_at<?)"},
	}
	reads := regexp.MustCompile(`^(?:SCAN|SEARCH) (?:outbox|w|d)(?: USING (?:COVERING )?(.*))?$`)
	got := map[string][]string{}
	for name, query := range storage.OutboxQueries() {
		for _, step := range must(db.Plan(context.Background(), query, slices.Repeat([]any{"[]"}, 5)...))(t) {
			if found := reads.FindStringSubmatch(step); found != nil && step != "SCAN w" && step != "SCAN d" {
				got[name] = append(got[name], found[1])
			}
		}
	}
	equal(t, "plans", got, want)
}
