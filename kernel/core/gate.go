package core

import (
	"cmp"
	"context"
	"errors"
	"slices"
	"strconv"
	"sync/atomic"
	"time"

	"github.com/jonboulle/clockwork"
	xctx "github.com/xtls/xray-core/common/ctx"
	"github.com/xtls/xray-core/common/net"
	"github.com/xtls/xray-core/common/session"
	"github.com/xtls/xray-core/transport/internet/stat"

	"github.com/sluicehq/sluice/kernel/domain"
)

// Why a connection is not let in. They are fixed values because a refused client tries again many times a second.
var (
	errShut      = errors.New("the gate is shut")
	errNoInbound = errors.New("the inbound is closed")
	errAnonymous = errors.New("the inbound serves known users only")
	errUser      = errors.New("the user is not admitted")
	errMember    = errors.New("the user is not attached to the inbound")
	errAddresses = errors.New("the user has as many addresses as allowed")
)

// gate decides which connections may be, knows those that are, and counts their bytes. It is asked by the dispatcher for
// every connection of every protocol and is what makes a removal instant, while the core's own lists may lag.
type gate struct {
	clock  clockwork.Clock
	tasks  *tasks
	users  table
	ledger ledger
	doors  atomic.Pointer[map[string]door] // by tag; replaced, never changed
	shut   atomic.Bool
	nobody user        // holds the connections without user
	onTrip func(*user) // called in a task when a quota is used up
}

// door is what the gate knows of an open inbound.
type door struct {
	inbound   int64
	anonymous bool
}

func newGate(clock clockwork.Clock, t *tasks) *gate {
	g := &gate{clock: clock, tasks: t}
	g.nobody.budget.Store(unlimited)
	g.doors.Store(&map[string]door{})
	return g
}

func (g *gate) now() int64 { return g.clock.Now().UnixMilli() }

// put makes an account known and cuts what it no longer allows. It returns nil for a record that is out of date.
func (g *gate) put(a domain.Account) *user {
	u := g.users.add(a.User.ID)
	if u == nil {
		return nil
	}
	cut, ok := u.set(a, g.now())
	if !ok {
		return nil
	}
	g.cut(u, cut)
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
	g.users.online(func(u *user) { g.cut(u, u.selected(now, which)) })
	g.cut(&g.nobody, g.nobody.selected(now, which))
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
	g.users.online(func(u *user) { g.cut(u, u.expelled(now)) })
}

// resetOnClose makes the end of a TCP connection a reset: a client that sees an orderly end lets its user wait for a second
// more. Connections within others, such as streams of HTTP/2, are left as they are.
func resetOnClose(raw net.Conn) {
	for raw != nil {
		switch c := raw.(type) {
		case interface{ SetLinger(int) error }:
			_ = c.SetLinger(0) // one that is closed already has nothing to end
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
	if len(list) == 0 {
		return
	}
	for _, c := range list {
		resetOnClose(c.raw) // before anybody can close it
		c.cancel()
		if c.raw == nil {
			continue
		}
		_ = c.raw.SetDeadline(time.Unix(1, 0)) // a connection that is closed already is as good
		g.tasks.run("closing a connection", func() { _ = c.raw.Close() })
	}
	u.mu.Lock()
	defer u.mu.Unlock()
	g.offline(u)
}

// offline notes that a user has no connections left, if so. The caller holds u.mu.
func (g *gate) offline(u *user) {
	if len(u.conns) == 0 && u != &g.nobody {
		g.users.setOnline(u, false)
	}
}

// admit lets a connection in or says why not. The returned context ends when the connection is cut; end must be called
// with the returned values once the connection is over. A nil conn needs no end: it lives as long as one that is known.
func (g *gate) admit(ctx context.Context) (context.Context, *user, *conn, error) {
	ib := session.InboundFromContext(ctx)
	if ib == nil || xctx.IDFromContext(ctx) == 0 {
		return ownContext(ctx, ib), nil, nil, nil
	}
	u := &g.nobody
	if ib.User != nil && ib.User.Email != "" {
		if u = g.byEmail(ib.User.Email); u == nil {
			return ctx, nil, nil, errUser
		}
	}
	u.mu.Lock()
	defer u.mu.Unlock()
	if len(u.conns) == 0 && u != &g.nobody {
		// Before the checks: whoever closes a door or the gate looks for users here after changing what is checked.
		g.users.setOnline(u, true)
		defer g.offline(u)
	}
	d, err := g.check(u, ib)
	if err != nil {
		return ctx, nil, nil, err
	}
	if _, known := u.conns[ctx.Done()]; known {
		return ctx, nil, nil, nil // one more stream of a multiplexed connection
	}
	return g.register(ctx, u, ib, d)
}

// check says whether the user may come in through the inbound. The caller holds u.mu, under which a cut looks for
// connections after changing the rules: what is checked here is either refused or found and cut.
func (g *gate) check(u *user, ib *session.Inbound) (door, error) {
	d, open := (*g.doors.Load())[ib.Tag]
	switch {
	case g.shut.Load():
		return d, errShut
	case !open:
		return d, errNoInbound
	case u == &g.nobody && !d.anonymous:
		return d, errAnonymous
	case u == &g.nobody:
		return d, nil
	case !u.admitted(g.now()):
		return d, errUser
	case !u.rules.member(d.inbound):
		return d, errMember
	}
	return d, nil
}

// register makes an admitted connection known, so that it can be cut. The caller holds u.mu.
func (g *gate) register(ctx context.Context, u *user, ib *session.Inbound, d door) (context.Context, *user, *conn, error) {
	c := &conn{done: ctx.Done(), raw: ib.Conn, inbound: d.inbound, addr: clientAddr(ib.Source)}
	if u.rules != nil {
		if !u.enter(limitKey(c.addr), u.rules.limitIP, g.now()) {
			return ctx, nil, nil, errAddresses
		}
		if u.rules.quota {
			ib.CanSpliceCopy = 3 // spliced bytes are counted when the connection ends, which is too late for a quota
		}
	}
	c.splices = ib.CanSpliceCopy != 3
	ctx, c.cancel = context.WithCancel(ctx)
	if u.conns == nil {
		u.conns = make(map[<-chan struct{}]*conn)
	}
	u.conns[c.done] = c
	return ctx, u, c, nil
}

// end forgets a connection that is over.
func (g *gate) end(u *user, c *conn) {
	c.cancel()
	u.mu.Lock()
	defer u.mu.Unlock()
	if u.conns[c.done] != c {
		return
	}
	delete(u.conns, c.done)
	u.leave(limitKey(c.addr), g.now())
	g.offline(u)
}

// online returns the users with open connections, ascending by id.
func (g *gate) online() []Online {
	var list []Online
	g.users.online(func(u *user) {
		if o := u.online(); o.Connections > 0 {
			list = append(list, o)
		}
	})
	slices.SortFunc(list, func(a, b Online) int { return cmp.Compare(a.UserID, b.UserID) })
	return list
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

// ownContext is the context of a connection that the core makes for itself, which has no id: a query of its resolver. The
// resolver passes on the inbound of the connection that asked first; the query belongs to all who ask.
func ownContext(ctx context.Context, ib *session.Inbound) context.Context {
	if ib == nil {
		return ctx
	}
	return session.ContextWithInbound(ctx, &session.Inbound{Tag: ib.Tag})
}
