package core

import (
	"strings"

	"github.com/xtls/xray-core/features/stats"
)

// tally is the statistics feature that the dispatcher has for one connection: so the core's own accounting, which knows
// about splicing, feeds the quota of the user and the meter of the inbound directly. Nothing of it is ever read back. The
// core's own counters of inbounds would cost a third of the speed of uploads: with them it reads one buffer at a time.
type tally struct {
	stats.NoopManager // of what a manager has, only the counters of users are asked for
	gate              *gate
	user              *user
	meter             *meter
}

// GetOrRegisterCounter returns the counter for names of the form user>>>ID>>>traffic>>>uplink.
func (t *tally) GetOrRegisterCounter(name string) (stats.Counter, error) {
	if strings.HasSuffix(name, ">>>uplink") {
		return (*upCounter)(t), nil
	}
	return (*downCounter)(t), nil
}

// upCounter is the core's handle on the bytes that come from a user.
type upCounter tally

// Value returns the user's bytes that are not yet flushed.
func (c *upCounter) Value() int64 { return c.user.up.Load() }

// Set changes nothing: only a flush takes bytes away.
func (c *upCounter) Set(int64) int64 { return c.user.up.Load() }

// Add counts n bytes from the client.
func (c *upCounter) Add(n int64) int64 {
	c.meter.up.Add(n)
	if c.user != &c.gate.nobody {
		c.gate.count(c.user, n, 0)
	}
	return 0
}

// downCounter is the core's handle on the bytes that go to a user.
type downCounter tally

// Value returns the user's bytes that are not yet flushed.
func (c *downCounter) Value() int64 { return c.user.down.Load() }

// Set changes nothing: only a flush takes bytes away.
func (c *downCounter) Set(int64) int64 { return c.user.down.Load() }

// Add counts n bytes to the client.
func (c *downCounter) Add(n int64) int64 {
	c.meter.down.Add(n)
	if c.user != &c.gate.nobody {
		c.gate.count(c.user, 0, n)
	}
	return 0
}
