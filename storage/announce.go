package storage

import (
	"context"
	"slices"

	"github.com/sluicehq/sluice/kernel/domain"
)

// news is what a transaction has to tell, in the order in which it came up. What it did to a row is worked out right
// before the commit, from what the row was when it was touched first: written three times, it is told once.
type news struct {
	wants *wants // nil = nobody wants to know anything, and nothing is looked at
	told  []told
	users map[int64]*domain.UserChange // Before is filled when it is touched, After right before the commit
	rows  map[row]about                // as they were when they were touched
}

// told is a row, or an event if it has a type.
type told struct {
	row
	domain.Event
}

// about makes an event about a row as it was when it was read, nil = there was none.
type about func(eventType string) domain.Event

// Announce tells of events that follow from no row, if the transaction commits. Those of subjects that are written in
// the same transaction come in the order of the calls.
func (tx *Tx) Announce(events ...domain.Event) {
	for _, e := range events {
		if tx.wants.any(e.Type) {
			tx.told = append(tx.told, told{Event: e})
		}
	}
}

// Announce is Tx.Announce in a transaction of its own. If nobody wants the events it does nothing.
func (db *DB) Announce(ctx context.Context, events ...domain.Event) error {
	wants := db.handlers.wants.Load()
	if !slices.ContainsFunc(events, func(e domain.Event) bool { return wants.any(e.Type) }) {
		return nil
	}
	return db.Write(ctx, func(tx *Tx) error {
		tx.Announce(events...)
		return nil
	})
}

// touch is called before rows are written, each time: somebody may want to know what becomes of them.
func (tx *Tx) touch(ctx context.Context, kind domain.Kind, ids ...int64) error {
	if !tx.wants.changes(kind) {
		return nil
	}
	if kind == domain.KindUser {
		return tx.touchUsers(ctx, ids)
	}
	for _, id := range ids {
		at := row{kind, id}
		if _, touched := tx.rows[at]; touched {
			continue
		}
		before, err := tx.about(ctx, at)
		if err != nil {
			return tx.fail(ctx, "read "+string(kind)+" to tell of its change", err)
		}
		tx.remember(at, before)
	}
	return nil
}

// arrived is touch for a row that is new.
func (tx *Tx) arrived(kind domain.Kind, id int64) {
	if tx.wants.changes(kind) {
		tx.remember(row{kind, id}, nil)
	}
}

func (tx *Tx) remember(at row, before about) {
	if tx.rows == nil {
		tx.rows = map[row]about{}
	}
	tx.rows[at] = before
	tx.told = append(tx.told, told{row: at})
}

// touchUsers reads users that are touched for the first time.
func (tx *Tx) touchUsers(ctx context.Context, ids []int64) error {
	if tx.users == nil {
		tx.users = map[int64]*domain.UserChange{}
	}
	fresh := slices.DeleteFunc(slices.Clone(ids), func(id int64) bool { return tx.users[id] != nil })
	accounts, err := tx.Accounts(ctx, fresh)
	if err != nil {
		return tx.fail(ctx, "read users to tell of their change", err)
	}
	for _, id := range fresh {
		tx.users[id] = &domain.UserChange{}
		tx.told = append(tx.told, told{row: row{domain.KindUser, id}})
	}
	for i := range accounts {
		tx.users[accounts[i].User.ID].Before = &accounts[i]
	}
	return nil
}

// touched says what else is done to users than what is in their rows, if anybody wants to know.
func (tx *Tx) touched(userID int64, add func(c *domain.UserChange)) {
	if c := tx.users[userID]; c != nil {
		add(c)
	}
}

// about reads a row that is not a user's.
func (tx *Tx) about(ctx context.Context, at row) (about, error) {
	var (
		one about
		err error
	)
	switch at.kind {
	case domain.KindInbound:
		var in domain.Inbound
		in, err = tx.Inbound(ctx, at.id)
		one = func(eventType string) domain.Event { return domain.InboundEvent(eventType, &in) }
	case domain.KindTemplate:
		var t domain.Template
		t, err = tx.Template(ctx, at.id)
		one = func(eventType string) domain.Event { return domain.TemplateEvent(eventType, &t) }
	case domain.KindGroup:
		var g domain.Group
		g, err = tx.Group(ctx, at.id)
		one = func(eventType string) domain.Event { return domain.GroupEvent(eventType, &g) }
	}
	if domain.CodeOf(err) == domain.CodeNotFound {
		return nil, nil
	}
	return one, err
}

// announce stores what the transaction has to tell, as its last writes.
func (tx *Tx) announce(ctx context.Context) error {
	for some := range slices.Chunk(tx.told, accountBatch) {
		if err := tx.readAfter(ctx, some); err != nil {
			return err
		}
		events := []domain.Event{}
		for _, t := range some {
			of, err := tx.eventsOf(ctx, t)
			if err != nil {
				return err
			}
			events = append(events, of...)
		}
		if err := tx.store(ctx, events); err != nil {
			return err
		}
	}
	return nil
}

// readAfter reads what became of the users among some.
func (tx *Tx) readAfter(ctx context.Context, some []told) error {
	ids := []int64{}
	for _, t := range some {
		if t.kind == domain.KindUser {
			ids = append(ids, t.id)
		}
	}
	accounts, err := tx.Accounts(ctx, ids)
	for i := range accounts {
		tx.users[accounts[i].User.ID].After = &accounts[i]
	}
	return err
}

// eventsOf returns the events of one piece of news; of another kind than users it may have some that nobody wants.
func (tx *Tx) eventsOf(ctx context.Context, t told) ([]domain.Event, error) {
	switch t.kind {
	case "":
		return []domain.Event{t.Event}, nil
	case domain.KindUser:
		defer delete(tx.users, t.id) // many may have been moved at once
		return domain.UserEvents(*tx.users[t.id], tx.wants.any), nil
	}
	before := tx.rows[t.row]
	after, err := tx.about(ctx, t.row)
	switch prefix := string(t.kind); {
	case err != nil || before == nil && after == nil:
		return nil, err
	case before == nil:
		return []domain.Event{after(prefix + ".created")}, nil
	case after == nil:
		return []domain.Event{before(prefix + ".deleted")}, nil
	default:
		return []domain.Event{after(prefix + ".updated")}, nil
	}
}
