package event

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/jonboulle/clockwork"
	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"
	"go.uber.org/zap/zaptest/observer"

	"github.com/sluicehq/sluice/kernel/domain"
	"github.com/sluicehq/sluice/kernel/plugin"
	"github.com/sluicehq/sluice/sdk/wire"
	"github.com/sluicehq/sluice/storage"
)

// bench is a dispatcher over a real database, with handlers that do as they are told.
type bench struct {
	*Dispatcher
	t     *testing.T
	db    *storage.DB
	clock *clockwork.FakeClock
	logs  *observer.ObservedLogs

	mu     sync.Mutex
	calls  []string                                        // handler, event and attempt, in the order in which they ended
	answer func(plugin string, e *wire.EventRequest) error // nil = all is well
	called chan struct{}                                   // gets one for each call that has ended
}

func newBench(t *testing.T, handlers ...string) *bench {
	t.Helper()
	core, logs := observer.New(zapcore.InfoLevel)
	b := &bench{t: t, clock: clockwork.NewFakeClockAt(time.Date(2026, 3, 1, 0, 0, 0, 0, time.UTC)), logs: logs, called: make(chan struct{}, 1000)}
	db, err := storage.Open(t.Context(), storage.Options{DSN: filepath.Join(t.TempDir(), "x.db"), Log: zap.NewNop(), Clock: b.clock})
	if err != nil {
		t.Fatal(err)
	}
	b.db = db
	var list []domain.EventHandler
	for _, h := range handlers {
		list = append(list, domain.EventHandler{Handler: h, Events: []string{domain.AllEvents}})
	}
	if err := db.SetHandlers(t.Context(), "node", list); err != nil {
		t.Fatal(err)
	}
	b.Dispatcher = b.dispatcher(core)
	t.Cleanup(func() {
		if err := errors.Join(b.Stop(context.Background()), db.Close()); err != nil {
			t.Error(err)
		}
	})
	return b
}

func (b *bench) dispatcher(core zapcore.Core) *Dispatcher {
	return New(Options{Outbox: b.db, Plugins: b, Clock: b.clock, Log: zap.New(core)})
}

// Event is a call of a handler.
func (b *bench) Event(_ context.Context, name string, e *wire.EventRequest) (err error) {
	defer func() {
		b.mu.Lock()
		b.calls = append(b.calls, fmt.Sprintf("%s/%s %s %s #%d", name, e.ID, e.Type, e.Payload, e.Attempt))
		b.mu.Unlock()
		b.called <- struct{}{}
	}()
	b.mu.Lock()
	answer := b.answer
	b.mu.Unlock()
	if answer == nil {
		return nil
	}
	return answer(name, e)
}

func (b *bench) answers(answer func(plugin string, e *wire.EventRequest) error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.answer = answer
}

// happen announces events, written as "subject payload".
func (b *bench) happen(events ...string) {
	b.t.Helper()
	err := b.db.Write(b.t.Context(), func(tx *storage.Tx) error {
		for _, e := range events {
			subject, payload, _ := strings.Cut(e, " ")
			tx.Announce(domain.Event{Type: domain.EventUserUpdated, Subject: subject, Payload: payload})
		}
		return nil
	})
	if err != nil {
		b.t.Fatal(err)
	}
}

// wait waits for so many calls.
func (b *bench) wait(n int) {
	b.t.Helper()
	deadline := time.After(20 * time.Second)
	for i := range n {
		select {
		case <-b.called:
		case <-deadline:
			b.t.Fatalf("%d of %d calls", i, n)
		}
	}
}

// idle waits until the feeders of so many handlers have nothing to do.
func (b *bench) idle(handlers int) {
	b.t.Helper()
	ctx, cancel := context.WithTimeout(b.t.Context(), 20*time.Second)
	defer cancel()
	if err := b.clock.BlockUntilContext(ctx, handlers); err != nil {
		b.t.Fatal(err)
	}
}

// want compares the calls since the last want.
func (b *bench) want(calls ...string) {
	b.t.Helper()
	b.mu.Lock()
	got := b.calls
	b.calls = nil
	b.mu.Unlock()
	if !reflect.DeepEqual(got, calls) {
		b.t.Fatalf("got  %q\nwant %q", got, calls)
	}
}

