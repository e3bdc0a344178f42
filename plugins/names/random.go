package names

import (
	"encoding/binary"
	"math/rand/v2"

	"github.com/sluicehq/sluice/sdk"
)

// The form of a random name: 36^5 are 60 million. Source: PasarGuard's user templates, "Strategy: random".
const (
	alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
	length   = 5
)

// random draws names that differ from each other. They are not secret, but chosen as evenly as secrets: ChaCha8 stretches
// the request's entropy, IntN has no bias, and another attempt draws others even from the same entropy.
func random(req *sdk.UsernameRequest) ([]string, error) {
	var seed [32]byte
	copy(seed[:], req.Entropy)
	binary.LittleEndian.PutUint64(seed[:], binary.LittleEndian.Uint64(seed[:])^uint64(req.Attempt))
	source := rand.New(rand.NewChaCha8(seed))
	names := make([]string, count(req))
	drawn := make(map[string]bool, len(names))
	for i := range names {
		name := draw(source)
		for drawn[name] {
			name = draw(source)
		}
		names[i], drawn[name] = name, true
	}
	return names, nil
}

func draw(source *rand.Rand) string {
	var name [length]byte
	for i := range name {
		name[i] = alphabet[source.IntN(len(alphabet))]
	}
	return string(name[:])
}
