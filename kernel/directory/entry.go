package directory

import (
	"bytes"
	"encoding/binary"
	"slices"

	"github.com/sluicehq/sluice/kernel/domain"
)

// entry is the strings of a user: the slot of its record in 4 bytes, 0 = released, the length of the rest, and texts, each
// after its length. First come the forms in which the username, the sub id and the note are searched, then the three as
// they were given. A text that is the same as its form is left empty, and what is empty at the end is left out. So a search
// goes from entry to entry by their lengths, and to the username, where it mostly finds what it looks for, by one more.
type entry []byte

const (
	slotSize = 4
	forms    = 3 // texts that are searched; as many may follow
)

// makeEntry writes an entry over b.
func makeEntry(b []byte, slot uint32, name, key, sub, note string) entry {
	texts := [2 * forms]string{key, form(sub), form(note), name, sub, note}
	n := forms
	for i := range forms {
		if texts[forms+i] == texts[i] {
			texts[forms+i] = ""
		} else {
			n = forms + i + 1
		}
	}
	b = binary.LittleEndian.AppendUint32(b[:0], slot)
	for _, s := range texts[:n] {
		b = binary.AppendUvarint(b, uint64(len(s)))
		b = append(b, s...)
	}
	var size [binary.MaxVarintLen64]byte
	return slices.Insert(b, slotSize, binary.AppendUvarint(size[:0], uint64(len(b)-slotSize))...)
}

// form is the form in which texts are searched.
func form(s string) string { return domain.NameKey(s) }

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
	_, to := e.after(slotSize)
	return to
}

// fields are where the texts of an entry start and end.
type fields [2 * forms][2]int

func (e entry) fields() (f fields) {
	to, _ := e.after(slotSize)
	for i := range f {
		if to == len(e) {
			break
		}
		f[i][0], f[i][1] = e.after(to)
		to = f[i][1]
	}
	return f
}

// given is where the n-th text is as it was given.
func (f *fields) given(n int) (from, to int) {
	if f[forms+n][0] == f[forms+n][1] {
		return f[n][0], f[n][1]
	}
	return f[forms+n][0], f[forms+n][1]
}

// key is the username in the form in which names are compared.
func (e entry) key() []byte {
	from, _ := e.after(slotSize)
	from, to := e.after(from)
	return e[from:to]
}

func (e entry) name() []byte { return e.given(0) }
func (e entry) sub() []byte  { return e.given(1) }

func (e entry) given(n int) []byte {
	f := e.fields()
	from, to := f.given(n)
	return e[from:to]
}

// strings are copies of the username, the sub id and the note; they share one allocation.
func (e entry) strings() (name, sub, note string) {
	f := e.fields()
	all := string(e)
	for n, s := range [forms]*string{&name, &sub, &note} {
		from, to := f.given(n)
		*s = all[from:to]
	}
	return name, sub, note
}

// contains says whether one of the forms has the needle in it. The needle is known to be in the entry at the offset hit, and
// not before: where that is within a form, nothing has to be compared. With 0 all forms are. Without sub, the one of the sub
// id does not count.
func (e entry) contains(needle []byte, hit int, sub bool) bool {
	to, _ := e.after(slotSize)
	for n := range forms {
		var from int
		from, to = e.after(to)
		if n == 1 && !sub {
			continue
		}
		if hit < from && bytes.Contains(e[from:to], needle) || hit >= from && hit+len(needle) <= to {
			return true
		}
	}
	return false
}
