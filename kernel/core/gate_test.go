package core

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"

	xctx "github.com/xtls/xray-core/common/ctx"
	"github.com/xtls/xray-core/common/net"
	"github.com/xtls/xray-core/common/protocol"
	"github.com/xtls/xray-core/common/session"
)

// arrival is the context of a connection as the core makes it. email "" = no user.
func arrival(tag, email, address string) (context.Context, context.CancelFunc) {
	ctx, cancel := context.WithCancel(xctx.ContextWithID(context.Background(), 1))
	ib := &session.Inbound{Tag: tag, Source: net.TCPDestination(net.ParseAddress(address), 1234), CanSpliceCopy: 2}
	if email != "" {
		ib.User = &protocol.MemoryUser{Email: email}
	}
	return session.ContextWithInbound(ctx, ib), cancel
}

func TestAdmission(t *testing.T) {
	past, quota := int64(1), int64(10)
	g, _ := testGate(t)
	g.doors.Store(&map[string]door{"in": {inbound: 1}, "other": {inbound: 2}, "open": {inbound: 3, anonymous: true}})
	g.put(account(1, 1, 1))
	off := account(2, 1, 1)
	off.User.Enabled = false
	g.put(off)
	expired := account(3, 1, 1)
	expired.User.ExpireAt = &past
	g.put(expired)
	held := account(4, 1, 1)
	held.User.ExpireAt, held.User.HoldSince = &past, &past
	g.put(held)
	limited := account(5, 1, 1)
	limited.User.Quota, limited.Traffic.Up = &quota, 10
	g.put(limited)
	spentHold := account(6, 1, 1)
	spentHold.User.HoldSince, spentHold.User.Quota, spentHold.Traffic.Up = &past, &quota, 10
	g.put(spentHold)
	g.put(account(7, 1, 1))
	g.remove(7)

	for _, c := range []struct {
		name, tag, email string
		want             error
	}{
		{"active", "in", "1", nil},
		{"on an inbound it is not attached to", "other", "1", errMember},
		{"on an inbound that is closed", "gone", "1", errNoInbound},
		{"disabled", "in", "2", errUser},
		{"expired", "in", "3", errUser},
		{"on hold", "in", "4", nil},
		{"limited", "in", "5", errUser},
		{"on hold without quota left", "in", "6", errUser},
		{"removed", "in", "7", errUser},
		{"unknown", "in", "99", errUser},
		{"not a number", "in", "alice", errUser},
		{"without user", "in", "", errAnonymous},
		{"without user where that is allowed", "open", "", nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			ctx, cancel := arrival(c.tag, c.email, "192.0.2.1")
			defer cancel()
			_, v, err := g.admit(ctx)
			if !errors.Is(err, c.want) || (err == nil) != (v.conn != nil) {
				t.Fatalf("got %v and connection %v, want %v", err, v.conn, c.want)
			}
			if v.conn != nil {
				g.end(v)
			}
		})
	}
	g.close()
	ctx, cancel := arrival("in", "1", "192.0.2.1")
	defer cancel()
	if _, _, err := g.admit(ctx); !errors.Is(err, errShut) {
		t.Errorf("got %v after the gate was shut", err)
	}
	if list := g.online(); len(list) != 0 {
		t.Errorf("online: %+v", list)
	}
}

func TestTheCoresOwnConnectionsPass(t *testing.T) {
	g, _ := testGate(t)
	if _, _, err := g.admit(context.Background()); err != nil {
		t.Errorf("a connection without inbound: %v", err)
	}
	ib := &session.Inbound{Tag: "in", User: &protocol.MemoryUser{Email: "7"}}
	ctx, v, err := g.admit(session.ContextWithInbound(context.Background(), ib))
	if err != nil || v.user != nil {
		t.Fatalf("a query of the resolver: %v, %v", v, err)
	}
	if own := session.InboundFromContext(ctx); own.User != nil || own.Tag != "in" {
		t.Errorf("the query is made for %+v, want nobody", own)
	}
}

func TestAddressesThatCountAsOne(t *testing.T) {
	g, clock := testGate(t)
	g.doors.Store(&map[string]door{"in": {inbound: 1}})
	a := account(7, 1, 1)
	a.User.LimitIP = 2
	g.put(a)
	var open []func()
	try := func(address string) error {
		ctx, cancel := arrival("in", "7", address)
		_, v, err := g.admit(ctx)
		if err != nil {
			cancel()
			return err
		}
		open = append(open, func() { g.end(v); cancel() })
		return nil
	}
	for _, step := range []struct {
		address string
		want    error
	}{
		{"192.0.2.1", nil},
		{"2001:db8::1", nil},
		{"192.0.2.2", errAddresses},
		{"::ffff:192.0.2.1", nil},
		{"2001:db8::ffff:1", nil}, // the same /64
		{"2001:db8:0:1::1", errAddresses},
	} {
		if err := try(step.address); !errors.Is(err, step.want) {
			t.Errorf("%s: got %v, want %v", step.address, err, step.want)
		}
	}
	if got := fmt.Sprint(g.online()); got != "[{7 4 [192.0.2.1 2001:db8::1 2001:db8::ffff:1] [1]}]" {
		t.Errorf("online: %s", got)
	}
	for _, end := range open {
		end()
	}
	clock.Advance(defaultGrace - time.Millisecond)
	if err := try("192.0.2.2"); !errors.Is(err, errAddresses) {
		t.Errorf("within the grace: %v", err)
	}
	clock.Advance(time.Millisecond)
	if err := try("192.0.2.2"); err != nil {
		t.Errorf("after the grace: %v", err)
	}
	open[len(open)-1]()
}

// TestNothingSlipsThroughARemoval admits and removes at the same time: whatever was let in is cut.
func TestNothingSlipsThroughARemoval(t *testing.T) {
	g, _ := testGate(t)
	g.doors.Store(&map[string]door{"in": {inbound: 1}})
	for id := int64(1); id <= 300; id++ {
		g.put(account(id, 1, 1))
		var arriving sync.WaitGroup
		for i := range 4 {
			arriving.Go(func() {
				parent, cancel := arrival("in", email(id), fmt.Sprintf("192.0.2.%d", i))
				defer cancel()
				ctx, v, err := g.admit(parent)
				if err != nil {
					return
				}
				<-ctx.Done() // a connection that nobody cuts would stay here
				g.end(v)
			})
		}
		switch id % 3 {
		case 0:
			g.remove(id)
		case 1:
			blocked := account(id, 2, 1)
			blocked.User.Enabled = false
			g.put(blocked)
		case 2:
			g.doors.Store(&map[string]door{})
			g.closeInbound(1)
		}
		arriving.Wait()
		g.doors.Store(&map[string]door{"in": {inbound: 1}})
	}
	if list := g.online(); len(list) != 0 {
		t.Errorf("still online: %+v", list)
	}
}
