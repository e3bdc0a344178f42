package periods

import (
	"errors"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/sluicehq/sluice/sdk"
	"github.com/sluicehq/sluice/sdk/wire"
)

func at(t testing.TB, s string) int64 {
	t.Helper()
	v, err := time.Parse(time.RFC3339Nano, s)
	if err != nil {
		t.Fatal(err)
	}
	return v.UnixMilli()
}

func TestNext(t *testing.T) {
	const jan1 = "2024-01-01T00:00:00Z"
	for _, c := range []struct {
		name, id, params  string
		anchor, now, want string // want "" = never
		zone              string // "" = a request without transitions
	}{
		{name: "never", id: "no_reset", anchor: jan1, now: jan1},
		{"a day after creation", "day", "", "2024-01-01T10:20:30.456Z", "2024-01-01T10:20:30.456Z", "2024-01-02T10:20:30.456Z", ""},
		{"the boundary itself is over", "day", "", jan1, "2024-01-02T00:00:00Z", "2024-01-03T00:00:00Z", ""},
		{"a millisecond before the boundary", "day", "", jan1, "2024-01-01T23:59:59.999Z", "2024-01-02T00:00:00Z", ""},
		{"an anchor in the future", "day", "", "2024-01-03T12:00:00Z", jan1, "2024-01-04T12:00:00Z", ""},
		{"a day is 24 hours, also in spring", "day", "", "2024-03-30T12:00:00Z", "2024-03-30T12:00:00Z", "2024-03-31T12:00:00Z", "Europe/Berlin"},
		{"week", "week", "", jan1, "2024-01-02T00:00:00Z", "2024-01-08T00:00:00Z", ""},
		{"month, first", "month", "", jan1, jan1, "2024-01-31T00:00:00Z", ""},
		{"month, second", "month", "", jan1, "2024-01-31T00:00:00Z", "2024-03-01T00:00:00Z", ""},
		{"month after two years of downtime", "month", "", jan1, "2026-01-01T00:00:00Z", "2026-01-20T00:00:00Z", ""},
		{"year is 365 days", "year", "", jan1, jan1, "2024-12-31T00:00:00Z", ""},
		{"an anchor of 1970", "week", "", "1970-01-01T00:00:00Z", "2024-01-01T00:00:00Z", "2024-01-04T00:00:00Z", ""},
		{"every 10 days", "every", `{"days":10}`, jan1, "2024-01-25T00:00:00Z", "2024-01-31T00:00:00Z", ""},
		{"every 10.0 days", "every", `{"days":1.0e1}`, jan1, "2024-01-25T00:00:00Z", "2024-01-31T00:00:00Z", ""},
		{"the longest", "every", ` { "days" : 3650 } `, jan1, jan1, "2033-12-29T00:00:00Z", ""},

		{"hourly", "hourly", "", jan1, "2024-05-05T10:00:00Z", "2024-05-05T11:00:00Z", ""},
		{"hourly where half an hour is the offset", "hourly", "", jan1, "2024-05-05T10:00:00Z", "2024-05-05T10:30:00Z", "Asia/Kolkata"},
		{"hourly before 1970", "hourly", "", jan1, "1969-12-31T22:59:59.999Z", "1969-12-31T23:00:00Z", ""},
		{"daily", "daily", "", jan1, "2024-05-05T10:00:00Z", "2024-05-06T00:00:00Z", ""},
		{"daily where the day begins earlier", "daily", "", jan1, "2024-05-05T10:00:00Z", "2024-05-06T00:00:00+02:00", "Europe/Berlin"},
		{"daily over the day of 23 hours", "daily", "", jan1, "2024-03-31T00:00:00+01:00", "2024-04-01T00:00:00+02:00", "Europe/Berlin"},
		{"daily over the day of 25 hours", "daily", "", jan1, "2024-10-27T00:00:00+02:00", "2024-10-28T00:00:00+01:00", "Europe/Berlin"},
		{"daily on a day without 00:00", "daily", "", jan1, "2017-10-14T12:00:00-03:00", "2017-10-15T01:00:00-02:00", "America/Sao_Paulo"},
		{"daily on a day with two 00:00", "daily", "", jan1, "2024-11-02T12:00:00-04:00", "2024-11-03T00:00:00-04:00", "America/Havana"},
		{"daily after the second 00:00", "daily", "", jan1, "2024-11-03T00:00:00-05:00", "2024-11-04T00:00:00-05:00", "America/Havana"},
		{"daily over a day that there was not", "daily", "", jan1, "2011-12-29T12:00:00-10:00", "2011-12-31T00:00:00+14:00", "Pacific/Apia"},
		{"weekly is Sunday", "weekly", "", jan1, "2024-05-05T00:00:00Z", "2024-05-12T00:00:00Z", ""},
		{"monthly", "monthly", "", jan1, "2024-05-05T00:00:00Z", "2024-06-01T00:00:00Z", ""},
		{"monthly without parameters", "monthly", "{}", jan1, "2024-12-05T00:00:00Z", "2025-01-01T00:00:00Z", ""},
		{"the 31st of January", "monthly", `{"day":31}`, jan1, "2024-01-30T00:00:00Z", "2024-01-31T00:00:00Z", ""},
		{"the 31st in a leap year's February", "monthly", `{"day":31}`, jan1, "2024-01-31T00:00:00Z", "2024-02-29T00:00:00Z", ""},
		{"the 31st in March", "monthly", `{"day":31}`, jan1, "2024-02-29T00:00:00Z", "2024-03-31T00:00:00Z", ""},
		{"the 31st in February", "monthly", `{"day":31}`, jan1, "2025-01-31T00:00:00Z", "2025-02-28T00:00:00Z", ""},
		{"the 31st in a century's February", "monthly", `{"day":31}`, jan1, "2100-01-31T00:00:00Z", "2100-02-28T00:00:00Z", ""},
		{"the 30th after years of downtime", "monthly", `{"day":30}`, jan1, "2031-02-10T00:00:00Z", "2031-02-28T00:00:00Z", ""},
		{"a day of the month and an hour", "calendar", `{"day_of_month":15,"hour":6}`, jan1, "2024-05-15T05:59:59Z", "2024-05-15T06:00:00Z", ""},
		{"a day of the week", "calendar", `{"day_of_week":1}`, jan1, "2024-05-05T00:00:00Z", "2024-05-06T00:00:00Z", ""},
		{"an hour that is skipped", "calendar", `{"day_of_week":0,"hour":2}`, jan1, "2024-03-30T00:00:00Z", "2024-03-31T03:00:00+02:00", "Europe/Berlin"},
		{"an hour that comes twice", "calendar", `{"day_of_week":0,"hour":2}`, jan1, "2024-10-26T00:00:00Z", "2024-10-27T02:00:00+02:00", "Europe/Berlin"},
		{"an hour when it comes again", "calendar", `{"day_of_week":0,"hour":2}`, jan1, "2024-10-27T02:00:00+02:00", "2024-11-03T02:00:00+01:00", "Europe/Berlin"},
		{"the zone is the kernel's matter", "calendar", `{"day_of_month":1,"time_zone":"a \"zone\", {here}"}`, jan1, "2024-05-05T00:00:00Z", "2024-06-01T00:00:00Z", ""},
		{"a name with an escape", "monthly", `{"d\u0061y":7}`, jan1, "2024-05-05T00:00:00Z", "2024-05-07T00:00:00Z", ""},
		{"of two the last", "monthly", `{"day":7,"day":8}`, jan1, "2024-05-05T00:00:00Z", "2024-05-08T00:00:00Z", ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			req := sdk.PeriodRequest{Anchor: at(t, c.anchor), Now: at(t, c.now), Params: c.params}
			if c.zone != "" {
				req.Transitions = transitions(location(t, c.zone), time.UnixMilli(req.Now).AddDate(-1, 0, 0), time.UnixMilli(req.Now).AddDate(10, 0, 0))
			}
			got, err := ask(t, c.id, req)
			want := sdk.PeriodReply{Never: true}
			if c.want != "" {
				want = sdk.PeriodReply{Next: at(t, c.want)}
			}
			if err != nil || got != want {
				t.Errorf("got %v %s, %v; want %v %s", got.Never, show(got.Next, time.UTC), err, want.Never, c.want)
			}
		})
	}
}

