package core

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"sync/atomic"
	"testing"
	"time"

	"github.com/sluicehq/sluice/kernel/core/coretest"
	"github.com/sluicehq/sluice/kernel/domain"
)

// openConfig lets clients reach what the tests serve on the loopback.
const openConfig = `{"outbounds": [{"tag": "direct", "protocol": "freedom", "settings": {"finalRules": [{"action": "allow"}]}}]}`

// The credentials of user n are distinct and fixed.
func credentials(n int64) domain.Credentials {
	return domain.Credentials{
		VLESSID:             fmt.Sprintf("11111111-1111-4111-8111-%012d", n),
		VMessID:             fmt.Sprintf("22222222-2222-4222-8222-%012d", n),
		TrojanPassword:      fmt.Sprintf("trojan-%d", n),
		ShadowsocksPassword: fmt.Sprintf("shadow-%d", n),
		HysteriaAuth:        fmt.Sprintf("hysteria-%d", n),
	}
}

// account is an enabled user without limits on the inbounds.
func account(id, revision int64, inbounds ...int64) domain.Account {
	return domain.Account{
		User:     domain.User{ID: id, Credentials: credentials(id), Enabled: true, Revision: revision},
		Inbounds: inbounds,
	}
}

// vlessInbound is the plainest inbound there is.
func vlessInbound(id int64, port int) domain.Inbound {
	return domain.Inbound{
		ID: id, Tag: fmt.Sprintf("in-%d", id), Protocol: domain.VLESS, Listen: "127.0.0.1", Port: port, Enabled: true,
		Settings: `{"decryption": "none"}`, Revision: 1,
	}
}

// vlessOutbound is a client of user on a vlessInbound. Each user comes from an address of its own.
func vlessOutbound(user int64, port int) string {
	return vlessFrom(fmt.Sprintf("127.0.0.%d", user), user, port)
}

func vlessFrom(address string, user int64, port int) string {
	return toJSON(jsonObject{
		"protocol": "vless", "sendThrough": address,
		"settings": jsonObject{"address": "127.0.0.1", "port": port, "id": credentials(user).VLESSID, "encryption": "none"},
	})
}

type jsonObject = map[string]any

func toJSON(v any) string {
	raw, err := json.Marshal(v)
	if err != nil {
		panic(err)
	}
	return string(raw)
}

// start runs an Engine with openConfig until the test ends.
func start(t testing.TB, o Options, inbounds []domain.Inbound, accounts ...domain.Account) *Engine {
	t.Helper()
	return startWith(t, o, openConfig, inbounds, accounts...)
}

func startWith(t testing.TB, o Options, config string, inbounds []domain.Inbound, accounts ...domain.Account) *Engine {
	t.Helper()
	e := New(o)
	check(t, e.Start(t.Context(), Snapshot{
		Config: config, Inbounds: inbounds,
		Accounts: func(yield func(domain.Account) error) error {
			for _, a := range accounts {
				if err := yield(a); err != nil {
					return err
				}
			}
			return nil
		},
	}))
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
		defer cancel()
		check(t, e.Stop(ctx))
		if n := e.Panics(); n != 0 {
			t.Errorf("%d panics were caught", n)
		}
	})
	return e
}

func check(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// download reads a whole answer and returns its length.
func download(c *http.Client, url string) (int64, error) {
	r, err := c.Get(url)
	if err != nil {
		return 0, err
	}
	n, err := io.Copy(io.Discard, r.Body)
	_ = r.Body.Close()
	return n, err
}

// stream is a download that goes on until somebody ends it.
type stream struct {
	received atomic.Int64
	broken   atomic.Bool // what arrived is not what was sent
	origin   *coretest.Server
	ended    chan struct{} // closed when no more can arrive
}

func hold(t testing.TB, proxy string, origin *coretest.Server) *stream {
	t.Helper()
	c := coretest.HTTP(t, proxy)
	c.Timeout = 0
	ctx, cancel := context.WithCancel(t.Context())
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, origin.URL+"/hold", nil)
	check(t, err)
	r, err := c.Do(req)
	if err != nil {
		cancel()
		t.Fatal(err)
	}
	s := &stream{origin: origin, ended: make(chan struct{})}
	go func() {
		_, _ = io.Copy(s, r.Body) // until somebody cuts it
		_ = r.Body.Close()
		close(s.ended)
	}()
	t.Cleanup(func() {
		cancel()
		<-s.ended
		if s.broken.Load() {
			t.Error("what arrived is not what was sent")
		}
	})
	s.flows(t)
	return s
}

func (s *stream) Write(p []byte) (int, error) {
	want := make([]byte, len(p))
	coretest.Pattern(want, s.received.Load())
	if !bytes.Equal(p, want) {
		s.broken.Store(true)
	}
	s.received.Add(int64(len(p)))
	return len(p), nil
}

// flows waits until more bytes arrive.
func (s *stream) flows(t testing.TB) {
	t.Helper()
	from := s.received.Load()
	coretest.Eventually(t, "the stream flows", func() bool { return s.received.Load() > from })
}

// isCut waits until the origin has lost the stream. A client may keep its own side open for a while.
func (s *stream) isCut(t testing.TB) {
	t.Helper()
	coretest.Eventually(t, "the stream is cut", func() bool { return s.origin.Held() == 0 })
}

// refused says that a request does not get through. A client may be left without an answer instead of being told, so it
// waits only a little.
func refused(t testing.TB, proxy string, origin *coretest.Server) {
	t.Helper()
	c := coretest.HTTP(t, proxy)
	c.Timeout = 300 * time.Millisecond
	before := origin.Hits()
	if n, err := download(c, origin.URL+"/bytes?n=10"); err == nil && n == 10 || origin.Hits() != before {
		t.Fatal("a connection that should be refused got through")
	}
}

// passes says that a request gets through.
func passes(t testing.TB, proxy string, origin *coretest.Server) {
	t.Helper()
	n, err := download(coretest.HTTP(t, proxy), origin.URL+"/bytes?n=1000")
	if err != nil || n != 1000 {
		t.Fatalf("got %d bytes and %v, want 1000 bytes", n, err)
	}
}
