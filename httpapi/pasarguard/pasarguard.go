// Package pasarguard speaks the PasarGuard dialect: it maps its JSON to the domain and back, and every error to its
// {"detail"}.
package pasarguard

import (
	"context"
	"errors"
	"net/http"

	"github.com/danielgtaylor/huma/v2"
	"github.com/gofiber/fiber/v2"
	"go.uber.org/zap"

	"github.com/sluicehq/sluice/httpapi/auth"
	"github.com/sluicehq/sluice/httpapi/detail"
	"github.com/sluicehq/sluice/httpapi/request"
	"github.com/sluicehq/sluice/kernel/accounts"
	"github.com/sluicehq/sluice/kernel/domain"
)

// Prefix is where this dialect lives.
const Prefix = "/api"

// Subscriptions knows where a user's subscription is.
type Subscriptions interface {
	// URL is what an app fetches: absolute if the settings have a public URL, else a path.
	URL(user *domain.User) string
}

// Options are what the dialect speaks about.
type Options struct {
	Accounts      *accounts.Service
	Subscriptions Subscriptions
	Log           *zap.Logger
}

type routes struct {
	Options
	api huma.API
}

// Register adds every route of the dialect to the API.
func Register(api huma.API, o Options) {
	r := routes{o, api}
	r.login()
	r.admins()
	r.groups()
	r.inbounds()
	r.hosts()
	r.cores()
	r.templates()
	r.strategies()
	r.fromTemplate()
	r.lists()
	r.bulk()
	r.users()
	describe(api.OpenAPI())
}

func get(path, summary, tag string) huma.Operation {
	return operation(http.MethodGet, path, summary, tag)
}

func post(path, summary, tag string) huma.Operation {
	return operation(http.MethodPost, path, summary, tag)
}

func put(path, summary, tag string) huma.Operation {
	return operation(http.MethodPut, path, summary, tag)
}

func remove(path, summary, tag string) huma.Operation {
	op := operation(http.MethodDelete, path, summary, tag)
	op.DefaultStatus = http.StatusNoContent
	return op
}

// created is post for a route that answers 201.
func created(path, summary, tag string) huma.Operation {
	op := post(path, summary, tag)
	op.DefaultStatus = http.StatusCreated
	return op
}

func operation(method, path, summary, tag string) huma.Operation {
	return huma.Operation{
		Method: method, Path: Prefix + path, OperationID: huma.GenerateOperationID(method, Prefix+path, struct{}{}), Summary: summary,
		Tags: []string{tag}, Security: []map[string][]string{{"token": {}}},
		BodyReadTimeout: -1, MaxBodyBytes: -1, // the server has read and bounded the body already
	}
}

// sudo lets sudo admins alone call the operation.
func (r routes) sudo(op huma.Operation) huma.Operation {
	op.Description = "Needs a sudo admin."
	op.Middlewares = append(op.Middlewares, detail.Sudo(r.api))
	return op
}

// reply is a response with a JSON body.
type reply[T any] struct{ Body T }

// handle registers a route that answers with JSON.
func handle[I, O any](r routes, op huma.Operation, do func(ctx context.Context, who accounts.Principal, in *I) (O, error)) {
	huma.Register(r.api, op, func(ctx context.Context, in *I) (*reply[O], error) {
		who, _ := auth.From(ctx)
		out, err := do(ctx, who, in)
		if err != nil {
			return nil, r.fail(ctx, err)
		}
		return &reply[O]{out}, nil
	})
}

// handleEmpty registers a route that answers with no body.
func handleEmpty[I any](r routes, op huma.Operation, do func(ctx context.Context, who accounts.Principal, in *I) error) {
	huma.Register(r.api, op, func(ctx context.Context, in *I) (*struct{}, error) {
		who, _ := auth.From(ctx)
		if err := do(ctx, who, in); err != nil {
			return nil, r.fail(ctx, err)
		}
		return nil, nil
	})
}

// fieldNames are this dialect's names of the domain's fields.
var fieldNames = detail.Names{
	"quota": "data_limit", "expire_at": "expire", "reset_policy": "data_limit_reset_strategy",
	"reset_params": "data_limit_reset_params", "hold_duration": "on_hold_expire_duration", "hold_timeout": "on_hold_timeout",
	"limit_hwid": "hwid_limit", "auto_delete": "auto_delete_in_days", "inbounds": "inbound_tags", "group": "name",
	"next_quota": "next_plan.data_limit", "next_duration": "next_plan.expire", "base": "username", "start": "start_number",
	"uuid": "id", "duration": "expire_duration", "addresses": "address", "host_names": "host", "statuses": "status",
}

// sentences are this dialect's words for what does not exist.
var sentences = map[string]string{
	"client not found": "User not found", "group not found": "Group not found", "template not found": "User Template not found",
	"admin not found": "Admin not found", "host not found": "Host not found",
}

// fail turns an error into the answer.
func (r routes) fail(ctx context.Context, err error) error {
	var e *domain.Error
	if !errors.As(err, &e) {
		return fieldNames.Of(ctx, r.Log, err)
	}
	switch words, known := sentences[e.Message]; {
	case e.Code == domain.CodeNotFound && known:
		return detail.Sentence(http.StatusNotFound, words)
	case e.Code == domain.CodeConflict && e.Field == "username":
		return detail.Sentence(http.StatusConflict, "User already exists")
	}
	return fieldNames.Of(ctx, r.Log, err)
}

// UserPath is a path with a user's name. It is exported because huma looks for embedded Resolve methods in exported types only.
type UserPath struct {
	Username string `path:"username" doc:"the user's name, URL-encoded"`
}

// Resolve decodes the name: the router hands path segments over as they were sent.
func (p *UserPath) Resolve(huma.Context) []error { return request.Segment(&p.Username, "username") }

// Deny answers a request that may not pass, in this dialect's words.
func Deny(c *fiber.Ctx, d auth.Denial) error { return detail.Deny(c, inWords(d)) }
