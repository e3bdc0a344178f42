// Package plugin runs WebAssembly plugins: it loads them beside what serves, keeps each within its limits, and calls
// them. DESIGN.md tells what a plugin can and can not do to its host.
package plugin

import (
	"context"
	"fmt"
	"runtime"
	"runtime/debug"
	"sync"
	"sync/atomic"

	"github.com/jonboulle/clockwork"
	"go.uber.org/zap"
)

// Options configure a Host. The zero value works.
type Options struct {
	Log         *zap.Logger       // nil = no log
	Clock       clockwork.Clock   // what requests and back-offs see; nil = the system's. Deadlines are always real time
	CacheDir    string            // where compiled code is kept between starts; "" = nowhere
	Concurrency int               // calls in flight per plugin; 0 = GOMAXPROCS, at most 4
	Limits      Limits            // zero fields take ABI 1's numbers
	Settings    map[string]string // JSON object for each plugin's configure, by plugin name; absent = none
}

// Host holds the loaded plugins. Its methods may be called from any goroutine.
type Host struct {
	log         *zap.Logger
	clock       clockwork.Clock
	concurrency int
	limits      Limits
	settings    map[string]string

	engine   *engine
	registry atomic.Pointer[registry]
	loading  sync.Mutex // one load at a time; the registry is replaced only under it

	retiring sync.WaitGroup // goroutines that wait for the last calls of replaced plugins
	panics   atomic.Uint64
}

// Open starts a host without any plugin. An unusable cache directory is an error.
func Open(ctx context.Context, o Options) (*Host, error) {
	h := &Host{log: o.Log, clock: o.Clock, concurrency: o.Concurrency, limits: o.Limits.withDefaults(), settings: o.Settings}
	if h.log == nil {
		h.log = zap.NewNop()
	}
	if h.clock == nil {
		h.clock = clockwork.NewRealClock()
	}
	if h.concurrency <= 0 {
		h.concurrency = min(runtime.GOMAXPROCS(0), 4)
	}
	h.registry.Store(&registry{})
	var err error
	if h.engine, err = newEngine(ctx, o.CacheDir, h.limits.Memory); err != nil {
		return nil, fmt.Errorf("start the plugin engine: %w", err)
	}
	return h, nil
}

// Close refuses further calls, waits for those in flight (each ends by its deadline) and frees everything. If ctx ends
// first its error is returned and nothing is freed. A second Close does nothing.
func (h *Host) Close(ctx context.Context) error {
	h.loading.Lock()
	defer h.loading.Unlock()
	if h.registry.Load().closed {
		return nil
	}
	for _, e := range h.registry.Swap(&registry{closed: true}).entries {
		h.retire(e.plugin)
	}
	done := make(chan struct{})
	go func() {
		h.retiring.Wait()
		close(done)
	}()
	select {
	case <-done:
		return h.engine.close(ctx)
	case <-ctx.Done():
		return fmt.Errorf("wait for the last plugin calls: %w", ctx.Err())
	}
}

// Panics returns how many panics of the host's own code have been caught and logged since Open; any is a bug.
func (h *Host) Panics() uint64 { return h.panics.Load() }

// retire frees p, which may be nil, once its last call has ended.
func (h *Host) retire(p *plugin) {
	if p == nil {
		return
	}
	h.retiring.Go(func() {
		defer h.recovered("retire plugin " + p.name)
		p.pool.drain()
		if err := p.compiled.Close(context.Background()); err != nil {
			h.log.Warn("free a plugin's code", zap.String("plugin", p.name), zap.Error(err))
		}
	})
}

// recovered is deferred where a panic must not end the process.
func (h *Host) recovered(doing string) {
	if v := recover(); v != nil {
		h.panics.Add(1)
		h.log.Error("panic", zap.String("doing", doing), zap.Any("panic", v), zap.ByteString("stack", debug.Stack()))
	}
}
