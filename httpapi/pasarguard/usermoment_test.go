package pasarguard

import (
	"encoding/json"
	"math"
	"testing"
)

func TestMomentJSON(t *testing.T) {
	for ms, want := range map[moment]string{
		0:                   `"1970-01-01T00:00:00Z"`,
		1_790_000_000_000:   `"2026-09-21T14:13:20Z"`,
		1_790_000_000_001:   `"2026-09-21T14:13:20.001000Z"`,
		253_402_300_799_999: `"9999-12-31T23:59:59.999000Z"`,
		253_402_300_800_000: `"10000-01-01T00:00:00Z"`,
	} {
		got, err := json.Marshal(ms)
		if err != nil || string(got) != want {
			t.Errorf("%d is %s, %v; want %s", ms, got, err, want)
		}
	}
}

func TestInstant(t *testing.T) {
	const from = 1_000_000
	none, bad := int64(math.MinInt64), int64(math.MaxInt64)
	for text, want := range map[string]int64{
		`null`: none, `0`: none, `0.0`: none, ``: none,
		`60`: from + 60_000, `1.5`: from + 1500, `-60`: from - 60_000, `1e3`: from + 1_000_000,
		`253402300800`: bad, `-253402300800`: bad, `1e300`: bad,
		`"1970-01-01T00:00:01Z"`: 1000, `"1970-01-01T00:00:01.25Z"`: 1250, `"1970-01-01T01:00:00+01:00"`: 0,
		`"1970-01-01T00:00:01"`: 1000, `"1970-01-01 00:00:01.001"`: 1001, `"1970-01-01 00:00:01-00:30"`: 1_801_000,
		`"1970-01-02"`: 86_400_000, `"1969-12-31"`: -86_400_000,
		`""`: bad, `"60"`: bad, `"soon"`: bad, `"1970-13-01"`: bad, `true`: bad, `{}`: bad, `[]`: bad, `NaN`: bad, `Inf`: bad,
	} {
		at, ok := instant{text}.at(from)
		got := none
		switch {
		case !ok:
			got = bad
		case at != nil:
			got = *at
		}
		if got != want {
			t.Errorf("%s is %d, want %d", text, got, want)
		}
	}
}

func TestSeconds(t *testing.T) {
	for ms, want := range map[int64]int64{0: 0, 1: 1, 999: 1, 1000: 1, 1001: 2, 86_400_000: 86_400} {
		if got := seconds(ms); got != want {
			t.Errorf("%d ms are %d s, want %d", ms, got, want)
		}
	}
	for s, want := range map[int64]int64{0: 0, 60: 60_000, -1: -1000, math.MaxInt64: math.MaxInt64 / 1000 * 1000, math.MinInt64: -math.MaxInt64 / 1000 * 1000} {
		if got := milliseconds(s); got != want {
			t.Errorf("%d s are %d ms, want %d", s, got, want)
		}
	}
}

// Whatever is sent as a time is understood or refused, and a time that is shown is understood as what it is.
func FuzzInstant(f *testing.F) {
	for _, seed := range []string{`null`, `1`, `"2026-01-31T12:00:00.5Z"`, `"2026-01-31"`, `-1e18`, `"`} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		at, ok := instant{text}.at(0)
		if !ok || at == nil || *at < 0 || *at > maxSeconds*1000 {
			return
		}
		shown, err := json.Marshal(moment(*at))
		if err != nil {
			t.Fatal(err)
		}
		again, ok := instant{string(shown)}.at(0)
		if !ok || again == nil || *again != *at {
			t.Errorf("%s is %d, shown as %s", text, *at, shown)
		}
	})
}
