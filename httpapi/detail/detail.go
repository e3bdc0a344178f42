// Package detail is the error form of everything under /api: {"detail": ...}, as PasarGuard has it.
package detail

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
	"github.com/sluicehq/sluice/kernel/domain"
)

// Error is an answer that says what is wrong.
type Error struct {
	Status int `json:"-"`
	Detail any `json:"detail" doc:"one sentence, or an object of sentences by field"`
}

// Error returns the sentence.
func (e *Error) Error() string {
	text, _ := json.Marshal(e.Detail)
	return string(text)
}

// GetStatus is the HTTP status.
func (e *Error) GetStatus() int { return e.Status }

// Sentence is an answer of one sentence.
func Sentence(status int, sentence string) *Error { return &Error{status, sentence} }

// Fields is what is wrong with a request, as sentences by field: 422.
type Fields map[string]string

// Error returns the sentences.
func (f Fields) Error() string {
	text, _ := json.Marshal(f)
	return string(text)
}

// Of is the same as an error for a caller, nil when nothing is wrong.
func (f Fields) Of() error {
	if len(f) == 0 {
		return nil
	}
	return &Error{http.StatusUnprocessableEntity, f}
}

// expectations are PasarGuard's words for what huma finds.
var expectations = map[string]string{
	"expected integer": "Must be integer",
	"invalid integer":  "Must be integer",
	"expected number":  "Input should be a valid number",
	"expected string":  "Input should be a valid string",
	"expected boolean": "Input should be a valid boolean",
	"invalid boolean":  "Input should be a valid boolean",
	"expected array":   "Input should be a valid list",
	"expected object":  "Input should be a valid dictionary",

	"expected number >= 0": "Input should be greater than or equal to 0",
	"expected number >= 1": "Input should be greater than or equal to 1",

	"expected array length <= 5000": "List should have at most 5000 items",
}

// New makes the answer out of what huma found wrong with a request: an object by field, the last name of its path.
func New(status int, message string, faults ...error) *Error {
	fields := Fields{}
	for _, fault := range faults {
		var found *huma.ErrorDetail
		if !errors.As(fault, &found) {
			fields["body"] = fault.Error()
			continue
		}
		name, sentence := named(found.Location, found.Message)
		fields[name] = sentence
	}
	if len(fields) > 0 {
		return &Error{http.StatusUnprocessableEntity, fields}
	}
	if status == http.StatusBadRequest { // a body that is none
		return &Error{http.StatusUnprocessableEntity, Fields{"body": message}}
	}
	return &Error{status, message}
}

// named is the field of a fault, and what PasarGuard says of it.
func named(location, message string) (field, sentence string) {
	if rest, missing := strings.CutPrefix(message, "expected required property "); missing {
		name, _, _ := strings.Cut(rest, " ")
		return name, "Field required"
	}
	if path, _, large := strings.Cut(message, " is out of range: "); large && !strings.Contains(path, " ") {
		location = path // the body could not be read, and the sentence says where
	}
	field, _, _ = strings.Cut(location[strings.LastIndexByte(location, '.')+1:], "[")
	if field == "" {
		field = "body"
	}
	if words, known := expectations[message]; known {
		return field, words
	}
	if message == "required query parameter is missing" {
		return field, "Field required"
	}
	return field, message
}

// Deny answers a request that may not pass.
func Deny(c *fiber.Ctx, d auth.Denial) error {
	return c.Status(d.Status).JSON(Error{Detail: d.Message})
}

// NotAllowed is what who is no sudo admin is told.
const NotAllowed = "You're not allowed"

// Sudo lets sudo admins alone call an operation.
func Sudo(api huma.API) func(huma.Context, func(huma.Context)) {
	return func(ctx huma.Context, next func(huma.Context)) {
		if who, ok := auth.From(ctx.Context()); ok && who.Admin.Sudo {
			next(ctx)
			return
		}
		_ = huma.WriteErr(api, ctx, http.StatusForbidden, NotAllowed)
	}
}

// statuses are what the codes of the domain become.
var statuses = map[domain.Code]int{
	domain.CodeInvalid: http.StatusUnprocessableEntity, domain.CodeNotFound: http.StatusNotFound,
	domain.CodeConflict: http.StatusConflict, domain.CodeForbidden: http.StatusForbidden,
	domain.CodeUnavailable: http.StatusServiceUnavailable,
}

// Names are a caller's names of the domain's fields.
type Names map[string]string

// Of turns any error into an answer; what is not meant for callers goes to the log.
func (n Names) Of(ctx context.Context, log *zap.Logger, err error) *Error {
	var own *Error
	var fields Fields
	var e *domain.Error
	switch {
	case errors.As(err, &own):
		return own
	case errors.As(err, &fields):
		return &Error{http.StatusUnprocessableEntity, fields}
	case !errors.As(err, &e):
		log.Error("request failed", request.ID(ctx), zap.Error(err))
		return Sentence(http.StatusInternalServerError, "something went wrong inside the server; its log says more")
	}
	if e.Code == domain.CodeUnavailable {
		log.Error("request failed", request.ID(ctx), zap.Error(err), zap.NamedError("cause", errors.Unwrap(e)))
	}
	switch {
	case e.Field == "" && e.Code == domain.CodeInvalid: // what is wrong is not one field
		return Sentence(http.StatusBadRequest, e.Message)
	case e.Field == "":
		return Sentence(statuses[e.Code], e.Message)
	}
	name, path, deeper := strings.Cut(e.Field, ".")
	name, index, indexed := strings.Cut(name, "[")
	if other, ok := n[name]; ok {
		name = other
	}
	if indexed {
		name += "[" + index
	}
	if deeper {
		name += "." + path
	}
	if e.Code == domain.CodeInvalid {
		return &Error{statuses[e.Code], Fields{name: name + " " + e.Message}}
	}
	return Sentence(statuses[e.Code], name+" "+e.Message)
}
