package meter

import (
	"errors"
	"fmt"
	"unicode/utf8"
)

var (
	errTruncated = errors.New("it is truncated")
	errNumber    = errors.New("a number is too long")
	errTooLarge  = fmt.Errorf("it would be larger than %d bytes once instrumented", MaxOutput)
)

// reader walks over hostile bytes. The first failure sticks and ends the input, so that a caller may check once, after
// a loop: reads behind a failure answer zeros, and no count read from the input is ever used to allocate.
type reader struct {
	b   []byte
	i   int
	err error
}

// fail notes the first failure and moves to the end.
func (r *reader) fail(err error) {
	if r.err == nil {
		r.err = err
	}
	r.i = len(r.b)
}

// more reports whether there is something left to read.
func (r *reader) more() bool { return r.i < len(r.b) }

// next reports whether element i of a list of n still has to be read.
func (r *reader) next(i, n uint32) bool { return r.err == nil && i < n }

// end fails when the input goes on behind what should have been its last byte.
func (r *reader) end() error {
	if r.err == nil && r.more() {
		r.fail(errors.New("there are bytes behind its end"))
	}
	return r.err
}

// byte returns the next byte, 0 behind the end.
func (r *reader) byte() byte {
	if !r.more() {
		r.fail(errTruncated)
		return 0
	}
	c := r.b[r.i]
	r.i++
	return c
}

// bytes returns the next n bytes, nil when there are fewer.
func (r *reader) bytes(n uint32) []byte {
	if uint64(n) > uint64(len(r.b)-r.i) {
		r.fail(errTruncated)
		return nil
	}
	b := r.b[r.i : r.i+int(n)]
	r.i += int(n)
	return b
}

// u32 reads an unsigned LEB128 of at most 32 bits.
func (r *reader) u32() uint32 {
	var x uint32
	for shift := 0; shift < 35; shift += 7 {
		c := r.byte()
		if shift == 28 && c > 0x0f {
			break
		}
		x |= uint32(c&0x7f) << shift
		if c < 0x80 {
			return x
		}
	}
	r.fail(errNumber)
	return 0
}

// skipNumber passes over a LEB128 of either sign and at most 64 bits; the engine checks its width.
func (r *reader) skipNumber() {
	for range 10 {
		if r.byte() < 0x80 {
			return
		}
	}
	r.fail(errNumber)
}

// index reads an index that must be below limit.
func (r *reader) index(what string, limit uint32) uint32 {
	x := r.u32()
	if r.err == nil && x >= limit {
		r.fail(fmt.Errorf("%s %d does not exist", what, x))
	}
	return x
}

// name reads a name. The engine may never see it (custom sections are dropped), so it is checked here.
func (r *reader) name() string {
	b := r.bytes(r.u32())
	if !utf8.Valid(b) {
		r.fail(errors.New("a name is not UTF-8"))
	}
	return string(b)
}
