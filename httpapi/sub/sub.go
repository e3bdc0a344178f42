// Package sub serves subscription links: the one thing here that is meant for a user's app.
package sub

import (
	"context"
	"errors"
	"net/url"
	"strings"

	"github.com/danielgtaylor/huma/v2"
	"github.com/gofiber/fiber/v2"
	"go.uber.org/zap"

	"github.com/sluicehq/sluice/httpapi/request"
	"github.com/sluicehq/sluice/kernel/domain"
	"github.com/sluicehq/sluice/kernel/subscription"
)

// Prefix is where subscriptions live.
const Prefix = "/sub"

// Subscriptions renders them.
type Subscriptions interface {
	Subscription(ctx context.Context, subID string, r subscription.Request) (subscription.Reply, error)
}

// Register adds the route, for GET and HEAD.
func Register(router fiber.Router, s Subscriptions, log *zap.Logger) {
	router.Get(Prefix+"/:id", func(c *fiber.Ctx) error { return serve(c, s, log) })
}

// Describe adds the route to the API's document: it is no JSON, so it is not registered through huma.
func Describe(api *huma.OpenAPI) {
	api.AddOperation(&huma.Operation{
		Method: fiber.MethodGet, Path: Prefix + "/{id}", OperationID: "get-subscription", Tags: []string{"subscriptions"},
		Summary: "A user's subscription",
		Parameters: []*huma.Param{
			{Name: "id", In: "path", Required: true, Description: "the user's subscription id", Schema: &huma.Schema{Type: "string"}},
			{Name: "format", In: "query", Description: "id of a format, links-base64 when absent", Schema: &huma.Schema{Type: "string"}},
		},
		Responses: map[string]*huma.Response{
			"200": {Description: "the subscription, also of a user who may not connect now"},
			"304": {Description: "nothing has changed since the ETag in If-None-Match"},
			"400": {Description: "no such format"},
			"404": {Description: "no such subscription"},
			"503": {Description: "the format's plugin fails, or no address is known that clients can reach"},
		},
	})
}

func serve(c *fiber.Ctx, s Subscriptions, log *zap.Logger) error {
	id, err := url.PathUnescape(c.Params("id"))
	if err != nil {
		return refuse(c, domain.NotFound("subscription not found"), log)
	}
	reply, err := s.Subscription(c.UserContext(), id, subscription.Request{
		Format: c.Query("format"), Host: c.Hostname(), UserAgent: c.Get(fiber.HeaderUserAgent),
	})
	if err != nil {
		return refuse(c, err, log)
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

func refuse(c *fiber.Ctx, err error, log *zap.Logger) error {
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
		log.Error("subscription failed", request.ID(c.Context()), zap.Error(err))
	}
	return c.Status(status).SendString(sentence + "\n")
}
