package text

// The functions below treat eight bytes as one number, the first in its low byte: a guest pays for steps, not for bytes.

const (
	ones = 0x0101010101010101 // times c: c in every byte
	high = 0x8080808080808080 // what the tests leave of a byte that passes
)

// The compiler makes one load or store of each of these, and checks the bounds once, as long as all are named: a slice
// with an open end costs a guest more steps than the store itself.

// load8 reads s[i:i+8].
func load8(s string, i int) uint64 {
	s = s[i : i+8]
	return uint64(s[0]) | uint64(s[1])<<8 | uint64(s[2])<<16 | uint64(s[3])<<24 |
		uint64(s[4])<<32 | uint64(s[5])<<40 | uint64(s[6])<<48 | uint64(s[7])<<56
}

// Store8 writes v to b[n:n+8].
func Store8(b []byte, n int, v uint64) {
	b = b[n : n+8 : n+8]
	b[0], b[1], b[2], b[3] = byte(v), byte(v>>8), byte(v>>16), byte(v>>24)
	b[4], b[5], b[6], b[7] = byte(v>>32), byte(v>>40), byte(v>>48), byte(v>>56)
}

// store4 writes v to b[n:n+4].
func store4(b []byte, n int, v uint32) {
	b = b[n : n+4 : n+4]
	b[0], b[1], b[2], b[3] = byte(v), byte(v>>8), byte(v>>16), byte(v>>24)
}

// tail8 reads the last size bytes of s, less than eight, and puts zeros behind them, which are plain everywhere.
func tail8(s string, size int) uint64 {
	var x uint64
	if len(s) >= 8 {
		x = load8(s, len(s)-8) >> (64 - 8*uint(size))
	} else {
		for i := len(s) - 1; i >= len(s)-size; i-- {
			x = x<<8 | uint64(s[i])
		}
	}
	return x | '0'*ones<<(8*uint(size))
}
