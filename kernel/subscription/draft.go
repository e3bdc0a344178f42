package subscription

import (
	"context"
	"encoding/binary"
	"hash/fnv"
	"slices"

	"go.uber.org/zap"

	"github.com/sluicehq/sluice/kernel/domain"
	"github.com/sluicehq/sluice/sdk/wire"
)

// address is how a client has reached this server.
type address struct {
	public string // host for links of inbounds that name none, "" = none is known
	base   string // what stands in front of /sub, "" = not known
}

// address decides what of a request may stand in its answer. The request's own base counts only with its own host.
func (s *snapshot) address(host, base string, loopback bool) address {
	a := address{public: s.publicHost(host, loopback)}
	switch {
	case s.settings.PublicURL != "":
		a.base = s.settings.PublicURL
	case a.public != "" && a.public == bareHost(host):
		a.base = base
	}
	return a
}

// draft is a request for a format plugin, and what else is known of it.
type draft struct {
	wire.FormatRequest
	moves bool // something in it changes without a commit
}

// extras are what only those get who have the subscription's id.
type extras struct {
	status bool     // the entry that says why the user may not connect
	links  []string // external ones
}

// draft writes what the user is told of: hosts and inbounds, in front of them its status, behind them external links.
func (s *Service) draft(ctx context.Context, snap *snapshot, user *domain.User, t domain.Traffic, inbounds []int64, at address, more extras) (*draft, error) {
	v, err := s.viewer(ctx, snap, user, t)
	if err != nil {
		return nil, err
	}
	d := &draft{FormatRequest: newRequest(user, t, &v), moves: snap.title.moves()}
	d.Title, d.SupportURL = snap.title.tell(&v), snap.settings.SupportURL
	if at.base != "" {
		d.URL = urlOf(at.base, user)
	}
	left := snap.fill(d, v, inbounds, at.public)
	addExternal(&d.FormatRequest, more.links)
	if len(left) > 0 {
		if len(d.Endpoints) == 0 {
			return nil, errNoAddress
		}
		s.Log.Warn("inbounds without a public address are left out of a subscription", zap.Strings("inbounds", left))
	}
	if more.status && snap.settings.StatusEntry {
		addStatus(&d.FormatRequest, &v)
	}
	return d, nil
}

// newRequest is the user's part of a request.
func newRequest(user *domain.User, t domain.Traffic, v *viewer) wire.FormatRequest {
	req := wire.FormatRequest{Now: v.now, User: wire.User{
		ID: user.ID, Username: user.Username, SubID: user.SubID, Status: string(v.status),
		Up: t.Up, Down: t.Down, CreatedAt: user.CreatedAt, Note: user.Note, OnlineAt: t.OnlineAt,
	}}
	if user.Quota != nil {
		req.User.HasQuota, req.User.Quota = true, *user.Quota
	}
	if user.ExpireAt != nil {
		req.User.ExpireAt = *user.ExpireAt
	}
	if user.NextResetAt != nil {
		req.User.NextResetAt = *user.NextResetAt
	}
	return req
}

// viewer is the user as texts see it.
func (s *Service) viewer(ctx context.Context, snap *snapshot, user *domain.User, t domain.Traffic) (viewer, error) {
	now := s.Clock.Now().UnixMilli()
	v := viewer{user: user, status: user.StatusAt(now, t.Used()), used: t.Used(), now: now, zone: snap.zone}
	if !snap.asksOwner {
		return v, nil
	}
	if name, known := s.owners.Load(user.AdminID); known {
		v.owner = name.(string)
		return v, nil
	}
	admin, err := s.DB.AdminByID(ctx, user.AdminID)
	if err == nil {
		s.owners.Store(admin.ID, admin.Username)
	}
	v.owner = admin.Username
	return v, err
}

// fill puts the endpoints of the user into the request: first the hosts, by priority and then by id, because that is an
// order that somebody chose; behind them the inbounds that have no enabled host, by id. An inbound all of whose hosts are
// for users of another status gives nothing. It returns the tags of the inbounds that no client could reach, because no
// address of them is known.
func (s *snapshot) fill(d *draft, v viewer, inbounds []int64, public string) (left []string) {
	add := func(e wire.Endpoint, a wire.Account, moves bool) {
		if e.Address == "" {
			left = append(left, e.InboundTag)
			return
		}
		d.Endpoints, d.Accounts = append(d.Endpoints, e), append(d.Accounts, a)
		d.moves = d.moves || moves
	}
	hosts := s.hostsOf(inbounds, v.status)
	for _, h := range hosts {
		e, a := h.tell(v, public)
		add(e, a, h.moves)
	}
	for _, id := range inbounds {
		if i, ok := s.byInbound[id]; ok && len(s.hosts[id]) == 0 {
			door := &s.endpoints[i]
			e := door.Endpoint
			e.Address = door.address(public)
			v.door, v.address = door, e.Address
			add(e, door.account(&v), door.remark.moves())
		}
	}
	if !slices.ContainsFunc(hosts, (*host).personal) {
		d.Prepared = s.handle(public, inbounds, hosts)
	}
	return left
}

// addExternal puts the links behind the endpoints. Few users share a list with them, so it is not named: plugins keep the
// lists that many share, and these would push them out.
func addExternal(req *wire.FormatRequest, links []string) {
	for _, link := range links {
		req.Endpoints = append(req.Endpoints, wire.Endpoint{RawURI: link})
		req.Accounts = append(req.Accounts, wire.Account{})
	}
	if len(links) > 0 {
		req.Prepared = 0
	}
}

// handle is a number for exactly the endpoints that fill makes of these: by it a format plugin that prepares knows a
// list that it has had before, which makes rendering three times as fast. It is never 0, which means "not named". Hosts
// that tell users different things have none: their lists would push out those that many share.
func (s *snapshot) handle(public string, inbounds []int64, hosts []*host) uint64 {
	h := fnv.New64a()
	var word [8]byte
	put := func(n uint64) {
		binary.LittleEndian.PutUint64(word[:], n)
		_, _ = h.Write(word[:]) // never fails
	}
	put(s.number)
	for _, id := range inbounds {
		put(uint64(id))
	}
	for _, host := range hosts { // those of one inbound may differ by the user's status
		put(^uint64(host.ID)) // no inbound's id
	}
	_, _ = h.Write([]byte(public))
	return max(h.Sum64(), 1)
}
