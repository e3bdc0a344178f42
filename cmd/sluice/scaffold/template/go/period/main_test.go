package main

import (
	"testing"

	"github.com/sluicehq/sluice/sdk"
	"github.com/sluicehq/sluice/sdk/wire"
)

func TestNext(t *testing.T) {
	const anchor = 1_700_000_000_000
	for _, c := range []struct {
		name string
		now  int64
		want sdk.PeriodReply
	}{
		{"before the anchor", anchor - 1, sdk.PeriodReply{Next: anchor}},
		{"at the anchor", anchor, sdk.PeriodReply{Next: anchor + length}},
		{"just before a boundary", anchor + length - 1, sdk.PeriodReply{Next: anchor + length}},
		{"at a boundary", anchor + length, sdk.PeriodReply{Next: anchor + 2*length}},
		{"after a long rest", anchor + 10*length + 5, sdk.PeriodReply{Next: anchor + 11*length}},
	} {
		t.Run(c.name, func(t *testing.T) {
			req := sdk.PeriodRequest{ID: "my-plugin", Now: c.now, Anchor: anchor}
			b, err := sdk.Call(wire.OpPeriod, req.Append(nil))
			if err != nil {
				t.Fatal(err)
			}
			var reply wire.PeriodReply
			if err := reply.Decode(b); err != nil || reply != c.want {
				t.Errorf("got %+v, want %+v (%v)", reply, c.want, err)
			}
		})
	}
}