// TestNothingDrifts asks late, again and again, and still ends on the boundaries that were there from the beginning.
func TestNothingDrifts(t *testing.T) {
	anchor := at(t, "2024-01-31T15:04:05.678Z")
	for id, length := range map[string]int64{"day": 1, "week": 7, "month": 30, "year": 365} {
		now, late := anchor, int64(1)
		for range 500 {
			got, err := ask(t, id, sdk.PeriodRequest{Anchor: anchor, Now: now, Last: now})
			if err != nil || got.Next <= now || (got.Next-anchor)%(length*day) != 0 || got.Next-now > length*day {
				t.Fatalf("%s after %s: got %s, %v", id, show(now, time.UTC), show(got.Next, time.UTC), err)
			}
			late = late * 7 % 1_000_003
			now = got.Next + late
		}
	}
}

func TestBadParams(t *testing.T) {
	const notFlat = "the parameters are not an object of numbers and strings"
	for _, c := range []struct{ id, params, want string }{
		{"every", "", "days is required"},
		{"every", "{}", "days is required"},
		{"every", `{"days":0}`, "days must be 1 to 3650"},
		{"every", `{"days":3651}`, "days must be 1 to 3650"},
		{"every", `{"days":1.5}`, "days must be 1 to 3650"},
		{"every", `{"days":1e999}`, "days must be 1 to 3650"},
		{"every", `{"days":"7"}`, "days must be 1 to 3650"},
		{"every", `{"days":NaN}`, "days must be 1 to 3650"},
		{"monthly", `{"day":32}`, "day must be 1 to 31"},
		{"monthly", `{"day":-1}`, "day must be 1 to 31"},
		{"calendar", `{}`, "either day_of_month or day_of_week is required"},
		{"calendar", `{"day_of_month":1,"day_of_week":1}`, "either day_of_month or day_of_week is required"},
		{"calendar", `{"day_of_week":7}`, "day_of_week must be 0 to 6"},
		{"calendar", `{"day_of_week":6,"hour":24}`, "hour must be 0 to 23"},
		{"monthly", `[`, notFlat},
		{"monthly", `{`, notFlat},
		{"monthly", `{"`, notFlat},
		{"monthly", `{"day\`, notFlat},
		{"monthly", `{"day"`, notFlat},
		{"monthly", `{"day":`, notFlat},
		{"monthly", `{"day":}`, notFlat},
		{"monthly", `{"day":[1]}`, notFlat},
		{"monthly", `{"day":1`, notFlat},
		{"monthly", `{"day":1,}`, notFlat},
		{"monthly", `{"day":1;"x":2}`, notFlat},
		{"monthly", `{day:1}`, notFlat},
	} {
		t.Run(c.id+" "+c.params, func(t *testing.T) {
			got, err := ask(t, c.id, sdk.PeriodRequest{Now: 1, Params: c.params})
			var refused *wire.Error
			if !errors.As(err, &refused) || refused.Code != wire.CodeInvalid || refused.Message != c.want {
				t.Errorf("got %+v, %v; want %q", got, err, c.want)
			}
		})
	}
}

// FuzzRead finds parameters that are read otherwise than they are written, or that never end.
func FuzzRead(f *testing.F) {
	for _, s := range []string{`{"day":1}`, `{"a":"b\"c","day":31}`, `{"day":1,`, `{"":}`, `{"\`, "", "{}"} {
		f.Add(s, int64(7))
	}
	f.Fuzz(func(t *testing.T, text string, n int64) {
		read(text)
		whole := `{"other":` + strconv.Quote(strings.ToValidUTF8(text, "")) + `,"n":` + strconv.FormatInt(n>>12, 10) + `}`
		p := read(whole)
		if got, ok := p.whole("n", -1<<52, 1<<52); !ok || got != n>>12 || p.err != nil {
			t.Errorf("%s: got %d, %v, %v", whole, got, ok, p.err)
		}
	})
}

func TestMonthsAreThoseOfPackageTime(t *testing.T) {
	for d := at(t, "0001-01-01T00:00:00Z") / day; d < 3_000_000; d += 3 {
		local := d*day + day/2
		want := time.UnixMilli(local).UTC()
		first := time.Date(want.Year(), want.Month(), 1, 0, 0, 0, 0, time.UTC).UnixMilli()
		if got := beginOf(monthOf(local)); got != first {
			t.Fatalf("%s: got %s, want %s", want, show(got, time.UTC), show(first, time.UTC))
		}
	}
}
