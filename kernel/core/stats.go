package core

import (
	"context"
	"errors"
	"strings"

	appstats "github.com/xtls/xray-core/app/stats"
	"github.com/xtls/xray-core/common"
	"github.com/xtls/xray-core/features/stats"
	"google.golang.org/protobuf/types/known/wrapperspb"
)

// counters is the core's statistics feature with the counters of users replaced by the gate's, so that the core's own
// accounting, which knows about splicing, feeds quotas directly. Nothing of it is ever read back.
type counters struct {
	*appstats.Manager
	gate *gate
}

// A boolean stands for this feature, as an empty message does for the gated dispatcher.
func init() {
	common.Must(common.RegisterConfig((*wrapperspb.BoolValue)(nil), func(ctx context.Context, _ any) (any, error) {
		g, ok := ctx.Value(gateKey{}).(*gate)
		if !ok {
			return nil, errors.New("the instance has no gate")
		}
		m, err := appstats.NewManager(ctx, &appstats.Config{})
		return &counters{m, g}, err
	}))
}

// GetOrRegisterCounter returns the counter of a user for names of the form user>>>ID>>>traffic>>>uplink.
func (c *counters) GetOrRegisterCounter(name string) (stats.Counter, error) {
	rest, ok := strings.CutPrefix(name, "user>>>")
	if !ok {
		return c.Manager.GetOrRegisterCounter(name)
	}
	id, kind, _ := strings.Cut(rest, ">>>")
	u := c.gate.byEmail(id)
	if u == nil {
		return nil, errUser // removed after it was admitted: it is being cut
	}
	if kind == "traffic>>>uplink" {
		return &upCounter{u, c.gate}, nil
	}
	return &downCounter{u, c.gate}, nil
}

// upCounter is the core's handle on the bytes that come from a user.
type upCounter struct {
	*user
	gate *gate
}

// Value returns the bytes not yet flushed.
func (c *upCounter) Value() int64 { return c.up.Load() }

// Set changes nothing: only a flush takes bytes away.
func (c *upCounter) Set(int64) int64 { return c.up.Load() }

// Add counts n bytes from the client.
func (c *upCounter) Add(n int64) int64 {
	c.gate.count(c.user, n, 0)
	return 0
}

// downCounter is the core's handle on the bytes that go to a user.
type downCounter struct {
	*user
	gate *gate
}

// Value returns the bytes not yet flushed.
func (c *downCounter) Value() int64 { return c.down.Load() }

// Set changes nothing: only a flush takes bytes away.
func (c *downCounter) Set(int64) int64 { return c.down.Load() }

// Add counts n bytes to the client.
func (c *downCounter) Add(n int64) int64 {
	c.gate.count(c.user, 0, n)
	return 0
}
