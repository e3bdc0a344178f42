package links

const base64Alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"

// base64Pairs has the two characters of every 12 bits, the first in the low byte: a quarter of the work of one
// character at a time.
var base64Pairs = func() (pairs [4096]uint16) {
	for i := range pairs {
		pairs[i] = uint16(base64Alphabet[i>>6]) | uint16(base64Alphabet[i&63])<<8
	}
	return pairs
}()

// base64 writes src in standard base64 with padding.
func (w *writer) base64(src []byte) {
	w.Room((len(src) + 2) / 3 * 4)
	dst, n := w.Buf, w.N
	for ; len(src) >= 6; src = src[6:] {
		bits := uint64(src[0])<<40 | uint64(src[1])<<32 | uint64(src[2])<<24 | uint64(src[3])<<16 |
			uint64(src[4])<<8 | uint64(src[5])
		text := uint64(base64Pairs[bits>>36&4095]) | uint64(base64Pairs[bits>>24&4095])<<16 |
			uint64(base64Pairs[bits>>12&4095])<<32 | uint64(base64Pairs[bits&4095])<<48
		put8(dst[n:n+8], text)
		n += 8
	}
	w.N = n
	w.base64Tail(src)
}

// put8 writes v with its low byte first; the compiler makes one store of it.
func put8(b []byte, v uint64) {
	_ = b[7]
	b[0], b[1], b[2], b[3] = byte(v), byte(v>>8), byte(v>>16), byte(v>>24)
	b[4], b[5], b[6], b[7] = byte(v>>32), byte(v>>40), byte(v>>48), byte(v>>56)
}

// base64Tail writes the last 0 to 5 bytes.
func (w *writer) base64Tail(src []byte) {
	for ; len(src) > 0; src = src[min(3, len(src)):] {
		var group [3]byte
		size := copy(group[:], src)
		bits := uint32(group[0])<<16 | uint32(group[1])<<8 | uint32(group[2])
		high, low := base64Pairs[bits>>12], base64Pairs[bits&4095]
		text := [4]byte{byte(high), byte(high >> 8), '=', '='}
		if size > 1 {
			text[2] = byte(low)
		}
		if size > 2 {
			text[3] = byte(low >> 8)
		}
		w.N += copy(w.Buf[w.N:], text[:])
	}
}

// base64URL writes src in URL-safe base64 without padding.
func (w *writer) base64URL(src []byte) {
	from := w.N
	w.base64(src)
	for w.N > from && w.Buf[w.N-1] == '=' {
		w.N--
	}
	for i, c := range w.Buf[from:w.N] {
		switch c {
		case '+':
			w.Buf[from+i] = '-'
		case '/':
			w.Buf[from+i] = '_'
		}
	}
}
