package wire

import (
	"math/bits"
	"unsafe"
)

// Wire types of protobuf that the messages use; fixed-width ones are only skipped.
const (
	varint  = 0
	fixed64 = 1
	bytes   = 2
	fixed32 = 5
)

// MalformedError says that bytes are not a message, or one that breaks a limit. Its text is a plain sentence.
type MalformedError string

// Error returns the sentence.
func (e MalformedError) Error() string { return string(e) }

const (
	errMalformed  = MalformedError("the message is not valid protobuf")
	errManyNames  = MalformedError("the reply holds more than 10000 names")
	errManyHeader = MalformedError("the message holds more than 32 headers")
)

// reader walks over the fields of src[off:end]. The first error sticks and ends every loop, because it moves off to end.
// It reads a string, so that slicing it makes the strings of a message, bounds checked and without a copy.
type reader struct {
	src      string
	off, end int
	err      error
}

// decode starts at the front of b.
func decode(b []byte) reader {
	return reader{src: unsafe.String(unsafe.SliceData(b), len(b)), end: len(b)}
}

func (r *reader) more() bool { return r.off < r.end }

func (r *reader) fail(err error) {
	if r.err == nil {
		r.err = err
	}
	r.off, r.end = 0, 0
}

// key reads the key of the next field, after more has said that there is one. It is small enough to be inlined.
func (r *reader) key() uint64 {
	c := r.src[r.off]
	if c < 0x80 {
		r.off++
		return uint64(c)
	}
	return r.longUvarint()
}

// uvarint has the one-byte case in front: most values and lengths are one byte.
func (r *reader) uvarint() uint64 {
	if r.off < r.end {
		if c := r.src[r.off]; c < 0x80 {
			r.off++
			return uint64(c)
		}
	}
	return r.longUvarint()
}

// longUvarint takes a time or a number of bytes, which need five or six, in one step where eight can be read.
//
//go:noinline
func (r *reader) longUvarint() uint64 {
	if r.end-r.off >= 8 {
		x := load8(r.src[r.off:])
		if last := ^x & 0x8080808080808080; last != 0 {
			last &= -last // the top bit of the first byte that ends the number
			r.off += bits.TrailingZeros64(last)/8 + 1
			return sevens(x & (last - 1))
		}
	}
	var x uint64
	for shift := uint(0); shift < 64 && r.off < r.end; shift += 7 {
		c := r.src[r.off]
		r.off++
		if shift == 63 && c > 1 {
			break
		}
		x |= uint64(c&0x7f) << shift
		if c < 0x80 {
			return x
		}
	}
	r.fail(errMalformed)
	return 0
}

// load8 reads eight bytes, the first as the lowest; the compiler makes one load of it.
func load8(s string) uint64 {
	_ = s[7]
	return uint64(s[0]) | uint64(s[1])<<8 | uint64(s[2])<<16 | uint64(s[3])<<24 |
		uint64(s[4])<<32 | uint64(s[5])<<40 | uint64(s[6])<<48 | uint64(s[7])<<56
}

// sevens pushes the lower seven bits of each byte together: first in pairs of bytes, then of pairs, then of fours.
func sevens(x uint64) uint64 {
	x = x&0x007f007f007f007f | x&0x7f007f007f007f00>>1
	x = x&0x00003fff00003fff | x&0x3fff00003fff0000>>2
	return x&0x000000000fffffff | x&0x0fffffff00000000>>4
}

func (r *reader) int64() int64   { return int64(r.uvarint()) }
func (r *reader) uint32() uint32 { return uint32(r.uvarint()) }
func (r *reader) bool() bool     { return r.uvarint() != 0 }

// size reads the length of what follows and makes sure that so much is there.
func (r *reader) size() int {
	if start := r.off + 1; start <= r.end {
		if n := r.src[start-1]; n < 0x80 && int(n) <= r.end-start {
			r.off = start
			return int(n)
		}
	}
	n := r.uvarint()
	if n > uint64(r.end-r.off) {
		r.fail(errMalformed)
		return 0
	}
	return int(n)
}

// str is the next string, a part of src. The short case is written out: calls are what a guest's time goes into.
func (r *reader) str() string {
	if start := r.off + 1; start < r.end {
		if n := r.src[start-1]; n < 0x80 && int(n) <= r.end-start {
			r.off = start + int(n)
			return r.src[start:r.off]
		}
	}
	n := r.size()
	r.off += n
	return r.src[r.off-n : r.off]
}

// raw is the next byte string, a part of src that append can not run out of.
func (r *reader) raw() []byte {
	s := r.str()
	return unsafe.Slice(unsafe.StringData(s), len(s))
}

// open narrows the reader to the nested message that follows; close with the returned end widens it again.
func (r *reader) open() (end int) {
	n := r.size()
	end, r.end = r.end, r.off+n
	return end
}

func (r *reader) close(end int) {
	if r.err == nil {
		r.end = end
	}
}

// skip passes over the value of a field that this version does not know.
func (r *reader) skip(key uint64) {
	if key>>3 == 0 || key > 1<<32-1 {
		r.fail(errMalformed)
		return
	}
	switch key & 7 {
	case varint:
		r.uvarint()
	case fixed64:
		r.advance(8)
	case bytes:
		r.advance(r.size())
	case fixed32:
		r.advance(4)
	default:
		r.fail(errMalformed)
	}
}

func (r *reader) advance(n int) {
	if n > r.end-r.off {
		r.fail(errMalformed)
		return
	}
	r.off += n
}

// extend lengthens s by one element, which still holds what it held before if the capacity was there.
func extend[T any](s []T) []T {
	if len(s) < cap(s) {
		return s[:len(s)+1]
	}
	var zero T
	return append(s, zero)
}
