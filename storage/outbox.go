package storage

import (
	"cmp"
	"context"
	"slices"
	"strings"
	"time"

	"github.com/uptrace/bun"

	"github.com/sluicehq/sluice/kernel/domain"
)

// outboxRow is a new row of the outbox.
type outboxRow struct {
	bun.BaseModel `bun:"table:outbox"`

	ID        int64  `bun:"id,pk,autoincrement"`
	Handler   string `bun:"handler"`
	Type      string `bun:"type"`
	Subject   string `bun:"subject"`
	Payload   string `bun:"payload"`
	CreatedAt int64  `bun:"created_at"`
	Attempts  int64  `bun:"attempts"`
	LastError string `bun:"last_error"`
}

const (
	isWaiting = "delivered_at IS NULL AND dead_at IS NULL"

	deliveryColumns = "id, handler, type, subject, payload, created_at, attempts, coalesce(next_at, 0), " +
		"delivered_at, dead_at, last_error"

	dueDeliveries   = "SELECT id FROM outbox WHERE handler = $1 AND next_at <= $2 AND " + isWaiting + " ORDER BY next_at, id LIMIT $3"
	lostDeliveries  = "SELECT id FROM outbox WHERE handler = $1 AND next_at > $2 AND " + isWaiting + " ORDER BY next_at, id LIMIT $3"
	leaseDeliveries = "UPDATE outbox SET next_at = $2 WHERE id " + isListed + " RETURNING " + deliveryColumns
	markDelivered   = "UPDATE outbox SET delivered_at = $2 WHERE id " + isListed + " AND " + isWaiting
	markFailed      = "UPDATE outbox SET attempts = attempts + $1, next_at = $2, dead_at = $3, last_error = $4 " +
		"WHERE id = $5 AND " + isWaiting
	// promoteHeads makes the oldest that waits in the queue of each listed row due, if it is not its head yet.
	promoteHeads = "UPDATE outbox SET next_at = $2 WHERE next_at IS NULL AND id IN (SELECT " +
		"(SELECT min(w.id) FROM outbox AS w WHERE w.handler = d.handler AND w.subject = d.subject " +
		"AND w.delivered_at IS NULL AND w.dead_at IS NULL) FROM outbox AS d WHERE d.id " + isListed + ")"
)

// rowsOfOutbox: longer texts cost more by the row.
const rowsOfOutbox = 250

// deliveryFields are where a row of deliveryColumns goes.
func deliveryFields(d *domain.Delivery) []any {
	return []any{
		&d.ID, &d.Handler, &d.Type, &d.Subject, &d.Payload, &d.CreatedAt, &d.Attempts, &d.NextAt,
		&d.DeliveredAt, &d.DeadAt, &d.LastError,
	}
}

// store writes a delivery for each event and each handler that wants it, in the order of the events.
func (tx *Tx) store(ctx context.Context, events []domain.Event) error {
	rows := []outboxRow{}
	for _, e := range events {
		for _, handler := range tx.wants.of(e.Type) {
			rows = append(rows, outboxRow{
				Handler: handler, Type: e.Type, Subject: e.Subject, Payload: e.Payload, CreatedAt: tx.now,
			})
		}
	}
	for some := range slices.Chunk(rows, rowsOfOutbox) {
		if _, err := tx.tx.NewInsert().Model(&some).Exec(ctx); err != nil {
			return tx.fail(ctx, "store events", err)
		}
		ids := make([]int64, len(some))
		for i := range some {
			ids[i] = some[i].ID
		}
		if err := tx.promote(ctx, ids); err != nil {
			return err
		}
	}
	return nil
}

// promote lets the queues go on that rows are in.
func (tx *Tx) promote(ctx context.Context, ids []int64) error {
	res, err := tx.raw.exec(ctx, promoteHeads, tx.engine.list(ids), tx.now)
	if err != nil {
		return tx.fail(ctx, "queue deliveries", err)
	}
	n, err := res.RowsAffected()
	tx.due = tx.due || n > 0
	return tx.fail(ctx, "queue deliveries", err)
}

