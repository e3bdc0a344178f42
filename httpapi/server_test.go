package httpapi

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"strings"
	"testing"

	"github.com/gofiber/fiber/v2"
	"go.uber.org/zap"
	"go.uber.org/zap/zaptest/observer"
)

// A body over the limit is refused by its announced length: none of it has been sent here.
func TestLargeBody(t *testing.T) {
	b := newBench(t)
	head := func(method, path, length string) string {
		return fmt.Sprintf("%s %s HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer %s\r\n%s\r\n\r\n", method, path, b.admin, length)
	}
	for _, c := range []struct{ name, text, want string }{
		{"3x-ui", head("POST", "/panel/api/clients/add", "Content-Length: 11534336"), "HTTP/1.1 200 OK"},
		// The server forgets whose body it was when it breaks off in the middle: this one has no dialect.
		{"chunked", head("POST", "/panel/api/clients/add", "Transfer-Encoding: chunked") + "B00000\r\n", "HTTP/1.1 413 Request Entity Too Large"},
		{"operator", head("PUT", "/api/settings", "Content-Length: 11534336"), "HTTP/1.1 413 Request Entity Too Large"},
	} {
		t.Run(c.name, func(t *testing.T) {
			before := b.changes()
			got, body := raw(t, b.url, c.text)
			if got != c.want || !strings.Contains(body, "the request body is larger than 10 MiB") || b.changes() != before {
				t.Errorf("got %s with %s, want %s", got, body, c.want)
			}
		})
	}
	b.run(t, b.url, []scenario{b.scenario(
		"just under the limit", http.MethodPost, "/clients/add", `{"client":{"comment":"`+strings.Repeat("a", maxBody-100)+`","email":"a"},"inboundIds":[1]}`,
		envelope("comment is longer than 4096 bytes"),
	)})
}

// A panic in a handler is that request's failure, in the form of its dialect, and the server lives on.
func TestPanic(t *testing.T) {
	observed, logs := observer.New(zap.ErrorLevel)
	app := newApp(zap.New(observed))
	for _, path := range []string{"/panel/api/panic", "/api/panic"} {
		app.Get(path, func(*fiber.Ctx) error { panic("secret") })
	}
	url := serve(t, &Server{app})
	const sentence = "something went wrong inside the server; its log says more"
	for range 2 {
		for path, want := range map[string]string{"/panel/api/panic": envelope(sentence), "/api/panic": detail(sentence)} {
			status, _, body := httpRequest{method: http.MethodGet, path: path}.send(t, url)
			if status != http.StatusInternalServerError || body != want {
				t.Errorf("%s: %d %s", path, status, body)
			}
		}
	}
	panics := logs.FilterMessage("request panicked").All()
	if len(panics) != 4 {
		t.Fatalf("%d panics are logged", len(panics))
	}
	if stack, _ := panics[0].ContextMap()["stack"].(string); !strings.Contains(stack, "TestPanic") {
		t.Errorf("the stack is %q", stack)
	}
}

// What breaks inside is told in a sentence without details, in every dialect.
func TestBrokenDatabase(t *testing.T) {
	b := newBench(t)
	b.inbound(1)
	b.client("alice")
	b.exec("ALTER TABLE user_inbounds RENAME TO gone")
	b.exec("ALTER TABLE settings RENAME TO gone2")
	const sentence = "the database could not do this"
	b.run(t, b.url, []scenario{
		b.scenario("3x-ui", http.MethodGet, "/clients/get/alice", "", envelope(sentence)),
		b.scenario("3x-ui, a write", http.MethodPost, "/clients/add", `{"client":{"email":"bob"},"inboundIds":[1]}`, envelope(sentence)),
		b.operator("operator", http.MethodGet, "/settings", "", 503, detail(sentence)),
		{name: "sub", req: httpRequest{method: http.MethodGet, path: "/sub/sub-alice"}, status: 503, want: sentence},
	})
	for _, path := range []string{"/panel/api/clients/get/alice", "/api/settings", "/sub/sub-alice"} {
		b.logs.TakeAll()
		_, headers, _ := httpRequest{method: http.MethodGet, path: path, token: b.admin}.send(t, b.url)
		lines := b.logs.TakeAll()
		if len(lines) != 1 || lines[0].ContextMap()["request"] != headers.Get("X-Request-Id") || headers.Get("X-Request-Id") == "" {
			t.Errorf("%s with the id %q is logged as %v", path, headers.Get("X-Request-Id"), lines)
		}
	}
}

// A request that is under way when the server is told to stop is answered.
func TestServeEndsGracefully(t *testing.T) {
	entered, release := make(chan struct{}), make(chan struct{})
	app := newApp(zap.NewNop())
	app.Get("/slow", func(c *fiber.Ctx) error {
		close(entered)
		<-release
		return c.SendString("done")
	})
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(t.Context())
	served, answered := make(chan error, 1), make(chan string, 1)
	go func() { served <- (&Server{app}).Serve(ctx, l) }()
	go func() {
		_, _, body := httpRequest{method: http.MethodGet, path: "/slow"}.send(t, "http://"+l.Addr().String())
		answered <- body
	}()
	<-entered
	stop()
	close(release)
	if body := <-answered; body != "done" {
		t.Errorf("the request under way got %q", body)
	}
	if err := <-served; err != nil {
		t.Error(err)
	}
}

// A server that is told to stop before it began to accept stops too, and closes its listener.
func TestServeThatNeverBegins(t *testing.T) {
	for range 20 {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		ctx, stop := context.WithCancel(t.Context())
		stop()
		if err := (&Server{newApp(zap.NewNop())}).Serve(ctx, l); err != nil {
			t.Fatal(err)
		}
		if conn, err := net.Dial("tcp", l.Addr().String()); err == nil {
			_ = conn.Close()
			t.Fatal("the listener is open")
		}
	}
}

func TestServeOnAClosedListener(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	if err := (&Server{newApp(zap.NewNop())}).Serve(t.Context(), l); err != nil {
		t.Errorf("got %v", err)
	}
}
