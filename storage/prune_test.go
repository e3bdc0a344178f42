package storage_test

import (
	"context"
	"testing"
	"time"

	"github.com/sluicehq/sluice/storage"
	"github.com/sluicehq/sluice/storage/storagetest"
)

const day = int64(24 * time.Hour / time.Millisecond)

func TestPruneKeepsPositions(t *testing.T) {
	storagetest.Each(t, func(t *testing.T, dsn string) {
		ctx := context.Background()
		clock := clockAt(noon)
		db := open(t, dsn, clock)
		flush := func(node string, seq int64) {
			t.Helper()
			if err := db.FlushTraffic(ctx, node, seq, nil); err != nil {
				t.Fatal(err)
			}
		}
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
			{noon + 7*day, 1, 3, 3, 5, 2},     // nothing is older than 7 days
			{noon + 7*day + 1, 3, 3, 1, 3, 2}, // what came before the last millisecond is
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

func TestPruneOutbox(t *testing.T) {
	each(t, func(t *testing.T, db *storage.DB) {
		ctx := context.Background()
		for _, times := range []string{"NULL, NULL", "100, NULL", "NULL, 100"} { // waiting, delivered, dead
			if err := db.ExecOnWriter(ctx, `INSERT INTO outbox (type, user_id, payload, created_at, attempts, next_at,
				last_error, delivered_at, dead_at) VALUES ('t', 1, '{}', 0, 0, 0, '', `+times+")"); err != nil {
				t.Fatal(err)
			}
		}
		for _, test := range []struct{ now, left int64 }{
			{100 + 7*day, 3}, {100 + 7*day + 1, 2}, {100 + 30*day, 2}, {100 + 30*day + 1, 1},
		} {
			if err := db.Prune(ctx, test.now); err != nil {
				t.Fatal(err)
			}
			equal(t, "left", must(db.Count(ctx, "SELECT count(*) FROM outbox"))(t), test.left)
		}
	})
}
