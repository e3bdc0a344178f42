package plugin

import (
	"context"
	"errors"
	"time"

	"go.uber.org/zap"

	"github.com/sluicehq/sluice/kernel/domain"
	"github.com/sluicehq/sluice/sdk/wire"
)

// call is one op under way: begin, any number of sends, end.
type call struct {
	item *provided
	in   *instance
	op   wire.Op
}

// begin finds the plugin that provides an item and takes one of its instances.
func (h *Host) begin(ctx context.Context, op wire.Op, kind, id string) (call, error) {
	for {
		g := h.registry.Load()
		item := g.items[itemKey{kind, id}]
		if item == nil {
			return call{}, g.missing(kind, id)
		}
		in, err := item.plugin.take(ctx, h.limits.call(op))
		if errors.Is(err, errRetired) {
			continue // the registry was replaced before the plugin was retired
		}
		if err != nil {
			return call{}, domainError(item.doing(), err)
		}
		return call{item: item, in: in, op: op}, nil
	}
}

// missing is the error for an item that nothing provides; it lists what there is, so that a typing error shows.
func (g *registry) missing(kind, id string) *domain.Error {
	if g.closed {
		return domain.Unavailable("the plugins are shut down").Because(ErrClosed)
	}
	return domain.NotFound("there is no " + kind + " " + plain(id, 100) + "; " + g.known(kind)).Because(ErrNoItem)
}

// take returns an instance that is ready for a call.
func (p *plugin) take(ctx context.Context, wait time.Duration) (*instance, error) {
	if err := p.pool.acquire(ctx, wait); err != nil {
		return nil, err
	}
	err := p.breaker.allow()
	if err == nil {
		if in := p.pool.take(); in != nil {
			return in, nil
		}
		var in *instance
		if in, err = p.ready(); err == nil {
			return in, nil
		}
		p.failed("make an instance", err, nil)
	}
	p.pool.release(nil)
	return nil, err
}

// ready makes an instance and applies the plugin's settings.
func (p *plugin) ready() (*instance, error) {
	in, err := newInstance(p)
	if err != nil {
		return nil, err
	}
	if err := in.configure(); err != nil {
		in.close()
		return nil, err
	}
	return in, nil
}

// configure sends the settings, if there are any.
func (in *instance) configure() error {
	if in.plugin.settings == "" {
		return nil
	}
	req := wire.ConfigureRequest{Settings: in.plugin.settings}
	in.stamp(&req.Now, &req.Entropy)
	return in.send(wire.OpConfigure, &req, &wire.ConfigureReply{})
}

// send makes one exchange. Strings in reply may be parts of the guest's memory: they are copied before end.
func (in *instance) send(op wire.Op, req, reply message) error {
	b, err := in.exchange(op, req, in.plugin.host.limits.call(op))
	if err != nil {
		return err
	}
	return in.decode(b, reply)
}

// end gives the instance back, or closes it if err may have left it in any state, and makes a domain error of err.
func (c *call) end(err error) error {
	p, in := c.item.plugin, c.in
	switch {
	case broken(err):
		p.failed(c.item.what, err, in.stderr.last())
		in.close()
		in = nil
	case in.used() > p.host.limits.Recycle:
		in.close()
		in = nil
		fallthrough
	default:
		p.breaker.success()
	}
	p.pool.release(in)
	if err == nil {
		return nil
	}
	return domainError(c.item.doing(), err)
}

// failed logs and counts a failure that is the plugin's fault.
func (p *plugin) failed(what string, err error, said []byte) {
	opened := p.breaker.failure(err.Error())
	fields := []zap.Field{zap.String("doing", what), zap.Error(err), zap.Bool("switched_off", opened)}
	if len(said) > 0 {
		fields = append(fields, zap.ByteString("stderr", said))
	}
	if cause := errors.Unwrap(err); cause != nil {
		fields = append(fields, zap.NamedError("cause", cause))
	}
	p.journal.log.Warn("plugin failed", fields...)
}

// doing names plugin and item for an error: plugin x: format links.
func (i *provided) doing() string { return "plugin " + i.plugin.name + ": " + i.what }
