// Package xui speaks the 3x-ui dialect: it maps its JSON to the domain and back, and every error to its envelope.
package xui

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"reflect"
	"strings"
	"unicode"

	"github.com/danielgtaylor/huma/v2"
	"github.com/gofiber/fiber/v2"
	"go.uber.org/zap"

	"github.com/sluicehq/sluice/httpapi/auth"
	"github.com/sluicehq/sluice/httpapi/request"
	"github.com/sluicehq/sluice/kernel/accounts"
	"github.com/sluicehq/sluice/kernel/domain"
)

// Envelope is what every route of this dialect answers, errors too.
type Envelope[T any] struct {
	Success bool   `json:"success"`
	Msg     string `json:"msg" doc:"what happened, or one plain sentence about what is wrong"`
	Obj     *T     `json:"obj" doc:"null on errors and on actions without a result"`
}

// TransformSchema says in the OpenAPI document that obj may be null: huma can not say it of an object.
func (Envelope[T]) TransformSchema(_ huma.Registry, s *huma.Schema) *huma.Schema {
	s.Properties["obj"] = &huma.Schema{AnyOf: []*huma.Schema{s.Properties["obj"], {Type: "null"}}}
	return s
}

// none is the obj of routes that answer with none.
type none struct{}

// reply is a huma response with the envelope in it.
type reply[T any] struct{ Body Envelope[T] }

// fieldNames are this dialect's names of the domain's fields.
var fieldNames = map[string]string{
	"username": "email", "sub_id": "subId", "quota": "totalGB", "expire_at": "expiryTime", "limit_ip": "limitIp",
	"note": "comment", "inbounds": "inboundIds", "tg_id": "tgId", "stream_settings": "streamSettings",
	"share_address": "shareAddr", "hold_duration": "the hold of expiryTime", "auto_delete": "autoDeleteInDays",
	"renew_days": "reset", "renew_day": "resetDay", "renew_max": "resetMax",
	"reset_policy": "trafficReset", "reset_params": "trafficResetParams", "up": "upload", "down": "download",
	"limit_hwid": "limitHwid", "ad_tag": "adTag", "idempotency_key": "Idempotency-Key",
	"days": "addDays", "bytes": "addBytes", "inbound_quota": "total", "inbound_expire_at": "expiryTime",
	"expires_at": "expiresAt", "hold_timeout": "holdTimeout",
	"next_quota": "nextPlan.dataLimit", "next_duration": "nextPlan.expire",
}

// handle registers a route whose errors become envelopes with status 200, as 3x-ui has it. A result of none is null.
func handle[I, O any](r routes, op huma.Operation, do func(context.Context, *I) (O, string, error)) {
	op = r.secured(op)
	if _, bulk := any(new(I)).(interface{ how() accounts.How }); !bulk && op.Method == http.MethodPost {
		op.Middlewares = append(op.Middlewares, unheeded(r.api))
	}
	huma.Register(r.api, op, func(ctx context.Context, in *I) (*reply[O], error) {
		obj, msg, err := do(ctx, in)
		if err != nil {
			return &reply[O]{Envelope[O]{Msg: r.sentence(ctx, op, err)}}, nil
		}
		out := Envelope[O]{Success: true, Msg: msg}
		if _, null := any(obj).(none); !null {
			out.Obj = &obj
		}
		return &reply[O]{out}, nil
	})
}

// secured is the operation with what every route has: a token, and a body that was read before.
func (r routes) secured(op huma.Operation) huma.Operation {
	op.BodyReadTimeout, op.MaxBodyBytes = -1, -1 // the server has read and bounded the body already
	op.Security = []map[string][]string{{"token": {}}}
	op.Responses = map[string]*huma.Response{
		"401": r.denial("the token is missing, unknown, expired or disabled"),
		"403": r.denial("the token may not do this"),
	}
	return op
}

// denial describes an answer of Deny.
func (r routes) denial(description string) *huma.Response {
	schema := r.api.OpenAPI().Components.Schemas.Schema(reflect.TypeFor[Envelope[none]](), true, "")
	return &huma.Response{Description: description, Content: map[string]*huma.MediaType{"application/json": {Schema: schema}}}
}

