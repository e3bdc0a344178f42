package core

import (
	"context"

	xctx "github.com/xtls/xray-core/common/ctx"
	"github.com/xtls/xray-core/common/protocol"
	"github.com/xtls/xray-core/common/session"
	hysteria "github.com/xtls/xray-core/proxy/hysteria/account"
)

// visit is a connection that was let in.
type visit struct {
	user *user // nil = the core's own
	door door
	conn *conn // nil = it lives as long as one that is known
}

// anonymous is what a connection without user is called from the gate on, because the dispatcher counts for users only.
var anonymous = &protocol.MemoryUser{Email: "anonymous"}

// admit lets a connection in or says why not. The returned context ends when the connection is cut; end must be called
// with the visit once the connection is over, if it has a conn.
func (g *gate) admit(ctx context.Context) (context.Context, visit, error) {
	ib := session.InboundFromContext(ctx)
	if ib == nil || xctx.IDFromContext(ctx) == 0 {
		return ownContext(ctx, ib), visit{}, nil
	}
	u := &g.nobody
	if ib.User != nil && ib.User != anonymous && ib.User.Email != "" {
		g.renew(ib)
		u = g.byEmail(ib.User.Email)
	}
	inner, v, err := g.enter(ctx, u, ib)
	if err != nil {
		g.refusals.count(err)
		return ctx, visit{}, err
	}
	if u == &g.nobody {
		ib.User = anonymous
	}
	return inner, v, nil
}

// renew finds whose the credential of a hysteria connection is now: the connection was authenticated once, with the user
// as it was then, and carries new streams for as long as its client likes.
func (g *gate) renew(ib *session.Inbound) {
	a, ok := ib.User.Account.(*hysteria.MemoryAccount)
	if !ok {
		return
	}
	if v := (*g.doors.Load())[ib.Tag].auths; v != nil {
		if ib.User = v.Get(a.Auth); ib.User == nil {
			ib.User = &protocol.MemoryUser{Email: "?"} // nobody's
		}
	}
}

// enter lets a connection of a user in, nil = of one that is not known.
func (g *gate) enter(ctx context.Context, u *user, ib *session.Inbound) (context.Context, visit, error) {
	if u == nil {
		return nil, visit{}, errUser
	}
	u.mu.Lock()
	defer u.mu.Unlock()
	if u.here == nil {
		// Before the checks: whoever closes a door or the gate looks for users here after changing what is checked.
		u.here = &presence{}
		g.users.setPresent(u, true)
		defer g.fade(u)
	}
	d, err := g.check(u, ib)
	if err != nil {
		return nil, visit{}, err
	}
	if _, known := u.here.conns[ctx.Done()]; known {
		return ctx, visit{user: u, door: d}, nil // one more stream of a multiplexed connection
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
	case !u.rules.inbounds.has(d.inbound):
		return d, errMember
	}
	return d, nil
}

// register makes an admitted connection known, so that it can be cut. The caller holds u.mu.
func (g *gate) register(ctx context.Context, u *user, ib *session.Inbound, d door) (context.Context, visit, error) {
	c := &conn{done: ctx.Done(), raw: ib.Conn, inbound: d.inbound}
	if u != &g.nobody {
		now := g.now()
		c.addr = clientAddr(ib.Source)
		if !u.here.enter(limitKey(c.addr), u.rules.limitIP, now, g.grace.Load()) {
			g.overcrowded(u, now)
			return nil, visit{}, errAddresses
		}
		u.here.note(c.addr, now)
		if u.rules.quota {
			ib.CanSpliceCopy = 3 // spliced bytes are counted when the connection ends, which is too late for a quota
		}
	}
	c.splices = ib.CanSpliceCopy != 3
	ctx, c.cancel = context.WithCancel(ctx)
	if u.here.conns == nil {
		u.here.conns = make(map[<-chan struct{}]*conn)
	}
	u.here.conns[c.done] = c
	return ctx, visit{u, d, c}, nil
}

// end forgets a connection that is over.
func (g *gate) end(v visit) {
	u, c := v.user, v.conn
	c.cancel()
	u.mu.Lock()
	defer u.mu.Unlock()
	if u.here != nil && u.here.conns[c.done] == c {
		u.here.close(c, g.now(), u.rules.limitIP > 0)
		g.fade(u)
	}
}

// ownContext is the context of a connection that the core makes for itself, which has no id: a query of its resolver. The
// resolver passes on the inbound of the connection that asked first; the query belongs to all who ask.
func ownContext(ctx context.Context, ib *session.Inbound) context.Context {
	if ib == nil {
		return ctx
	}
	return session.ContextWithInbound(ctx, &session.Inbound{Tag: ib.Tag})
}
