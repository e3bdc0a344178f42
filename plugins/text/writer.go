// Package text is the buffer in which the built-in formats write, made to be fast in a guest.
package text

// Writer is a buffer laid out for Go's wasm backend, where append and calls per byte are what costs: room is made once
// per value, safe runs are copied whole, and what a byte needs is looked up. The zero value is ready; N = 0 starts anew.
type Writer struct {
	Buf []byte // Buf[:N] is written
	N   int
	Sep byte // what comes before the next member or parameter, 0 = nothing

	from int // where the part that is being written starts
}

// slack is how many bytes may be written behind a text, by stores that are wider than what is left of it.
const slack = 16

// Room makes sure that size more bytes fit, and slack.
func (w *Writer) Room(size int) {
	if len(w.Buf)-w.N < size+slack {
		w.grow(size)
	}
}

// grow keeps out of Room, so that Room stays small enough to be inlined. The old buffer is left as it is: parts of it may
// be held.
//
//go:noinline
func (w *Writer) grow(size int) {
	buf := make([]byte, 2*len(w.Buf)+size+1024)
	copy(buf, w.Buf[:w.N])
	w.Buf = buf
}

// Byte writes one byte.
func (w *Writer) Byte(c byte) {
	w.Room(1)
	w.Buf[w.N] = c
	w.N++
}

// Str writes s as it is.
func (w *Writer) Str(s string) {
	w.Room(len(s))
	w.N += copy(w.Buf[w.N:], s)
}

// Raw writes b as it is.
func (w *Writer) Raw(b []byte) {
	w.Room(len(b))
	w.N += copy(w.Buf[w.N:], b)
}

// Uint writes v in decimal.
func (w *Writer) Uint(v uint32) {
	var digits [10]byte
	i := len(digits)
	for {
		i--
		digits[i] = byte('0' + v%10)
		if v /= 10; v == 0 {
			break
		}
	}
	w.Room(len(digits))
	w.N += copy(w.Buf[w.N:], digits[i:])
}

// Begin starts a part of the text.
func (w *Writer) Begin() { w.from = w.N }

// Part ends the part and starts the next. What it returns stays as it is while the writer goes on.
func (w *Writer) Part() []byte {
	part := w.Buf[w.from:w.N:w.N]
	w.from = w.N
	return part
}

// Literal writes s as it is and ends the part.
func (w *Writer) Literal(s string) []byte {
	w.Str(s)
	return w.Part()
}
