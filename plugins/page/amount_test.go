package page

import (
	"math"
	"testing"
)

func TestSize(t *testing.T) {
	for _, c := range []struct {
		bytes int64
		want  string
	}{
		{-1, "0 B"},
		{0, "0 B"},
		{1023, "1023 B"},
		{1 << 10, "1 KB"},
		{1536, "1.5 KB"},
		{1 << 20, "1 MB"},
		{1<<30 + 1<<28, "1.25 GB"},
		{1<<30 + 1<<22, "1 GB"},
		{12 << 30, "12 GB"},
		{12<<30 + 1<<29, "12.5 GB"},
		{100 << 30, "100 GB"},
		{1000 << 30, "1000 GB"},
		{1 << 40, "1 TB"},
		{1 << 50, "1 PB"},
		{math.MaxInt64, "8 EB"},
	} {
		if got := size(c.bytes); got != c.want {
			t.Errorf("%d: got %s, want %s", c.bytes, got, c.want)
		}
	}
}

func TestRelative(t *testing.T) {
	const now, hour = 1_790_000_000_000, 60 * minute
	for _, c := range []struct {
		at   int64
		want string
	}{
		{now + 1, "in 1 minute"},
		{now + hour - 1, "in 59 minutes"},
		{now + hour, "in 1 hour"},
		{now + day - 1, "in 23 hours"},
		{now + day, "in 1 day"},
		{now + 3*day - 1, "in 2 days"},
		{now, "just now"},
		{now - minute + 1, "just now"},
		{now - minute, "1 minute ago"},
		{now - 2*hour, "2 hours ago"},
		{now - 400*day, "400 days ago"},
		{math.MaxInt64, "in 101806 days"},
	} {
		var w writer
		w.relative(c.at, now)
		if got := string(w.buf); got != c.want {
			t.Errorf("%d: got %s, want %s", c.at-now, got, c.want)
		}
	}
}

func TestMoment(t *testing.T) {
	var w writer
	w.moment(1_798_761_600_000)
	const want = `<time datetime="2027-01-01T00:00:00Z">1 January 2027, 00:00 UTC</time>`
	if got := string(w.buf); got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}
