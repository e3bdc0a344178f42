package core

import (
	"context"
	"testing"

	xlog "github.com/xtls/xray-core/common/log"
	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"
	"go.uber.org/zap/zaptest/observer"

	"github.com/sluicehq/sluice/kernel/core/coretest"
)

// untold is a message that must not be asked for its text.
type untold struct{ t *testing.T }

func (u untold) String() string {
	u.t.Error("a line that is not logged was put together")
	return ""
}

func TestLevelsOfTheCoresLog(t *testing.T) {
	seen, logs := observer.New(zap.WarnLevel)
	ctx, cancel := context.WithCancel(t.Context())
	tasks := &tasks{log: zap.NewNop()}
	forwardLogs(ctx, tasks, zap.New(seen))
	xlog.Record(&xlog.GeneralMessage{Severity: xlog.Severity_Debug, Content: untold{t}})
	xlog.Record(&xlog.AccessMessage{From: untold{t}, To: untold{t}})
	xlog.Record(&xlog.GeneralMessage{Severity: xlog.Severity_Warning, Content: "mind this"})
	xlog.Record(&xlog.GeneralMessage{Severity: xlog.Severity_Error, Content: "that broke"})
	coretest.Eventually(t, "both lines are logged", func() bool { return logs.Len() == 2 })
	for i, want := range []struct {
		level zapcore.Level
		text  string
	}{{zap.WarnLevel, "mind this"}, {zap.ErrorLevel, "that broke"}} {
		if got := logs.All()[i]; got.Level != want.level || got.Message != want.text {
			t.Errorf("line %d: %s %q, want %s %q", i, got.Level, got.Message, want.level, want.text)
		}
	}
	cancel()
	check(t, tasks.wait(context.Background()))
}

func TestASlowLogCostsLinesNotTraffic(t *testing.T) {
	seen, _ := observer.New(zap.WarnLevel)
	l := &coreLog{log: zap.New(seen), lines: make(chan line, 2)}
	for range 5 {
		l.Handle(&xlog.GeneralMessage{Severity: xlog.Severity_Warning, Content: "again"}) // nobody reads: must not block
	}
	if n := l.dropped.Load(); n != 3 {
		t.Errorf("dropped %d lines, want 3", n)
	}
}
