package username

import (
	"context"
	"crypto/rand"
	"testing"
	"time"

	"github.com/sluicehq/sluice/plugins/names"
	"github.com/sluicehq/sluice/sdk"
	"github.com/sluicehq/sluice/sdk/wire"
)

// BenchmarkGenerate makes the names of the largest request with the built-in plugin, through the sandbox and with all
// checks, and beside it calls the same strategy natively, in turns, so that a machine that is busy for a moment slows
// both. Looking for users is not in it.
func BenchmarkGenerate(b *testing.B) {
	native := map[string]sdk.UsernameFunc{}
	for _, strategy := range names.Strategies() {
		native[strategy.ID] = strategy.Names
	}
	free := func(context.Context, []string) (map[string]bool, error) { return nil, nil }
	for _, r := range []Request{
		{Strategy: "random", Count: MaxCount},
		{Strategy: "sequence", Base: "user10", Count: MaxCount},
		{Strategy: "append", Base: "user", Count: MaxCount},
	} {
		b.Run(r.Strategy, func(b *testing.B) {
			s, _ := open(b)
			req := sdk.UsernameRequest{Base: r.Base, Start: 1, Count: MaxCount, Entropy: make([]byte, wire.EntropySize)}
			var ours, theirs time.Duration
			n := 0
			for b.Loop() {
				start := time.Now()
				if got, err := s.Generate(b.Context(), r, free); err != nil || got.Missing > 0 {
					b.Fatal(got.Why, err)
				}
				middle := time.Now()
				_, _ = rand.Read(req.Entropy)
				if _, err := native[r.Strategy](&req); err != nil {
					b.Fatal(err)
				}
				ours, theirs = ours+middle.Sub(start), theirs+time.Since(middle)
				n++
			}
			b.ReportMetric(0, "ns/op")
			b.ReportMetric(float64(ours.Nanoseconds())/float64(n)/MaxCount, "ns-name")
			b.ReportMetric(float64(theirs.Nanoseconds())/float64(n)/MaxCount, "ns-native-name")
			b.ReportMetric(float64(ours)/float64(theirs), "ratio-generate/native")
		})
	}
}
