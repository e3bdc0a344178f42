package core

import (
	"encoding/json"
	"testing"
	"time"

	"github.com/sluicehq/sluice/kernel/core/coretest"
	"github.com/sluicehq/sluice/kernel/domain"
)

// TestPackets takes UDP through the protocols that carry it differently: in the stream, multiplexed, as packets of their
// own without any socket to close, and in QUIC.
func TestPackets(t *testing.T) {
	for _, c := range []struct {
		combination
		mux bool
	}{
		{combination: combinations[0]},
		{combination: combinations[0], mux: true},
		{combination: combinations[9]},
		{combination: combinations[10]},
		{combination: combinations[12]},
	} {
		name := c.name
		if c.mux {
			name += " multiplexed"
		}
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			s, port := newScene(t, dir), coretest.FreePort(t)
			e := start(t, Options{CertDir: dir}, []domain.Inbound{c.inbound(s, 1, port)}, account(7, 1, 1))
			out := jsonObject{}
			check(t, json.Unmarshal([]byte(c.outbound(s, 7, port)), &out))
			if c.mux {
				out["mux"] = jsonObject{"enabled": true, "concurrency": 8, "xudpConcurrency": 8}
			}
			echoed := coretest.UDP(t, coretest.Client(t, toJSON(out)), coretest.UDPEcho(t))
			coretest.Eventually(t, "a packet comes back", func() bool { return echoed("ping", time.Second) })
			if up, down := e.Unflushed(7); up < 4 || down < 4 {
				t.Errorf("counted %d up and %d down for a packet of 4", up, down)
			}
			if online := e.Online(); len(online) != 1 || online[0].Connections != 1 {
				t.Errorf("online: %+v, want one connection", online)
			}
			check(t, e.ApplyUsers(t.Context(), nil, []int64{7}))
			// The flow is cut, but on a busy machine one packet may pass before the core has noticed.
			coretest.Eventually(t, "no packet of the removed user comes back", func() bool { return !echoed("pong", time.Second) })
			coretest.Eventually(t, "nobody is online", func() bool { return len(e.Online()) == 0 })
		})
	}
}
