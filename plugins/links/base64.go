package links

import "github.com/sluicehq/sluice/plugins/text"

const base64Letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"

// pairs has the two characters of every 12 bits in base64, the first in the low byte: a quarter of the work of one
// character at a time.
type pairs [4096]uint16

var standardPairs, urlPairs = pairsOf(base64Letters + "+/"), pairsOf(base64Letters + "-_")

func pairsOf(alphabet string) *pairs {
	var p pairs
	for i := range p {
		p[i] = uint16(alphabet[i>>6]) | uint16(alphabet[i&63])<<8
	}
	return &p
}

// base64 writes src in standard base64 with padding.
func (w *writer) base64(src []byte) {
	w.Room((len(src) + 2) / 3 * 4)
	w.N = standardPairs.encode(w.Buf, w.N, src)
	for range (3 - len(src)%3) % 3 {
		w.Byte('=')
	}
}

// word is the text of six bytes.
func (p *pairs) word(a, b, c, d, e, f byte) uint64 {
	return uint64(p[uint(a)<<4|uint(b)>>4]) | uint64(p[uint(b)<<8&0xf00|uint(c)])<<16 |
		uint64(p[uint(d)<<4|uint(e)>>4])<<32 | uint64(p[uint(e)<<8&0xf00|uint(f)])<<48
}

// encode writes src without padding to buf[n:], which has room for it, and returns where the text ends.
func (p *pairs) encode(buf []byte, n int, src []byte) int {
	i := 0
	for ; i+12 <= len(src); i += 12 {
		s := src[i : i+12 : i+12]
		text.Store8(buf, n, p.word(s[0], s[1], s[2], s[3], s[4], s[5]))
		text.Store8(buf, n+8, p.word(s[6], s[7], s[8], s[9], s[10], s[11]))
		n += 16
	}
	for ; i+3 <= len(src); i += 3 {
		text.Store8(buf, n, p.word(src[i], src[i+1], src[i+2], 0, 0, 0))
		n += 4
	}
	switch len(src) - i {
	case 1:
		text.Store8(buf, n, p.word(src[i], 0, 0, 0, 0, 0))
		n += 2
	case 2:
		text.Store8(buf, n, p.word(src[i], src[i+1], 0, 0, 0, 0))
		n += 3
	}
	return n
}
