package ops

import (
	"context"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/gofiber/fiber/v2"

	"github.com/sluicehq/sluice/kernel"
	"github.com/sluicehq/sluice/kernel/plugin"
)

// Health is asked for the state of the parts.
type Health interface {
	Health(ctx context.Context) kernel.Health
}

// healthTimeout bounds how long a part may take to say how it is.
const healthTimeout = 3 * time.Second

// part is one line of the details.
type part struct {
	Name    string `json:"name"`
	State   string `json:"state"`
	Problem string `json:"problem,omitempty"`
}

// details is what a request with a token sees.
type details struct {
	Status       kernel.Readiness `json:"status"`
	Database     part             `json:"database"`
	Core         part             `json:"core"`
	Inbounds     []part           `json:"inbounds"` // those that are not served
	Plugins      []part           `json:"plugins"`  // all, refused ones too
	Traffic      part             `json:"traffic"`  // whether what moved is stored
	FlushSeconds float64          `json:"seconds_since_traffic_was_stored"`
	Events       events           `json:"events"`
}

// events say how those on their way to plugins do.
type events struct {
	Waiting       int64   `json:"waiting"`
	Dead          int64   `json:"dead"` // given up, see /api/events?state=dead
	OldestSeconds float64 `json:"oldest_seconds"`
	Failing       []part  `json:"failing"` // handlers that have handled nothing for a while
}

// RegisterHealth adds /healthz and /readyz. Both answer one word; for a request that detailed lets pass, JSON.
//
//	/healthz   200 as long as the process answers: restart it when it does not
//	/readyz    200 ready or degraded, 503 unready: send no traffic here
func RegisterHealth(router fiber.Router, h Health, detailed func(*fiber.Ctx) bool) {
	router.Get("/healthz", func(c *fiber.Ctx) error {
		if !detailed(c) {
			return c.SendString("ok\n")
		}
		return c.JSON(newDetails(ask(c, h)))
	})
	router.Get("/readyz", func(c *fiber.Ctx) error {
		state := ask(c, h)
		if state.Readiness() == kernel.Unready {
			c.Status(fiber.StatusServiceUnavailable)
		}
		if !detailed(c) {
			return c.SendString(string(state.Readiness()) + "\n")
		}
		return c.JSON(newDetails(state))
	})
}

// Describe adds health and metrics to the API's document: they are not registered through huma.
func Describe(api *huma.OpenAPI) {
	token := map[string][]string{"token": {}}
	nothing := map[string][]string{}
	for _, o := range []struct {
		path, summary string
		security      []map[string][]string // any one of them
		responses     map[string]string
	}{
		{
			"/healthz", "Whether the process answers; with a token, the state of its parts",
			[]map[string][]string{nothing, token},
			map[string]string{"200": "it does"},
		},
		{
			"/readyz", "Whether to send traffic here; with a token, the state of the parts",
			[]map[string][]string{nothing, token},
			map[string]string{"200": "ready or degraded", "503": "unready: the database or the core is down"},
		},
		{
			"/metrics", "Metrics in Prometheus' text form",
			[]map[string][]string{token},
			map[string]string{"200": "the metrics", "401": "no token", "403": "not a token of a sudo admin"},
		},
	} {
		op := &huma.Operation{
			Method: fiber.MethodGet, Path: o.path, OperationID: "get-" + o.path[1:], Tags: []string{"operation"}, Summary: o.summary,
			Security: o.security, Responses: map[string]*huma.Response{},
		}
		for status, what := range o.responses {
			op.Responses[status] = &huma.Response{Description: what}
		}
		api.AddOperation(op)
	}
}

func ask(c *fiber.Ctx, h Health) kernel.Health {
	ctx, cancel := context.WithTimeout(c.UserContext(), healthTimeout)
	defer cancel()
	return h.Health(ctx)
}

func newDetails(h kernel.Health) details {
	d := details{
		Status: h.Readiness(), Database: newPart("database", h.Database), Core: newPart("core", h.Core),
		Inbounds: []part{}, Plugins: []part{}, Traffic: newPart("traffic", h.Traffic), FlushSeconds: h.FlushAge.Seconds(),
		Events: events{h.Events.Waiting, h.Events.Dead, h.EventAge.Seconds(), []part{}},
	}
	for _, t := range h.Handlers {
		d.Events.Failing = append(d.Events.Failing, part{t.Handler, "failing since " + t.Since.UTC().Format(time.RFC3339), t.Problem})
	}
	for _, p := range h.Inbounds {
		d.Inbounds = append(d.Inbounds, part{p.Tag, "down", p.Reason})
	}
	for _, p := range h.Plugins {
		d.Plugins = append(d.Plugins, part{pluginName(p), string(p.State), p.Reason})
	}
	return d
}

func newPart(name string, err error) part {
	if err != nil {
		return part{name, "down", err.Error()}
	}
	return part{Name: name, State: "up"}
}

// pluginName is the name that its manifest gives a plugin, else its file's.
func pluginName(p plugin.Info) string {
	if p.Name == "" {
		return p.File
	}
	return p.Name
}
