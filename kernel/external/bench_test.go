package external

import (
	"context"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"path/filepath"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/jonboulle/clockwork"
	"go.uber.org/zap"
	"go.uber.org/zap/zaptest/observer"

	"github.com/sluicehq/sluice/kernel/domain"
	"github.com/sluicehq/sluice/kernel/guard"
	"github.com/sluicehq/sluice/storage"
	"github.com/sluicehq/sluice/storage/storagetest"
)

// start is the moment at which the clock of every test begins, in ms UTC.
const start = int64(1_790_000_000_000)

// link is a share link with that name.
func link(name string) string {
	return "vless://b831381d-6324-4d53-ad4f-8cda48b30811@host.example:443#" + name
}

// watched is a database that tells when a fetch was stored.
type watched struct {
	*storage.DB
	saved chan domain.ExternalContent
	fail  error // of the next writes, nil = none
}

func (w *watched) SaveExternalContent(ctx context.Context, c domain.ExternalContent) error {
	err := w.fail
	if err == nil {
		err = w.DB.SaveExternalContent(ctx, c)
	}
	w.saved <- c
	return err
}

// bench is the service over a real database and a real client, with a clock that stands still.
type bench struct {
	*Service
	t     *testing.T
	db    *watched
	clock *clockwork.FakeClock
	logs  *observer.ObservedLogs
	user  *domain.User
}

func newBench(t *testing.T) *bench {
	t.Helper()
	clock := clockwork.NewFakeClockAt(time.UnixMilli(start))
	db := storagetest.Open(t, storage.Options{DSN: filepath.Join(t.TempDir(), "sluice.db"), Clock: clock})
	observed, logs := observer.New(zap.InfoLevel)
	b := &bench{t: t, clock: clock, logs: logs, db: &watched{DB: db, saved: make(chan domain.ExternalContent, 100)}}
	b.open(Options{Log: zap.New(observed), Client: guard.New(guard.Options{Allow: netip.Addr.IsLoopback})})
	admin := domain.Admin{Username: "root", Sudo: true, Enabled: true}
	b.write(func(tx *storage.Tx) error { return tx.InsertAdmin(t.Context(), &admin) })
	b.user = &domain.User{Username: "alice", SubID: "sub-alice", Enabled: true, AdminID: admin.ID}
	b.write(func(tx *storage.Tx) error { return tx.InsertUser(t.Context(), b.user, nil) })
	return b
}

// open starts a service on the database, as a process does.
func (b *bench) open(o Options) {
	o.DB, o.Clock = b.db, b.clock
	b.Service = New(o)
	b.t.Cleanup(b.Close)
}

func (b *bench) write(fn func(*storage.Tx) error) {
	b.t.Helper()
	if err := b.db.Write(b.t.Context(), fn); err != nil {
		b.t.Fatal(err)
	}
}

// give makes the links the user's.
func (b *bench) give(links ...domain.ExternalLink) {
	b.t.Helper()
	for i := range links {
		links[i].Enabled = true
	}
	b.set(links...)
}

func (b *bench) set(links ...domain.ExternalLink) {
	b.t.Helper()
	b.write(func(tx *storage.Tx) error { return tx.SetExternalLinks(b.t.Context(), b.user.ID, links) })
}

// subscribe makes the URLs the user's only external links.
func (b *bench) subscribe(urls ...string) {
	b.t.Helper()
	var links []domain.ExternalLink
	for _, url := range urls {
		links = append(links, domain.ExternalLink{Kind: domain.ExternalSubscription, Value: url})
	}
	b.give(links...)
}

func (b *bench) want(links ...string) {
	b.t.Helper()
	got, err := b.Links(b.t.Context(), b.user)
	if err != nil || !slices.Equal(got, links) {
		b.t.Errorf("links %q, %v\nwant  %q", got, err, links)
	}
}

// begin calls Links, which is going to wait for a provider. The channel has what it returns.
func (b *bench) begin() <-chan []string {
	result := make(chan []string, 1)
	go func() {
		links, err := b.Links(b.t.Context(), b.user)
		if err != nil {
			b.t.Error(err)
		}
		result <- links
	}()
	return result
}

// timers waits until so many are set: one for each fetch that talks to a provider, one for each call that waits.
func (b *bench) timers(n int) {
	b.t.Helper()
	ctx, cancel := context.WithTimeout(b.t.Context(), patience)
	defer cancel()
	if err := b.clock.BlockUntilContext(ctx, n); err != nil {
		b.t.Fatalf("waiting for %d timers: %v", n, err)
	}
}

// stored waits for the end of a fetch and returns what was stored of it.
func (b *bench) stored() domain.ExternalContent {
	b.t.Helper()
	c := await(b.t, b.db.saved)
	b.settle()
	return c
}

// landed waits until no fetch of the URL is under way.
func (b *bench) landed(url string) {
	b.t.Helper()
	b.mu.Lock()
	p := b.providers[url]
	var f *fetch
	if p != nil {
		f = p.fetch
	}
	b.mu.Unlock()
	if f != nil {
		await(b.t, f.done)
	}
}

// settle waits until no fetch is under way, so that what the last one left behind can be asked for.
func (b *bench) settle() {
	b.t.Helper()
	b.running.Wait()
}

// patience is how long a test waits for what is going to happen.
const patience = 60 * time.Second

func await[T any](t *testing.T, from <-chan T) (got T) {
	t.Helper()
	select {
	case got = <-from:
	case <-time.After(patience):
		t.Fatal("it did not happen")
	}
	return got
}

// server is a provider, it serves a subscription on loopback.
type server struct {
	*httptest.Server
	mu      sync.Mutex
	handler http.HandlerFunc
	asked   int
}

// newProvider starts a provider whose subscription has these links.
func newProvider(t *testing.T, links ...string) *server {
	t.Helper()
	p := &server{}
	p.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		p.mu.Lock()
		p.asked++
		handler := p.handler
		p.mu.Unlock()
		handler(w, r)
	}))
	t.Cleanup(p.Close)
	p.serve(links...)
	return p
}

// serve makes the provider answer with these links from now on.
func (p *server) serve(links ...string) {
	p.answer(func(w http.ResponseWriter, _ *http.Request) {
		for _, l := range links {
			_, _ = w.Write([]byte(l + "\n"))
		}
	})
}

func (p *server) answer(h http.HandlerFunc) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.handler = h
}

// fail makes the provider answer with an error from now on.
func (p *server) fail() {
	p.answer(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusBadGateway) })
}

// hold makes the provider answer once let is called, or never.
func (p *server) hold(links ...string) (let func()) {
	open := make(chan struct{})
	p.answer(func(w http.ResponseWriter, r *http.Request) {
		select {
		case <-open:
			for _, l := range links {
				_, _ = w.Write([]byte(l + "\n"))
			}
		case <-r.Context().Done():
		}
	})
	return sync.OnceFunc(func() { close(open) })
}

func (p *server) wantAsked(t *testing.T, times int) {
	t.Helper()
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.asked != times {
		t.Errorf("the provider was asked %d times, want %d", p.asked, times)
	}
}

// dead is the URL of a provider that takes connections and never says a word. Each that is taken is sent to taken.
func dead(t *testing.T) (url string, taken <-chan struct{}) {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	conns, ended := make(chan struct{}, 100), make(chan struct{})
	go func() {
		defer close(ended)
		for {
			conn, err := listener.Accept()
			if err != nil {
				return // the test is over
			}
			defer func() { _ = conn.Close() }()
			conns <- struct{}{}
		}
	}()
	t.Cleanup(func() { _ = listener.Close(); <-ended })
	return "http://" + listener.Addr().String(), conns
}
