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
			resetOnClose(wrap(server))
			check(t, server.Close())
			if _, err := io.ReadAll(client); !errors.Is(err, syscall.ECONNRESET) {
				t.Errorf("the client reads %v", err)
			}
		})
	}
	resetOnClose(nil)
	one, other := net.Pipe()
	resetOnClose(one) // nothing to set, nothing breaks
	check(t, one.Close())
	check(t, other.Close())
}
