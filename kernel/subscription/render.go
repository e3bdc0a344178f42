package subscription

import (
	"context"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"hash/fnv"
	"slices"
	"strings"

	"go.uber.org/zap"

	"github.com/sluicehq/sluice/kernel/domain"
	"github.com/sluicehq/sluice/kernel/plugin"
	"github.com/sluicehq/sluice/sdk/wire"
)

// Request is one fetch of a subscription.
type Request struct {
	Username  string // of whom the URL names, "" = nobody; anybody else's subscription is not found
	Format    string // id of a format plugin or another name of it, "" = links-base64
	Host      string // the request's Host header
	UserAgent string
	HeadOnly  bool // nobody reads the body: this is not noted as an app's fetch
}

// Reply is a rendered subscription.
type Reply struct {
	Body        []byte
	ContentType string
	ETag        string      // of the body, quoted
	Headers     []wire.Pair // in lower case: usage, profile, and what the plugin set
}

// Subscription renders the subscription with that id. A wrong id and the id of nobody are the same not_found. A user
// who may not connect still gets its links: the core refuses it, and after a renewal the app works at once.
func (s *Service) Subscription(ctx context.Context, subID string, r Request) (Reply, error) {
	user, err := s.Owner(ctx, subID, r.Username)
	if err != nil {
		return Reply{}, err
	}
	rendered, traffic, err := s.render(ctx, &user, s.format(r.Format), r.Host, s.external(ctx, &user))
	if err != nil {
		return Reply{}, err
	}
	if !r.HeadOnly {
		s.fetches.note(domain.Fetch{UserID: user.ID, At: s.Clock.Now().UnixMilli(), Agent: cut(r.UserAgent, maxAgent)})
	}
	sum := sha256.Sum256(rendered.Body)
	return Reply{
		Body: rendered.Body, ContentType: rendered.ContentType, ETag: `"` + hex.EncodeToString(sum[:16]) + `"`,
		Headers: append(headers(&user, traffic, rendered, s.current.Load().settings.PublicURL), rendered.Headers...),
	}, nil
}

// Owner returns the user with that subscription id, who must have that name too, unless it is "". A wrong id, the id of
// nobody and the name of somebody else are the same not_found. An id that no user can have is not asked for: not every
// database takes every character.
func (s *Service) Owner(ctx context.Context, subID, username string) (domain.User, error) {
	unknown := domain.NotFound("subscription not found")
	if err := domain.CheckSubID(subID); err != nil {
		return domain.User{}, unknown.Because(err)
	}
	user, err := s.DB.UserBySubID(ctx, subID)
	switch {
	case domain.CodeOf(err) == domain.CodeNotFound:
		return domain.User{}, unknown.Because(err)
	case err == nil && username != "" && domain.NameKey(username) != user.UsernameKey:
		return domain.User{}, unknown
	}
	return user, err
}

// Links returns the user's share links, one for each endpoint, without external ones, never nil.
func (s *Service) Links(ctx context.Context, user *domain.User, host string) ([]string, error) {
	return s.links(ctx, user, host, nil)
}

func (s *Service) links(ctx context.Context, user *domain.User, host string, external []string) ([]string, error) {
	rendered, _, err := s.render(ctx, user, formatLinks, host, external)
	if err != nil {
		return nil, err
	}
	return slices.DeleteFunc(strings.Split(string(rendered.Body), "\n"), func(l string) bool { return l == "" }), nil
}

// LinksBySubID returns the share links of the user with that subscription id, external ones last, none for the id of
// nobody.
func (s *Service) LinksBySubID(ctx context.Context, subID, host string) ([]string, error) {
	user, err := s.Owner(ctx, subID, "")
	if domain.CodeOf(err) == domain.CodeNotFound {
		return []string{}, nil
	}
	if err != nil {
		return nil, err
	}
	return s.links(ctx, &user, host, s.external(ctx, &user))
}

// external returns what the user gets besides the inbounds. If that is not to be had, the rest of the subscription must
// not suffer.
func (s *Service) external(ctx context.Context, user *domain.User) []string {
	if s.External == nil {
		return nil
	}
	links, err := s.External.Links(ctx, user)
	if err != nil {
		s.Log.Error("external links are left out of a subscription", zap.Int64("user", user.ID), zap.Error(err))
		return nil
	}
	return links
}

