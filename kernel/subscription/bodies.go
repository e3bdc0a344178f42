package subscription

import (
	"math"
	"slices"
	"sync"
	"unsafe"

	"github.com/hashicorp/golang-lru/v2/simplelru"

	"github.com/sluicehq/sluice/kernel/domain"
	"github.com/sluicehq/sluice/kernel/plugin"
)

// keepBytes is how much memory bodies may take by default: those of 20,000 users with 15 links each.
const keepBytes = 64 << 20

// place is where a body is kept: a user has one for each format and each address that it reaches the server by. Two that
// differ in anything else never stand side by side, the newer takes the place of the older.
type place struct {
	user         int64
	format       string
	public, base string // of the address
}

// facts are everything else that a body was made of. It is good as long as they are the same. Source: decisions.md §4.
type facts struct {
	revision int64         // of the user: its row, and its external links
	inbounds []int64       // that it may use: those of a group change without the user
	status   domain.Status // hosts and remarks tell it
	snapshot uint64        // inbounds, hosts, settings
	plugins  uint64        // their settings, their switches
	maker    string        // SHA-256 of the plugin
}

func (f *facts) same(o *facts) bool {
	return f.revision == o.revision && f.status == o.status && f.snapshot == o.snapshot && f.plugins == o.plugins &&
		f.maker == o.maker && slices.Equal(f.inbounds, o.inbounds)
}

// body is a rendered subscription. It is never changed.
type body struct {
	facts
	plugin.Rendered
	etag    string
	outside bool   // what its external links stand for changes without a commit: they are asked for every time
	links   uint64 // hash of them
}

// entryCost is about what a kept body takes besides its own bytes.
const entryCost = int(unsafe.Sizeof(body{})+unsafe.Sizeof(place{})) + 300 // entry of the list, of the map, small strings

func (b *body) size(at *place) int {
	n := entryCost + len(b.Body) + len(at.public) + len(at.base) + 8*len(b.inbounds)
	for _, h := range b.Headers {
		n += len(h.Name) + len(h.Value) + int(unsafe.Sizeof(h))
	}
	return n
}

// bodies keeps what was rendered, up to a number of bytes; what was not asked for the longest goes first.
type bodies struct {
	mu    sync.Mutex
	limit int
	used  int
	list  *simplelru.LRU[place, *body]
}

func newBodies(limit int) bodies {
	if limit == 0 {
		limit = keepBytes
	}
	list, err := simplelru.NewLRU[place, *body](math.MaxInt, nil) // bytes bound it, not a number
	if err != nil {                                               // of a number that is not positive
		panic(err)
	}
	return bodies{limit: limit, list: list}
}

// get returns the body that is kept there if it was made of the same, else nil.
func (c *bodies) get(at place, of *facts) *body {
	c.mu.Lock()
	defer c.mu.Unlock()
	if kept, ok := c.list.Get(at); ok && kept.same(of) {
		return kept
	}
	return nil
}

// put keeps a body. One that would take the place of very many others is not kept.
func (c *bodies) put(at place, b *body) {
	size := b.size(&at)
	if size > c.limit/16 {
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if old, ok := c.list.Peek(at); ok {
		c.used -= old.size(&at)
	}
	c.list.Add(at, b)
	for c.used += size; c.used > c.limit; {
		oldest, gone, _ := c.list.RemoveOldest()
		c.used -= gone.size(&oldest)
	}
}
