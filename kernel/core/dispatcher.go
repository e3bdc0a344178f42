package core

import (
	"context"
	"errors"

	"github.com/xtls/xray-core/app/dispatcher"
	"github.com/xtls/xray-core/common"
	"github.com/xtls/xray-core/common/net"
	"github.com/xtls/xray-core/common/session"
	"github.com/xtls/xray-core/features/routing"
	"github.com/xtls/xray-core/transport"
	"google.golang.org/protobuf/types/known/emptypb"
)

// gateKey is the context key under which an instance carries its gate to the parts that are created by registered
// creators.
type gateKey struct{}

// gated is the stock dispatcher behind the gate: the one place that every connection of every protocol passes with its
// user, its address and its socket.
type gated struct {
	routing.Dispatcher
	gate *gate
}

// The core creates its parts by the type of their configuration. An empty message stands for the gated dispatcher.
func init() {
	common.Must(common.RegisterConfig((*emptypb.Empty)(nil), func(ctx context.Context, _ any) (any, error) {
		stock, err := common.CreateObject(ctx, &dispatcher.Config{})
		if err != nil {
			return nil, err
		}
		g, ok := ctx.Value(gateKey{}).(*gate)
		if !ok {
			return nil, errors.New("the instance has no gate")
		}
		return &gated{stock.(routing.Dispatcher), g}, nil
	}))
}

// Dispatch returns at once; the connection is over when its context is.
func (d *gated) Dispatch(ctx context.Context, dest net.Destination) (*transport.Link, error) {
	inner, u, c, err := d.gate.admit(ctx)
	if err != nil {
		return nil, err
	}
	if c != nil {
		context.AfterFunc(ctx, func() { d.gate.end(u, c) })
	}
	if session.TimeoutOnlyFromContext(inner) {
		// A UDP flow that may outlive its multiplexed connection could not be cut with it.
		inner = session.ContextWithTimeoutOnly(inner, false)
	}
	return d.Dispatcher.Dispatch(inner, dest)
}

// DispatchLink returns when the connection is over.
func (d *gated) DispatchLink(ctx context.Context, dest net.Destination, link *transport.Link) error {
	inner, u, c, err := d.gate.admit(ctx)
	if err != nil {
		return err
	}
	if c != nil {
		defer d.gate.end(u, c)
	}
	return d.Dispatcher.DispatchLink(inner, dest, link)
}
