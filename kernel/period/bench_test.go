package period

import (
	"testing"
	"time"

	"github.com/sluicehq/sluice/plugins/periods"
	"github.com/sluicehq/sluice/sdk"
)

// BenchmarkNext asks the built-in plugin, through the sandbox, and beside it calls the same rule natively with the same
// request, in turns, so that a machine that is busy for a moment slows both.
func BenchmarkNext(b *testing.B) {
	rules := map[string]sdk.PeriodFunc{}
	for _, rule := range periods.Rules() {
		rules[rule.ID] = rule.Next
	}
	anchor := time.Date(2024, 1, 15, 12, 0, 0, 0, time.UTC).UnixMilli()
	for _, q := range []Question{
		{ID: "day"},
		{ID: "calendar", Params: `{"day_of_month":31,"hour":4,"time_zone":"Europe/Berlin"}`},
	} {
		b.Run(q.ID, func(b *testing.B) {
			s, _ := open(b)
			q.Anchor, q.Now = anchor, anchor+2*horizon/10
			list, err := s.zones.transitions("Europe/Berlin", q.Anchor, q.Now+horizon)
			if err != nil {
				b.Fatal(err)
			}
			req := sdk.PeriodRequest{ID: q.ID, Params: q.Params, Anchor: q.Anchor, Now: q.Now, Transitions: list}
			var plugin, native time.Duration
			n := 0
			for b.Loop() {
				const batch = 100
				start := time.Now()
				for range batch {
					if _, _, err := s.Next(b.Context(), q); err != nil {
						b.Fatal(err)
					}
				}
				middle := time.Now()
				for range batch {
					if _, err := rules[q.ID](&req); err != nil {
						b.Fatal(err)
					}
				}
				plugin, native = plugin+middle.Sub(start), native+time.Since(middle)
				n += batch
			}
			b.ReportMetric(0, "ns/op")
			b.ReportMetric(float64(plugin.Nanoseconds())/float64(n), "ns-plugin")
			b.ReportMetric(float64(native.Nanoseconds())/float64(n), "ns-native")
			b.ReportMetric(float64(plugin)/float64(native), "ratio-plugin/native")
		})
	}
}
