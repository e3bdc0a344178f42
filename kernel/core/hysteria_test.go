package core

import (
	"testing"

	"github.com/sluicehq/sluice/kernel/core/coretest"
	"github.com/sluicehq/sluice/kernel/domain"
)

// A QUIC connection is authenticated once. Its later streams are those of whoever has its auth then.
func TestHysteriaConnectionAfterItsUser(t *testing.T) {
	var c combination
	for _, c = range combinations {
		if c.protocol == domain.Hysteria {
			break
		}
	}
	dir := t.TempDir()
	s, port := newScene(t, dir), coretest.FreePort(t)
	e := start(t, Options{CertDir: dir}, []domain.Inbound{c.inbound(s, 1, port)}, account(7, 1, 1))
	proxy := coretest.Client(t, c.outbound(s, 7, port)) // keeps its connection for all that follows
	passes(t, proxy, s.target)

	rotated := account(7, 2, 1)
	rotated.User.HysteriaAuth = "another"
	check(t, e.ApplyUsers(t.Context(), []domain.Account{rotated}, nil))
	refused(t, proxy, s.target)
	check(t, e.ApplyUsers(t.Context(), []domain.Account{account(7, 3, 1)}, nil))
	passes(t, proxy, s.target)

	heir := account(8, 4, 1) // deleted, and made anew with the same credentials
	heir.User.Credentials = credentials(7)
	check(t, e.ApplyUsers(t.Context(), []domain.Account{heir}, []int64{7}))
	passes(t, proxy, s.target)
	up, down := e.Unflushed(8)
	if up == 0 || down == 0 {
		t.Errorf("%d and %d bytes are counted for the new user", up, down)
	}
}
