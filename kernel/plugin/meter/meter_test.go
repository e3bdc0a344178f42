package meter_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/tetratelabs/wazero"
	"github.com/tetratelabs/wazero/api"

	"github.com/sluicehq/sluice/kernel/plugin/internal/wasmtest"
	"github.com/sluicehq/sluice/kernel/plugin/meter"
)

var (
	errStop = errors.New("stopped by the test")
	none    = wasmtest.Signature{}
	toI32   = wasmtest.Signature{Results: []byte{wasmtest.I32}}
	unary   = wasmtest.Signature{Params: []byte{wasmtest.I32}, Results: []byte{wasmtest.I32}}
)

// ticker counts how often guests ask, and stops them at the limit.
type ticker struct{ count, limit int }

func newRuntime(t testing.TB, tick *ticker) wazero.Runtime {
	t.Helper()
	ctx := context.Background()
	r := wazero.NewRuntimeWithConfig(ctx, wazero.NewRuntimeConfig().WithCoreFeatures(api.CoreFeaturesV2).WithMemoryLimitPages(256))
	t.Cleanup(func() {
		if err := r.Close(ctx); err != nil {
			t.Error(err)
		}
	})
	f := func(_ context.Context, stack []uint64) {
		if tick.count++; tick.count > tick.limit {
			panic(errStop)
		}
		stack[0] = meter.Quantum
	}
	_, err := r.NewHostModuleBuilder(meter.Module).NewFunctionBuilder().
		WithGoFunction(api.GoFunc(f), nil, []api.ValueType{api.ValueTypeI32}).Export(meter.Function).Instantiate(ctx)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// run instantiates the instrumented form of m and calls its export "f".
func run(t testing.TB, m *wasmtest.Module, limit int, args ...uint64) (results []uint64, ticks int, err error) {
	t.Helper()
	out, err := meter.Instrument(m.Bytes())
	if err != nil {
		t.Fatal(err)
	}
	tick := &ticker{limit: limit}
	r := newRuntime(t, tick)
	host := r.NewHostModuleBuilder("host").NewFunctionBuilder().WithFunc(func() {}).Export("call")
	if _, err := host.Instantiate(context.Background()); err != nil {
		t.Fatal(err)
	}
	instance, err := r.Instantiate(context.Background(), out)
	if err != nil {
		return nil, tick.count, err
	}
	results, err = instance.ExportedFunction("f").Call(context.Background(), args...)
	return results, tick.count, err
}

func fibonacci() *wasmtest.Module {
	m := &wasmtest.Module{}
	m.Export("f", m.Func(unary, 0,
		wasmtest.Get(0), wasmtest.Const(2), wasmtest.LessU, wasmtest.If(wasmtest.Get(0), wasmtest.Return),
		wasmtest.Get(0), wasmtest.Const(1), wasmtest.Sub, wasmtest.Call(0),
		wasmtest.Get(0), wasmtest.Const(2), wasmtest.Sub, wasmtest.Call(0), wasmtest.Add))
	return m
}

func TestEndlessGuestsAreStopped(t *testing.T) {
	straight := bytes.Repeat([]byte{0x41, 1, 0x1a}, 100_000) // 300 kB of code without a call or loop
	for name, build := range map[string]func(m *wasmtest.Module) uint32{
		"empty loop": func(m *wasmtest.Module) uint32 { return m.Func(none, 0, wasmtest.Forever()) },
		"start function": func(m *wasmtest.Module) uint32 {
			start := m.Func(none, 0, wasmtest.Forever())
			m.Start = &start
			return start
		},
		"recursion": func(m *wasmtest.Module) uint32 { // grows as 2^n without a loop
			return m.Func(unary, 0, wasmtest.Get(0), wasmtest.If(wasmtest.Get(0), wasmtest.Const(1), wasmtest.Sub, wasmtest.Call(0), wasmtest.Drop,
				wasmtest.Get(0), wasmtest.Const(1), wasmtest.Sub, wasmtest.Call(0), wasmtest.Drop), wasmtest.Const(0))
		},
		"recursion through a table": func(m *wasmtest.Module) uint32 {
			m.Tables = []wasmtest.Limits{{Min: 1}}
			m.Elems = []uint32{0}
			indirect := wasmtest.Op(0x11, 0, 0)
			return m.Func(unary, 0, wasmtest.Get(0), wasmtest.If(
				wasmtest.Get(0), wasmtest.Const(1), wasmtest.Sub, wasmtest.Const(0), indirect, wasmtest.Drop,
				wasmtest.Get(0), wasmtest.Const(1), wasmtest.Sub, wasmtest.Const(0), indirect, wasmtest.Drop), wasmtest.Const(0))
		},
		"calls of a long leaf": func(m *wasmtest.Module) uint32 {
			m.Func(none, 0, straight)
			return m.Func(none, 0, wasmtest.Forever(wasmtest.Call(0)))
		},
		"host calls": func(m *wasmtest.Module) uint32 {
			m.Import("host", "call", none)
			return m.Func(none, 0, wasmtest.Forever(wasmtest.Call(0)))
		},
	} {
		t.Run(name, func(t *testing.T) {
			m := &wasmtest.Module{}
			f := build(m)
			m.Export("f", f)
			var args []uint64
			if strings.HasPrefix(name, "recursion") {
				args = []uint64{60}
			}
			if _, ticks, err := run(t, m, 10, args...); !errors.Is(err, errStop) || ticks != 11 {
				t.Errorf("%d ticks, error %v; want the 11th to stop it", ticks, err)
			}
		})
	}
}

func TestWorkIsCharged(t *testing.T) {
	// What a guest does 1000 times is charged by its size: the number of ticks, at Quantum units each, is exact.
	straight := bytes.Repeat([]byte{0x01}, 64_000) // nops: 1000 units
	for name, c := range map[string]struct {
		code  []byte
		ticks int
	}{
		"nothing":                    {nil, 1},
		"straight code":              {straight, 51},                                                                               // 1000 × 1001 units
		"memory.fill of 1 MiB":       {cat(wasmtest.Const(0), wasmtest.Const(7), wasmtest.Const(1<<20), wasmtest.MemoryFill), 201}, // 4097
		"memory.copy of 1 MiB":       {cat(wasmtest.Const(0), wasmtest.Const(9), wasmtest.Const(1<<20), wasmtest.MemoryCopy), 201},
		"memory.grow by nothing":     {cat(wasmtest.Const(0), wasmtest.MemoryGrow, wasmtest.Drop), 1001}, // one tick each
		"memory.grow past the limit": {cat(wasmtest.Const(-1), wasmtest.MemoryGrow, wasmtest.Drop), 1001},
		"table.grow by nothing":      {cat(wasmtest.Op(0xd0, 0x70), wasmtest.Const(0), wasmtest.Op(0xfc, 15, 0), wasmtest.Drop), 1001},
		"table.fill of 128k":         {cat(wasmtest.Const(0), wasmtest.Op(0xd0, 0x70), wasmtest.Const(128<<10), wasmtest.Op(0xfc, 17, 0)), 201},
		"host call":                  {wasmtest.Call(0), 1001},
	} {
		t.Run(name, func(t *testing.T) {
			m := &wasmtest.Module{Memory: &wasmtest.Limits{Min: 32}, Tables: []wasmtest.Limits{{Min: 128 << 10}}}
			m.Import("host", "call", none)
			m.Export("f", m.Func(none, 1, wasmtest.Const(1000), wasmtest.Set(0), wasmtest.Times(0, c.code)))
			_, ticks, err := run(t, m, 1<<30)
			if err != nil {
				t.Fatal(err)
			}
			if diff := ticks - c.ticks; diff < -c.ticks/20-1 || diff > c.ticks/20+1 {
				t.Errorf("%d ticks, want %d", ticks, c.ticks)
			}
		})
	}
}

func cat(parts ...[]byte) []byte { return bytes.Join(parts, nil) }

func TestResultsAreTheSame(t *testing.T) {
	for _, n := range []uint64{0, 1, 2, 10, 24} {
		t.Run(fmt.Sprint(n), func(t *testing.T) {
			plain := newRuntime(t, &ticker{})
			instance, err := plain.Instantiate(context.Background(), fibonacci().Bytes())
			if err != nil {
				t.Fatal(err)
			}
			want, err := instance.ExportedFunction("f").Call(context.Background(), n)
			if err != nil {
				t.Fatal(err)
			}
			got, ticks, err := run(t, fibonacci(), 1<<30, n)
			if err != nil || got[0] != want[0] || ticks == 0 {
				t.Errorf("fib(%d) = %v after %d ticks, error %v; want %v", n, got, ticks, err, want)
			}
		})
	}
}

func TestRefused(t *testing.T) {
	globals := func(code []byte) []byte {
		m := &wasmtest.Module{Globals: 2}
		m.Func(none, 0, code)
		return m.Bytes()
	}
	for name, c := range map[string]struct {
		wasm []byte
		want string
	}{
		"empty":          {nil, "it is not a WebAssembly 1 module"},
		"text":           {[]byte("#!/bin/sh\necho hello\n"), "it is not a WebAssembly 1 module"},
		"a component":    {[]byte("\x00asm\x0d\x00\x01\x00"), "it is not a WebAssembly 1 module"},
		"truncated":      {fibonacci().Bytes()[:40], "it is truncated"},
		"section twice":  {append(fibonacci().Bytes(), fibonacci().Bytes()[8:]...), "section 1 is repeated or out of order"},
		"exceptions":     {[]byte("\x00asm\x01\x00\x00\x00\x0d\x01\x00"), "section 13 is not supported"},
		"threads":        {globals(wasmtest.Op(0xfe, 0x03, 0)), "section 10: function 0: opcode 0xfe is not supported"},
		"tail call":      {globals(wasmtest.Op(0x12, 0)), "section 10: function 0: opcode 0x12 is not supported"},
		"set fuel":       {globals(cat(wasmtest.Const(1), wasmtest.Op(0x24, 2))), meter.ErrReserved.Error()},
		"get fuel":       {globals(cat(wasmtest.Op(0x23, 2), wasmtest.Drop)), meter.ErrReserved.Error()},
		"long get fuel":  {globals(cat(wasmtest.Op(0x23, 0x82, 0x80, 0), wasmtest.Drop)), meter.ErrReserved.Error()},
		"export fuel":    {with(func(m *wasmtest.Module) { m.Globals = 1; m.ExportGlobal("fuel", 1) }), meter.ErrReserved.Error()},
		"import tick":    {with(func(m *wasmtest.Module) { m.Import(meter.Module, meter.Function, toI32) }), meter.ErrReserved.Error()},
		"import another": {with(func(m *wasmtest.Module) { m.Import(meter.Module, "x", none) }), meter.ErrReserved.Error()},
		"call the tick": {
			with(func(m *wasmtest.Module) { m.Func(none, 0, wasmtest.Call(1)) }),
			"section 10: function 0: function 1 does not exist",
		},
		"call 2^32-1": {
			with(func(m *wasmtest.Module) { m.Func(none, 0, wasmtest.Call(1<<32-1)) }),
			"section 10: function 0: function 4294967295 does not exist",
		},
		"use the scratch local": {
			with(func(m *wasmtest.Module) { m.Func(none, 2, wasmtest.Get(2), wasmtest.Drop) }),
			"section 10: function 0: local 2 does not exist",
		},
		"address of an import": {with(func(m *wasmtest.Module) {
			m.Tables = []wasmtest.Limits{{Min: 1}}
			m.Elems = []uint32{m.Import("host", "call", none)}
		}), "section 9: it takes the address of the imported function 0"},
		"locals": {
			with(func(m *wasmtest.Module) { m.Func(none, meter.MaxLocals+1) }),
			"section 10: function 0: it has more than 50000 locals",
		},
		"long body": {
			with(func(m *wasmtest.Module) { m.Func(none, 0, make([]byte, meter.MaxBody)) }),
			"section 10: function 0: 1048578 bytes are more than 1048576",
		},
		"large table": {
			with(func(m *wasmtest.Module) { m.Tables = []wasmtest.Limits{{Min: 1 << 27}} }),
			"section 4: a table of 134217728 elements is larger than 131072",
		},
		"many tables": {
			with(func(m *wasmtest.Module) { m.Tables = make([]wasmtest.Limits, 17) }),
			"section 4: it has more than 16 tables",
		},
		"loops only": {with(func(m *wasmtest.Module) {
			loops := bytes.Repeat([]byte{0x03, 0x40, 0x0b}, meter.MaxBody/3-10)
			for range 16 {
				m.Func(none, 0, loops)
			}
		}), "it would be larger than 67108864 bytes once instrumented"},
	} {
		t.Run(name, func(t *testing.T) {
			out, err := meter.Instrument(c.wasm)
			if err == nil || !strings.HasSuffix(err.Error(), c.want) || out != nil {
				t.Errorf("%d bytes, error %q, want %q", len(out), err, c.want)
			}
			if c.want == meter.ErrReserved.Error() && !errors.Is(err, meter.ErrReserved) {
				t.Errorf("%v is not ErrReserved", err)
			}
		})
	}
}

func with(change func(*wasmtest.Module)) []byte {
	m := &wasmtest.Module{}
	change(m)
	return m.Bytes()
}

func TestOutputIsRefusedAsInput(t *testing.T) {
	out, err := meter.Instrument(fibonacci().Bytes())
	if err != nil {
		t.Fatal(err)
	}
	if _, err := meter.Instrument(out); !errors.Is(err, meter.ErrReserved) {
		t.Errorf("%v, want ErrReserved", err)
	}
}

func TestTablesAreBounded(t *testing.T) {
	for name, limits := range map[string]wasmtest.Limits{"no maximum": {Min: 1}, "large maximum": {Min: 1, Max: 1 << 30}} {
		t.Run(name, func(t *testing.T) {
			m := &wasmtest.Module{Tables: []wasmtest.Limits{limits}}
			grow := wasmtest.Op(0xfc, 15, 0)
			m.Export("f", m.Func(unary, 0, wasmtest.Op(0xd0, 0x70), wasmtest.Get(0), grow))
			for by, want := range map[uint64]uint32{meter.MaxTableSize - 1: 1, meter.MaxTableSize: 1<<32 - 1, 1 << 31: 1<<32 - 1} {
				got, _, err := run(t, m, 100, by)
				if err != nil || uint32(got[0]) != want {
					t.Errorf("table.grow by %d answers %v, error %v; want %d", by, got, err, want)
				}
			}
		})
	}
}

// FuzzInstrument checks that no input harms the host, and that what is invalid does not become valid.
func FuzzInstrument(f *testing.F) {
	f.Add(fibonacci().Bytes())
	f.Add(with(func(m *wasmtest.Module) {
		m.Memory, m.Tables, m.Globals = &wasmtest.Limits{Min: 1}, []wasmtest.Limits{{Min: 3}}, 1
		m.Elems = []uint32{m.Import("host", "call", none) + 1}
		m.Func(none, 1, wasmtest.Const(3), wasmtest.Set(0), wasmtest.Times(0, wasmtest.Call(0)),
			wasmtest.Const(0), wasmtest.Const(0), wasmtest.Const(0), wasmtest.MemoryFill)
		m.Data(16, "hello")
	}))
	ctx := context.Background()
	r := wazero.NewRuntimeWithConfig(ctx, wazero.NewRuntimeConfigInterpreter().WithCoreFeatures(api.CoreFeaturesV2).WithMemoryLimitPages(16))
	f.Fuzz(func(t *testing.T, wasm []byte) {
		out, err := meter.Instrument(wasm)
		if err != nil {
			return
		}
		if _, err := meter.Instrument(out); !errors.Is(err, meter.ErrReserved) {
			t.Fatalf("the output is accepted as input: %v", err)
		}
		_, before := r.CompileModule(ctx, wasm)
		_, after := r.CompileModule(ctx, out)
		if before != nil && strings.Contains(before.Error(), "custom section") {
			return // wazero reads the names, which are dropped
		}
		if (before == nil) != (after == nil) {
			t.Fatalf("valid before: %v, after: %v", before, after)
		}
	})
}
