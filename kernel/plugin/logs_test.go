package plugin

import (
	"strings"
	"testing"
	"time"

	"github.com/jonboulle/clockwork"
	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"
	"go.uber.org/zap/zaptest/observer"

	"github.com/sluicehq/sluice/sdk/wire"
)

func observed(clock clockwork.Clock) (*stderr, *observer.ObservedLogs) {
	core, logs := observer.New(zapcore.DebugLevel)
	h := &Host{log: zap.New(core), clock: clock}
	p := &plugin{module: &module{host: h, name: "x"}}
	p.journal = h.journal(p)
	in := &instance{plugin: p}
	in.deadline.Store(monotonic() + int64(time.Hour))
	in.stderr.in = in
	return &in.stderr, logs
}

func texts(logs *observer.ObservedLogs) []string {
	var out []string
	for _, e := range logs.TakeAll() {
		out = append(out, e.ContextMap()["text"].(string))
	}
	return out
}

func TestStderrIsSplitIntoLines(t *testing.T) {
	s, logs := observed(clockwork.NewFakeClock())
	for _, p := range []string{"one", " line\n\nand\x1b[31m ", "another\nrest", strings.Repeat("x", 5000), "\nend\n"} {
		if n, err := s.Write([]byte(p)); n != len(p) || err != nil {
			t.Errorf("Write answers %d, %v", n, err)
		}
	}
	got := texts(logs)
	if len(got) != 4 || got[0] != "one line" || got[1] != "and [31m another" || len(got[2]) != wire.MaxLogLine ||
		!strings.HasPrefix(got[2], "restxx") || got[3] != "end" {
		t.Errorf("lines %.60q", got)
	}
}

// A server that is down all night, which each event finds anew, does not fill the disk.
func TestMishapsAreRare(t *testing.T) {
	clock := clockwork.NewFakeClock()
	s, logs := observed(clock)
	for range 3 {
		for range 100 {
			s.in.plugin.journal.mishap("plugin got no answer", zap.String("text", "-"))
		}
		clock.Advance(mishapEvery)
	}
	if got := len(texts(logs)); got != mishapBurst+2 {
		t.Errorf("%d lines", got)
	}
}

func TestStderrKeepsItsTail(t *testing.T) {
	s, _ := observed(clockwork.NewFakeClock())
	var all strings.Builder
	for _, size := range []int{1, 10, 5000, 9000, 3, 8192, 100_000, 1} {
		p := strings.Repeat(string(rune('a'+all.Len()%26)), size)
		all.WriteString(p)
		if _, err := s.Write([]byte(p)); err != nil {
			t.Fatal(err)
		}
		want := all.String()
		want = want[max(0, len(want)-wire.MaxStderr):]
		if got := string(s.last()); got != want {
			t.Fatalf("after %d bytes the tail has %d bytes, want %d, or they differ", all.Len(), len(got), len(want))
		}
		if cap(s.tail) > 4*wire.MaxStderr {
			t.Fatalf("%d bytes are kept", cap(s.tail))
		}
	}
	s.reset()
	if len(s.last()) != 0 {
		t.Error("there is a tail after reset")
	}
}

func TestLogIsBounded(t *testing.T) {
	clock := clockwork.NewFakeClock()
	s, logs := observed(clock)
	j := s.in.plugin.journal
	for range logBurst + 50 {
		j.line(wire.LogError, []byte("x"))
	}
	if n := logs.Len(); n != logBurst {
		t.Errorf("%d lines at once, want %d", n, logBurst)
	}
	clock.Advance(time.Second)
	logs.TakeAll()
	for range 50 {
		j.line(wire.LogLevel(77), []byte("y"))
	}
	after := logs.TakeAll()
	if len(after) != logLinesPerSecond || after[0].ContextMap()["dropped_before"] != uint64(50) || after[0].Level != zapcore.InfoLevel {
		t.Errorf("%d lines a second later, the first %v", len(after), after[0])
	}
}
