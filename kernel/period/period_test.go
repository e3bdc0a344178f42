package period

import (
	"context"
	"errors"
	"math"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/sluicehq/sluice/kernel/domain"
	"github.com/sluicehq/sluice/kernel/plugin"
	"github.com/sluicehq/sluice/plugins"
)

// codeDir keeps the compiled plugin for one run of the tests.
var codeDir string

func TestMain(m *testing.M) {
	var err error
	if codeDir, err = os.MkdirTemp("", "period-test"); err != nil {
		panic(err)
	}
	code := m.Run()
	if err := os.RemoveAll(codeDir); err != nil {
		panic(err)
	}
	os.Exit(code)
}

// open returns a service over the built-in plugin as it is in the binary.
func open(t testing.TB) (*Service, *plugin.Host) {
	t.Helper()
	h, err := plugin.Open(t.Context(), plugin.Options{CacheDir: codeDir})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := h.Close(context.Background()); err != nil {
			t.Error(err)
		}
	})
	wasm, err := plugins.Bundle()
	if err != nil {
		t.Fatal(err)
	}
	if err := h.LoadBundle(t.Context(), wasm); err != nil {
		t.Fatal(err)
	}
	return New(h), h
}

func at(t testing.TB, s string) int64 {
	t.Helper()
	v, err := time.Parse(time.RFC3339Nano, s)
	if err != nil {
		t.Fatal(err)
	}
	return v.UnixMilli()
}

func TestNext(t *testing.T) {
	s, _ := open(t)
	for _, c := range []struct {
		name, id, params, zone string
		anchor, now, want      string // want "" = never
	}{
		{"none", "", "", "Mars/Phobos", "2024-01-01T00:00:00Z", "2024-01-01T00:00:00Z", ""},
		{"never", "no_reset", "", "", "2024-01-01T00:00:00Z", "2024-01-01T00:00:00Z", ""},
		{"month, first", "month", "", "", "2024-01-01T00:00:00Z", "2024-01-01T00:00:00Z", "2024-01-31T00:00:00Z"},
		{"month, second", "month", "", "", "2024-01-01T00:00:00Z", "2024-01-31T00:00:00Z", "2024-03-01T00:00:00Z"},
		{"a missed year", "month", "", "", "2024-01-01T00:00:00Z", "2025-01-01T00:00:00Z", "2025-01-25T00:00:00Z"},
		{"UTC", "daily", "", "", "2024-01-01T00:00:00Z", "2024-07-01T12:00:00Z", "2024-07-02T00:00:00Z"},
		{"the operator's zone", "daily", "", "Asia/Tokyo", "2024-01-01T00:00:00Z", "2024-07-01T12:00:00Z", "2024-07-02T00:00:00+09:00"},
		{
			"the user's own zone", "calendar", `{"day_of_month":31,"hour":3,"time_zone":"America/New_York"}`, "Asia/Tokyo",
			"2024-01-01T00:00:00Z", "2024-02-01T00:00:00Z", "2024-02-29T03:00:00-05:00",
		},
		{
			"its summer time", "calendar", `{"day_of_month":31,"hour":3,"time_zone":"America/New_York"}`, "Asia/Tokyo",
			"2024-01-01T00:00:00Z", "2024-03-01T00:00:00Z", "2024-03-31T03:00:00-04:00",
		},
		{"an anchor of 1970", "daily", "", "Europe/Berlin", "1970-01-01T00:00:00Z", "2024-07-01T12:00:00Z", "2024-07-02T00:00:00+02:00"},
		{"an anchor of the year 1", "daily", "", "Europe/Berlin", "0001-01-01T00:00:00Z", "2024-07-01T12:00:00Z", "2024-07-02T00:00:00+02:00"},
		{"an anchor in the future", "day", "", "", "2024-01-02T06:00:00Z", "2024-01-01T00:00:00Z", "2024-01-03T06:00:00Z"},
		{"far from now", "monthly", "", "Europe/Berlin", "2024-01-01T00:00:00Z", "9000-07-01T12:00:00Z", "9000-08-01T00:00:00+02:00"},
		{
			"just after the clock went back over midnight", "daily", "", "America/Goose_Bay",
			"2010-11-07T03:30:00Z", "2010-11-07T03:30:00Z", "2010-11-08T00:00:00-04:00",
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			q := Question{ID: c.id, Params: c.params, Anchor: at(t, c.anchor), Now: at(t, c.now), TimeZone: c.zone}
			next, never, err := s.Next(t.Context(), q)
			var want int64
			if c.want != "" {
				want = at(t, c.want)
			}
			if err != nil || next != want || never != (c.want == "") {
				t.Errorf("got %s, %v, %v; want %s", time.UnixMilli(next).UTC(), never, err, c.want)
			}
		})
	}
}

