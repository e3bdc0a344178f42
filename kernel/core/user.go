package core

import (
	"context"
	"math"
	"net/netip"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/xtls/xray-core/common/net"

	"github.com/sluicehq/sluice/kernel/domain"
)

// addressGrace is how long an address counts against the IP limit after its last connection closed, so that a phone
// that reconnects is not refused, and a limit of 1 is not shared by taking turns.
const addressGrace = 30 * time.Second

// unlimited is the budget of a user without quota.
const unlimited = math.MaxInt64

// user is what the gate knows of one user. The counters are touched by every buffer that passes and are atomics; the
// rest is touched once per connection.
type user struct {
	id       int64
	up, down atomic.Int64 // bytes not yet flushed
	budget   atomic.Int64 // up + down at which the quota is used up
	lastByte atomic.Int64 // ms UTC, as of the last look at the ledger
	active   atomic.Bool  // moved bytes since that look
	moved    atomic.Bool  // is in the ledger
	tripped  atomic.Bool  // the trip of this budget was acted upon

	mu    sync.Mutex
	rules *rules // nil = not admitted anywhere
	conns map[<-chan struct{}]*conn
	addrs []seenAddress
}

// rules are the part of an account that says who may come in, where and as what. They are replaced, never changed.
type rules struct {
	revision int64
	facts    domain.Facts // without quota: budget is exact to the byte, facts are not
	quota    bool
	limitIP  int
	inbounds []int64 // ascending
	creds    domain.Credentials
}

// conn is one admitted connection.
type conn struct {
	done    <-chan struct{} // of the context it came with: its identity
	cancel  context.CancelFunc
	raw     net.Conn // nil for packets
	inbound int64
	addr    netip.Addr // of the client, invalid when unknown
	splices bool       // the kernel may move its bytes past the counters
}

// seenAddress is an address that counts against the limit.
type seenAddress struct {
	key    netip.Addr
	open   int   // connections
	closed int64 // ms UTC of the last close
}

// newRules takes out of an account what the gate needs.
func newRules(a domain.Account) *rules {
	u := &a.User
	return &rules{
		revision: u.Revision,
		facts:    domain.Facts{Enabled: u.Enabled, OnHold: u.HoldSince != nil, ExpireAt: u.ExpireAt},
		quota:    u.Quota != nil,
		limitIP:  u.LimitIP,
		inbounds: a.Inbounds,
		creds:    u.Credentials,
	}
}

// member says whether the user is attached to the inbound.
func (r *rules) member(inbound int64) bool {
	_, found := slices.BinarySearch(r.inbounds, inbound)
	return found
}

// spent says whether the quota is used up.
func (u *user) spent() bool { return u.up.Load()+u.down.Load() >= u.budget.Load() }

// admitted says whether the user may connect at all at now (ms UTC). A held user whose quota is used up may not: there is
// nothing left that its first connection could start. The caller holds u.mu.
func (u *user) admitted(now int64) bool {
	return u.rules != nil && u.rules.facts.StatusAt(now).Admitted() && !u.spent()
}

// set replaces the rules if a is not older than they are, and returns the connections that may not go on.
func (u *user) set(a domain.Account, now int64) (cut []*conn, ok bool) {
	u.mu.Lock()
	defer u.mu.Unlock()
	old, r := u.rules, newRules(a)
	if old != nil && old.revision > r.revision {
		return nil, false
	}
	u.rules = r
	u.budget.Store(unlimited)
	if a.User.Quota != nil {
		u.budget.Store(*a.User.Quota - a.Used)
	}
	u.tripped.Store(u.spent())
	same := old != nil && sameCredentials(old.creds, r.creds)
	admitted := u.admitted(now)
	return u.take(now, func(c *conn) bool {
		return !admitted || !same || !r.member(c.inbound) || r.quota && c.splices
	}), true
}

// drop takes every right from the user and returns its connections.
func (u *user) drop(now int64) []*conn {
	u.mu.Lock()
	defer u.mu.Unlock()
	u.rules = nil
	return u.take(now, everything)
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
	var list []*conn
	for _, c := range u.conns {
		if which(c) {
			list = append(list, c)
			delete(u.conns, c.done)
			u.leave(limitKey(c.addr), now)
		}
	}
	return list
}

// view returns the rules and whether the user is admitted at now (ms UTC).
func (u *user) view(now int64) (*rules, bool) {
	u.mu.Lock()
	defer u.mu.Unlock()
	return u.rules, u.admitted(now)
}

// online returns the open connections of the user and where they come from.
func (u *user) online() Online {
	u.mu.Lock()
	defer u.mu.Unlock()
	o := Online{UserID: u.id, Connections: len(u.conns)}
	for _, c := range u.conns {
		if c.addr.IsValid() && !slices.Contains(o.Addresses, c.addr) {
			o.Addresses = append(o.Addresses, c.addr)
		}
	}
	slices.SortFunc(o.Addresses, netip.Addr.Compare)
	return o
}

// enter counts an address in; it fails if that would be one more than the limit. The caller holds u.mu.
func (u *user) enter(key netip.Addr, limit int, now int64) bool {
	i := u.address(key)
	if i < 0 && limit > 0 {
		u.forget(now)
		if len(u.addrs) >= limit {
			return false
		}
	}
	if i < 0 {
		u.addrs = append(u.addrs, seenAddress{key: key})
		i = len(u.addrs) - 1
	}
	u.addrs[i].open++
	return true
}

// leave counts an address out. Without a limit nobody asks for past addresses, so they are not kept.
func (u *user) leave(key netip.Addr, now int64) {
	i := u.address(key)
	if i < 0 {
		return
	}
	u.addrs[i].open--
	u.addrs[i].closed = now
	if u.addrs[i].open == 0 && (u.rules == nil || u.rules.limitIP == 0) {
		u.addrs = slices.Delete(u.addrs, i, i+1)
	}
}

// address finds an address, -1 when it does not count.
func (u *user) address(key netip.Addr) int {
	return slices.IndexFunc(u.addrs, func(a seenAddress) bool { return a.key == key })
}

// forget drops the addresses whose grace is over.
func (u *user) forget(now int64) {
	u.addrs = slices.DeleteFunc(u.addrs, func(a seenAddress) bool {
		return a.open == 0 && a.closed+addressGrace.Milliseconds() <= now
	})
}

// clientAddr is the address a connection came from, invalid when the transport does not tell.
func clientAddr(from net.Destination) netip.Addr {
	if from.Address == nil || !from.Address.Family().IsIP() {
		return netip.Addr{}
	}
	a, _ := netip.AddrFromSlice(from.Address.IP())
	return a.Unmap()
}

// limitKey is what counts as one address: an IPv6 host owns its /64 and may use any address of it.
func limitKey(a netip.Addr) netip.Addr {
	if a.Is6() {
		return netip.PrefixFrom(a.WithZone(""), 64).Masked().Addr()
	}
	return a
}

// sameCredentials says whether a connection that came in with a could come in with b.
func sameCredentials(a, b domain.Credentials) bool {
	if (a.Method == nil) != (b.Method == nil) || a.Method != nil && *a.Method != *b.Method {
		return false
	}
	a.Method, b.Method = nil, nil
	a.VMessSecurity, b.VMessSecurity = "", "" // only clients look at it
	return a == b
}
