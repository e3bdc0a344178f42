package storage_test

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/sluicehq/sluice/kernel/domain"
	"github.com/sluicehq/sluice/storage"
	"github.com/sluicehq/sluice/storage/storagetest"
)

const day = int64(24 * time.Hour / time.Millisecond)

func TestPruneKeepsPositions(t *testing.T) {
	storagetest.Each(t, func(t *testing.T, dsn string) {
		ctx := context.Background()
		clock := clockAt(noon)
		db := open(t, dsn, clock)
		flush := func(node string, seq int64) { t.Helper(); flush(t, db, chunk(node, seq)) }
		addAdmin(t, db, "a")
		addAdmin(t, db, "b")
		flush("old", 1)
		flush("old", 2)
		flush("live", 1)
		clock.Advance(time.Millisecond)
		addAdmin(t, db, "c")
		flush("live", 2)
		flush("live", 3)

		for _, test := range []struct {
			now                   int64
			firstChange, lives    int64
			changes, flushes, old int64
		}{
			{noon + day, 1, 3, 3, 5, 2},       // nothing is too old
			{noon + day + 1, 1, 3, 3, 3, 2},   // flushes of more than a day, but for the newest of each node
			{noon + 7*day, 1, 3, 3, 2, 2},     // no change is older than 7 days
			{noon + 7*day + 1, 3, 3, 1, 2, 2}, // what came before the last millisecond is
			{noon + 99*day, 3, 3, 1, 2, 2},    // the newest stays
		} {
			if err := db.Prune(ctx, test.now); err != nil {
				t.Fatal(err)
			}
			changes := must(db.Changes(ctx, 0, 9))(t)
			equal(t, "changes", int64(len(changes)), test.changes)
			equal(t, "first change", changes[0].Seq, test.firstChange)
			equal(t, "last change", must(db.LastChange(ctx))(t), int64(3))
			equal(t, "flushes", must(db.Count(ctx, "SELECT count(*) FROM flushes"))(t), test.flushes)
			equal(t, "last flush of live", must(db.LastFlush(ctx, "live"))(t), test.lives)
			equal(t, "last flush of old", must(db.LastFlush(ctx, "old"))(t), test.old)
		}
		equal(t, "next change", addAdmin(t, db, "d").Revision, int64(4))
	})
}

// What was delivered goes after 7 days, what is dead after 30, and so does what waits for a handler that nobody has.
func TestPruneOutbox(t *testing.T) {
	each(t, func(t *testing.T, db *storage.DB) {
		ctx := context.Background()
		handle(t, db, "p/here", "-")
		for handler, times := range map[string][]string{
			"p/here": {"NULL, NULL", "100, NULL", "NULL, 100"}, // waiting, delivered, dead
			"p/gone": {"NULL, NULL", "100, NULL", "NULL, 100"},
		} {
			for _, at := range times {
				if err := db.ExecOnWriter(ctx, fmt.Sprintf(`INSERT INTO outbox (handler, type, subject, payload, created_at, attempts,
					next_at, last_error, delivered_at, dead_at) VALUES ('%s', 't', 's', '{}', 50, 0, 0, '', %s)`, handler, at)); err != nil {
					t.Fatal(err)
				}
			}
		}
		for _, test := range []struct{ now, left int64 }{
			{100 + 7*day, 6}, {100 + 7*day + 1, 4}, {50 + 30*day, 4}, {50 + 30*day + 1, 3}, {100 + 30*day, 3}, {100 + 30*day + 1, 1},
		} {
			if err := db.Prune(ctx, test.now); err != nil {
				t.Fatal(err)
			}
			equal(t, "left", must(db.Count(ctx, "SELECT count(*) FROM outbox"))(t), test.left)
		}
		equal(t, "waiting", must(db.Count(ctx, "SELECT count(*) FROM outbox WHERE handler = 'p/here'"))(t), int64(1))
	})
}

func TestPruneEventHandlers(t *testing.T) {
	each(t, func(t *testing.T, db *storage.DB) {
		ctx := context.Background()
		handle(t, db, "p/h", "x")
		for now, left := range map[int64]int64{noon + 7*day: 1, noon + 7*day + 1: 0} {
			handle(t, db, "p/h", "x")
			if err := db.Prune(ctx, now); err != nil {
				t.Fatal(err)
			}
			equal(t, "left", must(db.Count(ctx, "SELECT count(*) FROM event_handlers"))(t), left)
		}
	})
}

