package text

// The functions below treat eight bytes as one number, the first in its low byte: a guest pays for steps, not for bytes.

const (
	ones = 0x0101010101010101 // times c: c in every byte
	high = 0x8080808080808080 // what the tests leave of a byte that passes
)

// load8 reads s[i:i+8]; the compiler makes one load of it.
func load8(s string, i int) uint64 {
	s = s[i:]
	_ = s[7]
	return uint64(s[0]) | uint64(s[1])<<8 | uint64(s[2])<<16 | uint64(s[3])<<24 |
		uint64(s[4])<<32 | uint64(s[5])<<40 | uint64(s[6])<<48 | uint64(s[7])<<56
}

// Store8 writes v to b[n:n+8]; the compiler makes one store of it.
func Store8(b []byte, n int, v uint64) {
	b = b[n:]
	_ = b[7]
	b[0], b[1], b[2], b[3] = byte(v), byte(v>>8), byte(v>>16), byte(v>>24)
	b[4], b[5], b[6], b[7] = byte(v>>32), byte(v>>40), byte(v>>48), byte(v>>56)
}

// store4 writes v to b[n:n+4].
func store4(b []byte, n int, v uint32) {
	b = b[n:]
	_ = b[3]
	b[0], b[1], b[2], b[3] = byte(v), byte(v>>8), byte(v>>16), byte(v>>24)
}
