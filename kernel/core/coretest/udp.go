package coretest

import (
	"encoding/binary"
	"fmt"
	"io"
	"net"
	"testing"
	"time"
)

// UDPEcho starts a server that sends every packet back, and returns its address.
func UDPEcho(t testing.TB) *net.UDPAddr {
	t.Helper()
	c, err := net.ListenUDP("udp", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)})
	must(t, err)
	t.Cleanup(func() { _ = c.Close() })
	go func() {
		packet := make([]byte, 2048)
		for {
			n, from, err := c.ReadFromUDP(packet)
			if err != nil {
				return
			}
			_, _ = c.WriteToUDP(packet[:n], from) // a lost packet is asked for again
		}
	}()
	return c.LocalAddr().(*net.UDPAddr)
}

// UDP returns a function that sends one packet to the target through the proxy and says whether it came back within the
// time given. It is one association of SOCKS5 (RFC 1928).
func UDP(t testing.TB, proxy string, target *net.UDPAddr) (echoed func(payload string, within time.Duration) bool) {
	t.Helper()
	control, err := net.Dial("tcp", proxy)
	must(t, err)
	t.Cleanup(func() { _ = control.Close() })
	_, err = control.Write([]byte{5, 1, 0, 5, 3, 0, 1, 0, 0, 0, 0, 0, 0}) // no authentication; associate
	must(t, err)
	var answer [2 + 10]byte
	_, err = io.ReadFull(control, answer[:])
	must(t, err)
	relay, err := net.Dial("udp", fmt.Sprintf("127.0.0.1:%d", binary.BigEndian.Uint16(answer[10:])))
	must(t, err)
	t.Cleanup(func() { _ = relay.Close() })
	header := append([]byte{0, 0, 0, 1}, target.IP.To4()...)
	header = binary.BigEndian.AppendUint16(header, uint16(target.Port))
	return func(payload string, within time.Duration) bool {
		_ = relay.SetDeadline(time.Now().Add(within))
		if _, err := relay.Write(append(header, payload...)); err != nil {
			return false
		}
		packet := make([]byte, 2048)
		for {
			n, err := relay.Read(packet)
			if err != nil {
				return false
			}
			if n > len(header) && string(packet[len(header):n]) == payload {
				return true
			}
		}
	}
}
