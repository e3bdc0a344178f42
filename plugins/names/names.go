// Package names holds the built-in strategies that name users created in bulk. README.md is their reference for
// operators.
package names

import (
	"strconv"

	"github.com/sluicehq/sluice/sdk"
	"github.com/sluicehq/sluice/sdk/wire"
)

// Strategy is one way to make names, ready for sdk.Username. Names follow from the request alone.
type Strategy struct {
	ID      string
	Options sdk.UsernameOptions
	Names   sdk.UsernameFunc
}

// Strategies are all of them. Source of the first two: the user templates of PasarGuard, "Username generation
// strategies"; the third is how PasarGuard itself numbers a base that ends with digits.
func Strategies() []Strategy {
	series := func(title, description string) sdk.UsernameOptions {
		return sdk.UsernameOptions{
			Title: title, Description: description, Base: wire.BaseRequired, Collision: wire.CollisionSkip,
		}
	}
	return []Strategy{
		{"random", sdk.UsernameOptions{
			Title: "Random", Description: "Five random characters of A-Z and 0-9.",
			Base: wire.BaseNone, Collision: wire.CollisionRetry,
		}, random},
		{"sequence", series("Sequence", "Base and number; a number at the end of the base is counted on."), sequence},
		{"append", series("Append", "Base and number, also behind a base that ends with digits."), appended},
	}
}

// appended is base + (start + i).
func appended(req *sdk.UsernameRequest) ([]string, error) {
	if req.Start < 0 {
		return nil, errStart
	}
	names := make([]string, count(req))
	for i := range names {
		names[i] = req.Base + strconv.FormatUint(uint64(req.Start)+uint64(i), 10)
	}
	return names, nil
}

var errStart = sdk.Invalid("start must be 0 or greater")

// count is how many names are wanted, within what a reply may hold.
func count(req *sdk.UsernameRequest) int { return int(min(max(req.Count, 0), wire.MaxNames)) }
