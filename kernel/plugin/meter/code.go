package meter

import (
	"errors"
	"fmt"
)

// What one unit of fuel buys.
const (
	bytesPerUnit = 64  // of straight code
	smallLeaf    = 256 // bytes: a function of this size that neither calls nor loops is paid by its caller's call
	shiftMemory  = 8   // log2 of the bytes that a bulk memory operation moves per unit
	shiftTable   = 5   // log2 of the elements (8 bytes each) that a bulk table operation moves per unit
)

// codeSection rewrites every body.
func (m *module) codeSection(r *reader) ([]byte, error) {
	n := r.count()
	if int(n) != len(m.funcTypes) {
		return nil, errors.New("it has not as many bodies as functions")
	}
	out := appendU32(make([]byte, 0, len(r.b)+len(r.b)/8), n)
	f := &function{m: m}
	for i := uint32(0); r.next(i, n); i++ {
		body := r.bytes(r.u32())
		if r.err != nil {
			break
		}
		if err := f.rewrite(body, m.params[m.funcTypes[i]]); err != nil {
			return nil, fmt.Errorf("function %d: %w", i, err)
		}
		out = appendBytes(out, f.result())
		if len(out) > MaxOutput {
			return nil, errTooLarge
		}
	}
	return out, r.end()
}

// function rewrites one body at a time; its buffers are reused.
type function struct {
	m      *module
	reader reader
	out    []byte  // the instructions
	head   []byte  // the locals and the check at the entry
	whole  []byte  // both
	blocks []block // open at this point

	locals uint32 // parameters and locals; the index of the scratch local behind them
	calls  uint32 // calls so far
	bulk   bool   // whether the scratch local is used
}

// block is an open block, loop or if.
type block struct {
	loop   bool
	start  int    // where its body begins in the input
	weight int    // where in the output a loop's charge has to be filled in
	calls  uint32 // calls before it
}

// result is valid until the next rewrite.
func (f *function) result() []byte {
	f.whole = append(append(f.whole[:0], f.head...), f.out...)
	return f.whole
}

// rewrite fills out and head from a body whose function has so many parameters. It goes through the instructions once;
// what is known only at the end of a stretch, its weight, is filled in there.
func (f *function) rewrite(body []byte, params uint32) error {
	if len(body) > MaxBody {
		return fmt.Errorf("%d bytes are more than %d", len(body), MaxBody)
	}
	*f = function{m: f.m, reader: reader{b: body}, out: f.out[:0], head: f.head[:0], whole: f.whole, blocks: f.blocks[:0]}
	r := &f.reader
	groups, declared := f.readLocals(params)
	f.blocks = append(f.blocks, block{start: r.i})
	for r.err == nil && len(f.blocks) > 0 {
		start := r.i
		f.instruction(start, r.byte())
	}
	if err := r.end(); err != nil {
		return err
	}
	if f.bulk {
		f.head = append(append(appendU32(f.head, groups+1), declared...), 1, typeI32)
	} else {
		f.head = append(appendU32(f.head, groups), declared...)
	}
	if f.calls > 0 || len(body) > smallLeaf {
		var at int
		f.head, at = f.charge(f.head)
		putPadded(f.head[at:], weight(len(body), f.calls))
	}
	return nil
}

// readLocals reads the declarations and returns how many groups there are and their bytes.
func (f *function) readLocals(params uint32) (groups uint32, declared []byte) {
	r := &f.reader
	groups = r.u32()
	start, total := r.i, uint64(params)
	for i := uint32(0); r.next(i, groups); i++ {
		total += uint64(r.u32())
		r.byte()
		if total > MaxLocals {
			r.fail(fmt.Errorf("it has more than %d locals", MaxLocals))
			return 0, nil
		}
	}
	f.locals = uint32(total)
	return groups, r.b[start:r.i]
}

// weight is what a stretch of code costs, in units, however often its calls and instructions are reached.
func weight(size int, calls uint32) uint32 { return 1 + uint32(size)/bytesPerUnit + calls }