func (b *bench) in(state domain.DeliveryState) (list []string) {
	b.t.Helper()
	deliveries, err := b.db.Deliveries(b.t.Context(), domain.DeliveryQuery{State: state, Limit: 100})
	if err != nil {
		b.t.Fatal(err)
	}
	for _, d := range deliveries {
		list = append(list, fmt.Sprintf("%s %s after %d: %s", d.Handler, d.Payload, d.Attempts, d.LastError))
	}
	return list
}

func (b *bench) wantIn(state domain.DeliveryState, list ...string) {
	b.t.Helper()
	if got := b.in(state); !slices.Equal(got, list) {
		b.t.Fatalf("%s: got  %q\nwant %q", state, got, list)
	}
}

var errLater = domain.Unavailable("plugin bot: event chat: the chat does not answer").
	Because(&plugin.PluginError{Code: wire.CodeRetry, Message: "the chat does not answer"})

// What happened to one subject is told in order, also when the first of it has to be told again; others do not wait.
func TestOrder(t *testing.T) {
	b := newBench(t, "bot/chat")
	b.answers(func(_ string, e *wire.EventRequest) error {
		if e.Payload == `{"n":1}` && e.Attempt == 0 {
			return errLater
		}
		return nil
	})
	b.happen(`user/1 {"n":1}`, `user/1 {"n":2}`, `user/2 {"n":3}`)
	b.SetHandlers([]string{"bot/chat"})
	b.wait(2)
	b.idle(1)
	b.mu.Lock()
	slices.Sort(b.calls) // the two are told at the same time
	b.mu.Unlock()
	b.want(`bot/chat user.updated {"n":1} #0`, `bot/chat user.updated {"n":3} #0`)
	b.wantIn(domain.DeliveryWaiting, `bot/chat {"n":1} after 1: plugin bot: event chat: the chat does not answer`, `bot/chat {"n":2} after 0: `)
	for range 3 {
		b.clock.Advance(poll)
		if b.clock.Since(time.Date(2026, 3, 1, 0, 0, 0, 0, time.UTC)) < backoff[0] {
			b.idle(1)
			b.want()
		}
	}
	b.wait(2)
	b.idle(1)
	b.want(`bot/chat user.updated {"n":1} #1`, `bot/chat user.updated {"n":2} #0`)
	b.wantIn(domain.DeliveryWaiting)
}

// What a handler refuses for good is a dead letter at once, and so is what has failed too often; what is behind it goes on.
func TestDeadLetters(t *testing.T) {
	for _, c := range []struct {
		name  string
		err   error
		tries int
	}{
		{"refused", domain.Invalid("", "no such room").Because(&plugin.PluginError{Code: wire.CodeInvalid, Message: "no such room"}), 1},
		{"failed", domain.Unavailable("no such room").Because(&plugin.PluginError{Code: wire.CodeInternal, Message: "no such room"}), 1},
		{"asked to try again, for ever", domain.Unavailable("no such room").Because(&plugin.PluginError{Code: wire.CodeRetry}), len(backoff) + 1},
		{"crashed, for ever", domain.Unavailable("no such room").Because(plugin.ErrTrap), len(backoff) + 1},
	} {
		t.Run(c.name, func(t *testing.T) {
			b := newBench(t, "bot/chat")
			b.answers(func(_ string, e *wire.EventRequest) error {
				if e.Payload == "{}" {
					return c.err
				}
				return nil
			})
			b.happen(`user/1 {}`, `user/1 {"n":2}`)
			b.SetHandlers([]string{"bot/chat"})
			for try := range c.tries {
				b.wait(1)
				if try+1 < c.tries {
					b.idle(1)
					b.want(fmt.Sprintf("bot/chat user.updated {} #%d", try))
					b.clock.Advance(backoff[try])
				}
			}
			b.wait(1)
			b.idle(1)
			b.want(fmt.Sprintf("bot/chat user.updated {} #%d", c.tries-1), `bot/chat user.updated {"n":2} #0`)
			b.wantIn(domain.DeliveryDead, fmt.Sprintf("bot/chat {} after %d: no such room", c.tries))
			if n := b.logs.FilterMessageSnippet("dead letter").Len(); n != 1 {
				t.Errorf("%d lines in the log", n)
			}
		})
	}
}

// A handler that can not be asked has not failed.
func TestUnasked(t *testing.T) {
	b := newBench(t, "bot/chat")
	b.answers(func(string, *wire.EventRequest) error { return domain.NotFound("not loaded").Because(plugin.ErrNoItem) })
	b.happen(`user/1 {}`)
	b.SetHandlers([]string{"bot/chat"})
	for range 2 * len(backoff) {
		b.wait(1)
		b.idle(1)
		b.want("bot/chat user.updated {} #0")
		b.wantIn(domain.DeliveryWaiting, "bot/chat {} after 0: not loaded")
		b.clock.Advance(patience)
	}
	b.wait(1)
}

