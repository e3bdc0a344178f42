package external

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"runtime/debug"
	"time"

	"go.uber.org/zap"

	"github.com/sluicehq/sluice/kernel/domain"
)

// What a provider may take. Time and size are those of 3x-ui.
const (
	maxFetches = 8               // that talk to a provider at the same time; the others wait
	siteShare  = 2               // of them to one server, which can have a URL for each customer and be dead for all
	siteQueue  = 64              // fetches of one server under way; what is more is left alone for now
	timeout    = 6 * time.Second // for one fetch
	maxBody    = 2 << 20         // bytes
)

// When a provider is asked again.
const (
	freshFor = 5 * time.Minute  // what was fetched is not fetched again
	oldAfter = time.Hour        // what was fetched is waited for again: most apps ask twice a day
	retryMin = time.Minute      // after a failed fetch; twice as long after each further one
	retryMax = 30 * time.Minute // in the end
)

// isDue says whether the content should be fetched again. A time in the future is of a clock that was wrong.
func isDue(c *domain.ExternalContent, now int64) bool {
	wait := freshFor
	if c.Error != "" {
		wait = retryMin
	}
	return !within(c.TriedAt, now, wait)
}

// isOld says whether the content is worth waiting for what a new fetch brings.
func isOld(c *domain.ExternalContent, now int64) bool { return !within(c.FetchedAt, now, oldAfter) }

// within says whether at is less than d before now, both in ms.
func within(at, now int64, d time.Duration) bool { return at <= now && now-at < d.Milliseconds() }

// provider is what is known of a URL besides its content: a fetch under way, and how often it has failed. It is kept
// until a fetch succeeds. After a restart failures are counted anew.
type provider struct {
	fetch    *fetch // nil = none under way
	failures int    // in a row
	retryAt  time.Time
}

// site is a server, by host and port, that some providers are on.
type site struct {
	turns    chan struct{} // one for each fetch that may talk to it
	underway int           // fetches that have or wait for a turn
}

// maxProviders bounds the memory that failing providers take.
const maxProviders = 1024

// fetch is one fetch of a URL, which any number of callers may wait for.
type fetch struct {
	done  chan struct{}
	links []string // nil = it failed; not to be read before done is closed
}

// wait returns the fetched links, nil if there are none before ctx ends.
func (f *fetch) wait(ctx context.Context) []string {
	select {
	case <-f.done:
		return f.links
	case <-ctx.Done():
	}
	select {
	case <-f.done: // it arrived before the time was over, while another was waited for
		return f.links
	default:
		return nil
	}
}

// fetch starts a fetch of the URL, or joins the one that is under way. It is nil when the provider is left alone for
// now, because it failed lately or too many are being fetched, of all or of its server.
func (s *Service) fetch(url string) *fetch {
	s.mu.Lock()
	defer s.mu.Unlock()
	p, h := s.providers[url], s.siteOf(url)
	switch {
	case s.ctx.Err() != nil:
		return nil
	case p != nil && p.fetch != nil:
		return p.fetch
	case h.underway == siteQueue, p != nil && s.Clock.Now().Before(p.retryAt):
		return nil
	case p == nil:
		if !s.makeRoom() {
			return nil
		}
		p = &provider{}
		s.providers[url] = p
	}
	f := &fetch{done: make(chan struct{})}
	p.fetch = f
	h.underway++
	s.sites[serverOf(url)] = h
	s.running.Go(func() { s.run(url, h, f) })
	return f
}

// siteOf is the URL's server: the one that others are fetched from, or a new one.
func (s *Service) siteOf(url string) *site {
	if h := s.sites[serverOf(url)]; h != nil {
		return h
	}
	return &site{turns: make(chan struct{}, siteShare)}
}

// makeRoom forgets the failures of some provider if there are too many. It reports false when all are being fetched.
func (s *Service) makeRoom() bool {
	if len(s.providers) < maxProviders {
		return true
	}
	for url, p := range s.providers {
		if p.fetch == nil {
			delete(s.providers, url)
			return true
		}
	}
	return false
}

// run fetches and notes how it went.
func (s *Service) run(url string, h *site, f *fetch) {
	links, err := s.inTurn(url, h)
	s.mu.Lock()
	defer s.mu.Unlock()
	if h.underway--; h.underway == 0 {
		delete(s.sites, serverOf(url))
	}
	f.links = links
	close(f.done)
	p := s.providers[url]
	p.fetch = nil
	switch {
	case s.ctx.Err() != nil: // it was Close that failed it
	case err == nil:
		delete(s.providers, url)
	default:
		p.failures++
		p.retryAt = s.Clock.Now().Add(backOff(p.failures))
		s.Log.Warn("a provider's subscription could not be refreshed, what it held before stays",
			zap.String("host", hostOf(url)), zap.Int("failures", p.failures),
			zap.Error(err), zap.NamedError("cause", errors.Unwrap(err)))
	}
}

// inTurn refreshes the URL once its server and then all together have room: who waits for a slow server holds up no other.
func (s *Service) inTurn(url string, h *site) ([]string, error) {
	for _, room := range []chan struct{}{h.turns, s.slots} {
		select {
		case room <- struct{}{}:
			defer func() { <-room }()
		case <-s.ctx.Done():
			return nil, s.ctx.Err()
		}
	}
	return s.refresh(url)
}

// backOff is how long a provider is left alone after that many failures in a row, at least one.
func backOff(failures int) time.Duration { return min(retryMin<<min(failures-1, 10), retryMax) }

// hostOf is what the log may have of a URL, which is a secret.
func hostOf(address string) string { return location(address).Hostname() }

// serverOf is the host and port of a URL.
func serverOf(address string) string { return location(address).Host }

func location(address string) *url.URL {
	u, err := url.Parse(address)
	if err != nil { // it was checked when it was stored
		return &url.URL{}
	}
	return u
}

// refresh fetches the URL and stores what came of it. It returns the links although they could not be stored.
func (s *Service) refresh(url string) (links []string, err error) {
	defer func() {
		if p := recover(); p != nil {
			s.panics.Add(1)
			s.Log.Error("panic in a fetch",
				zap.String("host", hostOf(url)), zap.Any("panic", p), zap.ByteString("stack", debug.Stack()))
			err = fmt.Errorf("panic in a fetch: %v", p)
		}
	}()
	links, err = s.get(url)
	if s.ctx.Err() != nil {
		return nil, s.ctx.Err()
	}
	now := s.Clock.Now().UnixMilli()
	content := domain.ExternalContent{URL: url, Links: links, FetchedAt: now, TriedAt: now}
	if err != nil {
		content = domain.ExternalContent{URL: url, TriedAt: now, Error: sentence(err)}
	}
	if unsaved := s.DB.SaveExternalContent(s.ctx, content); unsaved != nil {
		return links, fmt.Errorf("store what a provider answered: %w", errors.Join(unsaved, err))
	}
	return links, err
}

// get fetches the URL in the time that a fetch has.
func (s *Service) get(url string) ([]string, error) {
	ctx, cancel := context.WithCancel(s.ctx)
	defer cancel()
	defer s.Clock.AfterFunc(timeout, cancel).Stop()
	body, err := s.Client.Get(ctx, url, maxBody)
	if err != nil {
		return nil, err
	}
	return parse(string(body))
}

// sentence is what may be shown of why a fetch failed.
func sentence(why error) string {
	var said *domain.Error
	if errors.As(why, &said) {
		return said.Error()
	}
	return "the fetch failed"
}
