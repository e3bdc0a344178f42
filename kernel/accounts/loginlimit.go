package accounts

import (
	"crypto/sha256"
	"net/netip"
	"sync"
	"time"

	"github.com/hashicorp/golang-lru/v2/simplelru"

	"github.com/sluicehq/sluice/kernel/domain"
)

const (
	// triesOfAddress may fail at once from one address, triesOfName under one name; one more every minute/tries. A name has
	// more of them, so that no single address can use them up and shut its owner out.
	triesOfAddress, triesOfName = 10, 30

	// maxTried bounds the memory: about 5 MB for addresses, and for names. It is more than can be hashed in the minute in
	// which an entry comes to mean nothing, so that flooding it with others sets nobody free.
	maxTried = 16_384
)

// loginLimits counts the logins that failed, by address and by name.
type loginLimits struct {
	mu        sync.Mutex
	addresses tries
	names     tries
}

func newLoginLimits() loginLimits {
	return loginLimits{addresses: newTries(triesOfAddress), names: newTries(triesOfName)}
}

// attempt is a login that was counted.
type attempt struct{ address, name tried }

// take counts a login, or says how long to wait for the next and counts nothing.
func (l *loginLimits) take(now time.Time, from, username string) (a attempt, wait time.Duration) {
	a = attempt{triedOf(network(from)), triedOf(domain.NameKey(username))}
	l.mu.Lock()
	defer l.mu.Unlock()
	if wait = max(l.addresses.wait(now, a.address), l.names.wait(now, a.name)); wait == 0 {
		l.addresses.add(now, a.address)
		l.names.add(now, a.name)
	}
	return a, wait
}

// giveBack makes an attempt not count.
func (l *loginLimits) giveBack(a attempt) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.addresses.remove(a.address)
	l.names.remove(a.name)
}

// network is what one caller has of addresses: of IPv6 it is a /64.
func network(from string) string {
	addr, err := netip.ParseAddr(from)
	if err != nil {
		return from
	}
	addr = addr.Unmap()
	if addr.Is4() {
		return addr.String()
	}
	prefix, _ := addr.Prefix(64) // 64 bits are always there
	return prefix.String()
}

// tried is whom tries are counted for; its size does not depend on what a caller sends.
type tried [sha256.Size]byte

func triedOf(whom string) tried { return sha256.Sum256([]byte(whom)) }

// tries are leaky buckets. What is stored is the moment at which all tries of a bucket have leaked out, which may be past:
// it is the same as none.
type tries struct {
	every   time.Duration // one leaks out
	burst   int           // room
	emptyAt *simplelru.LRU[tried, time.Time]
}

func newTries(perMinute int) tries {
	lru, err := simplelru.NewLRU[tried, time.Time](maxTried, nil)
	if err != nil {
		panic(err) // the size is positive
	}
	return tries{time.Minute / time.Duration(perMinute), perMinute, lru}
}

// wait is how long it takes until there is room for one more, 0 = there is.
func (t tries) wait(now time.Time, whom tried) time.Duration {
	emptyAt, _ := t.emptyAt.Peek(whom)
	room := time.Duration(t.burst-1) * t.every
	return max(0, emptyAt.Sub(now.Add(room)))
}

func (t tries) add(now time.Time, whom tried) {
	emptyAt, _ := t.emptyAt.Peek(whom)
	if emptyAt.Before(now) {
		emptyAt = now
	}
	t.emptyAt.Add(whom, emptyAt.Add(t.every))
}

func (t tries) remove(whom tried) {
	if emptyAt, there := t.emptyAt.Peek(whom); there {
		t.emptyAt.Add(whom, emptyAt.Add(-t.every))
	}
}