// One handler that hangs, or panics, costs the others nothing.
func TestHandlersDoNotWaitForEachOther(t *testing.T) {
	b := newBench(t, "slow/chat", "bot/chat")
	open := make(chan struct{})
	b.answers(func(name string, e *wire.EventRequest) error {
		if name == "slow" {
			<-open
			panic("over")
		}
		return nil
	})
	b.SetHandlers([]string{"slow/chat", "bot/chat"})
	b.idle(2)
	b.happen(`user/1 {"n":1}`)
	b.Wake()
	b.wait(1)
	b.want(`bot/chat user.updated {"n":1} #0`)
	b.happen(`user/2 {"n":2}`)
	b.Wake()
	b.wait(1)
	b.want(`bot/chat user.updated {"n":2} #0`)
	close(open)
	b.wait(1)
	b.idle(2)
	if n := b.Panics(); n == 0 {
		t.Error("the panic was not counted")
	}
}

// What was under way when the process ended comes again, with the same id, once its lease has ended.
func TestAtLeastOnce(t *testing.T) {
	b := newBench(t, "bot/chat")
	open, began := make(chan struct{}), make(chan int64, 2)
	b.answers(func(_ string, e *wire.EventRequest) error {
		began <- e.EventID
		<-open
		return errors.New("cut off")
	})
	b.happen(`user/1 {}`)
	b.SetHandlers([]string{"bot/chat"})
	first := <-began
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	if err := b.Stop(ended); !errors.Is(err, context.Canceled) {
		t.Fatalf("stopped although a call was under way: %v", err)
	}
	b.answers(func(_ string, e *wire.EventRequest) error { began <- e.EventID; return nil })
	next := b.dispatcher(zapcore.NewNopCore())
	next.SetHandlers([]string{"bot/chat"})
	b.idle(1)
	b.want() // another process may still be at it
	b.clock.Advance(lease)
	b.wait(1)
	if again := <-began; again != first {
		t.Errorf("event %d comes again as %d", first, again)
	}
	if err := next.Stop(t.Context()); err != nil {
		t.Error(err)
	}
	close(open)
	b.wait(1)
}

// A handler that is gone is not called, and finds what has waited for it when it is back.
func TestHandlersComeAndGo(t *testing.T) {
	b := newBench(t, "bot/chat")
	b.SetHandlers([]string{"bot/chat"})
	b.idle(1)
	b.SetHandlers(nil)
	b.happen(`user/1 {}`)
	b.Wake()
	b.clock.Advance(time.Hour)
	b.want()
	b.SetHandlers([]string{"bot/chat"})
	b.wait(1)
	b.want("bot/chat user.updated {} #0")
}

// eventFunc is a host whose calls can be cut off.
type eventFunc func(ctx context.Context, name string, e *wire.EventRequest) error

func (f eventFunc) Event(ctx context.Context, name string, e *wire.EventRequest) error {
	return f(ctx, name, e)
}

// subjects announces an event of each of n subjects.
func (b *bench) subjects(n int) {
	b.t.Helper()
	var list []string
	for i := range n {
		list = append(list, fmt.Sprintf(`user/%d {"n":%d}`, i, i))
	}
	b.happen(list...)
}

// A handler that hangs does not keep the process from ending: what it has of the batch is cut off and nothing else is
// begun. All of it is due at the next start, and none of it has used up an attempt.
func TestStopCutsWhatHangs(t *testing.T) {
	b := newBench(t, "bot/chat")
	b.subjects(10)
	began := make(chan struct{}, 10)
	d := New(Options{Outbox: b.db, Clock: b.clock, Log: zap.NewNop(), Plugins: eventFunc(func(ctx context.Context, _ string, _ *wire.EventRequest) error {
		began <- struct{}{}
		<-ctx.Done()
		return domain.Unavailable("cut off").Because(&plugin.PluginError{Code: wire.CodeInternal, Message: "cut off"})
	})})
	d.SetHandlers([]string{"bot/chat"})
	for range parallel {
		<-began
	}
	stopped := make(chan error)
	go func() { stopped <- d.Stop(t.Context()) }()
	b.idle(1)
	b.clock.Advance(grace)
	if err := <-stopped; err != nil {
		t.Fatal(err)
	}
	if n := len(began); n != 0 {
		t.Errorf("%d were begun after the end was announced", n)
	}
	due, err := b.db.TakeDeliveries(t.Context(), []string{"bot/chat"}, lease, batch)
	if err != nil || len(due) != 10 {
		t.Fatalf("%d are due at the next start, %v", len(due), err)
	}
	for _, e := range due {
		if e.Attempts != 0 || e.LastError != "" {
			t.Errorf("event %d has %d attempts: %s", e.ID, e.Attempts, e.LastError)
		}
	}
}

