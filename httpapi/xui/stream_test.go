package xui

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"iter"
	"net"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humafiber"
	"github.com/gofiber/fiber/v2"
	"go.uber.org/zap"
	"go.uber.org/zap/zaptest/observer"

	"github.com/sluicehq/sluice/httpapi/stream"
	"github.com/sluicehq/sluice/kernel/domain"
)

// streaming serves one streamed route and returns its URL and what it logs.
func streaming(t *testing.T, pieces iter.Seq2[[]byte, error]) (string, *observer.ObservedLogs) {
	t.Helper()
	observed, logs := observer.New(zap.ErrorLevel)
	app := fiber.New(fiber.Config{DisableStartupMessage: true})
	r := routes{Options: Options{Log: zap.New(observed)}, api: humafiber.New(app, huma.DefaultConfig("test", "1"))}
	handleStream[[]string](r, get("/list", "A list", "test"), func(context.Context, *struct{}) iter.Seq2[[]byte, error] { return pieces })
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	served := make(chan error, 1)
	go func() { served <- app.Listener(l) }()
	t.Cleanup(func() {
		if err := app.ShutdownWithTimeout(10 * time.Second); err != nil {
			t.Error(err)
		}
		if err := <-served; err != nil {
			t.Error(err)
		}
	})
	return "http://" + l.Addr().String() + Prefix + "/list", logs
}

func fetch(t *testing.T, url string) *http.Response {
	t.Helper()
	resp, err := (&http.Client{Transport: &http.Transport{DisableKeepAlives: true}}).Get(url)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = resp.Body.Close() })
	return resp
}

// numbered is a list of n strings, and then err or a panic with it.
func numbered(n int, err error, panics bool) iter.Seq2[[]byte, error] {
	item := strings.Repeat("a<", 500)
	return stream.List(func(yield func(string, error) bool) {
		for range n {
			if !yield(item, nil) {
				return
			}
		}
		switch {
		case panics:
			panic(err)
		case err != nil:
			yield("", err)
		}
	}, stream.Append)
}

func TestStream(t *testing.T) {
	broken := errors.New("the disk is gone")
	const inside = `{"success":false,"msg":"something went wrong inside the server; its log says more","obj":null}`
	for _, c := range []struct {
		name    string
		items   int
		err     error
		panics  bool
		envelop string // the answer when it is none of the list
		chunked bool
		cut     bool
		logged  string
	}{
		{name: "empty"},
		{name: "one", items: 1},
		{name: "within a lot", items: 40},
		{name: "a little more than a lot", items: 50, chunked: true},
		{name: "long", items: 3000, chunked: true},
		{name: "refused", err: domain.NotFound("inbound not found"), envelop: `{"success":false,"msg":"inbound not found","obj":null}`},
		{name: "broken within the first lot", items: 10, err: broken, envelop: inside, logged: "request failed"},
		{name: "broken later", items: 3000, err: broken, chunked: true, cut: true, logged: "answer broke off"},
		{name: "a panic within the first lot", items: 10, err: broken, panics: true, envelop: inside, logged: "request failed"},
		{name: "a panic later", items: 3000, err: broken, panics: true, chunked: true, cut: true, logged: "answer broke off"},
	} {
		t.Run(c.name, func(t *testing.T) {
			url, logs := streaming(t, numbered(c.items, c.err, c.panics))
			for range 2 {
				resp := fetch(t, url)
				body, err := io.ReadAll(resp.Body)
				if resp.StatusCode != http.StatusOK || resp.Header.Get("Content-Type") != "application/json" {
					t.Errorf("%d %s", resp.StatusCode, resp.Header.Get("Content-Type"))
				}
				if c.chunked != (resp.ContentLength < 0) || c.cut != errors.Is(err, io.ErrUnexpectedEOF) || !c.cut && err != nil {
					t.Errorf("length %d, read to the end with %v", resp.ContentLength, err)
				}
				if !c.cut {
					wantList(t, body, c.items, c.envelop)
				}
			}
			wantLog(t, logs, c.logged, c.panics)
		})
	}
}

// wantList checks that the body is the envelope, or else that of a list of n items.
func wantList(t *testing.T, body []byte, n int, envelop string) {
	t.Helper()
	if envelop != "" {
		if got := strings.TrimSpace(string(body)); got != envelop {
			t.Errorf("answers %s\nwant %s", got, envelop)
		}
		return
	}
	want, err := json.Marshal(slices.Repeat([]string{strings.Repeat("a<", 500)}, n))
	if err != nil {
		t.Fatal(err)
	}
	text := `{"success":true,"msg":"","obj":` + strings.ReplaceAll(string(want), `\u003c`, "<") + "}\n"
	if string(body) != text {
		t.Errorf("answers %d bytes, want %d", len(body), len(text))
	}
}

func wantLog(t *testing.T, logs *observer.ObservedLogs, message string, stack bool) {
	t.Helper()
	if message == "" {
		if logs.Len() > 0 {
			t.Errorf("logged %v", logs.All())
		}
		return
	}
	if logs.Len() != 2 || logs.All()[0].Message != message {
		t.Fatalf("logged %v", logs.All())
	}
	told, _ := logs.All()[0].ContextMap()["error"].(string)
	if !strings.Contains(told, "the disk is gone") || stack != strings.Contains(told, "xui.numbered") {
		t.Errorf("logged %s", told)
	}
}

// A caller who goes away ends the walk, and nothing is logged: it is not our failure.
func TestStreamToWhoGoesAway(t *testing.T) {
	ended := make(chan struct{})
	url, logs := streaming(t, stream.List(func(yield func(string, error) bool) {
		defer close(ended)
		for yield("again", nil) { // for ever
		}
	}, stream.Append))
	resp := fetch(t, url)
	if _, err := io.ReadFull(resp.Body, make([]byte, 1<<20)); err != nil {
		t.Fatal(err)
	}
	_ = resp.Body.Close()
	select {
	case <-ended:
	case <-time.After(time.Minute):
		t.Fatal("the walk goes on")
	}
	if logs.Len() > 0 {
		t.Errorf("logged %v", logs.All())
	}
}
