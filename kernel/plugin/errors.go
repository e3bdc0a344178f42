package plugin

import (
	"errors"
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/sluicehq/sluice/kernel/domain"
	"github.com/sluicehq/sluice/sdk/wire"
)

// Why a call failed, for errors.Is. The error returned is always a domain.Error whose sentence names the plugin, the
// item and the limit, if one was broken.
var (
	ErrNoItem  = errors.New("no loaded plugin provides it")
	ErrTimeout = errors.New("deadline exceeded")
	ErrTrap    = errors.New("crashed")
	ErrReply   = errors.New("unusable reply") // outside the memory, over a limit, or not a message
	ErrBusy    = errors.New("all instances busy")
	ErrFailed  = errors.New("switched off after repeated failures")
	ErrClosed  = errors.New("the plugin host is closed")
)

// PluginError is a failure that a plugin reports itself: it works, but does not do what was asked.
type PluginError struct {
	Code    wire.Code
	Message string // one line without control characters, at most 500 bytes
}

// Error returns the plugin's sentence.
func (e *PluginError) Error() string { return e.Message }

// domainError makes a caller's error of what went wrong while doing something ("plugin x: format links").
func domainError(doing string, err error) error {
	e := domain.Unavailable(doing + " " + err.Error())
	var reported *PluginError
	if errors.As(err, &reported) {
		e.Message = doing + ": " + reported.Message
		if reported.Code == wire.CodeInvalid {
			e.Code = domain.CodeInvalid
		}
	}
	return e.Because(err)
}

// failure is a sentence about a sentinel, with the limit it is about and the cause for the log.
type failure struct {
	kind     error
	sentence string
	cause    error // may be nil
}

// fail makes a failure without a cause; the limit, if one was broken, is in the sentence.
func fail(kind error, format string, args ...any) *failure {
	return &failure{kind: kind, sentence: fmt.Sprintf(format, args...)}
}

// Error returns the sentence, which goes on after the name of plugin and item.
func (f *failure) Error() string { return f.sentence }

// Unwrap returns the sentinel and the cause.
func (f *failure) Unwrap() []error {
	if f.cause == nil {
		return []error{f.kind}
	}
	return []error{f.kind, f.cause}
}

// broken reports whether err says that the plugin itself does not work: the instance is not used again, and it counts
// for the breaker.
func broken(err error) bool {
	return errors.Is(err, ErrTimeout) || errors.Is(err, ErrTrap) || errors.Is(err, ErrReply)
}

// plain makes one printable line of at most limit bytes out of what a guest says. The result is a copy: what a guest
// says is often a part of its memory.
func plain(s string, limit int) string {
	s = strings.ToValidUTF8(s[:min(len(s), limit)], "") // a character that was cut in half goes too
	return strings.Clone(strings.TrimSpace(strings.Map(func(r rune) rune {
		if r < ' ' || r == 0x7f || r == utf8.RuneError || unicode.Is(unicode.Bidi_Control, r) { // which turn what is read around
			return ' '
		}
		return r
	}, s)))
}
