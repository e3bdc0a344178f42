// Package directory keeps a small record of every user in memory, so that finding one, or what is due next, costs the
// same with a thousand users as with a million. DESIGN.md says how it is laid out.
package directory

import (
	"hash/maphash"
	"math"
	"slices"
	"sync"

	"github.com/sluicehq/sluice/kernel/domain"
)

// batch is how many users are looked at or changed before the lock is given to others: some tens of microseconds.
const batch = pageSize

// Directory is the record of every user. The database is the truth: whoever changes a user there tells the directory
// after the commit. All methods may be called at the same time.
type Directory struct {
	mu   sync.RWMutex
	ids  ids      // id → slot, and which ids are gone
	recs records  // slot → record
	text arena    // the strings of the records
	name index    // domain.NameKey of the username → slot
	sub  index    // sub id → slot
	sets interner // what users share

	holds map[uint32]hold // by slot, of the users on hold

	due           heap[uint32]        // slots of the users with something due, soonest first
	ruled         map[uint32][2]int64 // by slot: due without and with deleteLimited, where they differ
	deleteLimited bool

	entry []byte // where Put composes the strings of a user

	byID, byName list    // every user
	bySet        list    // and by id within a set
	byExpiry     list    // those with an expiry that counts, for who changes the state when time passes
	counts       counts  // of all users
	at           int64   // ms UTC: the moment for which everybody is in a state
	from, until  int64   // ms UTC: so is everybody from here on, and before there
	within       int64   // ms
	bytes        int64   // SetExpiring
	scans        []*scan // that are under way

	sorting sync.Mutex // held while an order is made, and taken before mu
	orders  []*order
}

// New returns an empty directory in which a used up quota does not lead to deletion (SetDeleteLimited).
func New() *Directory {
	seed := maphash.MakeSeed()
	hash := func(s string) uint32 { return uint32(maphash.String(seed, s)) }
	d := &Directory{
		ids:   ids{pages: map[int64]*page{}},
		recs:  newRecords(),
		sets:  newInterner(),
		holds: map[uint32]hold{},
		ruled: map[uint32][2]int64{},
		from:  math.MinInt64, until: math.MaxInt64,
	}
	preset := domain.Settings{}
	d.within, d.bytes = preset.ExpireDiff(), preset.TrafficDiff()
	d.newLists()
	d.name = newIndex(hash, d.nameKey)
	d.sub = newIndex(hash, func(slot uint32) []byte { return d.text.at(d.recs.at(slot).text).sub() })
	d.due = heap[uint32]{
		before: d.sooner,
		moved:  func(slot uint32, at int) { d.recs.at(slot).heapAt = uint32(at) },
	}
	return d
}

// Put takes what a commit made of a user, and says whether it did: a record that is older than the known one, or of a
// user that was removed, changes nothing. One of the same revision is taken, for its usage may be newer. That is why
// Put and Moved have to be called in the order of their commits, or a delta would be counted twice or not at all.
func (d *Directory) Put(a domain.Account) bool {
	u := &a.User
	key := domain.NameKey(u.Username)
	d.mu.Lock()
	defer d.mu.Unlock()
	slot := d.ids.get(u.ID)
	switch {
	case slot == gone:
		return false
	case slot == unknown:
		slot = d.recs.take()
		d.ids.set(u.ID, slot)
	case u.Revision < d.recs.at(slot).revision:
		return false
	}
	d.take(slot, key, &a)
	d.schedule(slot, d.recs.at(slot), u)
	d.squeeze()
	return true
}

// take makes the account the slot's. A known user is taken out of what it is listed by before that changes.
func (d *Directory) take(slot uint32, key string, a *domain.Account) {
	r, t := d.recs.at(slot), d.recs.tag(slot)
	old, moved := *t, r.usage
	known := old.is(used)
	ends := a.User.ExpireAt != nil && a.User.HoldSince == nil
	listed := old.ends() && ends && *a.User.ExpireAt == r.expireAt
	if old.ends() && !listed {
		d.byExpiry.remove(slot)
	}
	set := d.sets.number(shared{
		a.Inbounds, a.Groups, a.User.AdminID, a.User.ResetPolicy, a.User.Quota != nil, ends,
	})
	if known && set != old.set {
		d.bySet.remove(slot)
	}
	r.fill(t, &a.User, &a.Traffic)
	t.set = set
	if !known {
		t.state = d.stateAt(slot, d.at)
		d.counts.add(t.state, 1)
	}
	d.sets.join(t.set, t.state, r.usage)
	if known {
		d.sets.leave(old.set, old.state, moved)
	}
	d.setHold(slot, &a.User)
	d.setText(slot, known, key, &a.User)
	if ends && !listed {
		d.byExpiry.add(slot)
		d.limit(r.expireAt)
	}
	if !known || set != old.set {
		d.bySet.add(slot)
	}
	if known {
		d.move(slot)
		d.touch(slot)
	} else {
		d.enlist(slot)
	}
	d.disturb(slot)
}

