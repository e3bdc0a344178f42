package core

import (
	"context"
	"errors"

	"github.com/xtls/xray-core/app/dispatcher"
	"github.com/xtls/xray-core/common"
	"github.com/xtls/xray-core/common/net"
	"github.com/xtls/xray-core/common/session"
	xcore "github.com/xtls/xray-core/core"
	"github.com/xtls/xray-core/features/outbound"
	"github.com/xtls/xray-core/features/policy"
	"github.com/xtls/xray-core/features/routing"
	"github.com/xtls/xray-core/features/stats"
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
	gate     *gate
	counting func(stats.Manager) routing.Dispatcher // the stock dispatcher, with statistics of ours
}

// The core creates its parts by the type of their configuration. An empty message stands for the gated dispatcher.
func init() {
	common.Must(common.RegisterConfig((*emptypb.Empty)(nil), func(ctx context.Context, _ any) (any, error) {
		part, err := common.CreateObject(ctx, &dispatcher.Config{})
		if err != nil {
			return nil, err
		}
		g, ok := ctx.Value(gateKey{}).(*gate)
		if !ok {
			return nil, errors.New("the instance has no gate")
		}
		stock := part.(*dispatcher.DefaultDispatcher)
		d := &gated{Dispatcher: stock, gate: g}
		return d, xcore.RequireFeatures(ctx, func(om outbound.Manager, router routing.Router, pm policy.Manager) {
			d.counting = func(sm stats.Manager) routing.Dispatcher {
				own := *stock
				_ = own.Init(&dispatcher.Config{}, om, router, pm, sm) // always nil
				return &own
			}
		})
	}))
}

// Dispatch returns at once; the connection is over when its context is.
func (d *gated) Dispatch(ctx context.Context, dest net.Destination) (*transport.Link, error) {
	inner, v, err := d.gate.admit(ctx)
	if err != nil {
		return nil, err
	}
	if v.conn != nil {
		context.AfterFunc(ctx, func() { d.gate.end(v) })
	}
	if session.TimeoutOnlyFromContext(inner) {
		// A UDP flow that may outlive its multiplexed connection could not be cut with it.
		inner = session.ContextWithTimeoutOnly(inner, false)
	}
	return d.counted(v).Dispatch(inner, dest)
}

// DispatchLink returns when the connection is over.
func (d *gated) DispatchLink(ctx context.Context, dest net.Destination, link *transport.Link) error {
	inner, v, err := d.gate.admit(ctx)
	if err != nil {
		return err
	}
	if v.conn != nil {
		defer d.gate.end(v)
	}
	return d.counted(v).DispatchLink(inner, dest, link)
}

// counted is the stock dispatcher that counts what passes for the visit.
func (d *gated) counted(v visit) routing.Dispatcher {
	if v.user == nil {
		return d.Dispatcher
	}
	return d.counting(&tally{gate: d.gate, user: v.user, meter: v.door.meter})
}
