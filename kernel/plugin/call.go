package plugin

import (
	"context"
	"errors"
	"sync/atomic"
	"time"

	"go.uber.org/zap"

	"github.com/sluicehq/sluice/kernel/domain"
	"github.com/sluicehq/sluice/sdk/wire"
)

// caller calls what a registry offers: a Host is one, and so is a Trial.
type caller struct{ registry atomic.Pointer[registry] }

// serve makes one call of an item. If it is a plugin's that stands in for a built-in one, and it is switched off or fails,
// the built-in one answers this very call.
func serve[T any](ctx context.Context, c *caller, op wire.Op, kind, id string, ask func(*instance, *wire.Item) (T, error)) (out T, by served, err error) {
	for {
		g := c.registry.Load()
		o := g.items[itemKey{kind, id}]
		if o.provided == nil {
			return out, by, g.missing(kind, id)
		}
		out, err = once(ctx, o.provided, op, ask)
		if o.instead != nil && (broken(err) || errors.Is(err, ErrFailed)) {
			out, err = once(ctx, o.instead, op, ask)
			by = served{o.instead.plugin, true}
		} else {
			by = served{o.plugin, false}
		}
		if !errors.Is(err, errRetired) {
			return out, by, err
		}
	} // the registry was replaced before the plugin was retired
}

// served says whose answer, or failure, a call ended with.
type served struct {
	plugin   *plugin
	fallback bool // it is that of the built-in item, because what stands in for it failed
}

// once makes one call on one instance of the plugin that provides the item.
func once[T any](ctx context.Context, item *provided, op wire.Op, ask func(*instance, *wire.Item) (T, error)) (out T, err error) {
	p := item.plugin
	in, err := p.take(ctx, p.host.limits.call(op))
	if err != nil {
		return out, domainError(item.doing(), err)
	}
	p.counts.calls.Add(1)
	out, err = ask(in, &item.item)
	if err = p.end(item, in, err); err != nil {
		var none T
		return none, err
	}
	return out, nil
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
		if !broken(err) { // such as settings that it does not take any more
			err = fail(ErrTrap, "can not be started: %s", err)
		}
		p.failed("make an instance", err, nil)
	}
	p.pool.release(nil)
	return nil, err
}

// ready makes an instance and applies the plugin's settings, which it has taken before.
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
	if in.plugin.policy.Settings == "" {
		return nil
	}
	req := wire.ConfigureRequest{Settings: in.plugin.policy.Settings}
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
func (p *plugin) end(item *provided, in *instance, err error) error {
	in.held = held{}
	switch {
	case broken(err):
		p.failed(item.what, err, in.stderr.last())
		in.close()
		in = nil
	case in.used() > p.host.limits.Recycle:
		in.close()
		in = nil
		fallthrough
	default:
		if in != nil {
			in.count()
		}
		if p.breaker.success() {
			p.journal.say(zap.InfoLevel, "plugin recovered")
			p.tell(p.notice(NoticeRecovered, ""))
		}
	}
	p.pool.release(in)
	if err == nil {
		return nil
	}
	return domainError(item.doing(), err)
}

// failed logs and counts a failure that is the plugin's fault.
func (p *plugin) failed(what string, err error, said []byte) {
	p.counts.failures.Add(1)
	opened := !p.trial && p.breaker.failure(err.Error())
	fields := []zap.Field{zap.String("doing", what), zap.Error(err), zap.Bool("switched_off", opened)}
	if len(said) > 0 {
		fields = append(fields, zap.ByteString("stderr", said))
	}
	if cause := errors.Unwrap(err); cause != nil {
		fields = append(fields, zap.NamedError("cause", cause))
	}
	p.journal.say(zap.WarnLevel, "plugin failed", fields...)
	if opened {
		_, reason := p.breaker.state()
		p.tell(p.notice(NoticeSwitchedOff, reason))
	}
}

// tell passes a notice on, unless the plugin serves nobody.
func (p *plugin) tell(n Notice) {
	if !p.trial {
		p.host.tell(n)
	}
}

// doing names plugin and item for an error: plugin x: format links.
func (i *provided) doing() string { return "plugin " + i.plugin.name + ": " + i.what }
