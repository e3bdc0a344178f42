package plugin

import (
	"bytes"
	"sync/atomic"

	"github.com/jonboulle/clockwork"
	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"
	"golang.org/x/time/rate"

	"github.com/sluicehq/sluice/sdk/wire"
)

// How much one plugin may write to the log: what a person can still read, with room for a stack trace.
const (
	logLinesPerSecond = 20
	logBurst          = 200
)

// journal writes what a plugin says to the log, at a bounded rate.
type journal struct {
	log     *zap.Logger
	clock   clockwork.Clock
	limiter *rate.Limiter
	dropped atomic.Uint64 // lines since the last one written
}

func newJournal(log *zap.Logger, clock clockwork.Clock) *journal {
	return &journal{log: log, clock: clock, limiter: rate.NewLimiter(logLinesPerSecond, logBurst)}
}

var zapLevels = map[wire.LogLevel]zapcore.Level{
	wire.LogDebug: zapcore.DebugLevel, wire.LogInfo: zapcore.InfoLevel,
	wire.LogWarn: zapcore.WarnLevel, wire.LogError: zapcore.ErrorLevel,
}

// line writes text, which it does not keep, or counts it as dropped.
func (j *journal) line(level wire.LogLevel, text []byte) {
	at, known := zapLevels[level]
	if !known {
		at = zapcore.InfoLevel
	}
	if !j.log.Core().Enabled(at) {
		return
	}
	if !j.limiter.AllowN(j.clock.Now(), 1) {
		j.dropped.Add(1)
		return
	}
	text = text[:min(len(text), wire.MaxLogLine)]
	fields := []zap.Field{zap.String("text", plain(string(text), wire.MaxLogLine))}
	if n := j.dropped.Swap(0); n > 0 {
		fields = append(fields, zap.Uint64("dropped_before", n))
	}
	j.log.Log(at, "plugin says", fields...)
}

// stderr takes what a guest writes there. It goes to the journal line by line, and its end is kept to explain a crash:
// the text of a Go panic is nowhere else.
type stderr struct {
	in      *instance
	tail    []byte // up to twice wire.MaxStderr, so that it is not moved at every write
	partial []byte // of the line being written, at most wire.MaxLogLine
}

// Write never fails. Its work is bounded whatever the guest passes: of a long write only the end is looked at.
func (s *stderr) Write(p []byte) (int, error) {
	s.in.checkDeadline()
	n := len(p)
	p = p[max(0, n-wire.MaxStderr):]
	if len(s.tail)+len(p) > 2*wire.MaxStderr {
		s.tail = append(s.tail[:0], s.last()...)
	}
	s.tail = append(s.tail, p...)
	for len(p) > 0 {
		line, rest, whole := bytes.Cut(p, []byte{'\n'})
		s.partial = append(s.partial, line[:min(len(line), wire.MaxLogLine-len(s.partial))]...)
		if whole {
			s.flush()
		}
		p = rest
	}
	return n, nil
}

// flush ends the line being written.
func (s *stderr) flush() {
	if len(s.partial) > 0 {
		s.in.plugin.journal.line(wire.LogInfo, s.partial)
		s.partial = s.partial[:0]
	}
}

// last returns the end of what was written since the last reset, at most wire.MaxStderr bytes.
func (s *stderr) last() []byte { return s.tail[max(0, len(s.tail)-wire.MaxStderr):] }

// reset forgets what was written before.
func (s *stderr) reset() { s.tail = s.tail[:0] }
