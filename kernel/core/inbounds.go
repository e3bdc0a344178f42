package core

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"

	"github.com/xtls/xray-core/features/inbound"
	hysteria "github.com/xtls/xray-core/proxy/hysteria/account"
	"go.uber.org/zap"

	"github.com/sluicehq/sluice/kernel/domain"
)

// ApplyInbounds implements Backend.
func (e *Engine) ApplyInbounds(_ context.Context, put []domain.Inbound, remove []int64) error {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.running == nil {
		return domain.Unavailable("the core is not running")
	}
	for _, id := range remove {
		e.close(id)
		e.gate.meters.remove(id)
		delete(e.inbounds, id)
		delete(e.problems, id)
	}
	var failed []error
	for _, in := range put {
		if known, ok := e.inbounds[in.ID]; ok && known.Revision > in.Revision {
			continue
		}
		e.inbounds[in.ID] = in
		err := e.put(in)
		e.note(&in, err)
		failed = append(failed, err)
	}
	return errors.Join(failed...)
}

// put brings one inbound to what it should be. On failure the one that ran before runs again: it had to be closed first,
// because both have one tag and mostly one port.
func (e *Engine) put(in domain.Inbound) error {
	old := e.open[in.ID]
	switch {
	case !in.Serves(e.gate.now()):
		e.close(in.ID)
		return nil
	case old != nil && sameListener(&old.in, &in):
		old.in = in
		e.setDoors()
		return nil
	}
	l, err := newListener(in, e.certDir)
	if err != nil {
		return err
	}
	if err := e.free(&in); err != nil {
		return err
	}
	handler, err := l.build(e.running, e.gate)
	if err != nil {
		return listenError(&in, err)
	}
	e.close(in.ID)
	if err := e.listen(l, handler); err != nil {
		if old != nil {
			e.note(&old.in, e.reopen(old))
		}
		return err
	}
	return nil
}

// reopen opens a listener that is closed, or replaces one that is open, with the users it should have now.
func (e *Engine) reopen(l *listener) error {
	next := &listener{in: l.in, cfg: l.cfg, method: l.method, vision: l.vision, replaced: l.replaced}
	handler, err := next.build(e.running, e.gate)
	if err != nil {
		return listenError(&l.in, err)
	}
	if e.open[l.in.ID] == l {
		if err := l.close(e.running, e.gate); err != nil {
			e.log.Warn("an inbound did not close cleanly", zap.String("tag", l.in.Tag), zap.Error(err))
		}
	}
	return e.listen(next, handler)
}

// free says whether no other open inbound has the tag or the port.
func (e *Engine) free(in *domain.Inbound) error {
	open := e.listeners()
	if o := clash(in, open); o != nil {
		return domain.Conflict("port", fmt.Sprintf("%d is in use by inbound %s", in.Port, o.Tag))
	}
	if slices.ContainsFunc(open, func(l *listener) bool { return l.in.Tag == in.Tag && l.in.ID != in.ID }) {
		return domain.Conflict("tag", in.Tag+" is in use by another inbound")
	}
	return nil
}

// listen opens a listener and its door. The tag and the port must be free.
func (e *Engine) listen(l *listener, handler inbound.Handler) error {
	e.open[l.in.ID] = l
	e.setDoors() // before anybody can knock
	if err := l.serve(e.running, e.gate, handler); err != nil {
		delete(e.open, l.in.ID)
		e.setDoors()
		return listenError(&l.in, err)
	}
	return nil
}

// close closes an inbound, shuts its door and cuts its connections: most would live on without it.
func (e *Engine) close(id int64) {
	l := e.open[id]
	if l == nil {
		return
	}
	delete(e.open, id)
	delete(e.stale, id)
	e.setDoors()
	if err := l.close(e.running, e.gate); err != nil {
		e.log.Warn("an inbound did not close cleanly", zap.String("tag", l.in.Tag), zap.Error(err))
	}
	e.gate.closeInbound(id)
}

// openAll opens every inbound that should run and does not, or not as it should, in the order of their ids, so that of
// two that want one port always the same gets it. One whose time is over is closed.
func (e *Engine) openAll() {
	now := e.gate.now()
	for _, id := range slices.Sorted(maps.Keys(e.inbounds)) {
		in := e.inbounds[id]
		if _, failed := e.problems[id]; failed || e.open[id] == nil || !in.Serves(now) {
			e.note(&in, e.put(in))
		}
	}
}

// note keeps why an inbound does not run, or that it does.
func (e *Engine) note(in *domain.Inbound, err error) {
	if err == nil {
		delete(e.problems, in.ID)
		return
	}
	e.log.Warn("an inbound is not served", zap.String("tag", in.Tag), zap.Error(err))
	e.problems[in.ID] = Problem{InboundID: in.ID, Tag: in.Tag, Reason: reason(err)}
}

// setDoors tells the gate which inbounds are open. It is called before an inbound listens and before one is closed.
func (e *Engine) setDoors() {
	doors := make(map[string]door, len(e.open))
	for id, l := range e.open {
		d := door{inbound: id, anonymous: l.in.Anonymous, meter: e.gate.meters.of(id)}
		if h, ok := l.users.(interface{ HysteriaInboundValidator() *hysteria.Validator }); ok {
			d.auths = h.HysteriaInboundValidator()
		}
		doors[l.in.Tag] = d
	}
	e.gate.doors.Store(&doors)
}

// listeners returns the open inbounds, ascending by id.
func (e *Engine) listeners() []*listener {
	list := slices.Collect(maps.Values(e.open))
	slices.SortFunc(list, func(a, b *listener) int { return cmp.Compare(a.in.ID, b.in.ID) })
	return list
}