// render makes the subscription of the user's endpoints and, after them, the external links.
func (s *Service) render(ctx context.Context, user *domain.User, format, host string, external []string) (plugin.Rendered, domain.Traffic, error) {
	traffic, err := s.Usage.Usage(ctx, user.ID)
	if err != nil {
		return plugin.Rendered{}, traffic, err
	}
	ids, err := s.DB.UserInbounds(ctx, user.ID)
	if err != nil {
		return plugin.Rendered{}, traffic, err
	}
	req := s.request(user, traffic, format)
	snap := s.current.Load()
	v, err := s.viewer(ctx, snap, user, req)
	if err != nil {
		return plugin.Rendered{}, traffic, err
	}
	left := snap.fill(req, v, ids, snap.publicHost(host, s.Loopback))
	addExternal(req, external)
	if len(left) > 0 {
		if len(req.Endpoints) == 0 {
			return plugin.Rendered{}, traffic, errNoAddress
		}
		s.Log.Warn("inbounds without a public address are left out of a subscription", zap.Strings("inbounds", left))
	}
	rendered, err := s.Renderer.Render(ctx, req)
	if errors.Is(err, plugin.ErrNoItem) {
		return rendered, traffic, domain.Invalid("format", "must be one of "+strings.Join(s.formats(), ", ")).Because(err)
	}
	if err != nil {
		s.Log.Error("format plugin failed", zap.String("format", format), zap.Int64("user", user.ID), zap.Error(err))
		return rendered, traffic, domain.Unavailable("the format " + format + " can not be made now, because its plugin failed").Because(err)
	}
	return rendered, traffic, nil
}

func (s *Service) request(user *domain.User, traffic domain.Traffic, format string) *wire.FormatRequest {
	now := s.Clock.Now().UnixMilli()
	req := &wire.FormatRequest{ID: format, Now: now, User: wire.User{
		ID: user.ID, Username: user.Username, SubID: user.SubID, Status: string(user.StatusAt(now, traffic.Used())),
		Up: traffic.Up, Down: traffic.Down, CreatedAt: user.CreatedAt, Note: user.Note, OnlineAt: traffic.OnlineAt,
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

// viewer is the user as hosts see it.
func (s *Service) viewer(ctx context.Context, snap *snapshot, user *domain.User, req *wire.FormatRequest) (viewer, error) {
	v := viewer{user: user, status: domain.Status(req.User.Status), used: req.User.Up + req.User.Down, now: req.Now, zone: snap.zone}
	if !snap.asksOwner {
		return v, nil
	}
	admin, err := s.DB.AdminByID(ctx, user.AdminID)
	v.owner = admin.Username
	return v, err
}

// fill puts the endpoints of the user into the request: first the hosts, by priority and then by id, because that is an
// order that somebody chose; behind them the inbounds that have no enabled host, by id. An inbound all of whose hosts are
// for users of another status gives nothing. It returns the tags of the inbounds that no client could reach, because no
// address of them is known.
func (s *snapshot) fill(req *wire.FormatRequest, v viewer, inbounds []int64, public string) (left []string) {
	add := func(e wire.Endpoint, a wire.Account) {
		if e.Address == "" {
			left = append(left, e.InboundTag)
			return
		}
		req.Endpoints, req.Accounts = append(req.Endpoints, e), append(req.Accounts, a)
	}
	hosts := s.hostsOf(inbounds, v.status)
	for _, h := range hosts {
		add(h.tell(v, public))
	}
	for _, id := range inbounds {
		if i, ok := s.byInbound[id]; ok && len(s.hosts[id]) == 0 {
			e := s.endpoints[i].Endpoint
			e.Address = s.endpoints[i].address(public)
			add(e, s.endpoints[i].account(v.user))
		}
	}
	if !slices.ContainsFunc(hosts, (*host).personal) {
		req.Prepared = s.handle(public, inbounds, hosts)
	}
	return left
}

// hostsOf are those of the inbounds that users of that status are told of, in order.
func (s *snapshot) hostsOf(inbounds []int64, status domain.Status) (hosts []*host) {
	for _, id := range inbounds {
		for _, h := range s.hosts[id] {
			if h.shownTo(status) {
				hosts = append(hosts, h)
			}
		}
	}
	slices.SortFunc(hosts, func(a, b *host) int { return a.place - b.place })
	return hosts
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
