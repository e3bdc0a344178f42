package kernel

import (
	"errors"
	"testing"

	"github.com/sluicehq/sluice/kernel/core"
	"github.com/sluicehq/sluice/kernel/plugin"
)

func TestReadiness(t *testing.T) {
	down := errors.New("down")
	loaded := plugin.Info{Name: "good", State: plugin.StateLoaded}
	problem := []core.Problem{{InboundID: 1}}
	for _, c := range []struct {
		name string
		h    Health
		want Readiness
	}{
		{"nothing wrong", Health{Plugins: []plugin.Info{loaded}}, Ready},
		{"traffic not stored for long", Health{Stale: true}, Degraded},
		{"the last flush failed", Health{Traffic: down}, Degraded},
		{"an inbound is down", Health{Inbounds: problem}, Degraded},
		{"a plugin is refused", Health{Plugins: []plugin.Info{loaded, {State: plugin.StateRefused}}}, Degraded},
		{"a plugin failed last", Health{Plugins: []plugin.Info{{State: plugin.StateFailing}}}, Degraded},
		{"a plugin keeps failing", Health{Plugins: []plugin.Info{{State: plugin.StateFailed}}}, Degraded},
		{"no database", Health{Database: down}, Unready},
		{"no core", Health{Core: down, Inbounds: problem}, Unready},
	} {
		t.Run(c.name, func(t *testing.T) {
			if got := c.h.Readiness(); got != c.want {
				t.Errorf("%s, want %s", got, c.want)
			}
		})
	}
}
