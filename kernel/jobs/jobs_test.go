package jobs

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/jonboulle/clockwork"
	"go.uber.org/zap"
	"go.uber.org/zap/zaptest/observer"
)

func TestJobRunsAgainAfterAnErrorAndAPanic(t *testing.T) {
	ran := make(chan int, 3)
	core, logs := observer.New(zap.ErrorLevel)
	runs := 0
	r, err := Start(clockwork.NewRealClock(), zap.New(core), Job{"work", time.Millisecond, func(context.Context) error {
		runs++
		if runs <= 3 {
			ran <- runs
		}
		switch runs {
		case 1:
			return errors.New("disk full")
		case 2:
			panic("nil map")
		}
		return nil
	}})
	if err != nil {
		t.Fatal(err)
	}
	for want := 1; want <= 3; want++ {
		if got := <-ran; got != want {
			t.Fatalf("run %d, want %d", got, want)
		}
	}
	if err := r.Stop(); err != nil {
		t.Fatal(err)
	}
	if n := logs.FilterMessage("job failed, it runs again in time").Len(); n != 1 {
		t.Errorf("%d errors logged, want 1", n)
	}
	if n := logs.FilterMessage("job panicked").Len(); n != 1 {
		t.Errorf("%d panics logged, want 1", n)
	}
}
