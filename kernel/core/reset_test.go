package core

import (
	"crypto/tls"
	"errors"
	"io"
	"net"
	"syscall"
	"testing"

	"github.com/xtls/xray-core/transport/internet/stat"
)

// What the client of a cut connection sees: a reset where there is TCP underneath, however it is wrapped.
func TestResetOnClose(t *testing.T) {
	for name, wrap := range map[string]func(net.Conn) net.Conn{
		"tcp":            func(c net.Conn) net.Conn { return c },
		"counted":        func(c net.Conn) net.Conn { return &stat.CounterConnection{Connection: c} },
		"tls":            func(c net.Conn) net.Conn { return tls.Server(c, &tls.Config{}) },
		"tls of counted": func(c net.Conn) net.Conn { return tls.Server(&stat.CounterConnection{Connection: c}, &tls.Config{}) },
	} {
		t.Run(name, func(t *testing.T) {
			l, err := net.Listen("tcp", "127.0.0.1:0")
			check(t, err)
			defer func() { _ = l.Close() }()
			client, err := net.Dial("tcp", l.Addr().String())
			check(t, err)
			defer func() { _ = client.Close() }()
			server, err := l.Accept()
			check(t, err)
			resetOnClose(wrap(server), false)
			check(t, server.Close())
			if _, err := io.ReadAll(client); !errors.Is(err, syscall.ECONNRESET) {
				t.Errorf("the client reads %v", err)
			}
		})
	}
	resetOnClose(nil, false)
	one, other := net.Pipe()
	resetOnClose(one, false) // nothing to set, nothing breaks
	check(t, one.Close())
	check(t, other.Close())
}

// With bytes under way the end comes after them, in order.
func TestNoResetAmongBytesUnderWay(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	check(t, err)
	defer func() { _ = l.Close() }()
	client, err := net.Dial("tcp", l.Addr().String())
	check(t, err)
	defer func() { _ = client.Close() }()
	server, err := l.Accept()
	check(t, err)
	check(t, server.(*net.TCPConn).SetWriteBuffer(1<<20))
	sent := 0
	for unsent(server.(*net.TCPConn)) == 0 { // until the client's own buffer is full
		n, err := server.Write(make([]byte, 64<<10))
		check(t, err)
		sent += n
	}
	resetOnClose(server, false)
	check(t, server.Close())
	got, err := io.ReadAll(client)
	if err != nil || len(got) != sent {
		t.Errorf("the client reads %d of %d bytes, then %v", len(got), sent, err)
	}
}
