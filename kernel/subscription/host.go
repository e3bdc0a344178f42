package subscription

import (
	"slices"

	"github.com/sluicehq/sluice/kernel/domain"
	"github.com/sluicehq/sluice/sdk/wire"
)

// host is what clients are told of an inbound instead of its own endpoint. The core knows nothing of it.
type host struct {
	domain.Host
	place  int           // among all hosts
	door   endpoint      // of the inbound
	told   wire.Endpoint // without an address, and without what each user has of its own
	stream stream        // of the inbound, under the host's security

	remark, path          text
	addresses, sni, names []text
	sameAddress           bool // for all users
	sameStream            bool // for all users: told has it
	moves                 bool // what it tells a user changes without a commit
}

// newHost puts a host in front of the inbound's endpoint.
func newHost(h domain.Host, door endpoint) *host {
	n := &host{
		Host: h, door: door, told: door.Endpoint, stream: door.stream,
		remark: newText(h.Remark), path: newText(h.Path), addresses: newNames(h.Addresses), sni: newNames(h.SNI), names: newNames(h.HostNames),
	}
	if h.Port != 0 {
		n.told.Port = uint32(h.Port)
	}
	n.secure()
	n.moves = n.remark.moves() || n.path.moves() || anyMoves(n.addresses) || anyMoves(n.sni) || anyMoves(n.names)
	n.sameAddress = settled(n.addresses)
	n.sameStream = settled(n.sni) && settled(n.names) && n.path.fixed()
	if n.sameStream {
		n.dress(&n.told, nil)
	}
	return n
}

func newNames(raw []string) []text {
	names := make([]text, len(raw))
	for i, name := range raw {
		names[i] = newName(name)
	}
	return names
}

// secure applies what the host says of the security. TLS in front of an inbound that has none is that of somebody who
// stands between, a CDN: nothing of the inbound's own is told.
func (h *host) secure() {
	sec := &h.told.Security
	if h.Security != "" && h.Security != sec.Kind {
		*sec = wire.Security{Kind: h.Security}
		h.stream.security = h.Security
	}
	if sec.Kind != "none" && h.Fingerprint != "" {
		sec.Fingerprint = h.Fingerprint
	}
	if sec.Kind == "reality" {
		sec.Fingerprint = imitated(sec.Fingerprint)
	}
	if sec.Kind != "tls" {
		return
	}
	if len(h.ALPN) > 0 {
		sec.ALPN = h.ALPN
	}
	if h.AllowInsecure { // not in the streamSettings: the core has given it up and refuses it
		h.told.Params = []wire.Pair{{Name: "allowInsecure", Value: "1"}}
	}
}

// dress writes SNI, host name and path into the endpoint.
func (h *host) dress(e *wire.Endpoint, v *viewer) {
	var l lot
	if v != nil {
		l = v.lot
	}
	s, sec := h.stream, h.told.Security
	sni := choose(h.sni, l.sni, v)
	if sni == "" {
		sni = sec.ServerName
	}
	name := choose(h.names, l.name, v)
	if h.SNIAsHost && sni != "" {
		name = sni
	}
	if sec.Kind != "none" {
		sec.ServerName = sni
	}
	s.redirect(h.path.tell(v), name)
	e.Transport, e.Security, e.StreamSettings = s.wireTransport(), sec, s.clientStream(&sec)
}

// personal says whether two users could be told different endpoints.
func (h *host) personal() bool { return !h.sameAddress || !h.sameStream }

// shownTo says whether users of that status are told of the host.
func (h *host) shownTo(status domain.Status) bool {
	return len(h.Statuses) == 0 || slices.Contains(h.Statuses, status)
}

// tell is the host as the viewer sees it; its Address is "" when none is known.
func (h *host) tell(v viewer, public string) (wire.Endpoint, wire.Account) {
	v.door, v.address, v.lot = &h.door, h.door.address(public), drawLot(v.user.ID, h.ID)
	e, a := h.told, h.door.account(&v)
	e.Address = v.address
	if len(h.addresses) > 0 {
		e.Address = choose(h.addresses, v.lot.address, &v)
	}
	if !h.sameStream {
		h.dress(&e, &v)
	}
	a.Remark = h.remark.tell(&v)
	return e, a
}

// asksOwner says whether the host names the user's admin.
func (h *host) asksOwner() bool {
	return slices.ContainsFunc(slices.Concat([]string{h.Remark, h.Path}, h.Addresses, h.SNI, h.HostNames), namesOwner)
}
