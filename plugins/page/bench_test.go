package page

import (
	"context"
	"fmt"
	"slices"
	"testing"
	"time"

	"go.uber.org/zap"

	"github.com/sluicehq/sluice/kernel/plugin"
	"github.com/sluicehq/sluice/plugins"
	"github.com/sluicehq/sluice/sdk"
	"github.com/sluicehq/sluice/sdk/wire"
)

// BenchmarkPage is a whole page, natively and by the embedded bundle through the host. Its time is that of the QR codes,
// one for each endpoint; the deadline is 250 ms.
func BenchmarkPage(b *testing.B) {
	host, err := plugin.Open(context.Background(), plugin.Options{Log: zap.NewNop(), CacheDir: b.TempDir()})
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { _ = host.Close(context.Background()) })
	wasm, err := plugins.Bundle()
	if err != nil {
		b.Fatal(err)
	}
	if err := host.LoadBundle(context.Background(), wasm); err != nil {
		b.Fatal(err)
	}
	var native Renderer
	var reply sdk.FormatReply
	for _, times := range []int{1, 3} {
		req := sample()
		req.Endpoints = slices.Repeat(req.Endpoints, times)
		req.Accounts = slices.Repeat(req.Accounts, times)
		b.Run(fmt.Sprintf("endpoints=%d", len(req.Endpoints)), func(b *testing.B) {
			var inGuest, here time.Duration
			for b.Loop() {
				start := time.Now()
				if _, err := host.Render(context.Background(), req); err != nil {
					b.Fatal(err)
				}
				between := time.Now()
				reply = wire.FormatReply{Body: reply.Body[:0], Headers: reply.Headers[:0]}
				if err := native.Render(req, &reply); err != nil {
					b.Fatal(err)
				}
				inGuest, here = inGuest+between.Sub(start), here+time.Since(between)
			}
			b.ReportMetric(0, "ns/op")
			b.ReportMetric(inGuest.Seconds()*1e3/float64(b.N), "ms-guest")
			b.ReportMetric(here.Seconds()*1e3/float64(b.N), "ms-native")
			b.ReportMetric(float64(len(reply.Body)), "bytes")
		})
	}
}
