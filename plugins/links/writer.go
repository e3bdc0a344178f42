package links

// writer is a buffer laid out for Go's wasm backend, where append and calls per byte are what costs: room is made once
// per value, safe runs are copied whole, and what a byte needs is looked up. buf[:n] is written.
type writer struct {
	buf []byte
	n   int

	from int  // where the part that is being written starts
	sep  byte // what comes before the next query parameter or JSON member
}

// room makes sure that size more bytes fit.
func (w *writer) room(size int) {
	if len(w.buf)-w.n < size {
		w.grow(size)
	}
}

// grow keeps out of room, so that room stays small enough to be inlined. The old buffer is left as it is: parts of it may
// be held.
//
//go:noinline
func (w *writer) grow(size int) {
	buf := make([]byte, 2*len(w.buf)+size+1024)
	copy(buf, w.buf[:w.n])
	w.buf = buf
}

func (w *writer) byte(c byte) {
	w.room(1)
	w.buf[w.n] = c
	w.n++
}

func (w *writer) str(s string) {
	w.room(len(s))
	w.n += copy(w.buf[w.n:], s)
}

func (w *writer) raw(b []byte) {
	w.room(len(b))
	w.n += copy(w.buf[w.n:], b)
}

func (w *writer) uint(v uint32) {
	var digits [10]byte
	i := len(digits)
	for {
		i--
		digits[i] = byte('0' + v%10)
		if v /= 10; v == 0 {
			break
		}
	}
	w.room(len(digits))
	w.n += copy(w.buf[w.n:], digits[i:])
}

const upperHex, lowerHex = "0123456789ABCDEF", "0123456789abcdef"

// plainInURL has 1 for the characters that a URL takes as they are in any place (RFC 3986, unreserved).
var plainInURL = func() (plain [256]byte) {
	for _, c := range []byte("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-._~") {
		plain[c] = 1
	}
	return plain
}()

// escape writes s percent-encoded; a space is %20 everywhere, because not every app reads + as one.
func (w *writer) escape(s string) {
	w.room(3 * len(s))
	w.n = escapeTo(w.buf, w.n, s)
}

// escapeTo writes s to buf[n:], which has room, and returns where it ends.
func escapeTo(buf []byte, n int, s string) int {
	for len(s) > 0 {
		if len(s) >= 4 && plainInURL[s[0]]&plainInURL[s[1]]&plainInURL[s[2]]&plainInURL[s[3]] == 1 {
			out := buf[n : n+4 : n+4]
			out[0], out[1], out[2], out[3] = s[0], s[1], s[2], s[3]
			n, s = n+4, s[4:]
			continue
		}
		c := s[0]
		if s = s[1:]; plainInURL[c] == 1 {
			buf[n] = c
			n++
			continue
		}
		out := buf[n : n+3 : n+3]
		out[0], out[1], out[2] = '%', upperHex[c>>4], upperHex[c&15]
		n += 3
	}
	return n
}

// plainInJSON has 1 for the bytes that a JSON string takes as they are.
var plainInJSON = func() (plain [256]byte) {
	for c := range plain {
		if c >= 0x20 && c != '"' && c != '\\' {
			plain[c] = 1
		}
	}
	return plain
}()

// quote writes s as a JSON string.
func (w *writer) quote(s string) {
	w.byte('"')
	w.quoted(s)
	w.byte('"')
}

// quoted writes what stands between the quotes of a JSON string.
func (w *writer) quoted(s string) {
	w.room(6 * len(s))
	w.n = quoteTo(w.buf, w.n, s)
}

// quoteTo is escapeTo for JSON.
func quoteTo(buf []byte, n int, s string) int {
	for len(s) > 0 {
		if len(s) >= 4 && plainInJSON[s[0]]&plainInJSON[s[1]]&plainInJSON[s[2]]&plainInJSON[s[3]] == 1 {
			out := buf[n : n+4 : n+4]
			out[0], out[1], out[2], out[3] = s[0], s[1], s[2], s[3]
			n, s = n+4, s[4:]
			continue
		}
		c := s[0]
		s = s[1:]
		switch {
		case plainInJSON[c] == 1:
			buf[n] = c
			n++
		case c < 0x20:
			n += copy(buf[n:], `\u00`)
			buf[n], buf[n+1] = lowerHex[c>>4], lowerHex[c&15]
			n += 2
		default:
			buf[n], buf[n+1] = '\\', c
			n += 2
		}
	}
	return n
}
