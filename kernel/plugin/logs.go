package plugin

import (
	"bytes"
	"fmt"
	"strconv"
	"sync/atomic"
	"time"

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
	// What the host has to say of the plugin's requests is the same each time while a server is down, which may be all night.
	mishapEvery = 10 * time.Second
	mishapBurst = 20
)

// journal keeps what a plugin says, at a bounded rate, and what happens to it; both go to the log too.
type journal struct {
	log     *zap.Logger
	kept    *lines
	clock   clockwork.Clock
	limiter *rate.Limiter
	dropped atomic.Uint64 // lines since the last one written
	mishaps *rate.Limiter
}

// journal makes that of p. One without a name, or on trial, keeps what it says to itself.
func (h *Host) journal(p *plugin) *journal {
	j := &journal{log: h.log, kept: &lines{}, clock: h.clock, limiter: rate.NewLimiter(logLinesPerSecond, logBurst)}
	j.mishaps = rate.NewLimiter(rate.Every(mishapEvery), mishapBurst)
	switch {
	case p.trial:
		j.log = zap.NewNop()
	case p.name == "":
		j.log = h.log.With(zap.String("plugin", p.source()))
	default:
		j.log, j.kept = h.log.With(zap.String("plugin", p.name)), h.logs.of(p.name)
		if said := p.journal; said != nil { // while its manifest was read
			j.limiter = said.limiter
			for _, l := range said.kept.list() {
				j.kept.add(l.Time, l.Level, l.Text)
			}
		}
	}
	return j
}

var zapLevels = map[wire.LogLevel]zapcore.Level{
	wire.LogDebug: zapcore.DebugLevel, wire.LogInfo: zapcore.InfoLevel,
	wire.LogWarn: zapcore.WarnLevel, wire.LogError: zapcore.ErrorLevel,
}

// line writes what the plugin says, which it does not keep, or counts it as dropped.
func (j *journal) line(level wire.LogLevel, text []byte) {
	at, known := zapLevels[level]
	if !known {
		level, at = wire.LogInfo, zapcore.InfoLevel
	}
	now := j.clock.Now()
	if !j.limiter.AllowN(now, 1) {
		j.dropped.Add(1)
		return
	}
	said := plain(string(text[:min(len(text), wire.MaxLogLine)]), wire.MaxLogLine)
	fields := []zap.Field{zap.String("text", said)}
	if n := j.dropped.Swap(0); n > 0 {
		fields = append(fields, zap.Uint64("dropped_before", n))
		j.kept.add(now, wire.LogWarn, strconv.FormatUint(n, 10)+" lines were dropped: the plugin writes too many")
	}
	j.kept.add(now, level, said)
	j.log.Log(at, "plugin says", fields...)
}

// say writes what has happened to the plugin.
func (j *journal) say(level zapcore.Level, what string, fields ...zap.Field) {
	j.log.Log(level, what, fields...)
	text := what
	at := wire.LogInfo
	if level > zapcore.InfoLevel {
		at = wire.LogWarn
	}
	shown := zapcore.NewMapObjectEncoder()
	for _, f := range fields {
		f.AddTo(shown)
	}
	for _, f := range fields {
		if v := shown.Fields[f.Key]; f.Key != "stderr" { // which came line by line before
			text += fmt.Sprintf(", %s: %v", f.Key, v)
		}
	}
	j.kept.add(j.clock.Now(), at, plain(text, wire.MaxLogLine))
}

// mishap is say for what may happen at every call, at a bounded rate.
func (j *journal) mishap(what string, fields ...zap.Field) {
	if j.mishaps.AllowN(j.clock.Now(), 1) {
		j.say(zap.WarnLevel, what, fields...)
	}
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
