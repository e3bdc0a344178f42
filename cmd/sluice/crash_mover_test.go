package main

import (
	"bufio"
	wire "encoding/binary" // binary is the program under test
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/sluicehq/sluice/kernel/core/coretest"
)

// exchangeServer answers each request, the two sizes and so many bytes, with as many bytes as the second size says. So
// whoever asks knows to the byte what passed in both directions.
func exchangeServer(t *testing.T) (address string) {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	var serving sync.WaitGroup
	serving.Go(func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			serving.Go(func() { answer(conn) })
		}
	})
	t.Cleanup(func() {
		_ = listener.Close()
		serving.Wait() // for the clients, whose end closes the connections
	})
	return listener.Addr().String()
}

// headerSize is that of a request without its bytes.
const headerSize = 8

func answer(conn net.Conn) {
	defer func() { _ = conn.Close() }()
	var header [headerSize]byte
	for {
		if _, err := io.ReadFull(conn, header[:]); err != nil {
			return
		}
		up, down := wire.BigEndian.Uint32(header[:]), wire.BigEndian.Uint32(header[4:])
		if _, err := io.CopyN(io.Discard, conn, int64(up)); err != nil {
			return
		}
		if _, err := conn.Write(make([]byte, down)); err != nil {
			return
		}
	}
}

// bytesMoved is what passed in both directions.
type bytesMoved struct{ up, down int64 }

func (b bytesMoved) plus(c bytesMoved) bytesMoved { return bytesMoved{b.up + c.up, b.down + c.down} }

func (b bytesMoved) minus(c bytesMoved) bytesMoved { return bytesMoved{b.up - c.up, b.down - c.down} }

// exceeds says whether b is more than c in any direction.
func (b bytesMoved) exceeds(c bytesMoved) bool { return b.up > c.up || b.down > c.down }

// mover is a client that exchanges bytes through the server all the time until it is paused or cut.
type mover struct {
	proxy, target string
	random        *rand.Rand

	turn   sync.Mutex // held during an exchange
	paused atomic.Bool
	stop   chan struct{}
	ended  chan struct{}

	mu   sync.Mutex
	conn net.Conn   // nil = not connected
	sent bytesMoved // every exchange that was begun
	done bytesMoved // those that were completed
}

// startMover returns a paused mover through the proxy of a client app; it ends with the test.
func startMover(t *testing.T, proxy, target string, seed uint64) *mover {
	t.Helper()
	m := &mover{
		proxy: proxy, target: target, random: rand.New(rand.NewPCG(seed, seed)),
		stop: make(chan struct{}), ended: make(chan struct{}),
	}
	m.paused.Store(true)
	go m.run()
	t.Cleanup(func() {
		m.halt(t)
		close(m.stop)
		<-m.ended
	})
	return m
}

// run exchanges with short pauses: a machine that runs other tests must not be kept busy.
func (m *mover) run() {
	defer close(m.ended)
	defer m.disconnect()
	pace := time.NewTicker(2 * time.Millisecond)
	defer pace.Stop()
	for {
		select {
		case <-m.stop:
			return
		case <-pace.C:
			m.takeTurn()
		}
	}
}

func (m *mover) takeTurn() {
	m.turn.Lock()
	defer m.turn.Unlock()
	if !m.paused.Load() && m.exchange() != nil {
		// The server is gone. A client app would keep what comes now, and send it to the next one.
		m.disconnect()
		m.paused.Store(true)
	}
}

func (m *mover) resume() { m.paused.Store(false) }

// pause returns when no exchange is under way any more.
func (m *mover) pause() {
	m.paused.Store(true)
	m.turn.Lock()
	defer m.turn.Unlock()
}

// halt is pause when the server is gone, which a client app may not notice for minutes.
func (m *mover) halt(t *testing.T) {
	t.Helper()
	m.paused.Store(true)
	coretest.Eventually(t, "nothing moves", func() bool {
		m.disconnect()
		if !m.turn.TryLock() {
			return false
		}
		m.turn.Unlock()
		return true
	})
}

// disconnect ends the connection, and with it an exchange.
func (m *mover) disconnect() {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.conn != nil {
		_ = m.conn.Close()
		m.conn = nil
	}
}

// connected is the connection, a new one if there is none.
func (m *mover) connected() (net.Conn, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.conn != nil {
		return m.conn, nil
	}
	conn, err := connect(m.proxy, m.target)
	if err == nil {
		m.conn = conn
	}
	return conn, err
}

// exchange moves some bytes in both directions, and counts them before and after.
func (m *mover) exchange() error {
	conn, err := m.connected()
	if err != nil {
		return err
	}
	up, down := m.random.IntN(4<<10), m.random.IntN(64<<10)
	request := make([]byte, headerSize+up)
	wire.BigEndian.PutUint32(request, uint32(up))
	wire.BigEndian.PutUint32(request[4:], uint32(down))
	size := bytesMoved{int64(len(request)), int64(down)}
	m.count(&m.sent, size)
	if _, err := conn.Write(request); err != nil {
		return err
	}
	if _, err := io.CopyN(io.Discard, conn, int64(down)); err != nil {
		return err
	}
	m.count(&m.done, size)
	return nil
}

// connect opens a connection to the target through a proxy.
func connect(proxy, target string) (net.Conn, error) {
	conn, err := net.Dial("tcp", proxy)
	if err != nil {
		return nil, err
	}
	fail := func(err error) (net.Conn, error) {
		_ = conn.Close()
		return nil, err
	}
	if err := conn.SetReadDeadline(time.Now().Add(patience)); err != nil {
		return fail(err)
	}
	if _, err := fmt.Fprintf(conn, "CONNECT %s HTTP/1.1\r\nHost: %[1]s\r\n\r\n", target); err != nil {
		return fail(err)
	}
	// Nothing follows the answer before the first request, so that the reader takes no bytes that are not its own.
	resp, err := http.ReadResponse(bufio.NewReader(conn), &http.Request{Method: http.MethodConnect})
	if err != nil {
		return fail(err)
	}
	if resp.StatusCode != http.StatusOK {
		return fail(fmt.Errorf("the proxy answers %s", resp.Status))
	}
	return conn, conn.SetReadDeadline(time.Time{})
}

func (m *mover) count(what *bytesMoved, more bytesMoved) {
	m.mu.Lock()
	defer m.mu.Unlock()
	*what = what.plus(more)
}

// moved returns what surely passed and what may have.
func (m *mover) moved() (done, sent bytesMoved) {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.done, m.sent
}

// forget counts from zero on. The mover must be paused.
func (m *mover) forget() {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.done, m.sent = bytesMoved{}, bytesMoved{}
}
