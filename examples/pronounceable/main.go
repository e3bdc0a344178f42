// Command pronounceable is a plugin that names users so that one can say it on the phone: bakelo, timusa. Build it with
//
//	GOOS=wasip1 GOARCH=wasm go build -buildmode=c-shared -ldflags='-s -w' -o pronounceable.wasm .
package main

import (
	"math/rand/v2"

	"github.com/sluicehq/sluice/sdk"
	"github.com/sluicehq/sluice/sdk/wire"
)

func init() {
	sdk.Register(sdk.Info{Name: "pronounceable", Version: "1.0.0"})
	sdk.Username("pronounceable", sdk.UsernameOptions{Base: wire.BaseNone, Collision: wire.CollisionRetry}, names)
}

func names(req *sdk.UsernameRequest) ([]string, error) {
	random := rand.New(rand.NewChaCha8([32]byte(req.Entropy)))
	names := make([]string, req.Count)
	for i := range names {
		for range 3 {
			names[i] += string("bdfgklmnprstvz"[random.IntN(14)]) + string("aeiou"[random.IntN(5)])
		}
	}
	return names, nil
}

func main() {}
