package pasarguard

import (
	"encoding/json"
	"math"
	"strconv"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/sluicehq/sluice/httpapi/detail"
)

// moment is a time in ms UTC as this dialect writes it: ISO-8601 with a Z, and a fraction only if there is one.
type moment int64

// shownMoment is the time of ms UTC, nil = none.
func shownMoment(ms *int64) *moment {
	if ms == nil {
		return nil
	}
	m := moment(*ms)
	return &m
}

// Schema says that it is text.
func (moment) Schema(huma.Registry) *huma.Schema {
	return &huma.Schema{Type: huma.TypeString, Format: "date-time"}
}

// MarshalJSON writes the time with six digits of a fraction, which more parsers take than three.
func (m moment) MarshalJSON() ([]byte, error) {
	layout := `"2006-01-02T15:04:05Z"`
	if m%1000 != 0 {
		layout = `"2006-01-02T15:04:05.000000Z"`
	}
	return time.UnixMilli(int64(m)).UTC().AppendFormat(nil, layout), nil
}

// instant is a time as callers send it, in JSON: ISO-8601, in UTC if it has no zone, or a number of seconds. 0 and null
// are none.
type instant struct{ json string }

// Schema leaves it to at to say what is wrong.
func (instant) Schema(huma.Registry) *huma.Schema {
	return &huma.Schema{Examples: []any{"2026-01-31T12:00:00Z", 1769860800}}
}

// UnmarshalJSON takes everything.
func (i *instant) UnmarshalJSON(data []byte) error {
	i.json = string(data)
	return nil
}

// badMoment is PasarGuard's sentence about what is no time.
const badMoment = "Input should be a valid datetime or timestamp"

// maxSeconds is the last second that ISO-8601 can write: what is behind it was meant as milliseconds.
const maxSeconds = 253402300799

// The times that ISO-8601 writes with a year of four digits, in ms UTC.
const (
	firstMoment = -62135596800000
	lastMoment  = (maxSeconds + 1) * 1000
)

// at is the time in ms UTC, nil for none; a number is that many seconds after from.
func (i instant) at(from int64) (at *int64, ok bool) {
	if i.json == "" || i.json == "null" {
		return nil, true
	}
	var text string
	if json.Unmarshal([]byte(i.json), &text) == nil {
		ms, ok := parseMoment(text)
		return &ms, ok
	}
	seconds, err := strconv.ParseFloat(i.json, 64)
	switch {
	case err != nil || math.IsNaN(seconds) || math.Abs(seconds) > maxSeconds:
		return nil, false
	case seconds == 0:
		return nil, true
	}
	ms := from + int64(seconds*1000)
	return &ms, ms >= firstMoment && ms < lastMoment
}

// changedTime is the time that was given for a field, and whether it is another one than is shown.
func changedTime(given field[instant], shown *moment, from int64, name string) (at *int64, differs bool, err error) {
	before, _ := json.Marshal(shown) // never fails; as text, because 3x-ui can store times of years that can not be read here
	if !given.Set || given.Value.json == string(before) {
		return nil, false, nil
	}
	at, ok := given.Value.at(from)
	if !ok {
		return nil, false, detail.Fields{name: badMoment}
	}
	same := at == nil && shown == nil || at != nil && shown != nil && *at == int64(*shown)
	return at, !same, nil
}

// layouts are the forms of ISO-8601 that are read; a fraction of the seconds may follow in each.
var layouts = []string{time.RFC3339, "2006-01-02T15:04:05", "2006-01-02 15:04:05Z07:00", time.DateTime, time.DateOnly}

// parseMoment reads ISO-8601 as ms UTC.
func parseMoment(text string) (ms int64, ok bool) {
	for _, layout := range layouts {
		if t, err := time.Parse(layout, text); err == nil {
			return t.UnixMilli(), true
		}
	}
	return 0, false
}

// queryMoment is a time in a URL, 0 = none; there a number is seconds since the epoch.
func queryMoment(name, text string) (ms int64, err error) {
	if text == "" {
		return 0, nil
	}
	if ms, ok := parseMoment(text); ok {
		return ms, nil
	}
	if _, err := strconv.ParseFloat(text, 64); err == nil {
		if at, ok := (instant{text}).at(0); ok {
			return orZero(at), nil
		}
	}
	return 0, detail.Fields{name: badMoment}
}

// milliseconds is a duration given in seconds; what is too long for any field stays so.
func milliseconds(seconds int64) int64 {
	const most = math.MaxInt64 / 1000
	return max(min(seconds, most), -most) * 1000
}

// seconds is a duration of ms, rounded up so that none becomes 0.
func seconds(ms int64) int64 { return ms/1000 + min(ms%1000, 1) }

func orZero(n *int64) int64 {
	if n == nil {
		return 0
	}
	return *n
}

func noneIfZero(n int64) *int64 {
	if n == 0 {
		return nil
	}
	return &n
}
