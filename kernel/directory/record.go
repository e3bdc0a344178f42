package directory

import (
	"math"

	"github.com/sluicehq/sluice/kernel/domain"
)

// Record is what the directory knows of a user: a copy, but for Inbounds and Groups. The fields mean what they do in
// domain.User and domain.Traffic; usage is what has been flushed.
type Record struct {
	ID       int64
	Revision int64
	Username string // as given
	SubID    string
	Note     string
	AdminID  int64
	TgID     int64 // 0 = none
	LimitIP  int   // 0 = any number

	Enabled      bool
	HoldSince    *int64        // ms UTC, nil = not on hold
	HoldDuration int64         // ms, 0 when not on hold
	HoldTimeout  *int64        // ms UTC, nil = none
	ExpireAt     *int64        // ms UTC, nil = never
	Quota        *int64        // bytes, nil = none
	Status       domain.Status // as stored
	Renews       bool          // RenewDays or RenewDay is set
	HasNextPlan  bool          // something follows when time or quota are used up
	ResetPolicy  string        // "" = never

	Up, Down  int64 // bytes
	Lifetime  int64 // bytes up and down, ever
	OnlineAt  int64 // ms UTC, 0 = never
	CreatedAt int64 // ms UTC
	UpdatedAt int64 // ms UTC
	DueAt     int64 // ms UTC when something has to be done for the user next, 0 = never

	Inbounds []int64 // ids, ascending; shared with other records and not to be changed
	Groups   []int64 // ids, the first one first; shared too
}

// flags are the facts of a record that are one bit each.
type flags uint16

const (
	used flags = 1 << iota // the slot holds a user
	enabled
	onHold
	expires // expireAt counts
	limited // quota counts
	renews
	hasTgID
	hasNote
	hasNext
)

// record is how a user is kept: no pointers, so that the garbage collector has nothing to follow, and 112 bytes.
type record struct {
	id, revision    int64
	expireAt, quota int64
	usage
	onlineAt int64 // up to here is what a flush touches, 64 bytes: what the processor fetches at once

	createdAt, updatedAt int64
	due                  int64 // 0 = never
	tgID                 int64

	text    ref
	heapAt  uint32 // place in the heap of what is due, if due is not 0
	limitIP int32
}

// tag is what is asked of many users at once, 8 bytes apart from the records: a walk over a million tags is a few
// milliseconds.
type tag struct {
	set    uint32 // of the interner
	flags  flags
	state  state
	status uint8 // of statuses
}

func (t *tag) is(f flags) bool { return t.flags&f != 0 }

// ends says whether there is an expiry that counts: not that of a user on hold.
func (t *tag) ends() bool { return t.flags&(expires|onHold) == expires }

// fill sets all that comes from the user's row alone.
func (r *record) fill(g *tag, u *domain.User, t *domain.Traffic) {
	r.id, r.revision, r.tgID = u.ID, u.Revision, u.TgID
	r.createdAt, r.updatedAt = u.CreatedAt, u.UpdatedAt
	r.usage = usage{t.Up, t.Down, t.LifetimeUp + t.LifetimeDown}
	r.onlineAt = max(r.onlineAt, t.OnlineAt)
	r.limitIP = int32(min(u.LimitIP, math.MaxInt32)) // nobody has as many addresses
	g.status = statusNumber(u.Status)
	g.flags = used
	g.mark(enabled, u.Enabled)
	g.mark(onHold, u.HoldSince != nil)
	g.mark(renews, u.RenewDays > 0 || u.RenewDay > 0)
	g.mark(hasTgID, u.TgID != 0)
	g.mark(hasNote, u.Note != "")
	g.mark(hasNext, u.HasNextPlan)
	r.expireAt = g.optional(expires, u.ExpireAt)
	r.quota = g.optional(limited, u.Quota)
}

func (t *tag) mark(f flags, on bool) {
	if on {
		t.flags |= f
	}
}

// optional returns the number, and notes whether there is one.
func (t *tag) optional(f flags, number *int64) int64 {
	if number == nil {
		return 0
	}
	t.flags |= f
	return *number
}

// statusAt is the status that follows from the slot's facts at now.
func (d *Directory) statusAt(slot uint32, now int64) domain.Status {
	r, t := d.recs.at(slot), d.recs.tag(slot)
	f := domain.Facts{Enabled: t.is(enabled), OnHold: t.is(onHold), Used: r.up + r.down}
	if t.is(expires) {
		f.ExpireAt = &r.expireAt
	}
	if t.is(limited) {
		f.Quota = &r.quota
	}
	return f.StatusAt(now)
}

// statuses number the statuses for the records; 0 is a user that was never looked at.
var statuses = [...]domain.Status{
	"", domain.StatusDisabled, domain.StatusOnHold, domain.StatusExpired, domain.StatusLimited, domain.StatusActive,
}

func statusNumber(s domain.Status) uint8 {
	for i, known := range statuses {
		if s == known {
			return uint8(i)
		}
	}
	return 0
}

// hold is what only the users on hold have.
type hold struct {
	since, duration, timeout int64
	ends                     bool // timeout counts
}

// setHold keeps the user's hold, if it is on one.
func (d *Directory) setHold(slot uint32, u *domain.User) {
	if u.HoldSince == nil {
		delete(d.holds, slot)
		return
	}
	h := hold{since: *u.HoldSince, duration: u.HoldDuration, ends: u.HoldTimeout != nil}
	if h.ends {
		h.timeout = *u.HoldTimeout
	}
	d.holds[slot] = h
}

// copy is the record as callers get it.
func (d *Directory) copy(slot uint32) Record {
	r, t := d.recs.at(slot), d.recs.tag(slot)
	shared := &d.sets.sets[t.set]
	c := Record{
		ID: r.id, Revision: r.revision, AdminID: shared.admin, TgID: r.tgID, LimitIP: int(r.limitIP),
		Enabled: t.is(enabled), ExpireAt: given(t.is(expires), r.expireAt), Quota: given(t.is(limited), r.quota),
		Status: statuses[t.status], Renews: t.is(renews), HasNextPlan: t.is(hasNext), ResetPolicy: shared.policy,
		Up: r.up, Down: r.down, Lifetime: r.lifetime, OnlineAt: r.onlineAt, CreatedAt: r.createdAt, UpdatedAt: r.updatedAt,
		DueAt: r.due, Inbounds: shared.inbounds, Groups: shared.groups,
	}
	c.Username, c.SubID, c.Note = d.text.at(r.text).strings()
	if t.is(onHold) {
		h := d.holds[slot]
		c.HoldSince, c.HoldDuration, c.HoldTimeout = &h.since, h.duration, given(h.ends, h.timeout)
	}
	return c
}

func given(is bool, number int64) *int64 {
	if !is {
		return nil
	}
	return &number
}
