package kit

import (
	"context"
	"fmt"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/sluicehq/sluice/kernel/plugin"
	"github.com/sluicehq/sluice/sdk/wire"
)

// Measured are the costs of one plugin on this machine.
type Measured struct {
	File     string         `json:"file"`
	Size     int            `json:"size"`         // bytes
	Cold     time.Duration  `json:"cold_load_ns"` // reading to serving, compiled for the first time
	Warm     time.Duration  `json:"warm_load_ns"` // the same with the compiled code at hand
	Instance time.Duration  `json:"instance_ns"`  // making one more instance, median
	Memory   int            `json:"memory_bytes"` // of one instance after the calls
	Items    []MeasuredItem `json:"items"`
}

// MeasuredItem are the costs of calls to one item, through the host.
type MeasuredItem struct {
	Kind   string        `json:"kind"`
	ID     string        `json:"id"`
	Calls  int           `json:"calls"`
	Median time.Duration `json:"median_ns"`
	P99    time.Duration `json:"p99_ns"`
	Refuse string        `json:"refused,omitempty"` // why the call that was measured is refused, "" = it is not
}

// Bench measures a file: how long it takes to load and how long calls take, n of each item. kind leaves out items of
// others, "" = none. A file that can not be loaded is an error.
func Bench(ctx context.Context, file string, wasm []byte, kind string, n int, o Options) (Measured, error) {
	m := Measured{File: file, Size: len(wasm), Items: []MeasuredItem{}}
	dir, err := os.MkdirTemp("", "sluice-bench-")
	if err != nil {
		return m, err
	}
	defer func() { _ = os.RemoveAll(dir) }()
	o.CacheDir = dir
	for _, load := range []*time.Duration{&m.Cold, &m.Warm} {
		if err := loaded(ctx, file, wasm, o, func(_ *session, took time.Duration) error {
			*load = took
			return nil
		}); err != nil {
			return m, err
		}
	}
	return m, loaded(ctx, file, wasm, o, func(s *session, _ time.Duration) error {
		for i := range s.info.Provides {
			item := &s.info.Provides[i]
			if kind != "" && item.Kind != kind {
				continue
			}
			measured, err := s.measure(item, n)
			if err != nil {
				return err
			}
			m.Items = append(m.Items, measured)
		}
		return s.measureInstance(&m)
	})
}

// loaded runs do with a file that serves, and says how long it took to get there.
func loaded(ctx context.Context, file string, wasm []byte, o Options, do func(*session, time.Duration) error) error {
	s, err := open(ctx, file, wasm, o)
	if err != nil {
		return err
	}
	defer s.close()
	start := time.Now()
	if err := s.load(wasm); err != nil {
		return err
	}
	return do(s, time.Since(start))
}

// measure makes n calls that an installation would make: ten names, one boundary, ten endpoints, one event.
func (s *session) measure(item *wire.Item, n int) (MeasuredItem, error) {
	m := MeasuredItem{Kind: item.Kind, ID: item.ID, Calls: n}
	call, took := s.typical(item), make([]time.Duration, n)
	for range n/10 + 1 { // until everything is warm
		if err := call(); harmed(err) != nil {
			return m, err
		}
	}
	for i := range took {
		start := time.Now()
		err := call()
		took[i] = time.Since(start)
		if err := harmed(err); err != nil {
			return m, err
		}
		if err != nil {
			m.Refuse = err.Error()
		}
	}
	slices.Sort(took)
	m.Median, m.P99 = took[n/2], took[n*99/100]
	return m, nil
}

// typical is the call that is measured.
func (s *session) typical(item *wire.Item) func() error {
	now, params := today.UnixMilli(), s.options.Params
	if len(item.Params) == 0 {
		params = ""
	}
	switch item.Kind {
	case wire.KindUsername:
		req := wire.UsernameRequest{ID: item.ID, Now: now, Entropy: entropy(1), Params: params, Base: "alice", Start: 1, Count: 10}
		if item.Base == wire.BaseNone {
			req.Base, req.Start = "", 0
		}
		return func() error { _, err := s.host.Usernames(s.ctx, &req); return err }
	case wire.KindPeriod:
		req := wire.PeriodRequest{
			ID: item.ID, Now: now, Entropy: entropy(1), Params: params, Anchor: anchors[4].UnixMilli(), TimeZone: "UTC",
			Transitions: []wire.Transition{{At: 0}},
		}
		return func() error { _, err := s.host.Period(s.ctx, &req); return err }
	case wire.KindFormat:
		req := request(item, params, many()[:10])
		req.Prepared = 1
		return func() error { _, err := s.host.Render(s.ctx, &req); return err }
	}
	req := wire.EventRequest{
		ID: item.ID, Now: now, Entropy: entropy(1), Type: "user.created", EventID: 7, Time: now, Payload: payload,
	}
	if len(item.Events) > 0 && item.Events[0] != "*" {
		req.Type = item.Events[0]
	}
	return func() error { return s.host.Event(s.ctx, &req) }
}

// measureInstance makes instances, and finds the memory of the one that has answered the calls.
func (s *session) measureInstance(m *Measured) error {
	took := make([]time.Duration, 9)
	for i := range took {
		start := time.Now()
		if err := s.probe(func(*plugin.Probe) error { took[i] = time.Since(start); return nil }); err != nil {
			return err
		}
	}
	slices.Sort(took)
	m.Instance = took[len(took)/2]
	if all := s.host.Plugins(); len(all) > 0 && all[0].Instances > 0 {
		m.Memory = all[0].Memory / all[0].Instances
	}
	return nil
}

// String is the table for a person.
func (m *Measured) String() string {
	var b strings.Builder
	fmt.Fprintf(&b, "file       %d bytes\ncold load  %s\nwarm load  %s\ninstance   %s, %.1f MiB\n", m.Size, round(m.Cold), round(m.Warm),
		round(m.Instance), float64(m.Memory)/(1<<20))
	for _, i := range m.Items {
		fmt.Fprintf(&b, "%-20s  median %-9s  p99 %-9s  %d calls", i.Kind+" "+i.ID, round(i.Median), round(i.P99), i.Calls)
		if i.Refuse != "" {
			fmt.Fprintf(&b, ", refused: %s", i.Refuse)
		}
		b.WriteByte('\n')
	}
	return b.String()
}

// round keeps the digits that mean something.
func round(d time.Duration) time.Duration {
	for unit := time.Second; unit > time.Nanosecond; unit /= 10 {
		if d >= unit {
			return d.Round(unit / 100)
		}
	}
	return d
}
