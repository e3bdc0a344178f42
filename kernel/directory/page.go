package directory

import (
	"math"

	"github.com/sluicehq/sluice/kernel/domain"
)

// Sort is an order of users.
type Sort string

// The orders. Ties are in the order of the ids, ascending; only those of SortCreated, SortUpdated and SortOnline follow
// the direction. SortID and SortName are exact; the others may lag five seconds behind the users.
const (
	SortID        Sort = ""          // as the users were made
	SortName      Sort = "name"      // domain.NameKey, by bytes
	SortEnable    Sort = "enable"    // whether the core admits the user, those it does not first
	SortInbounds  Sort = "inbounds"  // number of inbounds
	SortTraffic   Sort = "traffic"   // bytes up and down
	SortRemaining Sort = "remaining" // bytes left of the quota, not less than 0; without quota last
	SortExpiry    Sort = "expiry"    // without expiry, or on hold, last
	SortCreated   Sort = "created"
	SortUpdated   Sort = "updated"
	SortEdited    Sort = "edited" // as SortUpdated, those never changed first
	SortQuota     Sort = "quota"  // bytes of the quota; without quota first
	SortOnline    Sort = "online" // when it was online last
)

// OrderBy is an order in a direction.
type OrderBy struct {
	Sort       Sort
	Descending bool
}

// Query says which users are wanted, in which order. The zero value asks for nobody of all users, for its Limit is 0.
type Query struct {
	Search      string // "" = all; a substring of name, sub id or note, compared in lower case
	SearchNames bool   // not of the sub id

	Buckets  Bucket          // in any of these, 0 = all
	Online   []int64         // ids of who is online now, for the bucket Online
	Statuses []domain.Status // of any of these by the facts; nil = all, empty but not nil matches nobody

	IDs   []int64  // one of these users; nil = all, empty but not nil matches nobody
	Names []string // of one of these names, in any spelling of the same domain.NameKey; nil and empty as for IDs

	Inbounds  [][]int64 // attached to at least one inbound of each list; an empty inner list matches nobody
	Groups    []int64   // the first group is one of these; nil = all, empty but not nil matches nobody
	AnyGroups []int64   // a member of at least one of these; nil and empty as for Groups
	Admins    []int64   // the owner is one of these; nil and empty as for Groups
	Policies  []string  // the reset policy is one of these, "" = never; nil and empty as for Groups
	HasQuota  *bool     // nil = either
	Expires   *bool     // has an expiry that counts: not on hold; nil = either

	ExpireFrom, ExpireTo int64 // ms UTC, both included, 0 = open; users without expiry do not match a bound
	QuotaFrom, QuotaTo   int64 // bytes, both included, 0 = open; users without quota do not match a bound
	UsedFrom, UsedTo     int64 // bytes, both included, 0 = open
	OnlineFrom, OnlineTo int64 // ms UTC of the last byte, both included, 0 = open; users without one do not match a bound

	Renews, HasTgID, HasNote *bool // nil = either

	Sort          Sort // an unknown one is SortID
	Descending    bool
	Order         []OrderBy // what to order by first, second and so on, instead of Sort and Descending; none = as they say
	Offset, Limit int       // users to leave out, and users wanted at most
}

// Page is a part of the users that a query matches.
type Page struct {
	IDs      []int64 // never nil
	Filtered int     // users that match
}

// Page returns the users that match at now (ms UTC), in order. It costs about the same with any number of users; DESIGN.md
// says which questions look at all of them.
func (d *Directory) Page(now int64, q Query) Page {
	q.simplify()
	k, back := kindOf(&q)
	tells := q.telling(k)
	var found *scan
	if q.scans() {
		found = d.scan(&q)
		defer d.endScan(found)
	}
	l := d.view(now, k, tells)
	defer d.mu.RUnlock()
	s := d.sieve(&q, found, tells)
	offset := max(0, q.Offset)
	p := Page{IDs: []int64{}, Filtered: s.count()}
	limit := min(q.Limit, p.Filtered-offset)
	if limit <= 0 {
		return p
	}
	var slots []uint32
	if q.Order != nil {
		slots = s.ordered(q.Order, offset, limit, p.Filtered)
	} else {
		slots = s.pick(l, k, back, offset, limit, p.Filtered)
	}
	p.IDs = make([]int64, len(slots))
	for i, slot := range slots {
		p.IDs[i] = d.recs.at(slot).id
	}
	return p
}

// MatchingIDs returns the ids of all users that match at now (ms UTC), ascending, whatever the query's order and limit;
// never nil.
func (d *Directory) MatchingIDs(now int64, q Query) []int64 {
	q.Sort, q.Descending, q.Order = SortID, false, nil
	q.Offset, q.Limit = 0, math.MaxInt
	return d.Page(now, q).IDs
}
