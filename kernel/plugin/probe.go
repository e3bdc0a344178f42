package plugin

import (
	"bytes"
	"context"

	"github.com/sluicehq/sluice/kernel/domain"
	"github.com/sluicehq/sluice/sdk/wire"
)

// Probe is one instance of a loaded plugin in the hands of a conformance check: what it is sent is not looked at, and
// nobody counts its failures. One goroutine uses it, and closes it before the plugin is replaced or the host closed.
type Probe struct{ in *instance }

// Probe makes a fresh instance of the plugin that serves from a file, with its settings applied.
func (h *Host) Probe(file string) (*Probe, error) {
	e := h.registry.Load().entry(file)
	if e.plugin == nil {
		return nil, domain.NotFound("no plugin serves from " + file)
	}
	in, err := e.plugin.ready()
	if err != nil {
		return nil, domainError("plugin "+e.plugin.name, err)
	}
	return &Probe{in}, nil
}

// Encode makes a request in the codec that the plugin's manifest names. req is a request of package wire.
func (p *Probe) Encode(req message) ([]byte, error) {
	return p.in.encode(nil, req)
}

// Exchange sends any bytes and returns a copy of the reply. After an error that is not a *PluginError the instance may
// be in any state.
func (p *Probe) Exchange(op wire.Op, request []byte) ([]byte, error) {
	in, size := p.in, uint32(len(request))
	limit := in.plugin.host.limits.call(op)
	if limit == 0 { // an op that ABI 1 does not have
		limit = in.plugin.host.limits.Init
	}
	if op == wire.OpEvent { // the permissions hold while an event is handled
		in.spending = &spending{ctx: context.Background()}
		defer func() { in.spending = nil }()
	}
	in.start(limit)
	if size > in.inputSize {
		if err := in.grow(size, limit); err != nil {
			return nil, err
		}
	}
	if !in.memory.Write(in.input, request) {
		return nil, fail(ErrReply, "keeps its input buffer outside its memory")
	}
	in.stack[0], in.stack[1] = uint64(op), uint64(size)
	if err := in.enter(in.call, 2); err != nil {
		return nil, in.crash(err, limit)
	}
	b, err := in.reply(in.stack[0], in.plugin.host.limits.Reply)
	return bytes.Clone(b), err
}

// Memory returns the size of the instance's memory in bytes.
func (p *Probe) Memory() int { return p.in.used() }

// Close frees the instance.
func (p *Probe) Close() { p.in.close() }