// finishes notes what is done to deliveries.
type finishes struct {
	Outbox
	done, putBack []int
}

func (f *finishes) FinishDeliveries(ctx context.Context, done []int64, failed []domain.Failure) error {
	back := 0
	for _, one := range failed {
		if one.Unasked {
			back++
		}
	}
	f.done, f.putBack = append(f.done, len(done)), append(f.putBack, back)
	return f.Outbox.FinishDeliveries(ctx, done, failed)
}

// A handler so slow that its batch would outlast the lease is given the rest of it later: else another process would
// deliver it at the same time.
func TestBatchEndsBeforeItsLease(t *testing.T) {
	b := newBench(t, "bot/chat")
	b.subjects(10)
	var began sync.WaitGroup
	began.Add(parallel)
	var calls atomic.Int32
	outbox := &finishes{Outbox: b.db}
	d := New(Options{Outbox: outbox, Clock: b.clock, Log: zap.NewNop(), Plugins: eventFunc(func(context.Context, string, *wire.EventRequest) error {
		n := calls.Add(1)
		if n <= parallel { // the first are slow together
			began.Done()
			began.Wait()
		}
		if n == parallel {
			b.clock.Advance(begin + time.Second)
			close(b.called)
		}
		if n <= parallel {
			<-b.called
		}
		return nil
	})})
	d.SetHandlers([]string{"bot/chat"})
	b.idle(1)
	if err := d.Stop(t.Context()); err != nil {
		t.Fatal(err)
	}
	if want := []int{parallel, 10 - parallel}; !slices.Equal(outbox.done, want) || outbox.putBack[0] != want[1] {
		t.Errorf("delivered %d in each round, put back %d; want %d", outbox.done, outbox.putBack, want)
	}
	b.wantIn(domain.DeliveryWaiting)
}

// A handler that is down for long is told of once a minute, with how much has failed meanwhile.
func TestFailuresAreSummedUp(t *testing.T) {
	b := newBench(t, "bot/chat")
	b.answers(func(string, *wire.EventRequest) error { return errLater })
	b.subjects(3)
	b.SetHandlers([]string{"bot/chat"})
	for _, wait := range []time.Duration{0, backoff[0], backoff[1], backoff[2]} {
		b.clock.Advance(wait)
		b.wait(3)
		b.idle(1)
	}
	var told []int64
	for _, line := range b.logs.FilterMessageSnippet("events were not handled").All() {
		told = append(told, line.ContextMap()["come_again"].(int64))
	}
	if want := []int64{3, 9}; !slices.Equal(told, want) {
		t.Errorf("the log tells of %d, want %d", told, want)
	}
}

// A receiver that is down is seen, from its first failure to its next success; that another handler does well changes
// nothing about it.
func TestTroubles(t *testing.T) {
	b := newBench(t, "bot/chat", "log/file")
	b.answers(func(name string, e *wire.EventRequest) error {
		if name == "bot" && e.Attempt < 2 {
			return errLater
		}
		return nil
	})
	began := b.clock.Now()
	b.SetHandlers([]string{"bot/chat", "log/file"})
	b.idle(2)
	if got := b.Troubles(); got != nil {
		t.Errorf("before anything happens: %+v", got)
	}
	b.happen(`user/1 {}`)
	b.Wake()
	b.wait(2)
	b.idle(2)
	want := []Trouble{{"bot/chat", began, errLater.Error()}}
	if got := b.Troubles(); !reflect.DeepEqual(got, want) {
		t.Errorf("after a failure: %+v", got)
	}
	b.clock.Advance(backoff[0])
	b.wait(1)
	b.idle(2)
	if got := b.Troubles(); !reflect.DeepEqual(got, want) {
		t.Errorf("after another: %+v", got)
	}
	b.clock.Advance(backoff[1])
	b.wait(1)
	b.idle(2)
	if got := b.Troubles(); got != nil {
		t.Errorf("after a success: %+v", got)
	}
}
