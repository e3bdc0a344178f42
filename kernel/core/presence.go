package core

import (
	"context"
	"net/netip"
	"slices"
	"time"

	"github.com/xtls/xray-core/common/net"

	"github.com/sluicehq/sluice/kernel/domain"
)

// defaultGrace is how long an address counts against the IP limit after its last connection closed, so that a phone that
// reconnects is not refused, and a limit of 1 is not shared by taking turns.
const defaultGrace = 30 * time.Second

// maxSightings is how many addresses of one user are kept until they are asked for: who has an IPv6 network has more
// addresses than any memory.
const maxSightings = 32

// presence is what is remembered of a user who is or was connected lately: its connections, the addresses that count
// against its limit, and those that are to be stored. It is guarded by the user's lock.
type presence struct {
	conns map[<-chan struct{}]*conn
	addrs []countedAddress
	seen  []sighting

	toldAt int64 // ms UTC at which the log last said that connections were refused, 0 = never
	told   int64 // how many had been by then
}

// conn is one admitted connection.
type conn struct {
	done    <-chan struct{} // of the context it came with: its identity
	cancel  context.CancelFunc
	raw     net.Conn // nil for packets
	inbound int64
	addr    netip.Addr // of the client, invalid when unknown
	splices bool       // the kernel may move its bytes past the counters
}

// countedAddress is an address that counts against the limit.
type countedAddress struct {
	key    netip.Addr
	open   int   // connections
	closed int64 // ms UTC of the last close
}

// sighting is an address that a connection came from.
type sighting struct {
	addr netip.Addr
	at   int64 // ms UTC
}

// empty says whether there is nothing to remember.
func (p *presence) empty() bool {
	return len(p.conns) == 0 && len(p.addrs) == 0 && len(p.seen) == 0 && p.toldAt == 0
}

// close forgets a connection. limited says whether its address goes on to count for a while.
func (p *presence) close(c *conn, now int64, limited bool) {
	delete(p.conns, c.done)
	p.leave(limitKey(c.addr), now, limited)
	p.note(c.addr, now)
}

// enter counts an address in; it fails if that would be one more than the limit (0 = none). grace is in ms.
func (p *presence) enter(key netip.Addr, limit int32, now, grace int64) bool {
	i := p.counted(key)
	if i < 0 && limit > 0 {
		p.expire(now, grace)
		if len(p.addrs) >= int(limit) {
			return false
		}
	}
	if i < 0 {
		p.addrs = append(p.addrs, countedAddress{key: key})
		i = len(p.addrs) - 1
	}
	p.addrs[i].open++
	return true
}

// leave counts an address out. Without a limit nobody asks for past addresses, so they are not kept.
func (p *presence) leave(key netip.Addr, now int64, limited bool) {
	i := p.counted(key)
	if i < 0 {
		return
	}
	p.addrs[i].open--
	p.addrs[i].closed = now
	if p.addrs[i].open == 0 && !limited {
		p.addrs = slices.Delete(p.addrs, i, i+1)
	}
}

// counted finds an address, -1 when it does not count.
func (p *presence) counted(key netip.Addr) int {
	return slices.IndexFunc(p.addrs, func(a countedAddress) bool { return a.key == key })
}

// expire drops what is over: the grace (ms) of addresses, and the silence of the log. What lies in the future is over
// too: the clock was set back since.
func (p *presence) expire(now, grace int64) {
	over := func(at, lasts int64) bool { return at+lasts <= now || at > now }
	if over(p.toldAt, tellEvery.Milliseconds()) {
		p.toldAt = 0
	}
	p.addrs = slices.DeleteFunc(p.addrs, func(a countedAddress) bool { return a.open == 0 && over(a.closed, grace) })
}

// note remembers that a connection came from an address, and forgets the oldest one when there are too many.
func (p *presence) note(a netip.Addr, now int64) {
	if !a.IsValid() {
		return
	}
	p.seen = slices.DeleteFunc(p.seen, func(s sighting) bool { return s.addr == a })
	if len(p.seen) == maxSightings {
		p.seen = slices.Delete(p.seen, 0, 1)
	}
	p.seen = append(p.seen, sighting{a, now})
}

// forget drops what is known of addresses without an open connection.
func (p *presence) forget() {
	p.addrs = slices.DeleteFunc(p.addrs, func(a countedAddress) bool { return a.open == 0 })
	p.seen = nil
}

// sightings returns, and forgets, the addresses that were seen since it was last called, and those that are.
func (p *presence) sightings(user, now int64) []domain.Sighting {
	for _, c := range p.conns {
		p.note(c.addr, now)
	}
	list := make([]domain.Sighting, 0, len(p.seen))
	for _, s := range p.seen {
		list = append(list, domain.Sighting{UserID: user, IP: s.addr.String(), SeenAt: s.at})
	}
	p.seen = nil
	return list
}

// clientAddr is the address a connection came from, invalid when the transport does not tell.
func clientAddr(from net.Destination) netip.Addr {
	if from.Address == nil || !from.Address.Family().IsIP() {
		return netip.Addr{}
	}
	a, _ := netip.AddrFromSlice(from.Address.IP())
	return a.Unmap()
}

// limitKey is what counts as one address: an IPv6 host owns its /64 and may use any address of it.
func limitKey(a netip.Addr) netip.Addr {
	if a.Is6() {
		return netip.PrefixFrom(a.WithZone(""), 64).Masked().Addr()
	}
	return a
}
