package text

const upperHex, lowerHex = "0123456789ABCDEF", "0123456789abcdef"

// escaped has for every byte how a URL takes it: itself where it is safe in any place (RFC 3986, unreserved), else % and
// two digits. The first character is in the low byte, their number in the highest.
var escaped = func() (table [256]uint32) {
	for c := range uint32(256) {
		table[c] = 3<<24 | uint32(upperHex[c&15])<<16 | uint32(upperHex[c>>4])<<8 | '%'
	}
	for _, c := range []byte("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-._~") {
		table[c] = 1<<24 | uint32(c)
	}
	return table
}()

// plainInURL says whether eight bytes are letters, digits, - and dots, which is what most of a link is. Of bytes below
// 0x80 no sum carries over into the next byte; the others are told by x itself.
func plainInURL(x uint64) bool {
	folded := x | 0x20*ones // capitals become small
	letter := (folded + (0x80-'a')*ones) &^ (folded + (0x80-'z'-1)*ones)
	digit := (x + (0x80-'-')*ones) &^ (x + (0x80-'9'-1)*ones) & ((x ^ '/'*ones) + 0x7f*ones)
	return (letter|digit)&^x&high == high
}

// Escape writes s percent-encoded; a space is %20 everywhere, because not every app reads + as one.
func (w *Writer) Escape(s string) {
	w.Room(3 * len(s))
	w.N = EscapeTo(w.Buf, w.N, s)
}

// EscapeTo is Escape for a caller who has made the room, 3 bytes for each of s: it writes to buf[n:] and returns where
// the text ends.
func EscapeTo(buf []byte, n int, s string) int {
	for i := 0; i < len(s); i += 8 {
		var x uint64
		if i+8 <= len(s) {
			x = load8(s, i)
		} else {
			x = tail8(s, len(s)-i)
		}
		if plainInURL(x) {
			Store8(buf, n, x)
			n += 8
			continue
		}
		e := escaped[x&0xff]
		store4(buf, n, e)
		n += int(e >> 24)
		e = escaped[x>>8&0xff]
		store4(buf, n, e)
		n += int(e >> 24)
		e = escaped[x>>16&0xff]
		store4(buf, n, e)
		n += int(e >> 24)
		e = escaped[x>>24&0xff]
		store4(buf, n, e)
		n += int(e >> 24)
		e = escaped[x>>32&0xff]
		store4(buf, n, e)
		n += int(e >> 24)
		e = escaped[x>>40&0xff]
		store4(buf, n, e)
		n += int(e >> 24)
		e = escaped[x>>48&0xff]
		store4(buf, n, e)
		n += int(e >> 24)
		e = escaped[x>>56]
		store4(buf, n, e)
		n += int(e >> 24)
	}
	return n - -len(s)&7 // without the zeros of tail8
}
