package plugin

import (
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	w "github.com/sluicehq/sluice/kernel/plugin/internal/wasmtest"
	"github.com/sluicehq/sluice/sdk/wire"
)

func pluginOf(t testing.TB, h *Host, kind, id string) *plugin {
	t.Helper()
	o := h.registry.Load().items[itemKey{kind, id}]
	if o.provided == nil {
		t.Fatalf("no %s %s", kind, id)
	}
	return o.plugin
}

func TestBusy(t *testing.T) {
	h, _ := openHost(t, Options{Concurrency: 2, Limits: Limits{Call: map[wire.Op]time.Duration{wire.OpUsername: time.Millisecond}}})
	load(t, h, "x.wasm", guest{}.wasm())
	p := pluginOf(t, h, wire.KindPeriod, "good")
	for range 2 {
		if err := p.pool.acquire(background, 0); err != nil {
			t.Fatal(err)
		}
	}
	for range breakerFailures + 1 { // being busy is no failure of the plugin
		_, err := h.Usernames(background, &wire.UsernameRequest{ID: "evil"})
		check(t, err, ErrBusy, "plugin hand-made: username evil is busy: none of its 2 instances became free within 1 ms")
	}
	p.pool.release(nil)
	stillWorks(t, h, "good")
	p.pool.release(nil)
}

func TestInstancesAreKept(t *testing.T) {
	h, _ := openHost(t, Options{Concurrency: 3})
	load(t, h, "guest.wasm", goGuest(t))
	p := pluginOf(t, h, wire.KindUsername, "echo")
	first := p.pool.idle[0]
	for range 3 {
		if _, err := h.Usernames(background, &wire.UsernameRequest{ID: "echo"}); err != nil {
			t.Fatal(err)
		}
	}
	if len(p.pool.idle) != 1 || p.pool.idle[0] != first {
		t.Errorf("%d idle instances after calls in a row", len(p.pool.idle))
	}
	if _, err := h.Usernames(background, &wire.UsernameRequest{ID: "grow"}); err != nil {
		t.Error(err)
	}
	if len(p.pool.idle) != 0 {
		t.Error("an instance of more than 16 MiB is kept")
	}
	var calls sync.WaitGroup
	for range 20 {
		calls.Go(func() {
			if _, err := h.Usernames(background, &wire.UsernameRequest{ID: "echo"}); err != nil {
				t.Error(err)
			}
		})
	}
	calls.Wait()
	if n := len(p.pool.idle); n < 1 || n > 3 {
		t.Errorf("%d idle instances after 20 calls side by side", n)
	}
}

func TestReloadWithoutAFailedCall(t *testing.T) {
	h, _ := openHost(t, Options{Concurrency: 2})
	version := func(n int) []byte {
		reply := wire.FormatReply{Body: []byte(fmt.Sprintf("version %03d", n))}
		b := string(reply.Append(nil))
		return guest{
			format: packed(200, uint32(len(b)), false),
			last:   func(m *w.Module) { m.Data(200, b) },
		}.wasm()
	}
	load(t, h, "x.wasm", version(0))
	var calls, loaded atomic.Int64
	stop := make(chan struct{})
	var callers sync.WaitGroup
	for range 8 {
		callers.Go(func() {
			for {
				before := loaded.Load()
				got, err := h.Render(background, &wire.FormatRequest{ID: "good"})
				if err != nil {
					t.Error(err)
				}
				var n int64
				if _, err := fmt.Sscanf(string(got.Body), "version %d", &n); err != nil || n < before {
					t.Errorf("got %q after version %d was loaded", got.Body, before)
				}
				calls.Add(1)
				select {
				case <-stop:
					return
				default:
				}
			}
		})
	}
	for n := 1; n <= 50; n++ {
		seen := calls.Load()
		load(t, h, "x.wasm", version(n))
		loaded.Store(int64(n))
		for deadline := time.Now().Add(time.Minute); calls.Load() == seen; {
			if time.Now().After(deadline) {
				t.Fatal("the callers do not come forward")
			}
		}
	}
	close(stop)
	callers.Wait()
	h.retiring.Wait()
	if len(h.Plugins()) != 1 {
		t.Errorf("plugins %+v", h.Plugins())
	}
}

func TestBrokenFileChangesNothing(t *testing.T) {
	h, _ := openHost(t, Options{})
	wasm := guest{}.wasm()
	load(t, h, "x.wasm", wasm)
	check(t, h.Load(background, "x.wasm", wasm[:100]), nil, "plugin x.wasm is refused: it can not be instrumented: it is truncated")
	stillWorks(t, h, "good")
	got := h.Plugins()
	if len(got) != 1 || got[0].State != StateLoaded || got[0].SHA256 != digest(wasm) || got[0].Reason != "it can not be instrumented: it is truncated" {
		t.Errorf("Plugins lists %+v", got)
	}
	load(t, h, "x.wasm", wasm) // the same bytes: the engine shares their code
	h.retiring.Wait()
	pluginOf(t, h, wire.KindPeriod, "good").pool.take().close()
	stillWorks(t, h, "good")
	if got := h.Plugins(); len(got) != 1 || got[0].Reason != "" {
		t.Errorf("Plugins lists %+v", got)
	}
}

func TestClose(t *testing.T) {
	h, _ := openHost(t, Options{})
	load(t, h, "x.wasm", guest{}.wasm())
	p := pluginOf(t, h, wire.KindPeriod, "good")
	if err := p.pool.acquire(background, 0); err != nil { // a call in flight
		t.Fatal(err)
	}
	closed := make(chan error)
	go func() { closed <- h.Close(background) }()
	for deadline := time.Now().Add(time.Minute); !h.registry.Load().closed; {
		if time.Now().After(deadline) {
			t.Fatal("Close does not begin")
		}
	}
	_, err := h.Period(background, &wire.PeriodRequest{ID: "good"})
	check(t, err, ErrClosed, "the plugins are shut down")
	select {
	case err := <-closed:
		t.Fatalf("Close has not waited for the call: %v", err)
	default:
	}
	p.pool.release(nil)
	if err := <-closed; err != nil {
		t.Error(err)
	}
	if err := h.Close(background); err != nil {
		t.Errorf("the second Close: %v", err)
	}
	if err := h.Load(background, "x.wasm", guest{}.wasm()); !errors.Is(err, ErrClosed) {
		t.Errorf("a load after Close: %v", err)
	}
}
