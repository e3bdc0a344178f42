// Package meter rewrites a WebAssembly module so that its host can stop it at a deadline.
//
// Why wazero's own ways do not do, and what exactly is charged, is told in DESIGN.md.
package meter

import (
	"errors"
	"fmt"
)

// The function that an instrumented module imports: Module.Function has the signature () -> i32. It is called when
// the fuel is used up and either traps or answers how many units the module may burn until the next call.
const (
	Module   = "meter"
	Function = "tick"
)

// Quantum is the answer that suits most hosts, in units: a unit is at most 64 bytes of straight code or one call, so
// that a quantum of the slowest instructions still ends within a few milliseconds, and of ordinary ones within 0.1 ms.
const Quantum = 20_000

// What a module may ask of its host, whatever its code does with it.
const (
	MaxTables    = 16        // tables in one module
	MaxTableSize = 128 << 10 // elements of one table; a larger declared maximum is lowered to it, a larger minimum refused
	MaxBody      = 1 << 20   // bytes of one function
	MaxLocals    = 50_000    // parameters and locals of one function
	MaxOutput    = 64 << 20  // bytes of the instrumented module
)

// ErrReserved reports a module that imports from Module or names the global that instrumenting would add: it could
// refill its own fuel.
var ErrReserved = errors.New("it names the meter's own function or global")

// Instrument returns wasm with its fuel accounting added. Custom sections (names, debug information) are dropped: they
// hold function indices that no longer fit. The result is not validated, the engine that compiles it does that; but a
// module that is invalid elsewhere stays invalid. The errors are sentences about the module, fit to be shown to its author.
func Instrument(wasm []byte) ([]byte, error) {
	m, err := parse(wasm)
	if err != nil {
		return nil, err
	}
	out := append([]byte(nil), wasm[:headerSize]...)
	for _, id := range sectionOrder {
		body, err := m.rewrite(id)
		if err != nil {
			return nil, fmt.Errorf("section %d: %w", id, err)
		}
		if body == nil {
			continue
		}
		out = appendBytes(append(out, id), body)
		if len(out) > MaxOutput {
			return nil, errTooLarge
		}
	}
	return out, nil
}