// refused checks that err is a domain error that says exactly this.
func refused(t *testing.T, err error, code domain.Code, sentence string) {
	t.Helper()
	var got *domain.Error
	if !errors.As(err, &got) || got.Code != code || got.Error() != sentence {
		t.Errorf("got %v (%s)\nwant %s (%s)", err, domain.CodeOf(err), sentence, code)
	}
}

func TestNextRefuses(t *testing.T) {
	s, h := open(t)
	const known = "calendar, daily, day, every, hourly, month, monthly, no_reset, week, weekly, year"
	const years = "reset_anchor must lie in the years 1 to 9999, and so must the clock"
	for name, c := range map[string]struct {
		q    Question
		code domain.Code
		want string
	}{
		"unknown period":    {Question{ID: "x", Now: 1}, domain.CodeNotFound, "there is no period x; known are " + known},
		"unknown zone":      {Question{ID: "daily", TimeZone: "Mars/Phobos"}, domain.CodeInvalid, `time_zone is not an IANA time zone such as Europe/Berlin: "Mars/Phobos"`},
		"the machine's own": {Question{ID: "daily", TimeZone: "Local"}, domain.CodeInvalid, `time_zone is not an IANA time zone such as Europe/Berlin: "Local"`},
		"a path":            {Question{ID: "daily", TimeZone: "../../etc/passwd"}, domain.CodeInvalid, `time_zone is not an IANA time zone such as Europe/Berlin: "../../etc/passwd"`},
		"no object":         {Question{ID: "monthly", Params: "{"}, domain.CodeInvalid, "reset_params must be a JSON object"},
		"bad parameters":    {Question{ID: "every", Params: `{"days":0}`}, domain.CodeInvalid, "plugin sluice-builtin: period every: days must be 1 to 3650"},
		"anchor too early":  {Question{ID: "day", Anchor: math.MinInt64}, domain.CodeInvalid, years},
		"clock too late":    {Question{ID: "day", Now: math.MaxInt64}, domain.CodeInvalid, years},
		"clock too early":   {Question{ID: "day", Now: math.MinInt64}, domain.CodeInvalid, years},
	} {
		t.Run(name, func(t *testing.T) {
			_, _, err := s.Next(t.Context(), c.q)
			refused(t, err, c.code, c.want)
		})
	}
	if err := h.Close(t.Context()); err != nil {
		t.Fatal(err)
	}
	_, _, err := s.Next(t.Context(), Question{ID: "day"})
	refused(t, err, domain.CodeUnavailable, "the plugins are shut down")
	if want := "ask for the next boundary: the plugins are shut down"; err.Error() != want {
		t.Errorf("got %q, want %q", err, want)
	}
}

