// Package event delivers what has happened, as the database recorded it with the change, to the event plugins that want
// it: at least once, in order for each subject, again after a failure, and never at another handler's cost.
package event

import (
	"context"
	"runtime/debug"
	"sync"
	"sync/atomic"
	"time"

	"github.com/jonboulle/clockwork"
	"go.uber.org/zap"
	"golang.org/x/sync/errgroup"

	"github.com/sluicehq/sluice/kernel/domain"
	"github.com/sluicehq/sluice/sdk/wire"
)

// How a handler is fed.
const (
	poll     = 2 * time.Second  // between two looks when nothing wakes the handler: retries, and what other processes wrote
	batch    = 64               // deliveries that are taken at once
	parallel = 4                // of them under way; more are not run by the plugin host anyway
	lease    = 2 * time.Minute  // for which nobody else takes them
	give     = 30 * time.Second // for one call, with the HTTP requests that it makes
	begin    = 80 * time.Second // after which none of a batch is begun: what is under way then ends before the lease
	grace    = 5 * time.Second  // that Stop leaves to calls under way; a container that is stopped has 10 in all
)

// Outbox holds the deliveries. Those of a crash are there again when their lease has ended.
type Outbox interface {
	// TakeDeliveries leases due deliveries of the handlers: of each subject the oldest that is not done.
	TakeDeliveries(ctx context.Context, handlers []string, lease time.Duration, limit int) ([]domain.Delivery, error)
	FinishDeliveries(ctx context.Context, done []int64, failed []domain.Failure) error
}

// Plugins handle events.
type Plugins interface {
	// Event hands one event to the handler ("plugin/item") that it is for.
	Event(ctx context.Context, plugin string, req *wire.EventRequest) error
}

// Options are the parts that a Dispatcher stands on.
type Options struct {
	Outbox  Outbox
	Plugins Plugins
	Clock   clockwork.Clock
	Log     *zap.Logger
}

// Dispatcher feeds each handler from a goroutine of its own. It is safe for concurrent use.
type Dispatcher struct {
	Options
	panics atomic.Uint64
	calls  context.Context // of everything that is under way
	cut    context.CancelFunc

	mu      sync.Mutex
	feeders map[string]*feeder // by handler
	stopped bool
	running sync.WaitGroup
}

// feeder is the goroutine of one handler.
type feeder struct {
	wake    chan struct{} // holds at most one
	stop    context.CancelFunc
	trouble trouble
}

// New returns a dispatcher without handlers.
func New(o Options) *Dispatcher {
	d := &Dispatcher{Options: o, feeders: map[string]*feeder{}}
	d.calls, d.cut = context.WithCancel(context.Background())
	return d
}

// SetHandlers says which handlers there are from now on. What is under way for one that is gone still ends, its other
// deliveries wait until it is back.
func (d *Dispatcher) SetHandlers(handlers []string) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.stopped {
		return
	}
	there := map[string]bool{}
	for _, name := range handlers {
		there[name] = true
		if d.feeders[name] != nil {
			continue
		}
		ctx, stop := context.WithCancel(context.Background())
		f := &feeder{wake: make(chan struct{}, 1), stop: stop}
		d.feeders[name] = f
		d.running.Go(func() { d.feed(ctx, name, f) })
	}
	for name, f := range d.feeders {
		if !there[name] {
			f.stop()
			delete(d.feeders, name)
		}
	}
}

// Wake says that there may be something to deliver.
func (d *Dispatcher) Wake() {
	d.mu.Lock()
	defer d.mu.Unlock()
	for _, f := range d.feeders {
		select {
		case f.wake <- struct{}{}:
		default: // it is going to look anyway
		}
	}
}

// Stop takes nothing any more and waits for what is under way, which is cut off after some seconds and is the first that
// the next start delivers. It does not wait after ctx has ended: what is not done then comes again when its lease has ended.
func (d *Dispatcher) Stop(ctx context.Context) error {
	d.mu.Lock()
	d.stopped = true
	for name, f := range d.feeders {
		f.stop()
		delete(d.feeders, name)
	}
	d.mu.Unlock()
	ended := make(chan struct{})
	go func() {
		d.running.Wait()
		close(ended)
	}()
	select {
	case <-ended:
		return nil
	case <-ctx.Done():
	case <-d.Clock.After(grace):
	}
	d.cut()
	select {
	case <-ended:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// Panics is how many panics were caught since the start. Each is a bug.
func (d *Dispatcher) Panics() uint64 { return d.panics.Load() }

// feed delivers to one handler until ctx ends.
func (d *Dispatcher) feed(ctx context.Context, handler string, f *feeder) {
	report := &report{log: d.Log.With(zap.String("handler", handler)), trouble: &f.trouble}
	for {
		more := d.round(ctx, handler, report)
		report.write(d.Clock.Now())
		if more && ctx.Err() == nil {
			continue
		}
		timer := d.Clock.NewTimer(poll)
		select {
		case <-ctx.Done():
		case <-f.wake:
		case <-timer.Chan():
		}
		timer.Stop()
		if ctx.Err() != nil {
			return
		}
	}
}

// round takes a batch and delivers it. It says whether there may be more right now.
func (d *Dispatcher) round(ctx context.Context, handler string, report *report) (more bool) {
	defer d.recovered(handler, func() {})
	began := d.Clock.Now()
	taken, err := d.Outbox.TakeDeliveries(ctx, []string{handler}, lease, batch)
	if err != nil {
		if ctx.Err() == nil {
			report.storage = err
		}
		return false
	}
	if len(taken) == 0 {
		return false
	}
	outcomes := make([]*domain.Failure, len(taken)) // nil = delivered
	var calls errgroup.Group
	calls.SetLimit(parallel)
	for i := range taken {
		calls.Go(func() error {
			if ctx.Err() != nil || d.Clock.Since(began) > begin {
				outcomes[i] = d.putBack(&taken[i])
			} else {
				outcomes[i] = d.deliver(&taken[i])
			}
			return nil
		})
	}
	_ = calls.Wait() // none returns an error
	return d.finish(taken, outcomes, report)
}

// finish stores what became of a batch, also when the feeder has been told to stop: what was delivered is not to come
// again for that.
func (d *Dispatcher) finish(taken []domain.Delivery, outcomes []*domain.Failure, report *report) (more bool) {
	var done []int64
	var failed []domain.Failure
	var last *domain.Failure // of which the handler knows
	for i, f := range outcomes {
		if f == nil {
			done = append(done, taken[i].ID)
			continue
		}
		failed = append(failed, *f)
		report.add(&taken[i], f)
		if !f.Unasked {
			last = f
		}
		more = more || f.Dead // what has waited behind it goes on
	}
	report.trouble.note(len(done), last, d.Clock.Now())
	if err := d.Outbox.FinishDeliveries(context.Background(), done, failed); err != nil {
		report.storage = err
		return false
	}
	return more || len(done) > 0
}

// recovered is deferred where a panic must not end the process; then is called after one.
func (d *Dispatcher) recovered(handler string, then func()) {
	if p := recover(); p != nil {
		defer then()
		d.panics.Add(1)
		d.Log.Error("delivering events panicked", zap.String("handler", handler), zap.Any("panic", p), zap.ByteString("stack", debug.Stack()))
	}
}
