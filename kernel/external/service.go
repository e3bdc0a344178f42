// Package external knows what a user's external links stand for: share links as they are, and those that a provider's
// subscription holds.
package external

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/jonboulle/clockwork"
	"go.uber.org/zap"

	"github.com/sluicehq/sluice/kernel/domain"
)

// Store keeps external links, and what providers answered.
type Store interface {
	// ExternalLinks returns the links of the users, those of each user by position.
	ExternalLinks(ctx context.Context, userIDs ...int64) ([]domain.ExternalLink, error)
	// ExternalContents returns what is known of the URLs; one that was never fetched is absent.
	ExternalContents(ctx context.Context, urls []string) ([]domain.ExternalContent, error)
	// SaveExternalContent stores how a fetch ended. If it failed, the links of the last that did not stay.
	SaveExternalContent(ctx context.Context, c domain.ExternalContent) error
}

// Client fetches what a user named.
type Client interface {
	// Get returns a body of at most limit bytes. The sentence of a domain.Error is shown to operators.
	Get(ctx context.Context, url string, limit int64) ([]byte, error)
}

// Options are the parts that external links stand on.
type Options struct {
	DB     Store
	Client Client
	Clock  clockwork.Clock
	Log    *zap.Logger
}

// Service answers what external links stand for. It is safe for concurrent use.
type Service struct {
	Options

	ctx     context.Context // ends with Close; the fetches outlive the calls that start them
	stop    context.CancelFunc
	running sync.WaitGroup
	slots   chan struct{} // one for each fetch that may talk to a provider
	panics  atomic.Uint64

	mu        sync.Mutex
	providers map[string]*provider // by URL: those that are being fetched, and those whose last fetch failed
	sites     map[string]*site     // by host and port: those that something is being fetched from
}

// New returns the service. Close ends what it does in the background.
func New(o Options) *Service {
	s := &Service{Options: o, slots: make(chan struct{}, maxFetches), providers: map[string]*provider{}, sites: map[string]*site{}}
	s.ctx, s.stop = context.WithCancel(context.Background())
	return s
}

// Close ends the fetches under way and waits for them. From then on only what is known is handed out.
func (s *Service) Close() {
	s.mu.Lock()
	s.stop() // under the lock: no fetch starts after it
	s.mu.Unlock()
	s.running.Wait()
}

// Panics returns how many panics of fetches were caught since the start. Each is a bug.
func (s *Service) Panics() uint64 { return s.panics.Load() }

// budget bounds how long a subscription waits for all of its providers together.
const budget = 2 * time.Second

// maxTotal bounds the links of one user, in bytes: more than a thousand links, which a format plugin renders in a tenth
// of its time. The rest is left out.
const maxTotal = 512 << 10

// Links returns the share links of the user's external links that serve now, in their order and with the names that
// they are given. What a provider's subscription holds is fetched when it is not known well enough. That delays Links by two
// seconds at most; what has not come by then is left out until it is there.
func (s *Service) Links(ctx context.Context, user *domain.User) ([]string, error) {
	all, err := s.DB.ExternalLinks(ctx, user.ID)
	if err != nil {
		return nil, fmt.Errorf("read external links: %w", err)
	}
	now := s.Clock.Now().UnixMilli()
	serving := slices.DeleteFunc(all, func(l domain.ExternalLink) bool { return !l.ServesAt(now) })
	contents, err := s.contents(ctx, serving, now)
	if err != nil {
		return nil, err
	}
	var links []string
	total := 0
	for i := range serving {
		for _, link := range expand(&serving[i], contents) {
			if total += len(link); total > maxTotal {
				return links, nil
			}
			links = append(links, link)
		}
	}
	return links, nil
}

// expand returns the share links that an external link stands for.
func expand(l *domain.ExternalLink, contents map[string][]string) []string {
	if l.Kind != domain.ExternalSubscription {
		if l.Remark == "" {
			return []string{l.Value}
		}
		return []string{rename(l.Value, func(string) string { return l.Remark })}
	}
	links := contents[l.Value]
	if l.NamePrefix == "" {
		return links
	}
	named := make([]string, 0, len(links))
	for _, link := range links {
		named = append(named, rename(link, func(name string) string { return l.NamePrefix + name }))
	}
	return named
}

// contents returns the share links of each URL among the links.
func (s *Service) contents(ctx context.Context, links []domain.ExternalLink, now int64) (map[string][]string, error) {
	known, err := s.known(ctx, links)
	if err != nil {
		return nil, err
	}
	contents := make(map[string][]string, len(known))
	awaited := map[string]*fetch{}
	for url, c := range known {
		contents[url] = c.Links
		if !isDue(&c, now) {
			continue
		}
		if f := s.fetch(url); f != nil && isOld(&c, now) {
			awaited[url] = f
		}
	}
	if len(awaited) == 0 {
		return contents, nil
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	defer s.Clock.AfterFunc(budget, cancel).Stop()
	for url, f := range awaited {
		if fetched := f.wait(ctx); fetched != nil {
			contents[url] = fetched
		}
	}
	return contents, nil
}

// known returns what the database has of each URL among the links, which is nothing but the URL of one that was never
// fetched.
func (s *Service) known(ctx context.Context, links []domain.ExternalLink) (map[string]domain.ExternalContent, error) {
	known := map[string]domain.ExternalContent{}
	var urls []string
	for i := range links {
		url := links[i].Value
		if _, seen := known[url]; seen || links[i].Kind != domain.ExternalSubscription {
			continue
		}
		known[url] = domain.ExternalContent{URL: url}
		urls = append(urls, url)
	}
	if len(urls) == 0 {
		return known, nil
	}
	stored, err := s.DB.ExternalContents(ctx, urls)
	if err != nil {
		return nil, fmt.Errorf("read what providers answered: %w", err)
	}
	for _, c := range stored {
		known[c.URL] = c
	}
	return known, nil
}
