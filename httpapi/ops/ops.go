// Package ops serves what the people who run Sluice look at: health, metrics, settings,
// plugins and the events on their way to them.
package ops

import (
	"context"

	"github.com/danielgtaylor/huma/v2"
	"go.uber.org/zap"

	"github.com/sluicehq/sluice/httpapi/detail"
	"github.com/sluicehq/sluice/kernel/accounts"
	"github.com/sluicehq/sluice/kernel/install"
)

// Prefix is where the routes with a token live.
const Prefix = "/api"

// Options are what the routes speak about.
type Options struct {
	Accounts *accounts.Service
	Plugins  *install.Service
	Outbox   Outbox
	Explainer
	Log *zap.Logger
}

// Register adds the routes that need a token.
func Register(api huma.API, o Options) {
	o.settings(api)
	o.plugins(api)
	o.events(api)
	o.explain(api)
	describe(api.OpenAPI())
}

// operation needs a sudo admin.
func operation(api huma.API, method, path, summary, tag string) huma.Operation {
	return huma.Operation{
		Method: method, Path: Prefix + path, OperationID: huma.GenerateOperationID(method, path, struct{}{}), Summary: summary,
		Tags:        []string{tag},
		Middlewares: huma.Middlewares{detail.Sudo(api)},
		Security:    []map[string][]string{{"token": {}}}, BodyReadTimeout: -1, MaxBodyBytes: -1,
	}
}

// fail turns an error into an answer.
func (o Options) fail(ctx context.Context, err error) error {
	return detail.Names(nil).Of(ctx, o.Log, err)
}
