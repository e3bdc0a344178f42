package kit

import (
	"context"
	"io"
	"net/http"
	"strings"

	"github.com/sluicehq/sluice/kernel/plugin"
)

// store is the key-value store of a plugin under test. The host is asked by one call at a time.
type store map[string][]byte

var _ plugin.KV = store{}

// Get returns a copy, as a database would.
func (s store) Get(_ context.Context, key string) ([]byte, bool, error) {
	value, ok := s[key]
	return append([]byte(nil), value...), ok, nil
}

// Set keeps a value.
func (s store) Set(_ context.Context, key string, value []byte) (bool, error) {
	_, existed := s[key]
	s[key] = append([]byte(nil), value...)
	return existed, nil
}

// Delete forgets a key.
func (s store) Delete(_ context.Context, key string) (bool, error) {
	_, existed := s[key]
	delete(s, key)
	return existed, nil
}

// quietServer answers every request of a plugin under test with 200 and an empty JSON object; nothing leaves the machine.
type quietServer struct{}

var _ plugin.Doer = quietServer{}

// Do answers.
func (quietServer) Do(req *http.Request) (*http.Response, error) {
	if req.Body != nil {
		_, _ = io.Copy(io.Discard, req.Body)
		_ = req.Body.Close()
	}
	return &http.Response{
		Status: "200 OK", StatusCode: http.StatusOK, Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1, Request: req,
		Header: http.Header{"Content-Type": {"application/json"}}, Body: io.NopCloser(strings.NewReader("{}")), ContentLength: 2,
	}, nil
}
