package plugin

import (
	"fmt"
	"os"
	"runtime/debug"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/sluicehq/sluice/kernel/domain"
	w "github.com/sluicehq/sluice/kernel/plugin/internal/wasmtest"
	"github.com/sluicehq/sluice/plugins"
	"github.com/sluicehq/sluice/plugins/links"
	"github.com/sluicehq/sluice/plugins/links/linkstest"
	nativenames "github.com/sluicehq/sluice/plugins/names"
	"github.com/sluicehq/sluice/plugins/periods"
	"github.com/sluicehq/sluice/sdk/wire"
)

// interleaved runs several functions in turns and returns the time that each takes, in ns: the median of its turns. They
// are short, so that on a busy machine most of them are not interrupted.
func interleaved(b *testing.B, fs ...func()) []float64 {
	const batch = 10
	turns := make([][]time.Duration, len(fs))
	for b.Loop() {
		for i, f := range fs {
			start := time.Now()
			for range batch {
				f()
			}
			turns[i] = append(turns[i], time.Since(start))
		}
	}
	out := make([]float64, len(fs))
	for i, t := range turns {
		slices.Sort(t)
		out[i] = float64(t[len(t)/2].Nanoseconds()) / batch
	}
	return out
}

// BenchmarkRender compares a list of ten links, made by the built-in plugin through Host.Render, with the same renderer
// run natively from the same request. The plugin is given the endpoints with every request, and its SDK knows them again
// (ratio-plugin/native); beside that, with the endpoints prepared, with other endpoints than in the request before
// (ratio-changing/native), and with every request but instrumented as a plugin of a third party is.
func BenchmarkRender(b *testing.B) {
	plain, _ := openHost(b, Options{})
	loadBundle(b, plain)
	wasm, err := plugins.Bundle()
	if err != nil {
		b.Fatal(err)
	}
	metered, _ := openHost(b, Options{})
	load(b, metered, "bundle.wasm", wasm)
	req := linkstest.Sample("links")
	prepared, other := *req, *req
	prepared.Prepared = 1
	other.Endpoints = slices.Clone(req.Endpoints)
	other.Endpoints[0].Port++
	render := func(h *Host, reqs ...*wire.FormatRequest) func() {
		turn := 0
		return func() {
			turn++
			if _, err := h.Render(background, reqs[turn%len(reqs)]); err != nil {
				b.Fatal(err)
			}
		}
	}
	changing, _ := openHost(b, Options{})
	loadBundle(b, changing)
	var native links.Renderer
	ns := interleaved(b,
		func() { native.Links(req) }, render(plain, req), render(plain, &prepared), render(metered, req),
		render(changing, req, &other))
	b.ReportMetric(0, "ns/op")
	b.ReportMetric(ns[0], "ns-native")
	b.ReportMetric(ns[1], "ns-plugin")
	b.ReportMetric(ns[1]/ns[0], "ratio-plugin/native")
	b.ReportMetric(ns[2]/ns[0], "ratio-prepared/native")
	b.ReportMetric(ns[3]/ns[1], "ratio-metered/plain")
	b.ReportMetric(ns[4]/ns[0], "ratio-changing/native")
}

// BenchmarkKinds compares what the built-in username strategies and periods cost as a plugin and natively, by the same
// request; and an event, which natively is nothing, by the time that the host itself needs.
func BenchmarkKinds(b *testing.B) {
	h, _ := openHost(b, Options{})
	loadBundle(b, h)
	load(b, h, "guest.wasm", goGuest(b))
	names := &wire.UsernameRequest{ID: "sequence", Base: "user", Start: 1, Count: 10}
	month := &wire.PeriodRequest{ID: "month", Now: 1_790_000_000_000, Anchor: 1_700_000_000_000}
	event := &wire.EventRequest{ID: "listener", Type: "user.unlucky", EventID: 7}
	var makeNames func(*wire.UsernameRequest) ([]string, error)
	for _, s := range nativenames.Strategies() {
		if s.ID == names.ID {
			makeNames = s.Names
		}
	}
	var next func(*wire.PeriodRequest) (wire.PeriodReply, error)
	for _, r := range periods.Rules() {
		if r.ID == month.ID {
			next = r.Next
		}
	}
	must := func(err error) {
		if err != nil {
			b.Fatal(err)
		}
	}
	ns := interleaved(b,
		func() { _, err := makeNames(names); must(err) }, func() { _, err := h.Usernames(background, names); must(err) },
		func() { _, err := next(month); must(err) }, func() { _, err := h.Period(background, month); must(err) },
		func() { _ = h.Event(background, event) })
	b.ReportMetric(0, "ns/op")
	b.ReportMetric(ns[1], "ns-username")
	b.ReportMetric(ns[1]/ns[0], "ratio-username/native")
	b.ReportMetric(ns[3], "ns-period")
	b.ReportMetric(ns[3]/ns[2], "ratio-period/native")
	b.ReportMetric(ns[4], "ns-event-in-go")
}

