// Package plugin runs WebAssembly plugins: it loads them beside what serves, keeps each within its limits and its
// permissions, and calls them. DESIGN.md tells what a plugin can and can not do to its host.
package plugin

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"runtime/debug"
	"sync"
	"sync/atomic"

	"github.com/jonboulle/clockwork"
	"go.uber.org/zap"

	"github.com/sluicehq/sluice/kernel/domain"
)

// Options configure a Host. The zero value works.
type Options struct {
	Log         *zap.Logger     // nil = no log
	Clock       clockwork.Clock // what requests and back-offs see; nil = the system's. Deadlines are always real time
	CacheDir    string          // where compiled code is kept between starts; "" = nowhere
	Concurrency int             // calls in flight per plugin; 0 = GOMAXPROCS, at most 4
	Limits      Limits          // zero fields take ABI 1's numbers

	// Policy returns what the operator has said about the plugin of a name. It is asked when one is loaded, and by
	// Apply. nil = nothing was said about any.
	Policy func(name string) domain.PluginPolicy
	KV     func(plugin string) KV // the store of a plugin that was granted kv; nil = there are none
	HTTP   Doer                   // makes the requests of those that were granted http; nil = none are made

	// OnNotice is told what has become of a plugin, and OnChange that the loaded plugins may be others now. They are
	// called without locks, but on the goroutine that loads or calls: they must not wait for anything. nil = nobody.
	OnNotice func(Notice)
	OnChange func()
}

// Host holds the loaded plugins. Its methods may be called from any goroutine.
type Host struct {
	caller
	o      Options // with the defaults filled in
	log    *zap.Logger
	clock  clockwork.Clock
	limits Limits

	loading sync.Mutex // one change at a time; the registry is replaced only under it
	engine  *engine    // that new code is made by; under loading
	engines []*engine  // all, in the order in which they were made; under loading
	notices []Notice   // of the change under way; under loading
	trials  map[*plugin]*Trial

	logs     logbook
	retiring sync.WaitGroup // goroutines that wait for the last calls of replaced plugins
	panics   atomic.Uint64
}

// Open starts a host without any plugin. A cache directory that can not be used is logged, and no error.
func Open(ctx context.Context, o Options) (*Host, error) {
	if o.Log == nil {
		o.Log = zap.NewNop()
	}
	if o.Clock == nil {
		o.Clock = clockwork.NewRealClock()
	}
	if o.Concurrency <= 0 {
		o.Concurrency = min(runtime.GOMAXPROCS(0), 4)
	}
	if o.Policy == nil {
		o.Policy = func(name string) domain.PluginPolicy { return domain.PluginPolicy{Name: name} }
	}
	h := &Host{o: o, log: o.Log, clock: o.Clock, limits: o.Limits.withDefaults(), trials: map[*plugin]*Trial{}}
	h.registry.Store(&registry{})
	if err := h.openEngine(ctx); err != nil {
		return nil, err
	}
	return h, nil
}

// Close refuses further calls, waits for those in flight (each ends by its deadline) and frees everything, trials too. If
// ctx ends first its error is returned and nothing is freed. A second Close does nothing.
func (h *Host) Close(ctx context.Context) error {
	h.loading.Lock()
	defer h.loading.Unlock()
	if h.registry.Load().closed {
		return nil
	}
	for _, e := range h.registry.Swap(&registry{closed: true}).entries {
		h.retire(e.plugin)
		h.retire(e.held)
	}
	for _, t := range h.trials {
		t.retire()
	}
	done := make(chan struct{})
	go func() {
		h.retiring.Wait()
		close(done)
	}()
	select {
	case <-done:
		var errs []error
		for _, e := range h.engines {
			errs = append(errs, e.close(ctx))
		}
		return errors.Join(errs...)
	case <-ctx.Done():
		return fmt.Errorf("wait for the last plugin calls: %w", ctx.Err())
	}
}

// Panics returns how many panics of the host's own code have been caught and logged since Open; any is a bug.
func (h *Host) Panics() uint64 { return h.panics.Load() }

// change makes one change of the registry at a time. What is to be told about it is told when the lock is free again.
func (h *Host) change(ctx context.Context, doing string, do func() error) error {
	h.loading.Lock()
	before := h.registry.Load()
	err := ctx.Err()
	switch {
	case before.closed:
		err = domain.Unavailable("the plugins are shut down").Because(ErrClosed)
	case err != nil:
		err = fmt.Errorf("%s: %w", doing, err)
	default:
		err = do()
	}
	changed, notices := h.registry.Load() != before, h.notices
	h.notices = nil
	h.loading.Unlock()
	if changed && h.o.OnChange != nil {
		h.o.OnChange()
	}
	for _, n := range notices {
		h.tell(n)
	}
	return err
}

// retire frees p, which may be nil, once its last call has ended.
func (h *Host) retire(p *plugin) {
	if p == nil {
		return
	}
	h.retiring.Go(func() {
		defer h.recovered("retire plugin " + p.name)
		p.pool.drain()
		p.release()
	})
}

// recovered is deferred where a panic must not end the process.
func (h *Host) recovered(doing string) {
	if v := recover(); v != nil {
		h.panics.Add(1)
		h.log.Error("panic", zap.String("doing", doing), zap.Any("panic", v), zap.ByteString("stack", debug.Stack()))
	}
}
