package subscription

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"hash/maphash"
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
	Format    string // id of a format plugin or another name of it, "" = whatever suits UserAgent and Accept
	Host      string // the request's Host header
	Base      string // scheme and host of the request, such as https://example.com; it counts while no public_url is set
	UserAgent string
	Accept    string // the request's Accept header
	HeadOnly  bool   // nobody reads the body: this is not noted as an app's fetch
}

// Reply is a rendered subscription.
type Reply struct {
	Body        []byte // shared with other replies, not to be changed
	ContentType string
	ETag        string      // of the body, quoted
	Headers     []wire.Pair // in lower case, each name once: usage, profile, and what the plugin set
}

// Subscription renders the subscription with that id. A wrong id and the id of nobody are the same not_found. A user
// who may not connect still gets its links: the core refuses it, and after a renewal the app works at once.
func (s *Service) Subscription(ctx context.Context, subID string, r Request) (Reply, error) {
	h, err := s.holder(ctx, subID, r.Username)
	if err != nil {
		return Reply{}, err
	}
	f := s.newFetch(&h, &r)
	b, err := s.body(ctx, &f)
	if err != nil {
		return Reply{}, err
	}
	if !r.HeadOnly {
		s.fetches.note(domain.Fetch{UserID: h.user.ID, At: s.Clock.Now().UnixMilli(), Agent: cut(r.UserAgent, maxAgent)})
	}
	list, err := s.headers(ctx, &f, b)
	return Reply{Body: b.Body, ContentType: b.ContentType, ETag: b.etag, Headers: list}, err
}

// fetch is one request for a subscription, with everything that decides what it gets. All of it is of one moment, before
// the database is asked.
type fetch struct {
	*holder
	choice
	address
	snap    *snapshot
	formats []plugin.Item
	facts   facts
}

func (s *Service) newFetch(h *holder, r *Request) fetch {
	generation := s.plugins.Load() // before the plugins are asked: what they say may be newer, never older
	snap, formats := s.current.Load(), s.formats()
	f := fetch{holder: h, snap: snap, formats: formats, choice: snap.choose(formats, r), address: snap.address(r.Host, r.Base, s.Loopback)}
	f.facts = facts{
		revision: h.user.Revision, inbounds: h.inbounds, snapshot: snap.number, plugins: generation,
		status: h.user.StatusAt(s.Clock.Now().UnixMilli(), h.traffic.Used()),
	}
	if f.item != nil {
		f.facts.maker = f.item.SHA256
	}
	return f
}

// keeps says whether a body may be kept, as far as that can be known before it is rendered.
func (f *fetch) keeps() bool { return !f.whole && f.item.Cache == wire.CacheRevision }

func (f *fetch) place() place { return place{f.user.ID, f.format, f.public, f.base} }

// body is what was kept of an earlier fetch, or is rendered now.
func (s *Service) body(ctx context.Context, f *fetch) (*body, error) {
	if f.item == nil {
		return nil, noFormat(f.formats)
	}
	var kept *body
	if f.keeps() {
		kept = s.bodies.get(f.place(), &f.facts)
	}
	if kept != nil && !kept.outside {
		return kept, nil
	}
	links, missing := s.external(ctx, &f.user)
	if kept != nil && missing == nil && kept.links == hashOf(links) {
		return kept, nil
	}
	b, keep, err := s.make(ctx, f, links)
	if keep && missing == nil {
		s.keep(ctx, f, b)
	}
	return b, err
}

// make renders a body, and says whether another fetch may have it too.
func (s *Service) make(ctx context.Context, f *fetch, links []string) (b *body, keep bool, err error) {
	user := f.user
	if !f.whole {
		if user, err = s.DB.UserByID(ctx, user.ID); domain.CodeOf(err) == domain.CodeNotFound {
			return nil, false, errUnknown
		} else if err != nil {
			return nil, false, err
		}
	}
	inbounds, err := s.DB.UserInbounds(ctx, user.ID)
	if err != nil {
		return nil, false, err
	}
	d, err := s.draft(ctx, f.snap, &user, f.traffic, inbounds, f.address, extras{status: true, links: links})
	if err != nil {
		return nil, false, err
	}
	rendered, err := s.render(ctx, s.Renderer, f.format, f.formats, d)
	if err != nil {
		return nil, false, err
	}
	sum := sha256.Sum256(rendered.Body)
	b = &body{facts: f.facts, Rendered: rendered, etag: `"` + hex.EncodeToString(sum[:16]) + `"`, links: hashOf(links)}
	// A user that has changed since the directory was asked gets a body of its own time, which nobody else is to have.
	same := user.Revision == f.facts.revision && slices.Equal(inbounds, f.facts.inbounds) && d.User.Status == string(f.facts.status)
	return b, f.keeps() && same && !d.moves && !rendered.Fallback, nil
}

// keep keeps a body for others, unless the plugins have changed while it was made, or the database does not say how long
// the external links are good.
func (s *Service) keep(ctx context.Context, f *fetch, b *body) {
	outside, err := s.outside(ctx, f.user.ID)
	if b.outside = outside; err == nil && s.plugins.Load() == f.facts.plugins {
		s.bodies.put(f.place(), b)
	}
}

// render asks a plugin. A format that is broken fails alone.
func (s *Service) render(ctx context.Context, r Renderer, format string, formats []plugin.Item, d *draft) (plugin.Rendered, error) {
	d.ID = format
	rendered, err := r.Render(ctx, &d.FormatRequest)
	if errors.Is(err, plugin.ErrNoItem) {
		return rendered, noFormat(formats).Because(err)
	}
	if err != nil {
		s.Log.Error("format plugin failed", zap.String("format", format), zap.Int64("user", d.User.ID), zap.Error(err))
		return rendered, domain.Unavailable("the format " + format + " can not be made now, because its plugin failed").Because(err)
	}
	return rendered, nil
}

// external returns what the user gets besides the inbounds. If that is not to be had, the rest of the subscription must
// not suffer: the error is logged, and says only that these are not all links.
func (s *Service) external(ctx context.Context, user *domain.User) ([]string, error) {
	if s.External == nil {
		return nil, nil
	}
	links, err := s.External.Links(ctx, user)
	if err != nil {
		s.Log.Error("external links are left out of a subscription", zap.Int64("user", user.ID), zap.Error(err))
		return nil, err
	}
	return links, nil
}

// outside says whether what the user's external links stand for changes without a commit.
func (s *Service) outside(ctx context.Context, userID int64) (bool, error) {
	if s.External == nil {
		return false, nil
	}
	links, err := s.DB.ExternalLinks(ctx, userID)
	return slices.ContainsFunc(links, func(l domain.ExternalLink) bool {
		return l.Kind == domain.ExternalSubscription || l.ExpireAt != nil
	}), err
}

var seed = maphash.MakeSeed()

func hashOf(links []string) uint64 { return maphash.String(seed, strings.Join(links, "\n")) }