func TestCheck(t *testing.T) {
	s, h := open(t)
	for _, c := range []struct{ id, params, want string }{
		{"", "", ""},
		{"no_reset", "", ""},
		{"month", "{}", ""},
		{"monthly", "", ""},
		{"monthly", `{"day":31}`, ""},
		{"every", `{"days":3650}`, ""},
		{"calendar", `{"day_of_week":0}`, ""},
		{"calendar", `{"day_of_month":31,"hour":23,"time_zone":"Asia/Tehran"}`, ""},
		{"yearly", "", `reset_policy must be one of calendar, daily, day, every, hourly, month, monthly, no_reset, week, weekly, year: "yearly" is not loaded`},
		{"month", `{"day":1}`, "reset_params.day is not a known parameter"},
		{"monthly", `{"day":32}`, "reset_params.day must be at most 31"},
		{"monthly", `{"day":"1"}`, "reset_params.day must be a whole number"},
		{"every", "", "reset_params.days is required"},
		{"every", `[]`, "reset_params must be a JSON object"},
		{"calendar", `{"hour":1}`, "reset_params must have day_of_month or day_of_week"},
		{"calendar", `{"day_of_month":1,"day_of_week":1}`, "reset_params.day_of_week is not allowed here"},
		{"calendar", `{"day_of_week":1,"time_zone":7}`, "reset_params.time_zone must be a string"},
		{"calendar", `{"day_of_week":1,"time_zone":""}`, "reset_params.time_zone does not fit: minLength: got 0, want 1"},
		{"calendar", `{"day_of_week":1,"time_zone":"Local"}`, `reset_params.time_zone is not an IANA time zone such as Europe/Berlin: "Local"`},
	} {
		t.Run(c.id+c.params, func(t *testing.T) {
			err := s.Check(c.id, c.params)
			if c.want == "" {
				if err != nil {
					t.Error(err)
				}
				return
			}
			refused(t, err, domain.CodeInvalid, c.want)
		})
	}
	if err := h.Close(t.Context()); err != nil {
		t.Fatal(err)
	}
	refused(t, s.Check("month", ""), domain.CodeUnavailable, "the plugins are shut down")
}

// TestWhatIsAcceptedHasABoundary: what Check lets pass must not fail later, when nobody looks.
func TestWhatIsAcceptedHasABoundary(t *testing.T) {
	s, _ := open(t)
	for _, c := range []struct{ id, params string }{
		{"monthly", `{"day":31.0}`},
		{"monthly", `{"d\u0061y":3e0}`},
		{"monthly", `{"day":99,"day":5}`},
		{"every", " {\n\t\"days\" :\r 7 } "},
		{"calendar", `{"day_of_week":-0,"time_zone":"\u0045urope/Berlin"}`},
		{"calendar", `{"time_zone":"Europe\/Berlin","day_of_month":1.0E+1}`},
		{"calendar", `{"day_of_month":31,"hour":0.0,"time\u005fzone":"Pacific/Apia"}`},
	} {
		if err := s.Check(c.id, c.params); err != nil {
			t.Errorf("%s %s: %v", c.id, c.params, err)
		}
		next, never, err := s.Next(t.Context(), Question{ID: c.id, Params: c.params, Anchor: 1, Now: 1_700_000_000_000})
		if err != nil || never || next <= 1_700_000_000_000 {
			t.Errorf("%s %s: %d, %v, %v", c.id, c.params, next, never, err)
		}
	}
}

func TestItems(t *testing.T) {
	s, _ := open(t)
	if got := strings.Join(s.IDs(), " "); got != "calendar daily day every hourly month monthly no_reset week weekly year" {
		t.Errorf("ids %s", got)
	}
	for id, want := range map[string]bool{
		"no_reset": true, "day": true, "week": true, "month": true, "year": true,
		"hourly": false, "daily": false, "weekly": false, "monthly": false, "every": false, "calendar": false, "": false, "x": false,
	} {
		if got := s.QuotaOnly(id); got != want {
			t.Errorf("QuotaOnly(%q) = %v", id, got)
		}
	}
}

func TestManyAtOnce(t *testing.T) {
	s, _ := open(t)
	zones := []string{"Europe/Berlin", "Asia/Tehran", "America/New_York", ""}
	var wg sync.WaitGroup
	for i := range 40 {
		wg.Go(func() {
			q := Question{ID: "daily", Now: 1_700_000_000_000 + int64(i)*horizon/4, TimeZone: zones[i%len(zones)]}
			if next, _, err := s.Next(t.Context(), q); err != nil || next <= q.Now || next > q.Now+25*3600_000 {
				t.Errorf("after %d: %d, %v", q.Now, next, err)
			}
		})
	}
	wg.Wait()
}