// OnDeliveries has wake called after each commit of this process that made deliveries due. It is called on the goroutine
// of the writer, so it must be quick and must not write. nil = nobody is called. Others' commits are not noticed.
func (db *DB) OnDeliveries(wake func()) { db.wake.Store(&wake) }

// woken tells of due deliveries.
func (db *DB) woken() {
	if wake := db.wake.Load(); wake != nil && *wake != nil {
		(*wake)()
	}
}

// TakeDeliveries returns what is to be delivered now, in id order and at most limit of each handler: of each subject the
// oldest delivery that waits, if its time has come. Nobody else is given them for the length of lease; who has not
// finished them by then may see them delivered twice. If nothing is due it costs two reads per handler.
func (db *DB) TakeDeliveries(
	ctx context.Context, handlers []string, lease time.Duration, limit int,
) ([]domain.Delivery, error) {
	taken := []domain.Delivery{}
	due, err := db.due(ctx, handlers, 1)
	if err != nil || len(due) == 0 {
		return taken, err
	}
	err = db.Write(ctx, func(tx *Tx) error {
		due, err := tx.Reader.due(ctx, handlers, limit)
		if err != nil || len(due) == 0 {
			return err
		}
		var d domain.Delivery
		err = tx.scan(ctx, deliveryFields(&d), func() { taken = append(taken, d) },
			leaseDeliveries, tx.engine.list(due), tx.now+lease.Milliseconds())
		return tx.fail(ctx, "lease deliveries", err)
	})
	if err != nil {
		return nil, err
	}
	// No database promises an order of what RETURNING returns.
	slices.SortFunc(taken, func(a, b domain.Delivery) int { return cmp.Compare(a.ID, b.ID) })
	return taken, nil
}

// farthest is longer than anybody puts a delivery off. One that is to come later than that was put off before the clock
// was set back, and would wait for as long as the clock had been ahead.
const farthest = 12 * time.Hour

// due returns the ids of what is due, at most limit of each handler.
func (r *Reader) due(ctx context.Context, handlers []string, limit int) (ids []int64, err error) {
	now := r.clock.Now().UnixMilli()
	for _, handler := range handlers {
		some, err := r.ids(ctx, "look for deliveries", dueDeliveries, handler, now, limit)
		if err == nil && len(some) < limit {
			var lost []int64
			lost, err = r.ids(ctx, "look for deliveries", lostDeliveries, handler, now+farthest.Milliseconds(), limit-len(some))
			some = append(some, lost...)
		}
		if err != nil {
			return nil, err
		}
		ids = append(ids, some...)
	}
	return ids, nil
}

// FinishDeliveries stores what became of deliveries that were taken, all or nothing: the next of their subjects are due
// then. Those that another has finished meanwhile stay as they are, and so do those that are gone.
func (db *DB) FinishDeliveries(ctx context.Context, done []int64, failed []domain.Failure) error {
	if len(done) == 0 && len(failed) == 0 {
		return nil
	}
	return db.Write(ctx, func(tx *Tx) error {
		if _, err := tx.raw.exec(ctx, markDelivered, tx.engine.list(done), tx.now); err != nil {
			return tx.fail(ctx, "mark deliveries", err)
		}
		ended := slices.Clone(done)
		for _, f := range failed {
			attempts, deadAt := 1, (*int64)(nil)
			if f.Unasked {
				attempts = 0
			}
			if f.Dead {
				deadAt, ended = &tx.now, append(ended, f.ID)
			}
			_, err := tx.raw.exec(ctx, markFailed, attempts, f.NextAt, deadAt, shownError(f.Error), f.ID)
			if err != nil {
				return tx.fail(ctx, "mark deliveries", err)
			}
		}
		return tx.promote(ctx, ended)
	})
}

// maxError is how much of an error is kept, in bytes.
const maxError = 1000

// shownError is an error as both databases can store it: plugins write what they like.
func shownError(text string) string {
	text = strings.ReplaceAll(strings.ToValidUTF8(text, "?"), "\x00", "?")
	if len(text) > maxError {
		text = strings.ToValidUTF8(text[:maxError], "")
	}
	return text
}
