package coretest

import (
	"crypto/tls"
	"fmt"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"strconv"
	"sync/atomic"
	"testing"
	"time"
)

// Server is what clients talk to through the core. It answers on
//
//	/bytes?n=N      N bytes; with &warm=1 it starts with small pieces, as a page would
//	/upload         how many bytes the body had
//	/hold           bytes without end, until the client goes: those of Pattern
type Server struct {
	URL  string // http://127.0.0.1:port or https://...
	Addr string // 127.0.0.1:port
	hits atomic.Int64
	held atomic.Int64
}

// Hits returns how many requests have arrived.
func (s *Server) Hits() int64 { return s.hits.Load() }

// Held returns how many requests to /hold are open.
func (s *Server) Held() int64 { return s.held.Load() }

// Origin starts a Server that speaks HTTP.
func Origin(t testing.TB) *Server {
	s, h := newServer(t)
	h.Start()
	s.URL, s.Addr = h.URL, h.Listener.Addr().String()
	return s
}

// TLSOrigin starts a Server that speaks HTTPS with TLS 1.3. It also serves as the target of a REALITY inbound.
func TLSOrigin(t testing.TB) *Server {
	s, h := newServer(t)
	h.TLS = &tls.Config{MinVersion: tls.VersionTLS13}
	h.StartTLS()
	s.URL, s.Addr = h.URL, h.Listener.Addr().String()
	return s
}

func newServer(t testing.TB) (*Server, *httptest.Server) {
	t.Helper()
	s := &Server{}
	mux := http.NewServeMux()
	mux.HandleFunc("/bytes", sendBytes)
	mux.HandleFunc("/upload", func(w http.ResponseWriter, r *http.Request) {
		n, _ := io.Copy(io.Discard, r.Body) // what arrived is the answer
		_, _ = fmt.Fprint(w, n)
	})
	mux.HandleFunc("/hold", s.hold)
	h := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		s.hits.Add(1)
		mux.ServeHTTP(w, r)
	}))
	h.Config.ErrorLog = log.New(io.Discard, "", 0) // clients are cut all the time
	t.Cleanup(func() {
		h.CloseClientConnections()
		h.Close()
	})
	return s, h
}

func sendBytes(w http.ResponseWriter, r *http.Request) {
	n, err := strconv.ParseInt(r.URL.Query().Get("n"), 10, 64)
	if err != nil {
		http.Error(w, "n is not a number", http.StatusBadRequest)
		return
	}
	w.Header().Set("Content-Length", strconv.FormatInt(n, 10))
	if r.URL.Query().Get("warm") != "" {
		for i := 0; i < 6 && n > 1000; i++ {
			_, _ = w.Write(make([]byte, 200))
			n -= 200
			if pause(w, r, 20*time.Millisecond) {
				return
			}
		}
	}
	chunk := make([]byte, 64<<10)
	for n > 0 {
		k, err := w.Write(chunk[:min(n, int64(len(chunk)))])
		if err != nil {
			return
		}
		n -= int64(k)
	}
}

// hold sends a piece every few milliseconds: enough to see a stream live, too little to keep a machine busy.
func (s *Server) hold(w http.ResponseWriter, r *http.Request) {
	s.held.Add(1)
	defer s.held.Add(-1)
	chunk := make([]byte, 4<<10)
	for at := int64(0); ; at += int64(len(chunk)) {
		Pattern(chunk, at)
		if _, err := w.Write(chunk); err != nil || pause(w, r, 10*time.Millisecond) {
			return
		}
	}
}

// Pattern fills p with what an endless answer has from offset at. No two places near each other look alike, so that a
// piece that is lost, doubled or moved shows.
func Pattern(p []byte, at int64) {
	for i := range p {
		n := at + int64(i)
		p[i] = byte(n*31 ^ n>>8 ^ n>>16)
	}
}

// pause flushes and waits; over says that the client has gone.
func pause(w http.ResponseWriter, r *http.Request, d time.Duration) (over bool) {
	w.(http.Flusher).Flush()
	select {
	case <-r.Context().Done():
		return true
	case <-time.After(d):
		return false
	}
}
