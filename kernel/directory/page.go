package directory

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
	SortOnline    Sort = "online" // when it was online last
)

// Query says which users are wanted, in which order. The zero value asks for nobody of all users, for its Limit is 0.
type Query struct {
	Search  string  // "" = all; a substring of name, sub id or note, compared in lower case
	Buckets Bucket  // in any of these, 0 = all
	Online  []int64 // ids of who is online now, for the bucket Online

	Inbounds [][]int64 // attached to at least one inbound of each list; an empty inner list matches nobody
	Groups   []int64   // the first group is one of these; nil = all, empty but not nil matches nobody

	ExpireFrom, ExpireTo int64 // ms UTC, both included, 0 = open; users without expiry do not match a bound
	UsedFrom, UsedTo     int64 // bytes, both included, 0 = open

	Renews, HasTgID, HasNote *bool // nil = either

	Sort          Sort // an unknown one is SortID
	Descending    bool
	Offset, Limit int // users to leave out, and users wanted at most
}

// Page is a part of the users that a query matches.
type Page struct {
	IDs      []int64 // never nil
	Filtered int     // users that match
}

// Page returns the users that match at now (ms UTC), in order. It costs the same with any number of users, but for
// search, and the filters of numbers and of what a user has: they look at all texts, or at all records.
func (d *Directory) Page(now int64, q Query) Page {
	k, back := kindOf(&q)
	var found *scan
	if q.scans() {
		found = d.scan(&q)
		defer d.endScan(found)
	}
	l := d.view(now, k)
	defer d.mu.RUnlock()
	s := d.sieve(&q, found)
	offset := max(0, q.Offset)
	p := Page{IDs: []int64{}, Filtered: s.count()}
	limit := min(q.Limit, p.Filtered-offset)
	if limit <= 0 {
		return p
	}
	p.IDs = make([]int64, 0, limit)
	for slot := range s.pick(l, back, offset, limit, p.Filtered) {
		p.IDs = append(p.IDs, d.recs.at(slot).id)
		if len(p.IDs) == limit {
			break
		}
	}
	return p
}
