package core

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"sync"
	"testing"
	"time"

	"github.com/sluicehq/sluice/kernel/core/coretest"
	"github.com/sluicehq/sluice/kernel/domain"
)

// endless is more than any quota of these tests.
const endless = 4_000_000_000

// TestQuota lets a user run into its quota at full speed, downloading and uploading, on several connections at once.
func TestQuota(t *testing.T) {
	const quota, used, overshoot = 50_000_000, 1_000_000, 1_000_000
	dir := t.TempDir()
	for _, c := range protocols() {
		t.Run(c.name, func(t *testing.T) {
			tripped := make(chan int64, 10)
			s, port := newScene(t, dir), coretest.FreePort(t)
			origin := c.origin(t, s)
			alice := account(7, 1, 1)
			limit := int64(quota)
			alice.User.Flow, alice.User.Quota, alice.Traffic.Up = c.flow, &limit, used
			e := start(t, Options{CertDir: dir, OnQuota: func(id int64) { tripped <- id }}, []domain.Inbound{c.inbound(s, 1, port)}, alice)
			proxy := coretest.Client(t, c.outbound(s, 7, port))
			for _, direction := range []struct {
				name string
				run  func(context.Context, *http.Client, *coretest.Server)
			}{{"download", downloadEndless}, {"upload", uploadEndless}} {
				live(t, proxy, origin)
				ctx, cancel := context.WithCancel(t.Context())
				var clients sync.WaitGroup
				for range 4 {
					clients.Go(func() { direction.run(ctx, coretest.HTTP(t, proxy), origin) })
				}
				coretest.Eventually(t, "the "+direction.name+" trips the quota", func() bool { return len(tripped) > 0 })
				if id := <-tripped; id != 7 {
					t.Errorf("user %d tripped, want 7", id)
				}
				coretest.Eventually(t, "nobody is online", func() bool { return len(e.Online()) == 0 })
				if domain.ShadowsocksKeySize(c.method) == 0 { // there the client reads the end and waits on
					noticed(t, &clients)
				}
				cancel()
				refused(t, proxy, origin)
				up, down := e.Unflushed(7)
				if over := alice.Traffic.Used() + up + down - limit; over < 0 || over > overshoot {
					t.Errorf("%s: %d bytes more than the quota, want at most %d", direction.name, over, overshoot)
				}
				e.Flushed(e.Moved())
				refused(t, proxy, origin) // stored or not, they count
				alice.Traffic.Up += up
				alice.Traffic.Down += down
				limit = alice.Traffic.Used() + quota
				alice.User.Revision++
				check(t, e.ApplyUsers(t.Context(), []domain.Account{alice}, nil))
			}
			if len(tripped) != 0 {
				t.Error("a quota tripped twice")
			}
		})
	}
}

// noticed waits for clients that were cut to end by themselves: one that does not would wait for minutes.
func noticed(t *testing.T, clients *sync.WaitGroup) {
	t.Helper()
	ended := make(chan struct{})
	go func() {
		clients.Wait()
		close(ended)
	}()
	select {
	case <-ended:
	case <-time.After(20 * time.Second): // less than the patience of the HTTP client
		t.Error("a client that was cut does not notice")
	}
}

// protocols are the combinations that differ in how they carry, count and end a connection.
func protocols() (list []combination) {
	for _, i := range []int{0, 1, 2, 7, 8, 9, 10, 12} {
		list = append(list, combinations[i])
	}
	return list
}

// origin is a server that suits the combination.
func (c combination) origin(t testing.TB, s scene) *coretest.Server {
	if c.inner {
		return s.target
	}
	return coretest.Origin(t)
}

func downloadEndless(ctx context.Context, c *http.Client, origin *coretest.Server) {
	url := fmt.Sprintf("%s/bytes?warm=1&n=%d", origin.URL, int64(endless))
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		panic(err)
	}
	if r, err := c.Do(req); err == nil {
		_, _ = io.Copy(io.Discard, r.Body) // until it is cut
		_ = r.Body.Close()
	}
}

func uploadEndless(ctx context.Context, c *http.Client, origin *coretest.Server) {
	_, _ = upload(ctx, c, origin, endless) // until it is cut
}

type zeros struct{}

func (zeros) Read(p []byte) (int, error) {
	clear(p)
	return len(p), nil
}

func TestQuotaOnAnOpenConnection(t *testing.T) {
	// A connection of a user without quota may be spliced, and its bytes are not seen. It ends when a quota comes.
	dir := t.TempDir()
	c, s, port := combinations[1], newScene(t, dir), coretest.FreePort(t)
	alice := account(7, 1, 1)
	alice.User.Flow = c.flow
	e := start(t, Options{CertDir: dir}, []domain.Inbound{c.inbound(s, 1, port)}, alice)
	proxy := coretest.Client(t, c.outbound(s, 7, port))
	open := hold(t, proxy, s.target)
	limit := int64(1 << 40)
	alice.User.Quota, alice.User.Revision = &limit, 2
	check(t, e.ApplyUsers(t.Context(), []domain.Account{alice}, nil))
	open.isCut(t)
	passes(t, proxy, s.target)
}
