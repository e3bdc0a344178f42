package directory

import (
	"iter"
	"math"
)

// span is a part of a list: from a place in a chunk to before another one.
type span struct {
	l          *list
	fromAt, at int // chunks
	from, to   int // places in them
}

// whole is all of the list.
func (l *list) whole() span { return span{l: l, at: len(l.chunks)} }

// walk yields the slots in any of the states without the first skip of them, from the front or from the back.
func (l *list) walk(in state, skip int, back bool) iter.Seq[uint32] {
	return l.whole().walk(in, skip, back)
}

// between is where the keys are from low to high, both included.
func (l *list) between(low, high int64) span {
	s := span{l: l}
	if low > high {
		return s
	}
	s.fromAt, s.from = l.seek(low)
	if s.at = len(l.chunks); high < math.MaxInt64 {
		s.at, s.to = l.seek(high + 1)
	}
	return s
}

// chunks is how many chunks the span has a part of, which may be none of a chunk.
func (s *span) chunks() int {
	n := s.at - s.fromAt
	if s.to > 0 {
		n++
	}
	return n
}

// part is the span's part of its n-th chunk.
func (s *span) part(n int) (c *chunk, slots []uint32) {
	at, from := s.fromAt+n, 0
	c = &s.l.chunks[at]
	to := c.len
	if at == s.fromAt {
		from = s.from
	}
	if at == s.at {
		to = s.to
	}
	return c, c.slots[from:to]
}

// count is how many slots are in any of the states.
func (s *span) count(in state) int {
	n := 0
	for i := range s.chunks() {
		c, slots := s.part(i)
		if len(slots) == c.len {
			n += c.counts.in(in)
			continue
		}
		for _, slot := range slots {
			if s.l.state(slot)&in != 0 {
				n++
			}
		}
	}
	return n
}

// walk yields the slots in any of the states without the first skip of them, from the front or from the back.
func (s span) walk(in state, skip int, back bool) iter.Seq[uint32] {
	return func(yield func(uint32) bool) {
		for i, n := 0, s.chunks(); i < n; i++ {
			c, slots := s.part(turned(back, i, n))
			if len(slots) == c.len {
				if n := c.counts.in(in); n <= skip {
					skip -= n
					continue
				}
			}
			for j := range slots {
				slot := slots[turned(back, j, len(slots))]
				if s.l.state(slot)&in == 0 {
					continue
				}
				if skip > 0 {
					skip--
					continue
				}
				if !yield(slot) {
					return
				}
			}
		}
	}
}

// turned is the i-th of n, counted from the back if so.
func turned(back bool, i, n int) int {
	if back {
		return n - 1 - i
	}
	return i
}
