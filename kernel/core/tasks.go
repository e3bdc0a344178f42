package core

import (
	"context"
	"fmt"
	"runtime/debug"
	"sync"
	"sync/atomic"

	"go.uber.org/zap"
)

// tasks owns the goroutines of an Engine: each is waited for at the end, and a panic in one is logged and counted
// instead of ending the process. A sync.WaitGroup would not do: connections may still be closed while it is waited for.
type tasks struct {
	log    *zap.Logger
	panics atomic.Int64

	mu   sync.Mutex
	n    int
	idle chan struct{} // closed when n falls to 0, nil while nobody waits
}

// run starts f. what says in the log what was being done when it panicked.
func (t *tasks) run(what string, f func()) {
	t.mu.Lock()
	t.n++
	t.mu.Unlock()
	go func() {
		defer t.done()
		_ = t.guard(what, func() error { f(); return nil }) // guard has logged it
	}()
}

// done counts a task out and wakes those who wait for the last.
func (t *tasks) done() {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.n--
	if t.n == 0 && t.idle != nil {
		close(t.idle)
		t.idle = nil
	}
}

// wait returns when no task runs, or ctx's error when it ends before.
func (t *tasks) wait(ctx context.Context) error {
	t.mu.Lock()
	if t.n == 0 {
		t.mu.Unlock()
		return nil
	}
	if t.idle == nil {
		t.idle = make(chan struct{})
	}
	idle := t.idle
	t.mu.Unlock()
	select {
	case <-idle:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// guard calls f and turns a panic of the core into an error. It can not help with goroutines that the core started.
func (t *tasks) guard(what string, f func() error) (err error) {
	defer func() {
		if r := recover(); r != nil {
			t.panics.Add(1)
			t.log.Error("panic in the core", zap.String("doing", what), zap.Any("panic", r), zap.ByteString("stack", debug.Stack()))
			err = fmt.Errorf("panic while %s: %v", what, r)
		}
	}()
	return f()
}