// BenchmarkFallback compares a format that works with one that crashes and is stood in for by the built-in: an instance is
// lost and made anew each time, as long as the breaker lets it.
func BenchmarkFallback(b *testing.B) {
	replaces := func(string) domain.PluginPolicy { return domain.PluginPolicy{Replaces: true} }
	works, broken := openWithBundle(b, Options{Policy: replaces}), openWithBundle(b, Options{Policy: replaces})
	load(b, works, "x.wasm", stand())
	load(b, broken, "x.wasm", stand(w.Unreachable))
	off := openWithBundle(b, Options{Policy: replaces})
	load(b, off, "x.wasm", stand(w.Unreachable))
	req := &wire.FormatRequest{ID: "good"}
	render := func(h *Host) func() {
		return func() {
			if _, err := h.Render(background, req); err != nil {
				b.Fatal(err)
			}
		}
	}
	for range breakerFailures {
		render(off)()
	}
	p := pluginOf(b, broken, wire.KindFormat, "good")
	ns := interleaved(b, render(works), func() { *p.breaker = breaker{clock: broken.clock}; render(broken)() }, render(off))
	b.ReportMetric(0, "ns/op")
	b.ReportMetric(ns[0], "ns-works")
	b.ReportMetric(ns[1]/ns[0], "ratio-broken/works")
	b.ReportMetric(ns[2]/ns[0], "ratio-switched-off/works")
}

// BenchmarkManyPlugins compares a call with 200 plugins loaded and with one.
func BenchmarkManyPlugins(b *testing.B) {
	one, _ := openHost(b, Options{})
	many, _ := openHost(b, Options{})
	load(b, one, "0.wasm", numbered(0, 1))
	for n := range 200 {
		load(b, many, fmt.Sprintf("%d.wasm", n), numbered(n, 1))
	}
	req := &wire.PeriodRequest{ID: "p0"}
	period := func(h *Host) func() {
		return func() {
			if _, err := h.Period(background, req); err != nil {
				b.Fatal(err)
			}
		}
	}
	ns := interleaved(b, period(one), period(many))
	b.ReportMetric(0, "ns/op")
	b.ReportMetric(ns[0], "ns-one")
	b.ReportMetric(ns[1]/ns[0], "ratio-200/1")
}

// BenchmarkReload replaces a plugin again and again while four callers use it. Not one of their calls may fail.
func BenchmarkReload(b *testing.B) {
	h, _ := openHost(b, Options{})
	load(b, h, "x.wasm", numbered(0, 0))
	var calls, failed atomic.Int64
	stop := make(chan struct{})
	var callers sync.WaitGroup
	for range 4 {
		callers.Go(func() {
			for {
				select {
				case <-stop:
					return
				default:
				}
				calls.Add(1)
				if _, err := h.Period(background, &wire.PeriodRequest{ID: "p0"}); err != nil {
					failed.Add(1)
				}
			}
		})
	}
	version := 0
	for b.Loop() {
		version++
		load(b, h, "x.wasm", numbered(0, version))
	}
	close(stop)
	callers.Wait()
	b.ReportMetric(float64(failed.Load()), "failed-calls")
	b.ReportMetric(float64(calls.Load())/float64(version), "calls/reload")
}

// BenchmarkMemory is what a loaded plugin adds to the process: a small one, of which 100 are loaded, and one in Go.
func BenchmarkMemory(b *testing.B) {
	resident := func() float64 {
		debug.FreeOSMemory()
		statm, err := os.ReadFile("/proc/self/statm")
		var size, pages int
		if _, scan := fmt.Sscan(string(statm), &size, &pages); err != nil || scan != nil {
			b.Fatal(err, scan)
		}
		return float64(pages*os.Getpagesize()) / (1 << 20)
	}
	wasm := goGuest(b)
	var small, large float64
	for b.Loop() {
		h, _ := openHost(b, Options{})
		empty := resident()
		for n := range 100 {
			load(b, h, fmt.Sprintf("%d.wasm", n), numbered(n, 1))
		}
		some := resident()
		load(b, h, "guest.wasm", wasm)
		small, large = (some-empty)/100, resident()-some
		if err := h.Close(background); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(0, "ns/op")
	b.ReportMetric(small, "MiB-small")
	b.ReportMetric(large, "MiB-go")
}

// BenchmarkEmptyCall is one exchange with an instance in hand: the deadline is set, an empty request is put into the
// guest's memory, the guest entered and left, the empty reply found. Not in it: choosing the plugin and the instance.
func BenchmarkEmptyCall(b *testing.B) {
	h, _ := openHost(b, Options{})
	load(b, h, "x.wasm", guest{}.wasm())
	in := h.registry.Load().items[itemKey{wire.KindUsername, "evil"}].plugin.pool.take()
	defer in.close()
	b.ReportAllocs()
	for b.Loop() {
		if _, err := in.exchange(wire.OpUsername, &wire.EventReply{}, time.Second); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkEvent is a whole call through the host with an event that the guest ignores: look-up, slot, instance, time
// stamp and 32 random bytes, encoding, the guest, decoding.
func BenchmarkEvent(b *testing.B) {
	h, _ := openHost(b, Options{})
	load(b, h, "x.wasm", guest{
		manifest: manifestOf("x", `{"kind":"event","id":"e","events":["*"]}`), unknown: [][]byte{when(wire.OpEvent, w.Const64(0)), packed(atError, 9, true)},
	}.wasm())
	req := &wire.EventRequest{ID: "e", Type: "user.created", EventID: 7, Payload: `{"user":7}`}
	b.ReportAllocs()
	for b.Loop() {
		if err := h.Event(background, req); err != nil {
			b.Fatal(err)
		}
	}
}
