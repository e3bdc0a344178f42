package directory

import (
	"encoding/binary"
	"iter"
)

// chunkText is the size of a chunk of text in bytes. Freeing one means to look at some hundred users.
const chunkText = 16 << 10

// ref is where an entry is.
type ref struct{ chunk, offset uint32 }

// arena holds the strings of the records, an entry for each user, in chunks that are written from front to back. What is
// released stays where it is, until less than half of its chunk lives: then the rest is to be moved, and the chunk freed.
// So at most about half of the arena is waste, and no change has to wait for more than a chunk to be moved.
type arena struct {
	chunks  []textChunk
	current uint32   // the chunk that is written to
	vacant  []uint32 // numbers of freed chunks
	thin    []uint32 // numbers of chunks that may be worth freeing
	bytes   int64    // allocated
}

// textChunk is a part of the arena. A large entry has one of its own.
type textChunk struct {
	data []byte
	live int // bytes that are not released
}

// thin says whether less than half of the chunk lives.
func (c *textChunk) thin() bool { return c.live*2 < cap(c.data) }

// at is the entry there. It is valid until the next add.
func (a *arena) at(r ref) entry {
	e := entry(a.chunks[r.chunk].data[r.offset:])
	return e[:e.size()]
}

// add stores a copy of the entry.
func (a *arena) add(e entry) ref {
	if len(a.chunks) == 0 || cap(a.chunks[a.current].data)-len(a.chunks[a.current].data) < len(e) {
		a.grow(len(e))
	}
	c := &a.chunks[a.current]
	at := ref{a.current, uint32(len(c.data))}
	c.data = append(c.data, e...)
	c.live += len(e)
	return at
}

// grow goes on to a new chunk, in which size bytes fit.
func (a *arena) grow(size int) {
	if len(a.chunks) > 0 && a.chunks[a.current].thin() {
		a.thin = append(a.thin, a.current)
	}
	c := textChunk{data: make([]byte, 0, max(size, chunkText))}
	a.bytes += int64(cap(c.data))
	if n := len(a.vacant); n > 0 {
		a.current, a.vacant = a.vacant[n-1], a.vacant[:n-1]
		a.chunks[a.current] = c
		return
	}
	a.current = uint32(len(a.chunks))
	a.chunks = append(a.chunks, c)
}

// release gives up the entry there. That its slot is 0 from then on says so to who comes by.
func (a *arena) release(r ref) {
	c, e := &a.chunks[r.chunk], a.at(r)
	binary.LittleEndian.PutUint32(e, 0)
	c.live -= len(e)
	if r.chunk != a.current && c.thin() {
		a.thin = append(a.thin, r.chunk)
	}
}

// thinnest returns a chunk that is to be freed, as soon as its entries have been moved; false if there is none.
func (a *arena) thinnest() (chunk uint32, ok bool) {
	n := len(a.thin)
	if n == 0 {
		return 0, false
	}
	chunk, a.thin = a.thin[n-1], a.thin[:n-1]
	return chunk, true
}

// free gives up the chunk with what is left in it.
func (a *arena) free(chunk uint32) {
	a.bytes -= int64(cap(a.chunks[chunk].data))
	a.chunks[chunk] = textChunk{}
	a.vacant = append(a.vacant, chunk)
}

// entries gives the entries of the chunk that live.
func (a *arena) entries(chunk uint32) iter.Seq[entry] {
	data := a.chunks[chunk].data
	return func(yield func(entry) bool) {
		for len(data) > 0 {
			e := entry(data)
			e, data = e[:e.size()], data[e.size():]
			if e.slot() != 0 && !yield(e) {
				return
			}
		}
	}
}
