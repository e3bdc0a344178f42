package core

import (
	"context"
	"errors"
	"testing"

	"go.uber.org/zap"
	"go.uber.org/zap/zaptest/observer"
)

func TestAPanicIsLoggedAndCounted(t *testing.T) {
	seen, logs := observer.New(zap.ErrorLevel)
	tasks := &tasks{log: zap.New(seen)}
	err := tasks.guard("dividing", func() error { panic("by zero") })
	if err == nil || err.Error() != "panic while dividing: by zero" {
		t.Errorf("got %v", err)
	}
	tasks.run("dividing", func() { panic("again") })
	if err := tasks.wait(t.Context()); err != nil {
		t.Fatal(err)
	}
	if n := tasks.panics.Load(); n != 2 {
		t.Errorf("counted %d panics, want 2", n)
	}
	entries := logs.All()
	if len(entries) != 2 || entries[1].ContextMap()["panic"] != "again" || entries[1].ContextMap()["stack"] == "" {
		t.Errorf("logged %+v", entries)
	}
}

func TestWaitEndsWithItsContext(t *testing.T) {
	tasks := &tasks{log: zap.NewNop()}
	release := make(chan struct{})
	tasks.run("waiting", func() { <-release })
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := tasks.wait(ctx); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v while a task runs", err)
	}
	close(release)
	if err := tasks.wait(t.Context()); err != nil {
		t.Errorf("got %v although nothing runs", err)
	}
}
