package text

import "unicode/utf8"

// plainInQuotes says whether a string takes eight bytes as they are: ASCII that needs no escape.
func plainInQuotes(x uint64) bool {
	visible := (x + (0x80-0x20)*ones) &^ (x + (0x80-0x7f)*ones)
	return visible&((x^'"'*ones)+0x7f*ones)&((x^'\\'*ones)+0x7f*ones)&^x&high == high
}

// Quote writes s as a string of JSON that is one of YAML too. What YAML refuses or folds (controls, other line ends, the
// byte order mark) is escaped, and what is not UTF-8 becomes U+FFFD.
func (w *Writer) Quote(s string) {
	w.Room(2 + 6*len(s))
	w.N = QuoteTo(w.Buf, w.N, s)
}

// QuoteTo is Quote for a caller who has made the room, 2 bytes and 6 for each of s: it writes to buf[n:] and returns
// where the text ends.
func QuoteTo(buf []byte, n int, s string) int {
	buf[n] = '"'
	n = quotedTo(buf, n+1, s)
	buf[n] = '"'
	return n + 1
}

// Quoted writes what stands between the quotes of such a string.
func (w *Writer) Quoted(s string) {
	w.Room(6 * len(s))
	w.N = quotedTo(w.Buf, w.N, s)
}

// quotedTo is QuoteTo without the quotes.
func quotedTo(buf []byte, n int, s string) int {
	for i := 0; i < len(s); {
		var x uint64
		size := min(len(s)-i, 8)
		if size == 8 {
			x = load8(s, i)
		} else {
			x = tail8(s, size)
		}
		if plainInQuotes(x) {
			Store8(buf, n, x)
			i, n = i+size, n+size
		} else {
			size, n = charTo(buf, n, s[i:])
			i += size
		}
	}
	return n
}

// charTo writes the first character of s and returns its size in s, too.
func charTo(buf []byte, n int, s string) (size, end int) {
	switch c := s[0]; {
	case c == '"' || c == '\\':
		buf[n], buf[n+1] = '\\', c
		return 1, n + 2
	case c >= 0x20 && c < 0x7f:
		buf[n] = c
		return 1, n + 1
	}
	if len(s) >= 4 && s[0] == 0xf0 && s[1]-0x90 < 0x30 && s[2]^0x80 < 0x40 && s[3]^0x80 < 0x40 {
		out := buf[n : n+4 : n+4] // flags and other pictures, which need no escape
		out[0], out[1], out[2], out[3] = s[0], s[1], s[2], s[3]
		return 4, n + 4
	}
	r, size := utf8.DecodeRuneInString(s)
	return size, runeTo(buf, n, r)
}

// runeTo writes a character that is not plain.
func runeTo(buf []byte, n int, r rune) int {
	switch {
	case r < 0xa0, r == 0x2028, r == 0x2029, r == 0xfeff, r == 0xfffe, r == 0xffff:
		n += copy(buf[n:], `\u`)
		out := buf[n : n+4 : n+4]
		out[0], out[1] = lowerHex[r>>12], lowerHex[r>>8&15]
		out[2], out[3] = lowerHex[r>>4&15], lowerHex[r&15]
		return n + 4
	}
	return n + utf8.EncodeRune(buf[n:], r)
}
