package directory

import "unsafe"

// What an entry of a map costs in bytes, on average over how full a map may be: the key, the value and a byte of
// control, of which two thirds are in use.
const (
	indexEntry = 14
	holdEntry  = 63
	ruledEntry = 38
)

// Memory is what the directory holds.
type Memory struct {
	Users int
	Bytes int64 // about: what maps take can only be estimated
}

// Memory returns what the directory holds now.
func (d *Directory) Memory() Memory {
	d.mu.RLock()
	defer d.mu.RUnlock()
	bytes := (len(d.recs.chunks)+len(d.recs.tags))*(32<<10) +
		d.ids.own*int(unsafe.Sizeof(page{})) +
		4*(cap(d.due.items)+cap(d.recs.vacant)) +
		indexEntry*(len(d.name.slots)+len(d.sub.slots)) +
		holdEntry*len(d.holds) + ruledEntry*len(d.ruled)
	add := func(l *list) bool {
		bytes += len(l.chunks)*4*chunkSlots + cap(l.chunks)*int(unsafe.Sizeof(chunk{}))
		return true
	}
	d.lists(add)
	add(&d.byExpiry)
	for _, o := range d.orders {
		if o.waiting { // its builder writes to it
			continue
		}
		bytes += 8*cap(o.keys) + 4*cap(o.touched) + 8*(cap(o.marked)+cap(o.changed))
	}
	return Memory{Users: d.recs.len(), Bytes: int64(bytes) + d.text.bytes}
}
