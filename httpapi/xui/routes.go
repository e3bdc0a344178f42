package xui

import (
	"context"
	"net/http"

	"github.com/danielgtaylor/huma/v2"
	"go.uber.org/zap"

	"github.com/sluicehq/sluice/httpapi/request"
	"github.com/sluicehq/sluice/kernel/accounts"
	"github.com/sluicehq/sluice/kernel/domain"
)

// Prefix is where this dialect lives.
const Prefix = "/panel/api"

// Links renders share links.
type Links interface {
	Links(ctx context.Context, user *domain.User, host string) ([]string, error)
	LinksBySubID(ctx context.Context, subID, host string) ([]string, error)
}

// Options are what the dialect speaks about.
type Options struct {
	Accounts *accounts.Service
	Links    Links
	Log      *zap.Logger
}

type routes struct {
	Options
	api huma.API
}

// Register adds every route of the dialect to the API.
func Register(api huma.API, o Options) {
	r := routes{o, api}
	r.inbounds()
	r.creation()
	r.clients()
	r.lists()
	r.bulk()
	r.groups()
	r.traffic()
	r.online()
	r.tokens()
	r.server()
	r.ofOne()
	describe(api.OpenAPI())
}

func get(path, summary, tag string) huma.Operation {
	return operation(http.MethodGet, path, summary, tag)
}

func post(path, summary, tag string) huma.Operation {
	return operation(http.MethodPost, path, summary, tag)
}

func operation(method, path, summary, tag string) huma.Operation {
	return huma.Operation{
		Method: method, Path: Prefix + path, OperationID: huma.GenerateOperationID(method, path, struct{}{}), Summary: summary,
		Tags: []string{tag},
	}
}

// EmailPath is a path that ends in a client's name.
type EmailPath struct {
	Email string `path:"email" doc:"the client's name, URL-encoded"`
}

// Resolve decodes the name: the router hands path segments over as they were sent.
func (p *EmailPath) Resolve(huma.Context) []error { return request.Segment(&p.Email, "email") }

// SubPath is a path that ends in a subscription id.
type SubPath struct {
	SubID string `path:"subId" doc:"the client's subscription id"`
}

// Resolve decodes the id.
func (p *SubPath) Resolve(huma.Context) []error { return request.Segment(&p.SubID, "subId") }

// Hosted is a request whose answer depends on the host that it was sent to. It is exported, as the paths are, because
// huma looks for embedded Resolve methods in exported types only.
type Hosted struct{ host string }

// Resolve remembers the host.
func (h *Hosted) Resolve(ctx huma.Context) []error {
	h.host = ctx.Host()
	return nil
}
