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

// Formats that are asked for by name inside of Sluice.
const (
	formatLinks  = "links"        // one share link a line
	formatBase64 = "links-base64" // the same in base64: what apps expect of a bare subscription URL
)

// Request is one fetch of a subscription.
type Request struct {
	Format    string // id of a format plugin, "" = links-base64
	Host      string // the request's Host header
	UserAgent string
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
	user, err := s.owner(ctx, subID)
	if err != nil {
		return Reply{}, err
	}
	if r.Format == "" {
		r.Format = formatBase64
	}
	rendered, traffic, err := s.render(ctx, &user, r.Format, r.Host, s.external(ctx, &user))
	if err != nil {
		return Reply{}, err
	}
	s.fetches.note(domain.Fetch{UserID: user.ID, At: s.Clock.Now().UnixMilli(), Agent: cut(r.UserAgent, maxAgent)})
	sum := sha256.Sum256(rendered.Body)
	return Reply{
		Body: rendered.Body, ContentType: rendered.ContentType, ETag: `"` + hex.EncodeToString(sum[:16]) + `"`,
		Headers: append(headers(&user, traffic, rendered, s.current.Load().settings.PublicURL), rendered.Headers...),
	}, nil
}

// owner is the user with that subscription id. One that no user can have is not asked for: not every database takes
// every character.
func (s *Service) owner(ctx context.Context, subID string) (domain.User, error) {
	unknown := domain.NotFound("subscription not found")
	if err := domain.CheckSubID(subID); err != nil {
		return domain.User{}, unknown.Because(err)
	}
	user, err := s.DB.UserBySubID(ctx, subID)
	if domain.CodeOf(err) == domain.CodeNotFound {
		err = unknown.Because(err)
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
	user, err := s.owner(ctx, subID)
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
	left := s.current.Load().fill(req, user, ids, host, s.Loopback)
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

func (s *Service) formats() []string {
	var ids []string
	for _, item := range s.Renderer.Items(wire.KindFormat) {
		ids = append(ids, item.ID)
	}
	return ids
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

// fill puts the endpoints of the user into the request, by inbound id. It returns the tags of the inbounds that no
// client could reach, because no address of them is known.
func (s *snapshot) fill(req *wire.FormatRequest, user *domain.User, inbounds []int64, host string, loopback bool) (left []string) {
	public := s.publicHost(host, loopback)
	for _, id := range inbounds {
		i, ok := s.byInbound[id]
		if !ok {
			continue
		}
		e := s.endpoints[i].Endpoint
		if e.Address = s.endpoints[i].address(public); e.Address == "" {
			left = append(left, e.InboundTag)
			continue
		}
		req.Endpoints = append(req.Endpoints, e)
		req.Accounts = append(req.Accounts, s.endpoints[i].account(user))
	}
	req.Prepared = s.handle(public, inbounds)
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
// list that it has had before, which makes rendering three times as fast. It is never 0, which means "not named".
func (s *snapshot) handle(public string, inbounds []int64) uint64 {
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
	_, _ = h.Write([]byte(public))
	return max(h.Sum64(), 1)
}
