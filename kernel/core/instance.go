package core

import (
	"context"

	"github.com/xtls/xray-core/app/dispatcher"
	"github.com/xtls/xray-core/app/log"
	"github.com/xtls/xray-core/common"
	"github.com/xtls/xray-core/common/serial"
	xcore "github.com/xtls/xray-core/core"
	"github.com/xtls/xray-core/features"
	"github.com/xtls/xray-core/features/dns/localdns"
	"github.com/xtls/xray-core/features/inbound"
	"github.com/xtls/xray-core/features/outbound"
	"github.com/xtls/xray-core/features/policy"
	"github.com/xtls/xray-core/features/routing"
	"google.golang.org/protobuf/types/known/emptypb"
)

// instance is one running xray-core. A process has at most one: its dialer, its log and several caches are global.
type instance struct {
	core     *xcore.Instance // started
	inbounds inbound.Manager
	cancel   context.CancelFunc // ends the connections that outlive their listeners
}

// substitute puts our dispatcher in the place of the stock one. The log feature goes, because it would take the log over
// and print to the console.
func substitute(cfg *xcore.Config) {
	ours := map[string]*serial.TypedMessage{
		serial.GetMessageType(&dispatcher.Config{}): serial.ToTypedMessage(&emptypb.Empty{}),
		serial.GetMessageType(&log.Config{}):        nil,
	}
	kept := cfg.App[:0]
	for _, app := range cfg.App {
		if our, known := ours[app.Type]; known {
			app = our
		}
		if app != nil {
			kept = append(kept, app)
		}
	}
	cfg.App = kept
}

// startInstance runs a base configuration without inbounds: those are opened one by one afterwards, so that one that can
// not be opened does not keep the others from running. The configuration is used up by it.
func startInstance(g *gate, cfg *xcore.Config) (*instance, error) {
	ctx, cancel := context.WithCancel(context.WithValue(context.Background(), gateKey{}, g))
	i := &instance{cancel: cancel}
	err := g.tasks.guard("starting the core", func() (err error) {
		if i.core, err = xcore.NewWithContext(ctx, cfg); err != nil {
			return err
		}
		i.inbounds = i.core.GetFeature(inbound.ManagerType()).(inbound.Manager)
		return i.core.Start()
	})
	if err != nil {
		if i.core != nil {
			_ = i.close(g.tasks) // the first error is the one that counts
		}
		cancel()
		return nil, err
	}
	return i, nil
}

// close closes the listeners and ends every connection. The core alone would close the listeners only: connections over
// TCP end with the context that the instance was made with.
func (i *instance) close(t *tasks) error {
	defer i.cancel()
	return t.guard("closing the core", i.core.Close)
}

// tryBuild creates every part of a configuration without starting any, in a shell of an instance: a real second one
// would take the process-wide dialer from the running core.
func tryBuild(g *gate, cfg *xcore.Config) error {
	return g.tasks.guard("trying a configuration", func() error {
		shell := new(xcore.Instance)
		ctx, cancel := context.WithCancel(context.WithValue(context.Background(), gateKey{}, g))
		defer cancel()
		ctx = context.WithValue(ctx, xcore.XrayKey(1), shell)
		ctx = context.WithValue(ctx, "cone", true) //nolint:revive,staticcheck // the core's own key: it reads it without asking
		for _, app := range cfg.App {
			if err := addPart(ctx, shell, app); err != nil {
				return err
			}
		}
		for _, f := range []features.Feature{localdns.New(), policy.DefaultManager{}, routing.DefaultRouter{}} {
			if shell.GetFeature(f.Type()) == nil {
				if err := shell.AddFeature(f); err != nil {
					return err
				}
			}
		}
		defer func() { _ = shell.Close() }() // nothing was started
		return tryHandlers(ctx, shell, cfg)
	})
}

// tryHandlers creates the outbounds and inbounds of a configuration.
func tryHandlers(ctx context.Context, shell *xcore.Instance, cfg *xcore.Config) error {
	outbounds := shell.GetFeature(outbound.ManagerType()).(outbound.Manager)
	for _, out := range cfg.Outbound {
		part, err := common.CreateObject(ctx, out)
		if err != nil {
			return err
		}
		if err := outbounds.AddHandler(ctx, part.(outbound.Handler)); err != nil {
			return err
		}
	}
	for _, in := range cfg.Inbound {
		part, err := common.CreateObject(ctx, in)
		if err != nil {
			return err
		}
		if err := common.Close(part); err != nil {
			return err
		}
	}
	return nil
}

// addPart creates one feature and makes it known to the others, as the core does when it starts for real.
func addPart(ctx context.Context, shell *xcore.Instance, app *serial.TypedMessage) error {
	settings, err := app.GetInstance()
	if err != nil {
		return err
	}
	part, err := common.CreateObject(ctx, settings)
	if err != nil {
		return err
	}
	if f, ok := part.(features.Feature); ok {
		return shell.AddFeature(f)
	}
	return nil
}
