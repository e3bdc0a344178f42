// Package httpapi is the surface of Sluice: it puts the dialects, the subscriptions and the operator's routes behind
// one HTTP server.
package httpapi

import (
	"context"
	"errors"
	"net"
	"strings"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humafiber"
	"github.com/gofiber/fiber/v2"
	"github.com/gofiber/fiber/v2/middleware/recover"
	"github.com/gofiber/fiber/v2/middleware/requestid"
	"go.uber.org/zap"

	"github.com/sluicehq/sluice/httpapi/auth"
	"github.com/sluicehq/sluice/httpapi/control"
	fault "github.com/sluicehq/sluice/httpapi/detail" // detail is what tests call a whole answer
	"github.com/sluicehq/sluice/httpapi/ops"
	"github.com/sluicehq/sluice/httpapi/pasarguard"
	"github.com/sluicehq/sluice/httpapi/request"
	"github.com/sluicehq/sluice/httpapi/sub"
	"github.com/sluicehq/sluice/httpapi/xui"
	"github.com/sluicehq/sluice/kernel"
	"github.com/sluicehq/sluice/kernel/accounts"
)

const (
	maxBody     = 10 << 20 // bytes of a request body; a longer one is refused before it is read
	maxHead     = 32 << 10 // bytes of a request's head, its URL included
	readTimeout = 30 * time.Second
	idleTimeout = 2 * time.Minute
	stopTimeout = 10 * time.Second // for requests under way when the server is told to stop
)

// Options say what one listener serves.
type Options struct {
	Kernel  *kernel.Kernel
	Log     *zap.Logger
	Version string

	API     bool // both dialects, settings, health
	Sub     bool // subscriptions
	Metrics bool // metrics and health details without a token: for a listener that only the operator reaches
}

// Server answers the requests of one listener.
type Server struct{ app *fiber.App }

// Serve answers until ctx ends, then lets requests under way end for a while. The listener is closed in any case.
func (s *Server) Serve(ctx context.Context, l net.Listener) error {
	served := make(chan error, 1)
	go func() { served <- s.app.Listener(l) }()
	select {
	case err := <-served:
		return err
	case <-ctx.Done():
		err := s.app.ShutdownWithTimeout(stopTimeout)
		_ = l.Close() // told to stop before it began to accept, the server would accept for ever
		return errors.Join(err, <-served)
	}
}

// NewControl returns the server of the control socket.
func NewControl(a *accounts.Service, log *zap.Logger) *Server { return &Server{control.New(a, log)} }

// New returns the server for one listener.
func New(o Options) *Server {
	app := newApp(o.Log)
	switch {
	case o.API:
		o.api(app)
	case o.Metrics:
		app.Get("/metrics", ops.Metrics(o.Kernel))
		ops.RegisterHealth(app, o.Kernel, func(*fiber.Ctx) bool { return true })
	}
	if o.Sub {
		users := o.pasarguard()
		sub.Register(app, sub.Options{Subscriptions: o.Kernel.Subscriptions, Info: users.Info, Usage: users.Usage, Log: o.Log})
	}
	return &Server{app}
}

func newApp(log *zap.Logger) *fiber.App {
	app := fiber.New(fiber.Config{
		AppName: "Sluice", DisableStartupMessage: true,
		Immutable:                    true, // strings of a request may be kept after it
		CaseSensitive:                true,
		EnableTrustedProxyCheck:      true, // of no proxy yet: else anybody's X-Forwarded-Host would be believed
		DisablePreParseMultipartForm: true, // it would refuse forms in words of its own
		BodyLimit:                    maxBody, ReadBufferSize: maxHead, ReadTimeout: readTimeout, IdleTimeout: idleTimeout,
		ErrorHandler: func(c *fiber.Ctx, err error) error { return fail(c, err, log) },
	})
	app.Use(requestid.New(), recover.New(recover.Config{EnableStackTrace: true, StackTraceHandler: func(c *fiber.Ctx, p any) {
		log.Error("request panicked", request.ID(c.Context()), zap.String("path", c.Path()), zap.Any("panic", p), zap.Stack("stack"))
	}}))
	return app
}

