package meter_test

import (
	"encoding/binary"

	w "github.com/sluicehq/sluice/kernel/plugin/internal/wasmtest"
)

// generator makes a valid WebAssembly module that ends, whatever bytes it is given: each decides what comes next, and
// behind the last one everything is as short as possible. What differs between two compilations of the same code, the
// bits of a NaN, is never looked at by the module.
type generator struct {
	choices []byte
	code    []byte // of the function being made
	self    int    // its number; it calls only those behind it, so that nothing recurs
	counter uint32 // loop counters in use
	calls   int    // in this function
	depth   int
}

// Every function takes one value of each type, and returns one of its own.
const (
	functions = 5
	imported  = 1 // host.call
	counters  = 3 // i32 locals behind the parameters
	maxDepth  = 6
	maxCode   = 4 << 10
	maxCalls  = 4 // in one function, and none in a loop within a loop: what they do multiplies
)

var (
	kinds  = []byte{w.I32, w.I64, w.F32, w.F64}
	result = func(n int) byte { return kinds[n%len(kinds)] }
)

// generate returns a module that exports its functions as f0, f1, ..., its memory and its globals.
func generate(choices []byte) []byte {
	m := &w.Module{Memory: &w.Limits{Min: 1, Max: 3}, Tables: []w.Limits{{Min: functions}}, Globals: 2}
	m.Import("host", "call", w.Signature{})
	g := &generator{choices: choices}
	for n := range functions {
		g.self, g.code, g.counter, g.depth, g.calls = n, nil, 0, 0, 0
		for range g.pick(5) {
			g.statement()
		}
		g.value(result(n))
		f := m.Func(w.Signature{Params: kinds, Results: []byte{result(n)}}, counters, g.code)
		m.Export("f"+string(rune('0'+n)), f)
		m.Elems = append(m.Elems, f)
	}
	m.ExportGlobal("g0", 0)
	m.ExportGlobal("g1", 1)
	m.Data(0, "the quick brown fox jumps over the lazy dog")
	return m.Bytes()
}

// pick reads a choice of n.
func (g *generator) pick(n int) int {
	if len(g.choices) == 0 || len(g.code) > maxCode {
		return 0
	}
	c := g.choices[0]
	g.choices = g.choices[1:]
	return int(c) % n
}

func (g *generator) emit(parts ...[]byte) {
	for _, p := range parts {
		g.code = append(g.code, p...)
	}
}

// number reads an operand of n bytes.
func (g *generator) number(n int) uint64 {
	var b [8]byte
	for i := range n {
		b[i] = byte(g.pick(256))
	}
	return binary.LittleEndian.Uint64(b[:])
}

// deeper runs one of the choices, the first one when it is deep enough already.
func (g *generator) deeper(choices ...func()) {
	n := g.pick(len(choices))
	if g.depth >= maxDepth {
		n = 0
	}
	g.depth++
	choices[n]()
	g.depth--
}

// statement emits code that leaves nothing on the stack.
func (g *generator) statement() {
	g.deeper(
		func() { g.emit(w.Op(0x01)) },
		func() { k := g.pick(4); g.value(kinds[k]); g.emit(w.Set(uint32(k))) },
		func() { g.value(w.I32); g.emit(w.Op(0x24, byte(g.pick(2)))) },
		func() { g.value(kinds[g.pick(4)]); g.emit(w.Drop) },
		g.store,
		g.loop,
		func() { // if with two sides, of which one may leave the function
			g.value(w.I32)
			g.emit(w.Op(0x04, 0x40))
			g.statement()
			g.emit(w.Op(0x05))
			if g.statement(); g.pick(8) == 1 {
				g.value(result(g.self))
				g.emit(w.Return)
			}
			g.emit(w.Op(w.End))
		},
		func() { // out of blocks
			g.emit(w.Op(0x02, 0x40, 0x02, 0x40))
			g.statement()
			g.value(w.I32)
			g.emit(w.Op(0x0d, byte(g.pick(2)))) // br_if
			g.statement()
			g.emit(w.Op(w.End))
			g.value(w.I32)
			g.emit(w.Op(0x0e, 1, 0, 0), w.Op(w.End)) // br_table
		},
		func() { g.emit(w.Call(0)) },
		func() { g.length(); g.length(); g.length(); g.emit(w.MemoryFill) },
		func() { g.length(); g.length(); g.length(); g.emit(w.MemoryCopy) },
		func() { g.value(w.I32); g.emit(w.Const(0x7f), w.Op(0x71), w.Op(0x45), w.If(w.Unreachable)) },
		func() { g.statement(); g.statement(); g.statement() },
	)
}

// length emits an i32 that mostly lies in the memory.
func (g *generator) length() {
	if g.pick(8) == 1 {
		g.value(w.I32)
		return
	}
	g.value(w.I32)
	g.emit(w.Const(1023), w.Op(0x71)) // and
}

// loop emits a loop of a few rounds.
func (g *generator) loop() {
	if g.counter == counters {
		g.statement()
		return
	}
	local := uint32(len(kinds)) + g.counter
	g.counter++
	g.emit(w.Const(int32(g.pick(5))), w.Set(local), w.Op(0x02, 0x40, 0x03, 0x40))
	g.emit(w.Get(local), w.Op(0x45, 0x0d, 1)) // eqz, leave
	g.statement()
	g.emit(w.Get(local), w.Const(1), w.Sub, w.Set(local), w.Op(0x0c, 0, w.End, w.End))
	g.counter--
}

