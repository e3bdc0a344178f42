package event

import (
	"context"
	"errors"
	"strings"
	"time"

	"github.com/sluicehq/sluice/kernel/domain"
	"github.com/sluicehq/sluice/kernel/plugin"
	"github.com/sluicehq/sluice/sdk/wire"
)

// backoff is how long the next attempt waits after so many failed ones. After the last the event is a dead letter: by then
// somebody has had most of a day to repair what it is sent to.
var backoff = []time.Duration{
	5 * time.Second, 15 * time.Second, time.Minute, 5 * time.Minute, 15 * time.Minute, 30 * time.Minute,
	time.Hour, 2 * time.Hour, 4 * time.Hour, 8 * time.Hour,
}

// patience is how long a delivery waits for a handler that can not be asked: switched off, busy, being replaced. That is no
// attempt.
const patience = 10 * time.Second

// deliver makes one attempt. nil = it is done.
func (d *Dispatcher) deliver(e *domain.Delivery) (failure *domain.Failure) {
	defer d.recovered(e.Handler, func() { failure = d.failed(e, errors.New("the host panicked")) })
	name, item, _ := strings.Cut(e.Handler, "/")
	ctx, cancel := context.WithTimeout(d.calls, give)
	defer cancel()
	err := d.Plugins.Event(ctx, name, &wire.EventRequest{
		ID: item, Type: e.Type, EventID: e.ID, Time: e.CreatedAt, Payload: e.Payload, Attempt: e.Attempts,
	})
	switch {
	case err == nil:
		return nil
	case d.calls.Err() != nil: // what it says of that is not its own word
		return d.putBack(e)
	}
	return d.failed(e, err)
}

// putBack leaves a delivery to whoever takes it next.
func (d *Dispatcher) putBack(e *domain.Delivery) *domain.Failure {
	return &domain.Failure{ID: e.ID, NextAt: d.Clock.Now().UnixMilli(), Unasked: true, Error: e.LastError}
}

// failed says what is next for a delivery that err has kept from its handler.
func (d *Dispatcher) failed(e *domain.Delivery, err error) *domain.Failure {
	now := d.Clock.Now()
	f := &domain.Failure{ID: e.ID, Error: err.Error()}
	switch {
	case unasked(err):
		f.NextAt, f.Unasked = now.Add(patience).UnixMilli(), true
		return f
	case final(err) || int(e.Attempts) >= len(backoff):
		f.Dead = true
	default:
		f.NextAt = now.Add(backoff[e.Attempts]).UnixMilli()
	}
	return f
}

// unasked says that the handler has not seen the event.
func unasked(err error) bool {
	for _, reason := range []error{plugin.ErrNoItem, plugin.ErrBusy, plugin.ErrFailed, plugin.ErrClosed} {
		if errors.Is(err, reason) {
			return true
		}
	}
	return false
}

// final says that the handler itself does not want the event again: any error that is not from sdk.Retry. A crash or a
// missed deadline is no word of the handler's.
func final(err error) bool {
	var said *plugin.PluginError
	return errors.As(err, &said) && said.Code != wire.CodeRetry
}
