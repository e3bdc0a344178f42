package core

import (
	"context"
	"testing"

	"github.com/sluicehq/sluice/kernel/core/coretest"
	"github.com/sluicehq/sluice/kernel/domain"
)

// TestStreamsOutliveTheChangesOfOthers holds twenty streams of one user open on each protocol, while a thousand others of
// the same inbound are added, disabled, enabled, given other credentials, renamed and removed. Each stream must go on, and
// carry every byte in its place.
func TestStreamsOutliveTheChangesOfOthers(t *testing.T) {
	const streams, others, batch = 20, 1000, 100
	dir := t.TempDir()
	for _, c := range protocols() {
		t.Run(c.name, func(t *testing.T) {
			s, port := newScene(t, dir), coretest.FreePort(t)
			origin := c.origin(t, s)
			alice := account(7, 1, 1)
			alice.User.Flow = c.flow
			e := start(t, Options{CertDir: dir}, []domain.Inbound{c.inbound(s, 1, port)}, alice)
			proxy := coretest.Client(t, c.outbound(s, 7, port))
			var open []*stream
			for range streams {
				open = append(open, hold(t, proxy, origin))
			}
			for revision, change := range []func(*domain.Account){
				func(*domain.Account) {}, // added
				func(a *domain.Account) { a.User.Enabled = false },
				func(*domain.Account) {}, // enabled
				func(a *domain.Account) { a.User.Credentials = credentials(a.User.ID + 100_000) },
				func(a *domain.Account) {
					a.User.Credentials, a.User.Username = credentials(a.User.ID+100_000), "another"
				},
			} {
				for first := int64(1000); first < 1000+others; first += batch {
					var put []domain.Account
					for id := first; id < first+batch; id++ {
						a := account(id, int64(revision+1), 1)
						change(&a)
						put = append(put, a)
					}
					check(t, e.ApplyUsers(t.Context(), put, nil))
				}
				coretest.Eventually(t, "the inbound has the users", func() bool { return settled(e) })
				want := int64(others + 1)
				if revision == 1 {
					want = 1
				}
				if n := listed(e); n != want {
					t.Errorf("change %d: %d users are listed, want %d", revision, n, want)
				}
				allFlow(t, origin, open)
			}
			for first := int64(1000); first < 1000+others; first += batch {
				var remove []int64
				for id := first; id < first+batch; id++ {
					remove = append(remove, id)
				}
				check(t, e.ApplyUsers(t.Context(), nil, remove))
			}
			coretest.Eventually(t, "the inbound has the users", func() bool { return settled(e) })
			if n := listed(e); n != 1 {
				t.Errorf("%d users are listed at the end, want 1", n)
			}
			allFlow(t, origin, open)
		})
	}
}

// allFlow waits until more has arrived on every stream. None may have ended, or have been opened anew.
func allFlow(t *testing.T, origin *coretest.Server, open []*stream) {
	t.Helper()
	for i, s := range open {
		s.flows(t)
		select {
		case <-s.ended:
			t.Fatalf("stream %d ended", i)
		default:
		}
		if s.broken.Load() {
			t.Fatalf("stream %d carries what was not sent", i)
		}
	}
	if n := origin.Held(); n != int64(len(open)) {
		t.Fatalf("the server has %d streams, want %d", n, len(open))
	}
}

// listed is how many users the core has on the first inbound.
func listed(e *Engine) int64 {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.open[1].users.GetUsersCount(context.Background())
}
