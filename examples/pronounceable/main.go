// Command pronounceable is a plugin that names users so that one can say it on the phone: bakelo, timusa.
package main

import (
	"math/rand/v2"

	"github.com/sluicehq/sluice/sdk"
)

func init() {
	sdk.Register(sdk.Info{Name: "pronounceable", Version: "1.0.0"})
	sdk.Username("pronounceable", sdk.UsernameOptions{Base: "none", Collision: "retry"}, names)
}

func names(req *sdk.UsernameRequest) ([]string, error) {
	random, names := rand.New(rand.NewChaCha8([32]byte(req.Entropy))), make([]string, req.Count)
	for i := range 3 * req.Count {
		names[i/3] += string("bdfgklmnprstvz"[random.IntN(14)]) + string("aeiou"[random.IntN(5)])
	}
	return names, nil
}

func main() {}
