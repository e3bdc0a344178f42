package core

import (
	"strconv"
	"sync/atomic"
	"time"

	"github.com/jonboulle/clockwork"
	"github.com/xtls/xray-core/common/net"
	hysteria "github.com/xtls/xray-core/proxy/hysteria/account"
	"github.com/xtls/xray-core/transport/internet/stat"

	"github.com/sluicehq/sluice/kernel/domain"
)

// gate decides which connections may be, knows those that are, and counts their bytes. It is asked by the dispatcher for
// every connection of every protocol and is what makes a removal instant, while the core's own lists may lag.
type gate struct {
	clock      clockwork.Clock
	tasks      *tasks
	users      table
	ledger     ledger
	meters     meters
	refusals   refusals
	doors      atomic.Pointer[map[string]door] // by tag; replaced, never changed
	shut       atomic.Bool
	grace      atomic.Int64            // ms that an address counts after its last connection
	nobody     user                    // holds the connections without user
	onTrip     func(*user)             // called in a task when a quota is used up, nil = nobody is told
	onFirstUse func(userID, now int64) // called in a task when a held user moves a byte, nil = nobody is told
}

// door is what the gate knows of an open inbound.
type door struct {
	inbound   int64
	anonymous bool
	meter     *meter
	auths     *hysteria.Validator // nil on other inbounds than those of hysteria
}

func newGate(clock clockwork.Clock, t *tasks) *gate {
	g := &gate{clock: clock, tasks: t}
	g.grace.Store(defaultGrace.Milliseconds())
	g.nobody.budget.Store(unlimited)
	g.nobody.here = &presence{}
	g.doors.Store(&map[string]door{})
	return g
}

func (g *gate) now() int64 { return g.clock.Now().UnixMilli() }

// put makes an account known and cuts what it no longer allows. It returns nil for a record that is out of date. Whose
// quota is used up and is not stored as such is told of: bytes may have been stored without the status that follows.
func (g *gate) put(a domain.Account) *user {
	u := g.users.add(a.User.ID)
	if u == nil {
		return nil
	}
	cut, ok := u.set(&a, g.now())
	if !ok {
		return nil
	}
	g.cut(u, cut)
	if a.User.Status.Admitted() && u.spent() {
		g.tell(u)
	}
	return u
}

// remove forgets a user and cuts its connections; what it moved and was not flushed can still be read.
func (g *gate) remove(id int64) {
	if u := g.users.remove(id); u != nil {
		g.cut(u, u.drop(g.now()))
	}
}

// closeInbound cuts the connections of an inbound. Its door must be gone before.
func (g *gate) closeInbound(id int64) {
	g.cutAll(func(c *conn) bool { return c.inbound == id })
}

// close lets nobody in any more and cuts everybody.
func (g *gate) close() {
	g.shut.Store(true)
	g.cutAll(everything)
}

// cutAll cuts the connections that which picks, of all users.
func (g *gate) cutAll(which func(*conn) bool) {
	now := g.now()
	g.everybody(func(u *user) { g.cut(u, u.selected(now, which)) })
}

// everybody calls f for every user with open connections, and for those who are none.
func (g *gate) everybody(f func(*user)) {
	g.users.present(f)
	f(&g.nobody)
}

// kick cuts the connections of a user and returns how many there were.
func (g *gate) kick(id int64) int {
	u := g.users.get(id)
	if u == nil {
		return 0
	}
	list := u.selected(g.now(), everything)
	g.cut(u, list)
	return len(list)
}

// expire cuts the users whose time is over.
func (g *gate) expire() {
	now := g.now()
	g.users.present(func(u *user) { g.cut(u, u.expelled(now)) })
}

// busyFrom is how many bytes of a user that are not flushed yet say that it is in the middle of something.
const busyFrom = 256 << 10

// resetOnClose makes the end of a TCP connection a reset: a client that sees an orderly end lets its user wait for a second
// more. A connection with bytes under way ends in order all the same, and so does every one of a busy user: a client that
// is the same core misses a reset in the middle of a fast download, and its user would wait for minutes. Connections within
// others, such as streams of HTTP/2, are left as they are.
func resetOnClose(raw net.Conn, busy bool) {
	for raw != nil {
		switch c := raw.(type) {
		case *net.TCPConn:
			if !busy && unsent(c) == 0 {
				_ = c.SetLinger(0) // one that is closed already has nothing to end
			}
			return
		case *stat.CounterConnection:
			raw = c.Connection
		case interface{ NetConn() net.Conn }: // TLS and REALITY
			raw = c.NetConn()
		default:
			return
		}
	}
}

// cut ends connections that were taken out of the user's registry. The deadline frees a blocked write first: without it
// closing a REALITY connection waits seconds for its peer.
func (g *gate) cut(u *user, list []*conn) {
	busy := u.up.Load()+u.down.Load() >= busyFrom
	for _, c := range list {
		resetOnClose(c.raw, busy) // before anybody can close it
		c.cancel()
		if c.raw == nil {
			continue
		}
		_ = c.raw.SetDeadline(time.Unix(1, 0)) // a connection that is closed already is as good
		g.tasks.run("closing a connection", func() { _ = c.raw.Close() })
	}
	u.mu.Lock()
	defer u.mu.Unlock()
	g.fade(u)
}

// fade forgets where a user was if there is nothing to remember. The caller holds u.mu.
func (g *gate) fade(u *user) {
	if u != &g.nobody && u.here != nil && u.here.empty() {
		u.here = nil
		g.users.setPresent(u, false)
	}
}

// byEmail returns the user that the core calls by its id in decimal, nil when there is none.
func (g *gate) byEmail(email string) *user {
	id, err := strconv.ParseInt(email, 10, 64)
	if err != nil {
		return nil
	}
	return g.users.get(id)
}

// email is the core's name of a user: never reused, never renamed.
func email(id int64) string { return strconv.FormatInt(id, 10) }
