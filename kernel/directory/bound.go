package directory

import (
	"iter"
	"math"
)

// bound is what a number of a user has to be between, both included.
type bound struct {
	sort      Sort // the order by that number
	low, high int64
}

// bounds returns the query's bounds, that of the expiry first, for its list is always there and always right. They are
// narrow enough to leave out the users without such a number, whom the orders put at an end.
func (q *Query) bounds() []bound {
	var bounds []bound
	for _, of := range [...]struct {
		sort        Sort
		least, most int64
		from, to    int64
	}{
		{SortExpiry, math.MinInt64, math.MaxInt64 - 1, q.ExpireFrom, q.ExpireTo},
		{SortQuota, 0, math.MaxInt64, q.QuotaFrom, q.QuotaTo},
		{SortTraffic, math.MinInt64, math.MaxInt64, q.UsedFrom, q.UsedTo},
		{SortOnline, 1, math.MaxInt64, q.OnlineFrom, q.OnlineTo},
	} {
		if of.from == 0 && of.to == 0 {
			continue
		}
		b := bound{of.sort, of.least, of.most}
		if of.from != 0 {
			b.low = max(b.low, of.from)
		}
		if of.to != 0 {
			b.high = min(b.high, of.to)
		}
		bounds = append(bounds, b)
	}
	return bounds
}

// inBounds says whether the slot's user is within all the bounds.
func (d *Directory) inBounds(slot uint32, bounds []bound) bool {
	for _, b := range bounds {
		if key := d.ascending(b.sort, slot); key < b.low || key > b.high {
			return false
		}
	}
	return true
}

// telling is the order that is to tell who is within the query's first bound, when it is answered in the order k; that of
// the ids = none.
func (q *Query) telling(k kind) kind {
	bounds := q.bounds()
	switch {
	case len(bounds) == 0 || bounds[0].sort == SortExpiry || q.scans() || q.named():
		return kind{}
	case k.sort == bounds[0].sort:
		return k
	}
	return kind{sort: bounds[0].sort}
}

// ranged is the part of a list where those are who were within a bound when the list was in order.
type ranged struct {
	span
	d         *Directory
	bound     bound
	low, high int64  // keys of the part
	lags      *order // whose list it is, nil = of one that is always in order
}

// ranged finds those within the bound in the order of the kind, or in that of the ids by the list of the expiries.
func (d *Directory) ranged(k kind, b bound) *ranged {
	r := &ranged{d: d, bound: b, low: b.low, high: b.high, lags: d.order(k)}
	if k.down {
		r.low, r.high = ^b.high, ^b.low
	}
	l := &d.byExpiry
	if r.lags != nil {
		l = &r.lags.list
	}
	r.span = l.between(r.low, r.high)
	return r
}

// strays yields the slots that may be within the bound, but are listed elsewhere.
func (r *ranged) strays(yield func(uint32) bool) {
	if r.lags == nil {
		return
	}
	for _, slot := range r.lags.touched {
		if r.d.recs.tag(slot).is(used) && !r.lists(slot) && !yield(slot) {
			return
		}
	}
}

// lists says whether the slot is in the part of the list.
func (r *ranged) lists(slot uint32) bool {
	key := r.lags.keys[slot]
	return r.low <= key && key <= r.high
}

// walk yields the slots in any of the states that are in the part of the list, in its order, and behind them the strays.
func (r *ranged) walk(in state, back bool) iter.Seq[uint32] {
	return func(yield func(uint32) bool) {
		for slot := range r.span.walk(in, 0, back) {
			if !yield(slot) {
				return
			}
		}
		r.strays(yield)
	}
}

// len is how many slots walk yields at most.
func (r *ranged) len(in state) int {
	n := r.span.count(in)
	if r.lags != nil {
		n += len(r.lags.touched)
	}
	return n
}

// count is how many users in any of the states are within the bound.
func (r *ranged) count(in state) int {
	n := r.span.count(in)
	if r.lags == nil {
		return n
	}
	for _, slot := range r.lags.touched {
		t := r.d.recs.tag(slot)
		if !t.is(used) || t.state&in == 0 {
			continue
		}
		if r.lists(slot) {
			n--
		}
		if r.d.inBounds(slot, []bound{r.bound}) {
			n++
		}
	}
	return n
}
