package storage

import (
	"context"
	"time"

	"github.com/sluicehq/sluice/kernel/domain"
)

// listDeliveries selects the deliveries of each state, in id order. The + keeps SQLite from looking for the few that wait
// among all that were delivered, as their ids invite it to.
var listDeliveries = map[domain.DeliveryState]string{
	domain.DeliveryWaiting:   listWhere(isWaiting, "+id"),
	domain.DeliveryDelivered: listWhere("delivered_at IS NOT NULL", "id"),
	domain.DeliveryDead:      listWhere("dead_at IS NOT NULL", "id"),
}

func listWhere(where, id string) string {
	return "SELECT " + deliveryColumns + " FROM outbox WHERE " + where + " AND " + id + " > $1 " +
		"AND ($2 = '' OR handler = $2) ORDER BY " + id + " LIMIT $3"
}

// Deliveries returns the deliveries that q selects, in id order. An unknown state is invalid.
func (r *Reader) Deliveries(ctx context.Context, q domain.DeliveryQuery) ([]domain.Delivery, error) {
	all := []domain.Delivery{}
	query, known := listDeliveries[q.State]
	switch {
	case !known:
		return nil, domain.Invalid("state", "must be waiting, delivered or dead")
	case !isStorable(q.Handler):
		return all, nil
	}
	var d domain.Delivery
	err := r.scan(ctx, deliveryFields(&d), func() { all = append(all, d) }, query, q.AfterID, q.Handler, q.Limit)
	return all, fail(ctx, r.engine, "read deliveries", err)
}

const countDeliveries = "SELECT w.n, d.n, coalesce((SELECT created_at FROM outbox WHERE id = w.first), 0) FROM " +
	"(SELECT count(*) AS n, min(id) AS first FROM outbox WHERE " + isWaiting + ") AS w, " +
	"(SELECT count(*) AS n FROM outbox WHERE dead_at IS NOT NULL) AS d"

// DeliveryCounts counts what waits and what was given up. It does not look at what was delivered.
func (r *Reader) DeliveryCounts(ctx context.Context) (c domain.DeliveryCounts, err error) {
	err = r.raw.row(ctx, countDeliveries).Scan(&c.Waiting, &c.Dead, &c.Oldest)
	return c, fail(ctx, r.engine, "count deliveries", err)
}

const (
	reviveDeliveries = "UPDATE outbox SET dead_at = NULL, attempts = 0, next_at = NULL WHERE dead_at IS NOT NULL AND id " + isListed
	hastenDeliveries = "UPDATE outbox SET next_at = $2 WHERE next_at > $3 AND " + isWaiting + " AND id " + isListed
)

// underWay is the longest for which deliveries are leased. One that comes sooner may be under way, so it is not hastened.
const underWay = 2 * time.Minute

// RetryDelivery makes up to 5,000 deliveries due now: those that wait for their next attempt, and dead ones, which get all
// their attempts again and which younger ones of their subject may have overtaken. Others stay as they are: delivered
// ones, those behind an older one of their subject, and those that come within two minutes anyway. It returns how many it
// has made due or brought back.
func (db *DB) RetryDelivery(ctx context.Context, ids []int64) (retried int, err error) {
	err = db.Write(ctx, func(tx *Tx) error {
		list := tx.engine.list(ids)
		revived, err := tx.count(ctx, reviveDeliveries, list)
		if err != nil {
			return tx.fail(ctx, "retry deliveries", err)
		}
		hastened, err := tx.count(ctx, hastenDeliveries, list, tx.now, tx.now+underWay.Milliseconds())
		if err != nil {
			return tx.fail(ctx, "retry deliveries", err)
		}
		retried, tx.due = revived+hastened, tx.due || hastened > 0
		return tx.promote(ctx, ids)
	})
	return retried, err
}

// count runs a statement and says how many rows it has changed.
func (tx *Tx) count(ctx context.Context, text string, args ...any) (int, error) {
	res, err := tx.raw.exec(ctx, text, args...)
	if err != nil {
		return 0, err
	}
	n, err := res.RowsAffected()
	return int(n), err
}

const (
	buryDeliveries = "UPDATE outbox SET dead_at = $2 WHERE " + isWaiting + " AND id " + isListed
	dropDeliveries = "DELETE FROM outbox WHERE id " + isListed
)

// DropDeliveries forgets up to 5,000 deliveries, whatever their state: those behind them go on. It returns how many
// there were.
func (db *DB) DropDeliveries(ctx context.Context, ids []int64) (dropped int, err error) {
	err = db.Write(ctx, func(tx *Tx) error {
		list := tx.engine.list(ids)
		if _, err := tx.raw.exec(ctx, buryDeliveries, list, tx.now); err != nil { // who is next is looked up by them
			return tx.fail(ctx, "drop deliveries", err)
		}
		if err := tx.promote(ctx, ids); err != nil {
			return err
		}
		var err error
		dropped, err = tx.count(ctx, dropDeliveries, list)
		return tx.fail(ctx, "drop deliveries", err)
	})
	return dropped, err
}

// DropHandler forgets every delivery to a handler that is gone, in transactions of a few milliseconds. SetHandlers
// without it comes first, else there will be more.
func (db *DB) DropHandler(ctx context.Context, handler string) error {
	const find = "SELECT id FROM outbox WHERE handler = $1 AND id > $2 ORDER BY id LIMIT $3"
	for after := int64(0); ; {
		ids, err := db.ids(ctx, "read deliveries of "+handler, find, handler, after, prunePortion)
		if err != nil || len(ids) == 0 {
			return err
		}
		if err := db.transact(ctx, "drop deliveries of "+handler, false, func(tx *Tx) error {
			_, err := tx.raw.exec(ctx, dropDeliveries, tx.engine.list(ids))
			return err
		}); err != nil {
			return err
		}
		after = ids[len(ids)-1]
	}
}
