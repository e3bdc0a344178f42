package guard_test

import (
	"context"
	"net"
	"net/netip"
	"sync"
	"testing"

	"golang.org/x/net/dns/dnsmessage"
)

// zone is a name server on loopback. Each question for a name is answered by the next of its addresses, the last of them
// again and again; a name without any does not exist.
type zone struct {
	mu        sync.Mutex
	addresses map[string][]netip.Addr // by name with the dot at its end
}

// resolver starts the zone.
func (z *zone) resolver(t *testing.T) *net.Resolver {
	t.Helper()
	conn, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	served := make(chan struct{})
	go func() { defer close(served); z.serve(t, conn) }()
	t.Cleanup(func() { _ = conn.Close(); <-served })
	return &net.Resolver{PreferGo: true, Dial: func(ctx context.Context, _, _ string) (net.Conn, error) {
		return new(net.Dialer).DialContext(ctx, "udp", conn.LocalAddr().String())
	}}
}

func (z *zone) serve(t *testing.T, conn net.PacketConn) {
	buf := make([]byte, 1500)
	for {
		n, from, err := conn.ReadFrom(buf)
		if err != nil {
			return // the test is over
		}
		reply, err := z.answer(buf[:n])
		if err != nil {
			t.Errorf("question %x: %v", buf[:n], err)
			continue
		}
		if _, err := conn.WriteTo(reply, from); err != nil {
			t.Error(err)
		}
	}
}

func (z *zone) answer(question []byte) ([]byte, error) {
	var m dnsmessage.Message
	if err := m.Unpack(question); err != nil {
		return nil, err
	}
	q := m.Questions[0]
	m.Response, m.Additionals = true, nil
	name := q.Name.String()
	z.mu.Lock()
	defer z.mu.Unlock()
	addresses := z.addresses[name]
	if len(addresses) == 0 {
		m.RCode = dnsmessage.RCodeNameError
		return m.Pack()
	}
	if q.Type == dnsmessage.TypeA {
		m.Answers = []dnsmessage.Resource{{
			Header: dnsmessage.ResourceHeader{Name: q.Name, Type: q.Type, Class: q.Class},
			Body:   &dnsmessage.AResource{A: addresses[0].As4()},
		}}
		if len(addresses) > 1 {
			z.addresses[name] = addresses[1:]
		}
	}
	return m.Pack()
}
