package core

import (
	"math"
	"net/netip"
	"slices"
	"sync"
	"sync/atomic"

	"github.com/sluicehq/sluice/kernel/domain"
)

// unlimited is the budget of a user without quota.
const unlimited = math.MaxInt64

// user is what the gate knows of one user, in 128 bytes: there may be very many. The counters are touched by every buffer
// that passes and are atomics; the rest is touched once per connection.
type user struct {
	id       int64
	up, down atomic.Int64 // bytes not yet flushed
	budget   atomic.Int64 // up + down at which the quota is used up
	lastByte atomic.Int64 // ms UTC, as of the last look at the ledger
	active   atomic.Bool  // moved bytes since that look
	moved    atomic.Bool  // is in the ledger
	tripped  atomic.Bool  // the trip of this budget was acted upon
	held     atomic.Bool  // waits for its first byte; looked at only where active becomes true

	mu      sync.Mutex
	rules   rules
	refused int64     // connections, by the address limit, since the start
	here    *presence // nil = nothing to remember
}

// spent says whether the quota is used up.
func (u *user) spent() bool { return u.up.Load()+u.down.Load() >= u.budget.Load() }

// admitted says whether the user may connect at all at now (ms UTC). A held user whose quota is used up may not: there is
// nothing left that its first connection could start. The caller holds u.mu.
func (u *user) admitted(now int64) bool { return u.rules.admitted(now) && !u.spent() }

// set replaces the rules if a is not older than they are, and returns the connections that may not go on.
func (u *user) set(a *domain.Account, now int64) (cut []*conn, ok bool) {
	r := newRules(a)
	u.mu.Lock()
	defer u.mu.Unlock()
	old := u.rules
	if old.revision > r.revision {
		return nil, false
	}
	u.rules = r
	u.budget.Store(unlimited)
	if a.User.Quota != nil {
		u.budget.Store(*a.User.Quota - a.Traffic.Used())
	}
	u.tripped.Store(u.spent())
	u.watch(now)
	admitted := u.admitted(now)
	counted := r.quota || r.onHold && !old.onHold // spliced bytes are seen when a connection ends, which is too late
	return u.take(now, func(c *conn) bool {
		return !admitted || old.secrets != r.secrets || !r.inbounds.has(c.inbound) || counted && c.splices
	}), true
}

// watch has the next byte of a user on hold noticed: it is the next to make the user active. The caller holds u.mu.
func (u *user) watch(now int64) {
	u.held.Store(u.rules.onHold)
	if u.rules.onHold && u.active.Swap(false) {
		u.lastByte.Store(now)
	}
}

// drop takes every right from the user and returns its connections. Nothing is remembered of where it was seen.
func (u *user) drop(now int64) []*conn {
	u.mu.Lock()
	defer u.mu.Unlock()
	u.rules = rules{}
	u.held.Store(false)
	list := u.take(now, everything)
	if u.here != nil {
		*u.here = presence{}
	}
	return list
}

// expelled returns the connections of a user who is no longer admitted at now (ms UTC).
func (u *user) expelled(now int64) []*conn {
	u.mu.Lock()
	defer u.mu.Unlock()
	if u.admitted(now) {
		return nil
	}
	return u.take(now, everything)
}

// selected returns the connections that which picks.
func (u *user) selected(now int64, which func(*conn) bool) []*conn {
	u.mu.Lock()
	defer u.mu.Unlock()
	return u.take(now, which)
}

func everything(*conn) bool { return true }

// take takes connections out of the registry to be cut. They do not wait there for their end: packets of shadowsocks
// 2022 keep their context for minutes, and a user who is only kicked may open the next connection with it. The caller
// holds u.mu.
func (u *user) take(now int64, which func(*conn) bool) []*conn {
	if u.here == nil {
		return nil
	}
	var list []*conn
	for _, c := range u.here.conns {
		if which(c) {
			list = append(list, c)
			u.here.close(c, now, u.rules.limitIP > 0)
		}
	}
	return list
}

// view returns the rules and whether the user is admitted at now (ms UTC).
func (u *user) view(now int64) (rules, bool) {
	u.mu.Lock()
	defer u.mu.Unlock()
	return u.rules, u.admitted(now)
}

// online returns the open connections of the user, where they come from and where they came in.
func (u *user) online() Online {
	u.mu.Lock()
	defer u.mu.Unlock()
	o := Online{UserID: u.id}
	if u.here == nil {
		return o
	}
	o.Connections = len(u.here.conns)
	for _, c := range u.here.conns {
		o.Inbounds = append(o.Inbounds, c.inbound)
		if c.addr.IsValid() {
			o.Addresses = append(o.Addresses, c.addr)
		}
	}
	slices.Sort(o.Inbounds)
	slices.SortFunc(o.Addresses, netip.Addr.Compare)
	o.Inbounds, o.Addresses = slices.Compact(o.Inbounds), slices.Compact(o.Addresses)
	return o
}
