package text

import "unicode/utf8"

// plainInQuotes has 1 for the bytes that a string takes as they are: ASCII that needs no escape.
var plainInQuotes = func() (plain [256]byte) {
	for c := 0x20; c < 0x7f; c++ {
		if c != '"' && c != '\\' {
			plain[c] = 1
		}
	}
	return plain
}()

// Quote writes s as a string of JSON that is one of YAML too. What YAML refuses or folds (controls, other line ends, the
// byte order mark) is escaped, and what is not UTF-8 becomes U+FFFD.
func (w *Writer) Quote(s string) {
	w.Byte('"')
	w.Quoted(s)
	w.Byte('"')
}

// Quoted writes what stands between the quotes of such a string.
func (w *Writer) Quoted(s string) {
	w.Room(6 * len(s))
	w.N = quoteTo(w.Buf, w.N, s)
}

// quoteTo writes s to buf[n:], which has room for 6 bytes for each of s, and returns where the text ends.
func quoteTo(buf []byte, n int, s string) int {
	for len(s) > 0 {
		if len(s) >= 4 && plainInQuotes[s[0]]&plainInQuotes[s[1]]&plainInQuotes[s[2]]&plainInQuotes[s[3]] == 1 {
			out := buf[n : n+4 : n+4]
			out[0], out[1], out[2], out[3] = s[0], s[1], s[2], s[3]
			n, s = n+4, s[4:]
			continue
		}
		c, size := s[0], 1
		switch {
		case plainInQuotes[c] == 1:
			buf[n] = c
			n++
		case c == '"' || c == '\\':
			buf[n], buf[n+1] = '\\', c
			n += 2
		default:
			var r rune
			r, size = utf8.DecodeRuneInString(s)
			n = runeTo(buf, n, r)
		}
		s = s[size:]
	}
	return n
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