func (o Options) api(app *fiber.App) {
	rule := auth.Rule{Accounts: o.Kernel.Accounts, Sudo: true, Answer: fault.Deny}
	ops.RegisterHealth(app, o.Kernel, rule.Allows)
	app.Get("/metrics", rule.Handler, ops.Metrics(o.Kernel))
	rule.Answer, rule.Reads = xui.Deny, xui.Reads
	app.Use(xui.Prefix, rule.Handler)
	rule = auth.Rule{Accounts: o.Kernel.Accounts, Answer: pasarguard.Deny, Open: pasarguard.Open}
	app.Use(pasarguard.Prefix, rule.Handler, pasarguard.ReadForm, asJSON)
	app.Use(xui.Prefix+"/inbounds", xui.ReadForm)
	app.Use(xui.Prefix, asJSON)

	api := humafiber.New(app, o.config())
	ops.Register(api, ops.Options{
		Accounts: o.Kernel.Accounts, Plugins: o.Kernel.Installed, Outbox: o.Kernel.Outbox(), Explainer: o.Kernel.Subscriptions, Log: o.Log,
	})
	pasarguard.Register(api, o.pasarguard())
	xui.Register(api, xui.Options{Accounts: o.Kernel.Accounts, Links: o.Kernel.Subscriptions, Log: o.Log})
	sub.Describe(api.OpenAPI())
	ops.Describe(api.OpenAPI())
	ops.RegisterDocs(app, api.OpenAPI())
}

func (o Options) pasarguard() pasarguard.Options {
	return pasarguard.Options{Accounts: o.Kernel.Accounts, Subscriptions: o.Kernel.Subscriptions, Log: o.Log}
}

// asJSON reads every body as JSON, whatever its Content-Type says: scripts of both dialects leave the header out, and
// curl -d puts a wrong one in. Nor is it unpacked, which could make it longer than any limit.
func asJSON(c *fiber.Ctx) error {
	c.Request().Header.SetContentType(fiber.MIMEApplicationJSON)
	c.Request().Header.Del(fiber.HeaderContentEncoding)
	return c.Next()
}

// inXUI says whether a path belongs to the 3x-ui dialect, whose errors are envelopes.
func inXUI(path string) bool { return path == xui.Prefix || strings.HasPrefix(path, xui.Prefix+"/") }

func init() {
	huma.NewErrorWithContext = func(ctx huma.Context, status int, message string, faults ...error) huma.StatusError {
		if ctx != nil && inXUI(ctx.Operation().Path) {
			return xui.NewFailure(message, faults...)
		}
		return fault.New(status, message, faults...)
	}
	huma.NewError = func(status int, message string, faults ...error) huma.StatusError {
		return fault.New(status, message, faults...)
	}
}

// fail answers what no handler did: no such route, too large a body, a panic.
func fail(c *fiber.Ctx, err error, log *zap.Logger) error {
	status, message := fiber.StatusInternalServerError, "something went wrong inside the server; its log says more"
	var known *fiber.Error
	switch {
	case errors.As(err, &known) && known.Code == fiber.StatusRequestEntityTooLarge:
		status, message = known.Code, "the request body is larger than 10 MiB"
	case errors.As(err, &known) && known.Code == fiber.StatusRequestHeaderFieldsTooLarge:
		status, message = known.Code, "the URL and the headers of the request are larger than 32 KiB"
	case errors.As(err, &known) && (known.Code == fiber.StatusNotFound || known.Code == fiber.StatusMethodNotAllowed):
		status, message = known.Code, "no such route: "+c.Method()+" "+c.Path()
	case errors.As(err, &known) && known.Code < fiber.StatusInternalServerError:
		status, message = known.Code, known.Message
	default:
		log.Error("request failed", request.ID(c.Context()), zap.String("path", c.Path()), zap.Error(err))
	}
	if !inXUI(c.Path()) {
		return c.Status(status).JSON(fault.Error{Detail: message})
	}
	if status == fiber.StatusRequestEntityTooLarge {
		status = fiber.StatusOK // what is wrong with a body is told in the envelope alone
	}
	return xui.Fail(c, status, message)
}
