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

// settingsBody is the one table of settings.
type settingsBody struct {
	PublicHosts []string `json:"public_hosts" doc:"hosts that clients reach this server by; links carry the first"`
	PublicURL   string   `json:"public_url" doc:"base of subscription URLs, such as https://example.com; empty = the request's own"`

	TimeZone          string `json:"time_zone" doc:"IANA name, such as Europe/Berlin, in which calendar boundaries fall; empty = UTC"`
	FlushSeconds      int    `json:"flush_seconds" doc:"seconds between two writes of traffic, 0 = 5"`
	IPGraceSeconds    int    `json:"ip_grace_seconds" doc:"seconds for which an address counts against the IP limit after its last connection, 0 = 30"`
	AutoDeleteLimited bool   `json:"auto_delete_limited" doc:"users are deleted by themselves after a used up quota too, not only after expiry"`
}

type settingsReply struct{ Body settingsBody }

func newSettingsReply(s domain.Settings) *settingsReply {
	return &settingsReply{settingsBody{
		PublicHosts: append([]string{}, s.PublicHosts...), PublicURL: s.PublicURL, TimeZone: s.TimeZone,
		FlushSeconds: s.FlushSeconds, IPGraceSeconds: s.IPGraceSeconds, AutoDeleteLimited: s.AutoDeleteLimited,
	}}
}

// settingsChange is settingsBody with absence: what is not there stays as it is.
type settingsChange struct {
	Body struct {
		PublicHosts *[]string `json:"public_hosts"`
		PublicURL   *string   `json:"public_url"`

		TimeZone          *string `json:"time_zone"`
		FlushSeconds      *int    `json:"flush_seconds"`
		IPGraceSeconds    *int    `json:"ip_grace_seconds"`
		AutoDeleteLimited *bool   `json:"auto_delete_limited"`
	}
}

func (o Options) settings(api huma.API) {
	huma.Register(api, operation(http.MethodGet, "/settings", "Read the settings", "settings"),
		func(ctx context.Context, _ *struct{}) (*settingsReply, error) {
			s, err := o.Accounts.CurrentSettings(ctx)
			if err != nil {
				return nil, o.fail(ctx, err)
			}
			return newSettingsReply(s), nil
		})
	huma.Register(api, operation(http.MethodPut, "/settings", "Change settings; absent ones stay", "settings"),
		func(ctx context.Context, in *settingsChange) (*settingsReply, error) {
			s, err := o.Accounts.ChangeSettings(ctx, func(s *domain.Settings) {
				set(&s.PublicHosts, in.Body.PublicHosts)
				set(&s.PublicURL, in.Body.PublicURL)
				set(&s.TimeZone, in.Body.TimeZone)
				set(&s.FlushSeconds, in.Body.FlushSeconds)
				set(&s.IPGraceSeconds, in.Body.IPGraceSeconds)
				set(&s.AutoDeleteLimited, in.Body.AutoDeleteLimited)
			})
			if err != nil {
				return nil, o.fail(ctx, err)
			}
			return newSettingsReply(s), nil
		})
}

// set takes over what a request gave.
func set[T any](to *T, given *T) {
	if given != nil {
		*to = *given
	}
}
