package directory

import (
	"bytes"
	"encoding/binary"
	"iter"

	"github.com/sluicehq/sluice/kernel/domain"
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

// entry is the strings of a user: the slot of its record in 4 bytes, 0 = released, then six texts, each after its length:
// the username, its key, the sub id, the note, and the latter two in the form of a key, in which they are searched. A form
// that is the same as the text is left empty.
type entry []byte

const (
	slotSize = 4
	texts    = 6
)

func appendEntry(b []byte, slot uint32, name, key, sub, note string) entry {
	b = binary.LittleEndian.AppendUint32(b, slot)
	for _, s := range [texts]string{name, unless(name, key), sub, note, unless(sub, form(sub)), unless(note, form(note))} {
		b = binary.AppendUvarint(b, uint64(len(s)))
		b = append(b, s...)
	}
	return b
}

// form is the form in which texts are searched.
func form(s string) string { return domain.NameKey(s) }

// unless returns the other, "" if it is the same as the text.
func unless(text, other string) string {
	if text == other {
		return ""
	}
	return other
}

func (e entry) slot() uint32 { return binary.LittleEndian.Uint32(e) }

// after returns where the string starts and ends whose length is written at the offset.
func (e entry) after(offset int) (from, to int) {
	if size := int(e[offset]); size < 0x80 { // as nearly all
		return offset + 1, offset + 1 + size
	}
	size, n := binary.Uvarint(e[offset:])
	return offset + n, offset + n + int(size)
}

// size is the length of the entry, which may be followed by others.
func (e entry) size() int {
	to := slotSize
	for range texts {
		_, to = e.after(to)
	}
	return to
}

// key is the username in the form in which names are compared.
func (e entry) key() []byte {
	from, to := e.after(slotSize)
	keyFrom, keyTo := e.after(to)
	if keyFrom < keyTo {
		from, to = keyFrom, keyTo
	}
	return e[from:to]
}

func (e entry) sub() []byte {
	_, to := e.after(slotSize)
	_, to = e.after(to)
	from, to := e.after(to)
	return e[from:to]
}

// strings are copies of the username, the sub id and the note; they share one allocation.
func (e entry) strings() (name, sub, note string) {
	f := e.fields()
	all := string(e[:f[3][1]])
	return all[f[0][0]:f[0][1]], all[f[2][0]:f[2][1]], all[f[3][0]:f[3][1]]
}

// fields are where the texts of an entry start and end.
type fields [texts][2]int

func (e entry) fields() (f fields) {
	to := slotSize
	for i := range f {
		f[i][0], f[i][1] = e.after(to)
		to = f[i][1]
	}
	return f
}

// end is the size of the entry.
func (f *fields) end() int { return f[texts-1][1] }

// contains says whether one of the texts, in the form in which they are searched, has the needle in it.
func (e entry) contains(f *fields, needle []byte) bool {
	for _, pair := range [...][2]int{{0, 1}, {2, 4}, {3, 5}} { // a text, and its form if that differs
		at := f[pair[1]]
		if at[0] == at[1] {
			at = f[pair[0]]
		}
		if bytes.Contains(e[at[0]:at[1]], needle) {
			return true
		}
	}
	return false
}