// sentence is what the caller reads of err. What is not meant for callers goes to the log.
func (r routes) sentence(ctx context.Context, op huma.Operation, err error) string {
	var refused *accounts.Refused
	if errors.As(err, &refused) {
		return plain(refusal(refused))
	}
	var e *domain.Error
	if !errors.As(err, &e) {
		r.Log.Error("request failed", request.ID(ctx), zap.String("route", op.Path), zap.Error(err))
		return "something went wrong inside the server; its log says more"
	}
	if cause := errors.Unwrap(e); cause != nil && e.Code == domain.CodeUnavailable {
		r.Log.Error("request failed", request.ID(ctx), zap.String("route", op.Path), zap.Error(cause))
	}
	return plain(inDialect(e).Error())
}

// plain keeps a sentence on its line, whatever a caller's word in it holds.
func plain(sentence string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsControl(r) {
			return unicode.ReplacementChar
		}
		return r
	}, sentence)
}

// refusal says why nothing at all was done of a request.
func refusal(r *accounts.Refused) string {
	first := newSkipped([]accounts.Skip{r.First})[0]
	sentence := "nothing was changed: " + first.Email + ": " + first.Reason
	if r.More > 0 {
		sentence += fmt.Sprintf(" (and %d more)", r.More)
	}
	return sentence
}

// inDialect is the error with this dialect's name of the field, which may be one of an item of a list.
func inDialect(e *domain.Error) *domain.Error {
	renamed := *e
	item, field := "", e.Field
	if end := strings.LastIndex(field, "]."); end >= 0 {
		item, field = field[:end+2], field[end+2:]
	}
	field, path, deeper := strings.Cut(field, ".")
	if name, ok := fieldNames[field]; ok {
		renamed.Field = item + name
		if deeper {
			renamed.Field += "." + path
		}
	}
	return &renamed
}

// Failure is a request that was refused before its handler ran, as an envelope with status 200.
type Failure struct{ Envelope[none] }

// Error returns the sentence.
func (f *Failure) Error() string { return f.Msg }

// GetStatus is 200, whatever is wrong: scripts of this dialect look at success.
func (f *Failure) GetStatus() int { return http.StatusOK }

// NewFailure makes one sentence out of what huma found wrong with a request: the first fault, by its field.
func NewFailure(message string, faults ...error) *Failure {
	if len(faults) > 0 {
		message = faultSentence(faults[0])
	}
	return &Failure{Envelope[none]{Msg: message}}
}

func faultSentence(fault error) string {
	var d *huma.ErrorDetail
	if !errors.As(fault, &d) {
		return oneLine(fault.Error())
	}
	field := d.Location
	if strings.HasPrefix(field, "body[") { // of a body that is a list
		field = "item " + strings.TrimPrefix(field, "body")
	}
	for _, part := range []string{"path.", "query.", "header.", "body.", "client."} {
		field = strings.TrimPrefix(field, part)
	}
	told, own := predicate(oneLine(d.Message))
	switch {
	case field != "" && field != "body":
		return field + " " + told
	case own:
		return "the request body " + told
	}
	return told // a sentence that names the field itself
}

// predicate makes what huma says of a field ("expected integer", "invalid integer") go on after the field's name ("must
// be an integer"). own is false for what is not said in this way.
func predicate(message string) (told string, own bool) {
	kind, expected := strings.CutPrefix(message, "expected ")
	if !expected {
		kind, expected = strings.CutPrefix(message, "invalid ")
	}
	length, long := strings.CutPrefix(kind, "length <= ")
	switch {
	case !expected:
		return message, strings.HasPrefix(message, "is ")
	case long:
		return "must have at most " + length + " characters", true
	case strings.IndexAny(kind, "aeiou") == 0:
		return "must be an " + kind, true
	}
	return "must be a " + kind, true
}

func oneLine(text string) string { return strings.Join(strings.Fields(text), " ") }

// Deny answers a request that may not pass, with the real status and the envelope (decisions.md S2).
func Deny(c *fiber.Ctx, d auth.Denial) error {
	return c.Status(d.Status).JSON(Envelope[none]{Msg: d.Message})
}

// Fail answers a request that no handler saw, such as one with too large a body.
func Fail(c *fiber.Ctx, status int, message string) error {
	return c.Status(status).JSON(Envelope[none]{Msg: message})
}
