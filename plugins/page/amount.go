package page

import (
	"strconv"
	"strings"
	"time"
)

// size is a number of bytes in the largest unit that leaves at least 1 before the point, to three digits. A GB has 2^30
// bytes and is called GB, as in panels and apps: the same quota must be the same number everywhere.
func size(bytes int64) string {
	if bytes < 1<<10 {
		return strconv.FormatInt(max(0, bytes), 10) + " B"
	}
	value, unit := float64(bytes)/(1<<10), 0
	for value >= 1<<10 && unit < len("KMGTPE")-1 {
		value, unit = value/(1<<10), unit+1
	}
	digits := 2
	switch {
	case value >= 100:
		digits = 0
	case value >= 10:
		digits = 1
	}
	text := strconv.FormatFloat(value, 'f', digits, 64)
	if digits > 0 {
		text = strings.TrimRight(strings.TrimRight(text, "0"), ".")
	}
	return text + " " + "KMGTPE"[unit:unit+1] + "B"
}

// relative writes how far at is from now, both ms.
func (w *writer) relative(at, now int64) {
	if at > now {
		w.raw(`in ` + span(at-now))
		return
	}
	if now-at < time.Minute.Milliseconds() {
		w.raw(`just now`)
		return
	}
	w.raw(span(now-at) + ` ago`)
}

// span is a length of time in ms, in its largest unit, rounded down: nobody is promised more than there is.
func span(ms int64) string {
	length := time.Duration(min(ms, 1<<43)) * time.Millisecond // more does not fit a Duration, and is 278 years
	switch {
	case length >= 24*time.Hour:
		return count(int(length/(24*time.Hour)), "day")
	case length >= time.Hour:
		return count(int(length/time.Hour), "hour")
	default:
		return count(max(1, int(length/time.Minute)), "minute")
	}
}

func count(n int, noun string) string {
	if n != 1 {
		noun += "s"
	}
	return strconv.Itoa(n) + " " + noun
}

// moment writes a time, ms, in UTC. The script replaces it by the user's own time.
func (w *writer) moment(ms int64) {
	at := time.UnixMilli(ms).UTC()
	w.raw(`<time datetime="` + at.Format(time.RFC3339) + `">` + at.Format("2 January 2006, 15:04 UTC") + `</time>`)
}