// instruction rewrites the instruction that begins at start with op.
func (f *function) instruction(start int, op byte) {
	r := &f.reader
	switch op {
	case opBlock, opIf, opLoop:
		r.skipNumber()
		f.out = append(f.out, r.b[start:r.i]...)
		f.open(op == opLoop)
		return
	case opEnd:
		f.close()
	case opCall:
		f.call()
		return
	case opCallIndirect:
		f.calls++
		r.index("type", uint32(len(f.m.params)))
		r.u32()
	case opRefFunc:
		f.out = appendU32(append(f.out, op), f.m.reference(r))
		return
	case opLocalGet, opLocalGet + 1, opLocalTee:
		r.index("local", f.locals)
	case opGlobalGet, opGlobalSet:
		f.m.global(r)
	case opMemoryGrow:
		r.byte()
		f.tick()
	case opMisc:
		f.misc()
	default:
		r.skipPlain(op)
	}
	f.out = append(f.out, r.b[start:r.i]...)
}

// open begins a block. A loop's check stands behind its header, where every round passes.
func (f *function) open(loop bool) {
	b := block{loop: loop, start: f.reader.i, calls: f.calls}
	if loop {
		f.out, b.weight = f.charge(f.out)
	}
	f.blocks = append(f.blocks, b)
}

// close ends the innermost block. A loop's charge, written at its header, is known only now.
func (f *function) close() {
	b := f.blocks[len(f.blocks)-1]
	f.blocks = f.blocks[:len(f.blocks)-1]
	if b.loop {
		putPadded(f.out[b.weight:], weight(f.reader.i-b.start, f.calls-b.calls))
	}
}

// call rewrites a direct call. What an imported function does is not counted in fuel and may depend on its arguments
// (a write of a million pieces), so the host is asked before each.
func (f *function) call() {
	x := f.m.function(&f.reader)
	f.calls++
	if x < f.m.imported {
		f.tick()
	}
	f.out = appendU32(append(f.out, opCall), x)
}

// misc passes over an instruction with the prefix 0xfc and charges what moves memory or tables.
func (f *function) misc() {
	r := &f.reader
	switch sub := r.u32(); {
	case sub <= miscTruncLast:
	case sub == miscMemoryInit:
		r.u32()
		r.byte()
		f.chargeBulk(shiftMemory)
	case sub == miscMemoryCopy:
		r.bytes(2)
		f.chargeBulk(shiftMemory)
	case sub == miscMemoryFill:
		r.byte()
		f.chargeBulk(shiftMemory)
	case sub == miscTableInit, sub == miscTableCopy:
		r.u32()
		r.u32()
		f.chargeBulk(shiftTable)
	case sub == miscTableFill:
		r.u32()
		f.chargeBulk(shiftTable)
	case sub == miscTableGrow:
		r.u32()
		f.tick()
	case sub == miscDataDrop, sub == miscElemDrop, sub == miscTableSize:
		r.u32()
	default:
		r.fail(fmt.Errorf("opcode 0xfc %d is not supported", sub))
	}
}

// charge appends `fuel -= weight; if fuel <= 0 { fuel = tick() }` and answers where the weight is to be put.
func (f *function) charge(b []byte) (out []byte, weight int) {
	b = appendU32(append(b, opGlobalGet), f.m.globals)
	b = append(b, opI32Const)
	weight = len(b)
	b = append(b, make([]byte, paddedSize)...)
	b = appendU32(append(b, opI32Sub, opGlobalSet), f.m.globals)
	return f.refill(b), weight
}

// chargeBulk appends `fuel -= n >> shift; if fuel <= 0 { fuel = tick() }` where n, the length of a bulk operation, is
// on top of the stack and stays there.
func (f *function) chargeBulk(shift byte) {
	f.bulk = true
	b := appendU32(append(f.out, opLocalTee), f.locals)
	b = appendU32(append(b, opGlobalGet), f.m.globals)
	b = appendU32(append(b, opLocalGet), f.locals)
	b = append(b, opI32Const, shift, opI32ShrU, opI32Sub)
	f.out = f.refill(appendU32(append(b, opGlobalSet), f.m.globals))
}

// refill appends `if fuel <= 0 { fuel = tick() }`.
func (f *function) refill(b []byte) []byte {
	b = appendU32(append(b, opGlobalGet), f.m.globals)
	b = append(b, opI32Const, 0, opI32LeS, opIf, blockVoid)
	return append(f.refuel(b), opEnd)
}

// refuel appends `fuel = tick()`.
func (f *function) refuel(b []byte) []byte {
	b = appendU32(append(b, opCall), f.m.imported)
	return appendU32(append(b, opGlobalSet), f.m.globals)
}

// tick asks the host here, whatever fuel is left.
func (f *function) tick() { f.out = f.refuel(f.out) }
