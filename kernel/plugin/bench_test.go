package plugin

import (
	"testing"
	"time"

	w "github.com/sluicehq/sluice/kernel/plugin/internal/wasmtest"
	"github.com/sluicehq/sluice/plugins"
	"github.com/sluicehq/sluice/plugins/links"
	"github.com/sluicehq/sluice/plugins/links/linkstest"
	"github.com/sluicehq/sluice/sdk/wire"
)

// interleaved runs several functions in turns and returns the time that each takes, in ns, so that a machine that is
// busy for a moment slows them all.
func interleaved(b *testing.B, fs ...func()) []float64 {
	const batch = 50
	total := make([]time.Duration, len(fs))
	n := 0
	for b.Loop() {
		for i, f := range fs {
			start := time.Now()
			for range batch {
				f()
			}
			total[i] += time.Since(start)
		}
		n += batch
	}
	out := make([]float64, len(fs))
	for i := range total {
		out[i] = float64(total[i].Nanoseconds()) / float64(n)
	}
	return out
}

// BenchmarkRender compares a list of ten links, made by the built-in plugin through Host.Render, with the same renderer
// run natively from the same request. The plugin is given the endpoints with every request (ratio-plugin/native); beside
// that, with the endpoints prepared, and with every request but instrumented as a plugin of a third party is.
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
	prepared := *req
	prepared.Prepared = 1
	render := func(h *Host, req *wire.FormatRequest) func() {
		return func() {
			if _, err := h.Render(background, req); err != nil {
				b.Fatal(err)
			}
		}
	}
	var native links.Renderer
	ns := interleaved(b,
		func() { native.Links(req) }, render(plain, req), render(plain, &prepared), render(metered, req))
	b.ReportMetric(0, "ns/op")
	b.ReportMetric(ns[0], "ns-native")
	b.ReportMetric(ns[1], "ns-plugin")
	b.ReportMetric(ns[1]/ns[0], "ratio-plugin/native")
	b.ReportMetric(ns[2]/ns[0], "ratio-prepared/native")
	b.ReportMetric(ns[3]/ns[1], "ratio-metered/plain")
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
