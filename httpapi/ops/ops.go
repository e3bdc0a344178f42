// Package ops serves what the people who run Sluice look at: health, metrics, settings and the core's configuration.
package ops

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"strings"

	"github.com/danielgtaylor/huma/v2"
	"github.com/gofiber/fiber/v2"
	"go.uber.org/zap"

	"github.com/sluicehq/sluice/httpapi/auth"
	"github.com/sluicehq/sluice/httpapi/request"
	"github.com/sluicehq/sluice/kernel/accounts"
	"github.com/sluicehq/sluice/kernel/domain"
)

// Prefix is where the routes with a token live.
const Prefix = "/api"

// Detail is the error form of these routes, as in the PasarGuard dialect.
type Detail struct {
	Status int `json:"-"`
	Detail any `json:"detail" doc:"one sentence, or an object of sentences by field"`
}

// Error returns the sentence.
func (d *Detail) Error() string {
	text, _ := json.Marshal(d.Detail)
	return string(text)
}

// GetStatus is the HTTP status.
func (d *Detail) GetStatus() int { return d.Status }

// NewDetail makes the answer out of what huma found wrong with a request: an object by field when it names fields.
func NewDetail(status int, message string, faults ...error) *Detail {
	fields := map[string]string{}
	for _, fault := range faults {
		var detail *huma.ErrorDetail
		if errors.As(fault, &detail) {
			fields[strings.TrimPrefix(detail.Location, "body.")] = detail.Message
		} else {
			message = fault.Error()
		}
	}
	if len(fields) > 0 {
		return &Detail{status, fields}
	}
	return &Detail{status, message}
}

// Deny answers a request that may not pass.
func Deny(c *fiber.Ctx, d auth.Denial) error {
	return c.Status(d.Status).JSON(Detail{Detail: d.Message})
}

// Options are what the routes speak about.
type Options struct {
	Accounts *accounts.Service
	Log      *zap.Logger
}

// Register adds the routes that need a token.
func Register(api huma.API, o Options) {
	o.settings(api)
	o.core(api)
}

func operation(method, path, summary, tag string) huma.Operation {
	return huma.Operation{
		Method: method, Path: Prefix + path, OperationID: huma.GenerateOperationID(method, path, struct{}{}), Summary: summary,
		Tags:     []string{tag},
		Security: []map[string][]string{{"token": {}}}, BodyReadTimeout: -1, MaxBodyBytes: -1,
	}
}

// fail turns a domain error into an answer; what is not meant for callers goes to the log.
func (o Options) fail(ctx context.Context, err error) error {
	var e *domain.Error
	if !errors.As(err, &e) {
		o.Log.Error("request failed", request.ID(ctx), zap.Error(err))
		return &Detail{http.StatusInternalServerError, "something went wrong inside the server; its log says more"}
	}
	status := map[domain.Code]int{
		domain.CodeInvalid: http.StatusUnprocessableEntity, domain.CodeNotFound: http.StatusNotFound,
		domain.CodeConflict: http.StatusConflict, domain.CodeForbidden: http.StatusForbidden,
		domain.CodeUnavailable: http.StatusServiceUnavailable,
	}[e.Code]
	if e.Code == domain.CodeUnavailable {
		o.Log.Error("request failed", request.ID(ctx), zap.Error(err), zap.NamedError("cause", errors.Unwrap(e)))
	}
	if e.Code == domain.CodeInvalid && e.Field != "" {
		return &Detail{status, map[string]string{e.Field: e.Error()}}
	}
	return &Detail{status, e.Error()}
}
