package core

import (
	"io"
	"net"
	"strconv"
	"testing"

	"github.com/sluicehq/sluice/kernel/core/coretest"
	"github.com/sluicehq/sluice/kernel/domain"
)

// TestRemovalDuringAHandshake holds the handshake of one user of a shadowsocks 2022 inbound half done, while another is
// removed. If the core's list were shortened, its index would be out of range when the handshake goes on, in a goroutine
// of the core that nobody can recover: the whole process would end. Source: evidence "ss22crash".
func TestRemovalDuringAHandshake(t *testing.T) {
	const firstChunk = 59 // salt, identity header and part of the fixed header
	c, s, origin, port := combinations[10], scene{}, coretest.Origin(t), coretest.FreePort(t)
	e := start(t, Options{}, []domain.Inbound{c.inbound(s, 1, port)}, account(7, 1, 1), account(8, 1, 1))
	stall := newStall(t, port, firstChunk)
	proxy := coretest.Client(t, c.outbound(s, 8, stall.port))

	result := make(chan error, 1)
	go func() {
		n, err := download(coretest.HTTP(t, proxy), origin.URL+"/bytes?n=1000")
		if err == nil && n != 1000 {
			err = io.ErrUnexpectedEOF
		}
		result <- err
	}()
	<-stall.reached
	check(t, e.ApplyUsers(t.Context(), nil, []int64{7}))
	coretest.Eventually(t, "the inbound is replaced", func() bool {
		e.mu.Lock()
		defer e.mu.Unlock()
		return len(e.open[1].applied) == 1
	})
	close(stall.release)
	check(t, <-result)
	if n := e.open[1].users.GetUsersCount(t.Context()); n != 1 {
		t.Errorf("%d users are listed, want 1", n)
	}
}

// stall passes the first bytes of a connection on, and the rest when it is released.
type stall struct {
	port    int
	reached chan struct{} // closed when the first bytes are through
	release chan struct{}
}

func newStall(t *testing.T, to int, first int64) *stall {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	check(t, err)
	t.Cleanup(func() { _ = l.Close() })
	s := &stall{l.Addr().(*net.TCPAddr).Port, make(chan struct{}), make(chan struct{})}
	go func() {
		client, err := l.Accept()
		if err != nil {
			return
		}
		server, err := net.Dial("tcp", net.JoinHostPort("127.0.0.1", strconv.Itoa(to)))
		if err != nil {
			_ = client.Close()
			return
		}
		go func() {
			_, _ = io.Copy(client, server) // either side may end it
			_ = client.Close()
		}()
		if _, err := io.CopyN(server, client, first); err == nil {
			close(s.reached)
			<-s.release
			_, _ = io.Copy(server, client)
		}
		_ = server.Close()
	}()
	return s
}
