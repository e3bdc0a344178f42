package sdk

import (
	"bytes"
	"errors"
	"testing"

	"github.com/sluicehq/sluice/sdk/wire"
)

func TestLog(t *testing.T) {
	Log(LogInfo, "nobody listens")
	t.Cleanup(func() { Native.Log = nil })
	var got string
	Native.Log = func(level wire.LogLevel, message string) { got = string('0'+rune(level)) + message }
	if Log(LogError, "broken"); got != "3broken" {
		t.Errorf("got %q", got)
	}
}

func TestKV(t *testing.T) {
	t.Cleanup(func() { Native.KV = nil })
	if value, found, err := KVGet("k"); value != nil || found || err != nil {
		t.Errorf("before: %q, %t, %v", value, found, err)
	}
	big := bytes.Repeat([]byte("v"), 100<<10) // over the first answer buffer: the held reply must come
	if err := KVSet("k", big); err != nil {
		t.Fatal(err)
	}
	if value, found, err := KVGet("k"); !bytes.Equal(value, big) || !found || err != nil {
		t.Errorf("set: %d bytes, %t, %v", len(value), found, err)
	}
	if err := KVDelete("k"); err != nil {
		t.Fatal(err)
	}
	if _, found, err := KVGet("k"); found || err != nil {
		t.Errorf("deleted: %t, %v", found, err)
	}
	var refused *wire.Error
	if err := KVSet("", nil); !errors.As(err, &refused) || refused.Code != wire.CodeInvalid {
		t.Errorf("empty key: %v", err)
	}
}

func TestHTTP(t *testing.T) {
	t.Cleanup(func() { Native.HTTP = nil })
	var failed *wire.Error
	_, err := HTTP(HTTPRequest{URL: "https://shop.example.com/"})
	if !errors.As(err, &failed) || failed.Code != wire.CodeRetry {
		t.Errorf("no server: %v", err)
	}
	calls := 0
	Native.HTTP = func(req HTTPRequest) HTTPReply {
		calls++
		return HTTPReply{Status: 404, Headers: []Pair{{Name: "a", Value: req.URL}}, Body: make([]byte, 200<<10)}
	}
	reply, err := HTTP(HTTPRequest{URL: "https://shop.example.com/"})
	if err != nil || reply.Status != 404 || reply.Headers[0].Value != "https://shop.example.com/" ||
		len(reply.Body) != 200<<10 {
		t.Errorf("got %d, %d bytes, %v", reply.Status, len(reply.Body), err)
	}
	if calls != 1 {
		t.Errorf("a reply that did not fit was asked for %d times", calls)
	}
	if _, err := HTTP(HTTPRequest{}); !errors.As(err, &failed) || failed.Code != wire.CodeInvalid {
		t.Errorf("empty URL: %v", err)
	}
}