// store emits one of the stores of whole numbers.
func (g *generator) store() {
	g.length()
	op := []struct{ kind, code byte }{
		{w.I32, 0x36}, {w.I64, 0x37}, {w.I32, 0x3a}, {w.I32, 0x3b}, {w.I64, 0x3c}, {w.I64, 0x3d}, {w.I64, 0x3e},
	}[g.pick(7)]
	g.value(op.kind)
	g.emit(w.Op(op.code, 0), w.U32(nil, uint32(g.pick(256))))
}

// value emits code that leaves a value.
func (g *generator) value(kind byte) {
	g.deeper(
		func() { g.constant(kind) },
		func() { g.emit(w.Get(uint32(index(kind)))) },
		func() { g.unary(kind) },
		func() { g.binary(kind) },
		func() { g.convert(kind) },
		func() { // if
			g.value(w.I32)
			g.emit(w.Op(0x04, kind))
			g.value(kind)
			g.emit(w.Op(0x05))
			g.statement()
			g.value(kind)
			g.emit(w.Op(w.End))
		},
		func() { // a block that is left with a value
			g.emit(w.Op(0x02, kind))
			g.statement()
			g.value(kind)
			g.value(w.I32)
			g.emit(w.Op(0x0d, 0, w.End))
		},
		func() { g.value(kind); g.value(kind); g.value(w.I32); g.emit(w.Op(0x1b)) }, // select
		func() { g.call(kind) },
	)
}

func index(kind byte) int { return int(w.I32 - kind) }

func (g *generator) constant(kind byte) {
	switch kind {
	case w.I32:
		g.emit(w.Const(int32(g.number(1 + 3*g.pick(2)))))
	case w.I64:
		g.emit(w.Const64(int64(g.number(1 + 7*g.pick(2)))))
	case w.F32:
		g.emit(w.Op(0x43), binary.LittleEndian.AppendUint32(nil, uint32(g.number(4))))
	default:
		g.emit(w.Op(0x44), binary.LittleEndian.AppendUint64(nil, g.number(8)))
	}
}

func (g *generator) unary(kind byte) {
	g.value(kind)
	first := map[byte]byte{w.I32: 0x67, w.I64: 0x79, w.F32: 0x8b, w.F64: 0x99}[kind] // clz ctz popcnt; abs neg ceil floor trunc nearest sqrt
	n := 3
	if kind == w.F32 || kind == w.F64 {
		n = 7
	}
	g.emit(w.Op(first + byte(g.pick(n))))
}

func (g *generator) binary(kind byte) {
	g.value(kind)
	g.value(kind)
	switch kind {
	case w.I32:
		g.emit(w.Op(0x6a + byte(g.pick(15)))) // add to rotr; division by 0 traps
	case w.I64:
		g.emit(w.Op(0x7c + byte(g.pick(15))))
	case w.F32:
		g.emit(w.Op(0x92 + byte(g.pick(6)))) // add sub mul div min max
	default:
		g.emit(w.Op(0xa0 + byte(g.pick(6))))
	}
}

// convert makes a value out of one of another type, out of the memory, or of what there is only once.
func (g *generator) convert(kind byte) {
	from := kinds[g.pick(4)]
	switch {
	case kind == w.I32 && from == w.I32:
		switch g.pick(4) {
		case 0:
			g.emit(w.Op(0x23, byte(g.pick(2)))) // global.get
		case 1:
			g.emit(w.Op(0x3f, 0)) // memory.size
		case 2:
			g.emit(w.Const(int32(g.pick(2))), w.MemoryGrow)
		default:
			g.length()
			g.emit(w.Op(0x28+7*byte(g.pick(2)), 0, byte(g.pick(128)))) // i32.load, i32.load16_u
		}
	case kind == w.I32: // a comparison: whatever a NaN looks like, it compares alike
		g.value(from)
		g.value(from)
		first := map[byte]byte{w.I64: 0x51, w.F32: 0x5b, w.F64: 0x61}[from]
		g.emit(w.Op(first + byte(g.pick(6))))
	case kind == w.I64 && from == w.I64:
		g.length()
		g.emit(w.Op(0x29, 0, byte(g.pick(128))))
	case kind == w.I64 && from == w.I32:
		g.value(from)
		g.emit(w.Op(0xac + byte(g.pick(2)))) // extend
	case kind == w.I64:
		g.value(from)
		g.emit(w.Op(0xfc, 4+2*byte(from-w.F64^1)+byte(g.pick(2)))) // i64.trunc_sat
	case kind == w.F32:
		g.value(w.I64)
		g.emit(w.Op(0xb4 + byte(g.pick(2))))
	default:
		g.value(w.I32)
		g.emit(w.Op(0xb7 + byte(g.pick(2))))
	}
}

// call emits a call of a function behind this one, directly or through the table, if one returns that type.
func (g *generator) call(kind byte) {
	target := g.self + 1 + g.pick(functions)
	for target < functions && result(target) != kind {
		target++
	}
	if target >= functions || g.calls == maxCalls || g.counter > 1 {
		g.constant(kind)
		return
	}
	g.calls++
	for _, k := range kinds {
		g.value(k)
	}
	if g.pick(2) == 0 {
		g.emit(w.Call(uint32(imported + target)))
		return
	}
	g.emit(w.Const(int32(target)), w.Op(0x11, byte(imported+target), 0)) // each function has a type of its own
}
