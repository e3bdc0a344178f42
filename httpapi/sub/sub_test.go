package sub

import (
	"context"
	"testing"

	"github.com/gofiber/fiber/v2"
	"github.com/valyala/fasthttp"
	"go.uber.org/zap"

	"github.com/sluicehq/sluice/kernel/domain"
	"github.com/sluicehq/sluice/kernel/subscription"
	"github.com/sluicehq/sluice/sdk/wire"
)

// one is the subscription of everybody who has the right id.
type one struct {
	reply subscription.Reply
	asked subscription.Request
}

func (o *one) Owner(context.Context, string, string) (domain.User, error) {
	return domain.User{ID: 1}, nil
}

func (o *one) Subscription(_ context.Context, subID string, r subscription.Request) (subscription.Reply, error) {
	o.asked = r
	if subID != "sub" {
		return subscription.Reply{}, domain.NotFound("subscription not found")
	}
	return o.reply, nil
}

var reply = subscription.Reply{
	Body: []byte("<html>"), ContentType: "text/html", ETag: `"a"`,
	Headers: []wire.Pair{{Name: "subscription-userinfo", Value: "upload=1"}, {Name: "content-security-policy", Value: "sandbox"}},
}

// handler serves the subscriptions without a network.
func handler(o *one) fasthttp.RequestHandler {
	app := fiber.New(fiber.Config{DisableStartupMessage: true, Immutable: true})
	Register(app, Options{Subscriptions: o, Log: zap.NewNop()})
	return app.Handler()
}

func ask(h fasthttp.RequestHandler, url string, headers map[string]string) *fasthttp.RequestCtx {
	c := &fasthttp.RequestCtx{}
	c.Request.SetRequestURI(url)
	c.Request.Header.SetHost("vpn.example:8080")
	for name, value := range headers {
		c.Request.Header.Set(name, value)
	}
	h(c)
	return c
}

// Every answer tells the browser to guess nothing and to pass the URL on to nobody, as the URL is a secret.
func TestHeadersOfEveryAnswer(t *testing.T) {
	h := handler(&one{reply: reply})
	for url, status := range map[string]int{"/sub/sub": 200, "/sub/sub/links": 200, "/sub/nobody": 404, "/sub/%zz": 404, "/sub/sub/apps": 200} {
		c := ask(h, url, nil)
		for name, want := range map[string]string{"X-Content-Type-Options": "nosniff", "Referrer-Policy": "no-referrer"} {
			if got := string(c.Response.Header.Peek(name)); got != want || c.Response.StatusCode() != status {
				t.Errorf("%s: %d, %s: %q", url, c.Response.StatusCode(), name, got)
			}
		}
	}
	c := ask(h, "/sub/sub", nil)
	for name, want := range map[string]string{
		"Content-Security-Policy": "sandbox", "Subscription-Userinfo": "upload=1", "Cache-Control": "private, no-cache", "ETag": `"a"`, "Content-Type": "text/html",
	} {
		if got := string(c.Response.Header.Peek(name)); got != want {
			t.Errorf("%s: %q, want %q", name, got, want)
		}
	}
	if string(c.Response.Body()) != "<html>" {
		t.Errorf("body %q", c.Response.Body())
	}
}

// What decides the format reaches the service.
func TestRequestOfAnApp(t *testing.T) {
	o := &one{reply: reply}
	h := handler(o)
	app := map[string]string{"User-Agent": "app/1", "Accept": "text/html"}
	for url, want := range map[string]subscription.Request{
		"/sub/sub":                          {},
		"/sub/sub?format=clash":             {Format: "clash"},
		"/sub/sub/links?format=clash":       {Format: "links"},
		"/sub/alice?token=sub":              {Username: "alice"},
		"/sub/alice?token=sub/sing-box":     {Username: "alice", Format: "sing-box"},
		"/sub/alice?format=html&token=sub/": {Username: "alice", Format: "html"},
	} {
		want.UserAgent, want.Accept, want.Host, want.Base = "app/1", "text/html", "vpn.example:8080", "http://vpn.example:8080"
		if ask(h, url, app); o.asked != want {
			t.Errorf("%s: %+v, want %+v", url, o.asked, want)
		}
	}
}

// BenchmarkServe is what HTTP adds to a fetch, without the network.
func BenchmarkServe(b *testing.B) {
	h := handler(&one{reply: reply})
	for name, headers := range map[string]map[string]string{"200": nil, "304": {"If-None-Match": `"a"`}} {
		b.Run(name, func(b *testing.B) {
			c := ask(h, "/sub/alice?token=sub", headers)
			for b.Loop() {
				c.Response.Reset()
				h(c)
				if got := c.Response.StatusCode(); got != 200 && got != 304 {
					b.Fatal(got)
				}
			}
		})
	}
}
