package wasmtest

// End closes a block or function.
const End byte = 0x0b

// Op is a sequence of bytes as they are.
func Op(b ...byte) []byte { return b }

// Const pushes an i32.
func Const(v int32) []byte {
	b := []byte{0x41}
	for {
		c := byte(v & 0x7f)
		v >>= 7
		if v == 0 && c&0x40 == 0 || v == -1 && c&0x40 != 0 {
			return append(b, c)
		}
		b = append(b, c|0x80)
	}
}

// Const64 pushes an i64.
func Const64(v int64) []byte {
	b := []byte{0x42}
	for {
		c := byte(v & 0x7f)
		v >>= 7
		if v == 0 && c&0x40 == 0 || v == -1 && c&0x40 != 0 {
			return append(b, c)
		}
		b = append(b, c|0x80)
	}
}

// Call calls a function.
func Call(function uint32) []byte { return U32([]byte{0x10}, function) }

// Get pushes a local.
func Get(local uint32) []byte { return U32([]byte{0x20}, local) }

// Set pops into a local.
func Set(local uint32) []byte { return U32([]byte{0x21}, local) }

// Forever repeats code without end.
func Forever(code ...[]byte) []byte {
	b := []byte{0x03, 0x40}
	for _, c := range code {
		b = append(b, c...)
	}
	return append(b, 0x0c, 0, End)
}

// If runs then when the i32 on the stack is not 0; neither side leaves a value.
func If(then ...[]byte) []byte {
	b := []byte{0x04, 0x40}
	for _, c := range then {
		b = append(b, c...)
	}
	return append(b, End)
}

// Times repeats code as often as the i32 local says and leaves 0 in it.
func Times(local uint32, code ...[]byte) []byte {
	b := []byte{0x02, 0x40, 0x03, 0x40}                 // block, loop
	b = append(append(b, Get(local)...), 0x45, 0x0d, 1) // eqz, leave
	for _, c := range code {
		b = append(b, c...)
	}
	b = append(append(b, Get(local)...), 0x41, 1, 0x6b) // - 1
	return append(append(b, Set(local)...), 0x0c, 0, End, End)
}

// The operations that tests spell out by name.
var (
	Unreachable = Op(0x00)
	Drop        = Op(0x1a)
	Return      = Op(0x0f)
	Add         = Op(0x6a)
	Sub         = Op(0x6b)
	Equal       = Op(0x46)
	LessU       = Op(0x49)
	MemoryGrow  = Op(0x40, 0)
	MemoryFill  = Op(0xfc, 11, 0)
	MemoryCopy  = Op(0xfc, 10, 0, 0)
)
