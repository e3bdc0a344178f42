package plugin

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/jonboulle/clockwork"

	w "github.com/sluicehq/sluice/kernel/plugin/internal/wasmtest"
	"github.com/sluicehq/sluice/sdk/wire"
)

func TestBreaker(t *testing.T) {
	clock := clockwork.NewFakeClock()
	b := &breaker{clock: clock}
	step := func(name string, ok bool) {
		t.Helper()
		if err := b.allow(); (err == nil) != ok || (err != nil && !errors.Is(err, ErrFailed)) {
			t.Errorf("%s: allow says %v, want %v", name, err, ok)
		}
	}
	fail := func(n int, every time.Duration) (opened bool) {
		for range n {
			opened = b.failure("boom")
			clock.Advance(every)
		}
		return opened
	}
	if fail(10, 16*time.Second) { // 5 failures take 64 s
		t.Error("it opened for rare failures")
	}
	step("rare failures", true)
	clock.Advance(breakerWindow)
	if fail(4, 15*time.Second) {
		t.Error("it opened after 4 failures")
	}
	if !fail(1, 0) { // the fifth exactly 60 s after the first
		t.Error("it did not open after 5 failures in 60 s")
	}
	step("open", false)
	state, reason := b.state()
	if state != StateFailed || !strings.HasPrefix(reason, "it is switched off until ") || !strings.HasSuffix(reason, "again and again, last: boom") {
		t.Errorf("%s, reason %q", state, reason)
	}
	backoff := breakerFirst
	for range 10 {
		clock.Advance(backoff - 1)
		step("just before the end of the back-off", false)
		clock.Advance(1)
		step("the try", true)
		step("beside the try", false)
		fail(1, 0)
		backoff = min(2*backoff, breakerLongest)
	}
	if backoff != breakerLongest {
		t.Errorf("the back-off grew to %v", backoff)
	}
	b.success() // of a call from before
	step("after a late success", false)
	clock.Advance(breakerLongest)
	step("the last try", true)
	b.success()
	step("closed", true)
	if state, reason := b.state(); state != StateLoaded || reason != "" {
		t.Errorf("%s, reason %q", state, reason)
	}
	if fail(4, 0) || !fail(1, 0) {
		t.Error("after closing it does not count from 0")
	}
}

func TestFailingPluginIsSwitchedOff(t *testing.T) {
	clock := clockwork.NewFakeClock()
	h, _ := openHost(t, Options{Clock: clock})
	// It crashes while the request's base is empty: the request is shorter then.
	load(t, h, "evil.wasm", guest{evil: [][]byte{
		w.Get(1), w.Const(52), w.LessU, w.If(w.Unreachable), w.Const64(0),
	}}.wasm())
	call := func(base string) error {
		_, err := h.Usernames(background, &wire.UsernameRequest{ID: "evil", Base: base})
		return err
	}
	crash := "plugin hand-made: username evil crashed: wasm error: unreachable"
	shown := func(state State, reason string) {
		t.Helper()
		if got := h.Plugins()[0]; got.State != state || got.Reason != reason {
			t.Errorf("Plugins says %s: %s", got.State, got.Reason)
		}
	}
	check(t, call(""), ErrTrap, crash)
	shown(StateFailing, "its last call failed: it crashed: wasm error: unreachable")
	if err := call("long enough"); err != nil {
		t.Error(err)
	}
	shown(StateLoaded, "")
	for range breakerFailures - 1 {
		check(t, call(""), ErrTrap, crash)
	}
	until := clock.Now().Add(breakerFirst).UTC().Format(time.RFC3339)
	off := " is switched off until " + until + " because it failed again and again, last: crashed: wasm error: unreachable"
	check(t, call("good"), ErrFailed, "plugin hand-made: username evil"+off)
	_, err := h.Period(background, &wire.PeriodRequest{ID: "good"})
	check(t, err, ErrFailed, "plugin hand-made: period good"+off)
	shown(StateFailed, "it"+off)
	clock.Advance(breakerFirst)
	if err := call("long enough"); err != nil {
		t.Error(err)
	}
	stillWorks(t, h, "good")
	shown(StateLoaded, "")
}