// enlist puts a new user into the orders.
func (d *Directory) enlist(slot uint32) {
	d.byID.add(slot)
	for _, o := range d.orders {
		o.put(slot, d.keyOf(o.kind, slot))
	}
}

// Remove forgets the users for good: no later Put brings one back, for ids are not reused. Unknown ids count as removed
// too, since their Put may be late.
func (d *Directory) Remove(ids ...int64) {
	for part := range slices.Chunk(ids, batch) {
		d.removeAll(part)
	}
}

func (d *Directory) removeAll(ids []int64) {
	d.mu.Lock()
	defer d.mu.Unlock()
	for _, id := range ids {
		if slot := d.ids.get(id); slot != unknown && slot != gone {
			d.drop(slot)
		}
		d.ids.remove(id)
		d.squeeze()
	}
}

// drop takes the slot's user out of everything.
func (d *Directory) drop(slot uint32) {
	r, t := d.recs.at(slot), d.recs.tag(slot)
	d.byID.remove(slot)
	d.byName.remove(slot)
	d.bySet.remove(slot)
	if t.ends() {
		d.byExpiry.remove(slot)
	}
	for _, o := range d.orders {
		o.leave(slot)
	}
	d.setDue(slot, r, 0)
	delete(d.ruled, slot)
	delete(d.holds, slot)
	d.counts.add(t.state, -1)
	d.sets.leave(t.set, t.state, r.usage)
	e := d.text.at(r.text)
	d.name.remove(string(e.key()), slot)
	d.sub.remove(string(e.sub()), slot)
	d.text.release(r.text)
	d.recs.release(slot)
	d.disturb(slot)
}

// Moved adds what a flush has stored. Unknown users are ignored. The stored status stays: the commit that follows a used
// up quota brings the new one.
func (d *Directory) Moved(ds []domain.TrafficDelta) {
	for part := range slices.Chunk(ds, batch) {
		d.moveAll(part)
	}
}

func (d *Directory) moveAll(ds []domain.TrafficDelta) {
	d.mu.Lock()
	defer d.mu.Unlock()
	for i := range ds {
		delta := &ds[i]
		slot := d.ids.get(delta.UserID)
		if slot == unknown || slot == gone {
			continue
		}
		r := d.recs.at(slot)
		moved := usage{delta.Up, delta.Down, delta.Up + delta.Down}
		r.add(moved)
		r.onlineAt = max(r.onlineAt, delta.OnlineAt)
		d.sets.sets[d.recs.tag(slot).set].add(moved)
		d.move(slot)
		d.touch(slot)
	}
}

// setText stores the user's strings, and keeps the indexes and the order of the names in step. Most changes of a user
// leave them as they are.
func (d *Directory) setText(slot uint32, known bool, key string, u *domain.User) {
	r := d.recs.at(slot)
	d.entry = makeEntry(d.entry, slot, u.Username, key, u.SubID, u.Note)
	renamed := true
	if known {
		old := d.text.at(r.text)
		if string(old) == string(d.entry) {
			return
		}
		if renamed = string(old.key()) != key; renamed {
			d.byName.remove(slot)
		}
		d.name.remove(string(old.key()), slot)
		d.sub.remove(string(old.sub()), slot)
		d.text.release(r.text)
	}
	r.text = d.text.add(d.entry)
	d.name.set(key, slot)
	d.sub.set(u.SubID, slot)
	if renamed {
		d.byName.add(slot)
	}
}

// squeeze moves what still lives in thinned out chunks of text to where there is room, and frees them. A chunk is small,
// so that this never takes long.
func (d *Directory) squeeze() {
	for {
		chunk, ok := d.text.thinnest()
		if !ok {
			return
		}
		for e := range d.text.entries(chunk) {
			d.recs.at(e.slot()).text = d.text.add(e)
			d.disturb(e.slot())
		}
		d.text.free(chunk)
	}
}
