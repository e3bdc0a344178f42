package meter_test

import (
	"bytes"
	"context"
	"encoding/binary"
	"fmt"
	"math"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/tetratelabs/wazero"
	"github.com/tetratelabs/wazero/api"

	w "github.com/sluicehq/sluice/kernel/plugin/internal/wasmtest"
	"github.com/sluicehq/sluice/kernel/plugin/meter"
)

// bench runs modules: what a tick answers can be set.
type bench struct {
	runtime wazero.Runtime
	fuel    uint64
	ticks   int
	calls   int // of the host function
}

func newBench(t testing.TB) *bench {
	t.Helper()
	ctx := context.Background()
	b := &bench{runtime: wazero.NewRuntimeWithConfig(ctx, wazero.NewRuntimeConfig().WithCoreFeatures(api.CoreFeaturesV2).WithMemoryLimitPages(3))}
	t.Cleanup(func() { _ = b.runtime.Close(ctx) })
	tick := func(_ context.Context, stack []uint64) { b.ticks++; stack[0] = b.fuel }
	_, err := b.runtime.NewHostModuleBuilder(meter.Module).NewFunctionBuilder().
		WithGoFunction(api.GoFunc(tick), nil, []api.ValueType{api.ValueTypeI32}).Export(meter.Function).Instantiate(ctx)
	if err != nil {
		t.Fatal(err)
	}
	host := b.runtime.NewHostModuleBuilder("host").NewFunctionBuilder().WithFunc(func() { b.calls++ }).Export("call")
	if _, err := host.Instantiate(ctx); err != nil {
		t.Fatal(err)
	}
	return b
}

// run calls every function of a generated module and tells all that can be seen of it.
func (b *bench) run(wasm []byte) (string, error) {
	ctx := context.Background()
	b.ticks, b.calls = 0, 0
	m, err := b.runtime.InstantiateWithConfig(ctx, wasm, wazero.NewModuleConfig().WithName(""))
	if err != nil {
		return "", err
	}
	defer func() { _ = m.Close(ctx) }()
	var seen bytes.Buffer
	for n := range functions {
		for _, args := range [][]uint64{{0, 0, 0, 0}, {7, 1 << 40, uint64(math.Float32bits(1.5)), math.Float64bits(-2e300)}} {
			results, err := m.ExportedFunction("f"+string(rune('0'+n))).Call(ctx, args...)
			if err != nil {
				fmt.Fprintf(&seen, "f%d fails: %s\n", n, class(err))
				continue
			}
			fmt.Fprintf(&seen, "f%d = %s\n", n, shown(result(n), results[0]))
		}
	}
	memory, _ := m.Memory().Read(0, m.Memory().Size())
	fmt.Fprintf(&seen, "memory %d %x\n", len(memory), checksum(memory))
	fmt.Fprintf(&seen, "globals %d %d, %d host calls\n", m.ExportedGlobal("g0").Get(), m.ExportedGlobal("g1").Get(), b.calls)
	return seen.String(), nil
}

// shown is a result; all NaNs look alike.
func shown(kind byte, v uint64) string {
	switch {
	case kind == w.F32 && math.IsNaN(float64(math.Float32frombits(uint32(v)))), kind == w.F64 && math.IsNaN(math.Float64frombits(v)):
		return "NaN"
	}
	return fmt.Sprint(v)
}

// checksum is FNV-1a.
func checksum(b []byte) uint64 {
	h := uint64(14695981039346656037)
	for _, c := range b {
		h = (h ^ uint64(c)) * 1099511628211
	}
	return h
}

// random makes n bytes that are always the same.
func random(seed uint64, n int) []byte {
	var key [32]byte
	binary.LittleEndian.PutUint64(key[:], seed)
	b := make([]byte, n)
	_, _ = rand.NewChaCha8(key).Read(b) // never fails
	return b
}

// FuzzSameResults holds that a module does the same with the meter as without, and also if every check asks the host.
func FuzzSameResults(f *testing.F) {
	for seed := range uint64(50) {
		f.Add(random(seed, 100+40*int(seed)))
	}
	b := newBench(f)
	f.Fuzz(func(t *testing.T, choices []byte) {
		plain := generate(choices)
		want, err := b.run(plain)
		if err != nil {
			t.Fatalf("the generator has made an invalid module: %v\n%x", err, plain)
		}
		metered, err := meter.Instrument(plain)
		if err != nil {
			t.Fatalf("it is refused: %v\n%x", err, plain)
		}
		for _, b.fuel = range []uint64{meter.Quantum, 1, 7} {
			got, err := b.run(metered)
			if err != nil || got != want {
				t.Errorf("with %d units of fuel, after %d ticks, %v:\n%swithout the meter:\n%s%x", b.fuel, b.ticks, err, got, want, plain)
			}
		}
	})
}

// TestGeneratedModulesWork makes sure that the modules do something: a generator that made only constants, or modules that
// crash at once, would let every meter pass.
func TestGeneratedModulesWork(t *testing.T) {
	const modules = 100
	b := newBench(t)
	b.fuel = 1
	var ticks, calls, traps int
	seen := map[string]bool{}
	for seed := range uint64(modules) {
		metered, err := meter.Instrument(generate(random(seed, 3000)))
		if err != nil {
			t.Fatal(err)
		}
		all, err := b.run(metered)
		if err != nil {
			t.Fatal(err)
		}
		ticks, calls, traps = ticks+b.ticks, calls+b.calls, traps+strings.Count(all, "fails")
		seen[all] = true
	}
	if ticks < 30*modules || calls < modules || traps < modules || traps > 8*modules || len(seen) < modules*9/10 {
		t.Errorf("%d modules: %d ticks, %d host calls, %d traps in %d calls, %d different outcomes", modules, ticks, calls, traps, 2*functions*modules, len(seen))
	}
}
