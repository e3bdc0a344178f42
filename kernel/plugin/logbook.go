package plugin

import (
	"sync"
	"time"

	"github.com/sluicehq/sluice/sdk/wire"
)

// How much of what a plugin said is kept: what a person would scroll through.
const (
	maxLines     = 1000
	maxLineBytes = 256 << 10 // of all lines of one plugin
)

// LogLine is something that a plugin said, or that happened to it.
type LogLine struct {
	Time  time.Time
	Level wire.LogLevel
	Text  string // one line without control characters, at most wire.MaxLogLine bytes
}

// Log returns the last 1,000 lines, or 256 KiB, of a plugin, oldest first; of a file that is refused before its name is
// known, those of its file name. nil when there are none.
func (h *Host) Log(name string) []LogLine { return h.logs.find(name).list() }

// logbook holds the lines of all plugins by name. They outlive a replaced file.
type logbook struct {
	mu    sync.Mutex
	books map[string]*lines
}

// of returns the lines of a plugin, which are made when there are none.
func (b *logbook) of(name string) *lines {
	b.mu.Lock()
	defer b.mu.Unlock()
	l := b.books[name]
	if l == nil {
		if b.books == nil {
			b.books = map[string]*lines{}
		}
		l = &lines{}
		b.books[name] = l
	}
	return l
}

// find returns the lines of a plugin, empty ones when there are none.
func (b *logbook) find(name string) *lines {
	b.mu.Lock()
	defer b.mu.Unlock()
	if l := b.books[name]; l != nil {
		return l
	}
	return &lines{}
}

func (b *logbook) forget(name string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	delete(b.books, name)
}

// lines are the last of one plugin. The zero value is empty.
type lines struct {
	mu    sync.Mutex
	all   []LogLine
	first int // the oldest
	bytes int
}

func (l *lines) add(at time.Time, level wire.LogLevel, text string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.all = append(l.all, LogLine{at, level, text})
	l.bytes += len(text)
	for len(l.all)-l.first > maxLines || l.bytes > maxLineBytes {
		l.bytes -= len(l.all[l.first].Text)
		l.all[l.first] = LogLine{}
		l.first++
	}
	if l.first > maxLines { // moved rarely
		l.all = append(l.all[:0], l.all[l.first:]...)
		l.first = 0
	}
}

func (l *lines) list() []LogLine {
	l.mu.Lock()
	defer l.mu.Unlock()
	return append([]LogLine(nil), l.all[l.first:]...)
}
