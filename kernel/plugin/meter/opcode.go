package meter

import "fmt"

// Value types.
const (
	typeI32       = 0x7f
	typeFuncref   = 0x70
	typeExternref = 0x6f
	blockVoid     = 0x40
)

// The opcodes that the meter looks at or writes.
const (
	opBlock        = 0x02
	opLoop         = 0x03
	opIf           = 0x04
	opEnd          = 0x0b
	opBr           = 0x0c
	opBrIf         = 0x0d
	opBrTable      = 0x0e
	opCall         = 0x10
	opCallIndirect = 0x11
	opSelectTyped  = 0x1c
	opLocalGet     = 0x20
	opLocalTee     = 0x22
	opGlobalGet    = 0x23
	opGlobalSet    = 0x24
	opTableGet     = 0x25
	opTableSet     = 0x26
	opLoad         = 0x28 // the first of the loads and stores
	opStore        = 0x3e // the last
	opMemorySize   = 0x3f
	opMemoryGrow   = 0x40
	opI32Const     = 0x41
	opI64Const     = 0x42
	opF32Const     = 0x43
	opF64Const     = 0x44
	opI32LeS       = 0x4c
	opI32Sub       = 0x6b
	opI32ShrU      = 0x76
	opNumericFirst = 0x45 // the first of the operations without an operand in the code
	opNumericLast  = 0xc4
	opRefNull      = 0xd0
	opRefIsNull    = 0xd1
	opRefFunc      = 0xd2
	opMisc         = 0xfc // prefix: saturating conversions, bulk memory, tables
	opVector       = 0xfd // prefix: SIMD

	miscTruncLast  = 7
	miscMemoryInit = 8
	miscDataDrop   = 9
	miscMemoryCopy = 10
	miscMemoryFill = 11
	miscTableInit  = 12
	miscElemDrop   = 13
	miscTableCopy  = 14
	miscTableGrow  = 15
	miscTableSize  = 16
	miscTableFill  = 17

	vecConst = 12
	vecLast  = 255 // relaxed SIMD begins behind it
)

// skipPlain passes over the operands of an instruction that the meter copies as it is. It fails on every opcode that
// is not of WebAssembly 2: exceptions, threads and tail calls would need checks of their own.
func (r *reader) skipPlain(op byte) {
	switch {
	case op <= 0x01, op == 0x05, op == 0x0f, op == 0x1a, op == 0x1b, op == opRefIsNull:
	case op >= opNumericFirst && op <= opNumericLast:
	case op == opBr, op == opBrIf, op == opTableGet, op == opTableSet:
		r.u32()
	case op == opBrTable:
		n := r.u32()
		for i := uint32(0); r.next(i, n); i++ {
			r.u32()
		}
		r.u32()
	case op == opSelectTyped:
		r.bytes(r.u32())
	case op >= opLoad && op <= opStore:
		r.u32()
		r.skipNumber()
	case op == opMemorySize, op == opRefNull:
		r.byte()
	case op == opI32Const, op == opI64Const:
		r.skipNumber()
	case op == opF32Const:
		r.bytes(4)
	case op == opF64Const:
		r.bytes(8)
	case op == opVector:
		r.skipVector()
	default:
		r.fail(fmt.Errorf("opcode %#x is not supported", op))
	}
}

func (r *reader) skipVector() {
	switch sub := r.u32(); {
	case sub <= 11, sub == 92, sub == 93: // loads and stores
		r.u32()
		r.skipNumber()
	case sub >= 84 && sub <= 91: // loads and stores of one lane
		r.u32()
		r.skipNumber()
		r.byte()
	case sub == vecConst, sub == 13: // v128.const, i8x16.shuffle
		r.bytes(16)
	case sub >= 21 && sub <= 34: // extract and replace a lane
		r.byte()
	case sub > vecLast:
		r.fail(fmt.Errorf("opcode 0xfd %d is not supported", sub))
	}
}
