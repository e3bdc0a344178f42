package core

import (
	"cmp"
	"slices"
	"sync"

	"github.com/sluicehq/sluice/kernel/domain"
)

// ledger lists the users that moved bytes since they were last flushed, also those that were removed meanwhile.
type ledger struct {
	mu    sync.Mutex
	users map[int64]*user
}

// add lists a user.
func (l *ledger) add(u *user) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.users == nil {
		l.users = make(map[int64]*user)
	}
	l.users[u.id] = u
}

// take removes and returns a user, nil when it is not listed.
func (l *ledger) take(id int64) *user {
	l.mu.Lock()
	defer l.mu.Unlock()
	u := l.users[id]
	delete(l.users, id)
	return u
}

// get returns a user, nil when it is not listed.
func (l *ledger) get(id int64) *user {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.users[id]
}

// list returns the users in no order.
func (l *ledger) list() []*user {
	l.mu.Lock()
	defer l.mu.Unlock()
	list := make([]*user, 0, len(l.users))
	for _, u := range l.users {
		list = append(list, u)
	}
	return list
}

// count adds bytes that passed. It runs for every buffer of every connection: so it touches the user's own words only,
// the ledger once per flush, and the clock never.
func (g *gate) count(u *user, up, down int64) {
	total := u.up.Add(up) + u.down.Add(down)
	if !u.active.Load() {
		u.active.Store(true)
	}
	g.enlist(u)
	if total >= u.budget.Load() && u.tripped.CompareAndSwap(false, true) {
		g.tasks.run("enforcing a quota", func() { g.trip(u) })
	}
}

// enlist puts a user into the ledger unless it is there. The flag keeps the ledger's lock out of the way of traffic.
func (g *gate) enlist(u *user) {
	if !u.moved.Load() && u.moved.CompareAndSwap(false, true) {
		g.ledger.add(u)
	}
}

// trip cuts a user whose quota is used up. New connections are refused from the byte that crossed it.
func (g *gate) trip(u *user) {
	g.cut(u, u.expelled(g.now()))
	if g.onTrip != nil {
		g.onTrip(u)
	}
}

// deltas returns what is not yet flushed, ascending by id. A user that moved bytes since the last call did so now: the
// time of its last byte is as exact as the calls are frequent.
func (g *gate) deltas() []domain.TrafficDelta {
	now := g.now()
	users := g.ledger.list()
	ds := make([]domain.TrafficDelta, 0, len(users))
	for _, u := range users {
		if u.active.Swap(false) {
			u.lastByte.Store(now)
		}
		d := domain.TrafficDelta{UserID: u.id, Up: u.up.Load(), Down: u.down.Load(), OnlineAt: u.lastByte.Load()}
		if d.Up != 0 || d.Down != 0 {
			ds = append(ds, d)
		}
	}
	slices.SortFunc(ds, func(a, b domain.TrafficDelta) int { return cmp.Compare(a.UserID, b.UserID) })
	return ds
}

// unflushed returns what one user moved since the last flush.
func (g *gate) unflushed(id int64) (up, down int64) {
	u := g.ledger.get(id)
	if u == nil {
		return 0, 0
	}
	return u.up.Load(), u.down.Load()
}

// flushed takes stored bytes off the counters, and off the budget because the database counts them now. The counters
// come first: for a moment the user seems to have more left, never less.
func (g *gate) flushed(ds []domain.TrafficDelta) {
	for _, d := range ds {
		u := g.ledger.take(d.UserID)
		if u == nil {
			continue
		}
		u.up.Add(-d.Up)
		u.down.Add(-d.Down)
		if u.budget.Load() != unlimited {
			u.budget.Add(-d.Up - d.Down)
		}
		u.moved.Store(false)
		if u.up.Load() != 0 || u.down.Load() != 0 {
			g.enlist(u)
		}
	}
}
