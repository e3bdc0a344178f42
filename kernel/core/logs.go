package core

import (
	"context"
	"strings"
	"sync/atomic"

	xlog "github.com/xtls/xray-core/common/log"
	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"
)

// logBacklog is how many lines may wait for a slow log before lines are dropped.
const logBacklog = 1024

// coreLog passes the core's log on to zap. The core calls it from the goroutines that move data, for every line of every
// level: so a level that is off costs a comparison, and a log that blocks costs lines, not traffic.
type coreLog struct {
	log     *zap.Logger
	lines   chan line
	dropped atomic.Int64
}

// line is what is left of a message: the core reuses what the message points to.
type line struct {
	level zapcore.Level
	text  string
}

// silence takes what the core says while no Engine runs, as when a configuration is tried. By default it would print it.
type silence struct{}

func (silence) Handle(xlog.Message) {}

func init() { xlog.RegisterHandler(silence{}) }

// forwardLogs makes the core log to log until ctx ends.
func forwardLogs(ctx context.Context, t *tasks, log *zap.Logger) {
	l := &coreLog{log: log, lines: make(chan line, logBacklog)}
	xlog.RegisterHandler(l)
	t.run("forwarding the log", func() { l.forward(ctx) })
}

// Handle takes one line of the core.
func (l *coreLog) Handle(m xlog.Message) {
	level := levelOf(m)
	if !l.log.Core().Enabled(level) {
		return
	}
	select {
	case l.lines <- line{level, textOf(m)}:
	default:
		l.dropped.Add(1)
	}
}

// textOf is the line without its severity, which zap writes in its own way.
func textOf(m xlog.Message) string {
	text := m.String()
	if general, ok := m.(*xlog.GeneralMessage); ok {
		text = strings.TrimPrefix(text, "["+general.Severity.String()+"] ")
	}
	return text
}

// levelOf is debug for all that happens with every connection, so that who connects where is not in the log by default.
func levelOf(m xlog.Message) zapcore.Level {
	general, ok := m.(*xlog.GeneralMessage)
	if !ok {
		return zapcore.DebugLevel
	}
	switch general.Severity {
	case xlog.Severity_Error:
		return zapcore.ErrorLevel
	case xlog.Severity_Warning:
		return zapcore.WarnLevel
	}
	return zapcore.DebugLevel
}

// forward writes the lines out and says when some were dropped.
func (l *coreLog) forward(ctx context.Context) {
	for {
		select {
		case <-ctx.Done():
			xlog.RegisterHandler(silence{})
			return
		case line := <-l.lines:
			l.log.Log(line.level, line.text)
			if n := l.dropped.Swap(0); n > 0 {
				l.log.Warn("lines of the core were dropped because the log is slow", zap.Int64("lines", n))
			}
		}
	}
}
