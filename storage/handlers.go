package storage

import (
	"context"
	"encoding/json"
	"maps"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/sluicehq/sluice/kernel/domain"
)

const (
	// handlerAge is how long a handler counts that its process does not report any more: events wait for one that is
	// only down, and nobody stores them for ever for one that never comes back.
	handlerAge = 7 * day
	// handlerFresh is how old a report may be before LoadHandlers writes it again.
	handlerFresh = time.Hour
)

// wants says which handlers are told of which events. It is never changed once it is made; nil = nobody wants any.
type wants struct {
	byType map[string][]string // sorted, with those that want everything
	all    []string            // who want everything
	kinds  map[domain.Kind]bool
}

// newWants returns nil if handlers want nothing.
func newWants(handlers []domain.EventHandler) *wants {
	w := &wants{byType: map[string][]string{}, kinds: map[domain.Kind]bool{}}
	for _, h := range handlers {
		for _, eventType := range h.Events {
			if eventType == domain.AllEvents {
				w.all = append(w.all, h.Handler)
			} else {
				w.byType[eventType] = append(w.byType[eventType], h.Handler)
			}
		}
	}
	if len(w.all) == 0 && len(w.byType) == 0 {
		return nil
	}
	w.all = slices.Compact(slices.Sorted(slices.Values(w.all)))
	for eventType, named := range w.byType {
		w.byType[eventType] = slices.Compact(slices.Sorted(slices.Values(append(named, w.all...))))
	}
	for _, kind := range []domain.Kind{domain.KindUser, domain.KindInbound, domain.KindTemplate, domain.KindGroup} {
		w.kinds[kind] = len(w.all) > 0 || slices.ContainsFunc(slices.Collect(maps.Keys(w.byType)), func(eventType string) bool {
			return strings.HasPrefix(eventType, string(kind)+".") && eventType != domain.EventUserOnline
		})
	}
	return w
}

// of returns who is told of events of a type.
func (w *wants) of(eventType string) []string {
	if w == nil {
		return nil
	}
	if handlers, named := w.byType[eventType]; named {
		return handlers
	}
	return w.all
}

// any says whether anybody is told of events of a type.
func (w *wants) any(eventType string) bool { return len(w.of(eventType)) > 0 }

// changes says whether anybody is told of what is written to rows of a kind.
func (w *wants) changes(kind domain.Kind) bool { return w != nil && w.kinds[kind] }

// handlers is what a DB knows of who wants what.
type handlers struct {
	wants atomic.Pointer[wants] // read by every transaction

	mu   sync.Mutex // over a change from the database to wants
	node string     // this process, "" = it has not said so yet
	own  []domain.EventHandler
}

// resumeQueues makes the oldest that waits of each subject due: retention may have taken the head of a handler that was
// away for long.
const resumeQueues = "UPDATE outbox SET next_at = $2 WHERE next_at IS NULL AND id IN " +
	"(SELECT min(id) FROM outbox WHERE handler = $1 AND " + isWaiting + " GROUP BY subject)"

// SetHandlers says which handlers this process, called node, has from now on; node must stay the same. Events are stored
// for each of them, and for those of every other process that was seen within 7 days.
func (db *DB) SetHandlers(ctx context.Context, node string, handlers []domain.EventHandler) error {
	db.handlers.mu.Lock()
	defer db.handlers.mu.Unlock()
	err := db.Write(ctx, func(tx *Tx) error {
		if _, err := tx.raw.exec(ctx, "DELETE FROM event_handlers WHERE node = $1", node); err != nil {
			return tx.fail(ctx, "replace event handlers", err)
		}
		for _, h := range handlers {
			events, err := json.Marshal(h.Events)
			if err == nil {
				_, err = tx.raw.exec(ctx, "INSERT INTO event_handlers (node, handler, events, seen_at) VALUES ($1, $2, $3, $4)",
					node, h.Handler, string(events), tx.now)
			}
			if err == nil && !slices.ContainsFunc(db.handlers.own, func(own domain.EventHandler) bool { return own.Handler == h.Handler }) {
				_, err = tx.raw.exec(ctx, resumeQueues, h.Handler, tx.now)
			}
			if err != nil {
				return tx.fail(ctx, "replace event handlers", err)
			}
		}
		return nil
	})
	if err != nil {
		return err
	}
	db.handlers.node, db.handlers.own = node, slices.Clone(handlers)
	return db.readHandlers(ctx)
}

// LoadHandlers reads which handlers all processes have, and lets those see that this one is there. Open has called it.
// Where several processes share a database it is to be called every few seconds, else once a day at least.
func (db *DB) LoadHandlers(ctx context.Context) error {
	db.handlers.mu.Lock()
	defer db.handlers.mu.Unlock()
	return db.readHandlers(ctx)
}

// readHandlers is LoadHandlers under the lock of handlers.
func (db *DB) readHandlers(ctx context.Context) error {
	now := db.now()
	all, oldest := slices.Clone(db.handlers.own), now
	var (
		node, events string
		h            domain.EventHandler
		seenAt       int64
		unread       error
	)
	err := db.scan(ctx, []any{&node, &h.Handler, &events, &seenAt}, func() {
		if node == db.handlers.node {
			oldest = min(oldest, seenAt)
			return
		}
		h.Events = nil
		if err := json.Unmarshal([]byte(events), &h.Events); err != nil {
			unread = err
		}
		all = append(all, h)
	}, "SELECT node, handler, events, seen_at FROM event_handlers WHERE seen_at >= $1 OR node = $2",
		now-handlerAge.Milliseconds(), db.handlers.node)
	if err == nil {
		err = unread
	}
	if err != nil {
		return fail(ctx, db.engine, "read event handlers", err)
	}
	db.handlers.wants.Store(newWants(all))
	if now-oldest < handlerFresh.Milliseconds() {
		return nil
	}
	return db.Write(ctx, func(tx *Tx) error {
		_, err := tx.raw.exec(ctx, "UPDATE event_handlers SET seen_at = $1 WHERE node = $2", tx.now, db.handlers.node)
		return tx.fail(ctx, "renew event handlers", err)
	})
}
