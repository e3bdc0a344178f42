// Command my-plugin says when usage resets: every 30 days, counted from the user's creation.
package main

import "github.com/sluicehq/sluice/sdk"

const (
	length   = 30 * 24 * 3600_000  // ms
	farthest = 253_402_300_800_000 // ms UTC: the year 10000, which no host takes
)

func init() {
	sdk.Register(sdk.Info{Name: "my-plugin", Version: "0.1.0", Description: "Every 30 days."})
	sdk.Period("my-plugin", sdk.PeriodOptions{Title: "Every 30 days"}, next)
}

// next counts from Anchor, not from Last: a run that comes late does not move what follows.
func next(req *sdk.PeriodRequest) (sdk.PeriodReply, error) {
	next := req.Anchor
	if next <= req.Now {
		next += ((req.Now-req.Anchor)/length + 1) * length
	}
	return sdk.PeriodReply{Next: next, Never: next >= farthest}, nil
}

func main() {}
