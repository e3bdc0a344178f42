// Package sub serves subscription links: the one thing here that is meant for a user's app.
package sub

import (
	"cmp"
	"context"
	"errors"
	"strings"

	"github.com/gofiber/fiber/v2"
	"go.uber.org/zap"

	"github.com/sluicehq/sluice/httpapi/request"
	"github.com/sluicehq/sluice/kernel/domain"
	"github.com/sluicehq/sluice/kernel/subscription"
)

// Prefix is where subscriptions live.
const Prefix = "/sub"

// Subscriptions finds and renders them.
type Subscriptions interface {
	// Owner returns whose subscription id it is; with a username, only if it is that user's.
	Owner(ctx context.Context, subID, username string) (domain.User, error)
	Subscription(ctx context.Context, subID string, r subscription.Request) (subscription.Reply, error)
}

// UsageQuery is what /usage was asked for, as it stands in the query; "" = absent.
type UsageQuery struct{ Period, Start, End string }

// Options are what the routes stand on.
type Options struct {
	Subscriptions Subscriptions
	// Info and Usage answer /info and /usage with what is written as JSON: the user and its traffic, as a dialect shows
	// them. They return domain.Errors. A nil one makes its suffix the name of a format.
	Info  func(ctx context.Context, userID int64) (any, error)
	Usage func(ctx context.Context, userID int64, q UsageQuery) (any, error)
	Log   *zap.Logger
}

// Register adds the routes, for GET and HEAD.
func Register(router fiber.Router, o Options) {
	router.Get(Prefix+"/:id", o.serve)
	router.Get(Prefix+"/:id/:suffix", o.serve)
}

func (o Options) serve(c *fiber.Ctx) error {
	c.Set(fiber.HeaderXContentTypeOptions, "nosniff")
	c.Set(fiber.HeaderReferrerPolicy, "no-referrer") // the URL is a secret
	t, ok := readTarget(c.Params("id"), c.Params("suffix"), string(c.Request().URI().QueryString()))
	if !ok {
		return o.refuse(c, domain.NotFound("subscription not found"))
	}
	switch {
	case t.suffix == "info" && o.Info != nil:
		return o.json(c, t, func(user int64) (any, error) { return o.Info(c.UserContext(), user) })
	case t.suffix == "usage" && o.Usage != nil:
		q := UsageQuery{t.query.Get("period"), t.query.Get("start"), t.query.Get("end")}
		return o.json(c, t, func(user int64) (any, error) { return o.Usage(c.UserContext(), user, q) })
	case t.suffix == "apps": // PasarGuard has a list of them in its settings; here they are on the page
		return o.json(c, t, func(int64) (any, error) { return []struct{}{}, nil })
	}
	return o.body(c, t)
}

// json answers with what is made for the subscription's user.
func (o Options) json(c *fiber.Ctx, t target, read func(user int64) (any, error)) error {
	user, err := o.Subscriptions.Owner(c.UserContext(), t.token, t.username)
	if err != nil {
		return o.refuse(c, err)
	}
	body, err := read(user.ID)
	if err != nil {
		return o.refuse(c, err)
	}
	c.Set(fiber.HeaderCacheControl, "private, no-cache")
	return c.JSON(body)
}

// body answers with the subscription itself.
func (o Options) body(c *fiber.Ctx, t target) error {
	reply, err := o.Subscriptions.Subscription(c.UserContext(), t.token, subscription.Request{
		Username: t.username, Format: cmp.Or(t.suffix, t.query.Get("format")), Host: c.Hostname(), Base: c.BaseURL(),
		UserAgent: c.Get(fiber.HeaderUserAgent), Accept: c.Get(fiber.HeaderAccept), HeadOnly: c.Method() == fiber.MethodHead,
	})
	if err != nil {
		return o.refuse(c, err)
	}
	for _, h := range reply.Headers {
		c.Set(h.Name, h.Value)
	}
	c.Set(fiber.HeaderCacheControl, "private, no-cache")
	c.Set(fiber.HeaderETag, reply.ETag)
	if unchanged(c.Get(fiber.HeaderIfNoneMatch), reply.ETag) {
		return c.SendStatus(fiber.StatusNotModified)
	}
	c.Set(fiber.HeaderContentType, reply.ContentType)
	return c.Send(reply.Body)
}

// unchanged compares weakly, as RFC 9110 §13.1.2 wants it for If-None-Match.
func unchanged(ifNoneMatch, etag string) bool {
	for tag := range strings.SplitSeq(ifNoneMatch, ",") {
		tag = strings.TrimSpace(tag)
		if tag == "*" || strings.TrimPrefix(tag, "W/") == etag {
			return true
		}
	}
	return false
}

func (o Options) refuse(c *fiber.Ctx, err error) error {
	status, sentence := fiber.StatusInternalServerError, "something went wrong inside the server"
	var known *domain.Error
	if errors.As(err, &known) {
		switch sentence = known.Error(); known.Code {
		case domain.CodeNotFound:
			status, sentence = fiber.StatusNotFound, "subscription not found" // the same bytes for whatever is not there
		case domain.CodeInvalid:
			status = fiber.StatusBadRequest
		case domain.CodeUnavailable:
			status = fiber.StatusServiceUnavailable
		}
	}
	if status >= fiber.StatusInternalServerError {
		o.Log.Error("subscription failed", request.ID(c.Context()), zap.Error(err))
	}
	return c.Status(status).SendString(sentence + "\n")
}
