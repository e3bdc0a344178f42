package core

import (
	"cmp"
	"slices"
	"sync"
	"sync/atomic"

	"github.com/sluicehq/sluice/kernel/domain"
)

// meter counts what passes one inbound, of users and of nobody in particular: what they send and get, without what their
// protocol and its encryption add. It holds what is not yet flushed.
type meter struct {
	up, down atomic.Int64
}

// meters has the meter of every inbound, by id: they outlive the listeners, which come and go.
type meters struct {
	mu   sync.Mutex
	byID map[int64]*meter
}

// of returns the meter of an inbound, and makes it if it is new.
func (m *meters) of(id int64) *meter {
	m.mu.Lock()
	defer m.mu.Unlock()
	found := m.byID[id]
	if found == nil {
		found = &meter{}
		if m.byID == nil {
			m.byID = map[int64]*meter{}
		}
		m.byID[id] = found
	}
	return found
}

// remove drops the meter of an inbound and what is not flushed of it.
func (m *meters) remove(id int64) {
	m.mu.Lock()
	defer m.mu.Unlock()
	delete(m.byID, id)
}

// deltas returns what is not yet flushed of the inbounds that moved bytes, ascending by id.
func (m *meters) deltas() []domain.InboundDelta {
	m.mu.Lock()
	defer m.mu.Unlock()
	var ds []domain.InboundDelta
	for id, found := range m.byID {
		d := domain.InboundDelta{InboundID: id, Up: found.up.Load(), Down: found.down.Load()}
		if d.Up != 0 || d.Down != 0 {
			ds = append(ds, d)
		}
	}
	slices.SortFunc(ds, func(a, b domain.InboundDelta) int { return cmp.Compare(a.InboundID, b.InboundID) })
	return ds
}

// flushed takes stored bytes off the meters.
func (m *meters) flushed(ds []domain.InboundDelta) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, d := range ds {
		if found := m.byID[d.InboundID]; found != nil {
			found.up.Add(-d.Up)
			found.down.Add(-d.Down)
		}
	}
}

// unflushed returns what one inbound moved since the last flush.
func (m *meters) unflushed(id int64) (up, down int64) {
	m.mu.Lock()
	defer m.mu.Unlock()
	found := m.byID[id]
	if found == nil {
		return 0, 0
	}
	return found.up.Load(), found.down.Load()
}