func TestPruneUsage(t *testing.T) {
	storagetest.Each(t, func(t *testing.T, dsn string) {
		ctx := context.Background()
		db := open(t, dsn, clockAt(noonHour))
		u := addUser(t, db, addAdmin(t, db, "root").ID, "u").ID
		flush(t, db, chunk("n", 1, moved(u, noonHour, 1, 1)))
		flush(t, db, chunk("n", 2, moved(u, noonHour+hour, 1, 1)))
		write(t, db, func(tx *storage.Tx) error {
			_, err := tx.ResetTraffic(ctx, u, domain.ResetByPeriod)
			return err
		})
		seen := []domain.Sighting{{UserID: u, IP: "a", SeenAt: noonHour}, {UserID: u, IP: "b", SeenAt: noonHour + 1}}
		if err := db.NoteSightings(ctx, seen); err != nil {
			t.Fatal(err)
		}
		for _, test := range []struct{ now, hours, resets, ips int64 }{
			{noonHour + 30*day, 2, 1, 2},
			{noonHour + 30*day + 1, 2, 1, 1},
			{noonHour + 90*day, 2, 1, 0},
			{noonHour + 90*day + 1, 1, 1, 0},
			{noonHour + 400*day, 0, 1, 0},
			{noonHour + 400*day + 1, 0, 0, 0},
		} {
			if err := db.Prune(ctx, test.now); err != nil {
				t.Fatal(err)
			}
			for table, want := range map[string]int64{
				"usage_hourly": test.hours, "usage_resets": test.resets, "user_ips": test.ips,
			} {
				equal(t, table, must(db.Count(ctx, "SELECT count(*) FROM "+table))(t), want)
			}
		}
	})
}

func TestPruneAnswersAndContents(t *testing.T) {
	each(t, func(t *testing.T, db *storage.DB) {
		ctx := context.Background()
		token := domain.Token{Name: "t", Hash: "h", AdminID: addAdmin(t, db, "root").ID}
		write(t, db, func(tx *storage.Tx) error {
			if err := tx.InsertToken(ctx, &token); err != nil {
				return err
			}
			return tx.SaveAnswer(ctx, storage.Answer{Caller: token.ID, Route: "it's ?", Key: "k"})
		})
		if err := db.SaveExternalContent(ctx, domain.ExternalContent{URL: "u", TriedAt: noon, Error: "404"}); err != nil {
			t.Fatal(err)
		}
		for _, test := range []struct{ now, answers, contents int64 }{
			{noon + day, 1, 1}, {noon + day + 1, 0, 1}, {noon + 30*day, 0, 1}, {noon + 30*day + 1, 0, 0},
		} {
			if err := db.Prune(ctx, test.now); err != nil {
				t.Fatal(err)
			}
			equal(t, "answers", must(db.Count(ctx, "SELECT count(*) FROM answers"))(t), test.answers)
			equal(t, "contents", must(db.Count(ctx, "SELECT count(*) FROM external_contents"))(t), test.contents)
		}
	})
}

// More rows than one transaction removes, each with a key of three columns, beside others that stay.
func TestPruneManyRows(t *testing.T) {
	const old, young = 10_001, 3
	each(t, func(t *testing.T, db *storage.DB) {
		ctx := context.Background()
		u := addUser(t, db, addAdmin(t, db, "root").ID, "u").ID
		seen := make([]domain.Sighting, old+young)
		for i := range seen {
			seen[i] = domain.Sighting{UserID: u, IP: fmt.Sprint("it's ", i, "?"), Node: "n", SeenAt: noon}
		}
		for i := range seen[:old] {
			seen[i].SeenAt--
		}
		if err := db.NoteSightings(ctx, seen); err != nil {
			t.Fatal(err)
		}
		if err := db.Prune(ctx, noon+30*day); err != nil {
			t.Fatal(err)
		}
		equal(t, "left", must(db.IPs(ctx, 0))(t), seen[old:])
	})
}
