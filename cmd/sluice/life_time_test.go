package main

import (
	"net/http"
	"slices"
	"time"

	"github.com/sluicehq/sluice/kernel/core/coretest"
)

const dayMS = 24 * 60 * 60 * 1000

func (l *life) expiry() {
	const email = "expiry"
	l.add(email, nil)
	through := l.through(email, l.inbound.Port)
	ends := time.Now().Add(2 * time.Second).UnixMilli()
	l.update(email, object{"expiryTime": ends})
	cut := l.open(through).wantCut()
	if early := ends - cut.UnixMilli(); early > 0 {
		l.t.Errorf("the stream was cut %d ms before its time", early)
	}
	l.t.Logf("the stream was cut %d ms after its time", cut.UnixMilli()-ends)
	l.wantAdmitted(through, false, "expired")
	l.wantStatus(email, "expired")
	later := ends + dayMS
	l.update(email, object{"expiryTime": later})
	l.wantAdmitted(through, true, "prolonged")
	l.wantStatus(email, "active")
	if got := l.get(email).Client.ExpiryTime; got != later {
		l.t.Errorf("expiryTime is %d, want %d", got, later)
	}
	l.update(email, object{"expiryTime": 0})
	if got := l.get(email).Client; got.ExpiryTime != 0 || got.Status != "active" {
		l.t.Errorf("without expiry: %+v", got)
	}
}

func (l *life) hold() {
	const email, lasts = "hold", int64(3_600_000)
	l.add(email, object{"expiryTime": -lasts})
	through := l.through(email, l.inbound.Port)
	l.wantStatus(email, "on_hold")
	if got := l.get(email).Client.ExpiryTime; got != -lasts {
		l.t.Errorf("before the first use expiryTime is %d", got)
	}
	before := time.Now().UnixMilli()
	download(l.t, through, l.origin, 1)
	after := time.Now().UnixMilli()
	l.wantStatus(email, "active")
	if used := l.get(email).Client.ExpiryTime - lasts; used < before || used > after {
		l.t.Errorf("the first use was at %d, not between %d and %d", used, before, after)
	}
	l.update(email, object{"expiryTime": -2 * lasts})
	l.wantStatus(email, "on_hold")
	l.wantAdmitted(through, true, "on hold again")
	l.wantStatus(email, "active")
	if got := l.get(email).Client.ExpiryTime - 2*lasts; got < after {
		l.t.Errorf("the second first use was at %d, before %d", got, after)
	}
}

func (l *life) renewal() {
	past := time.Now().UnixMilli() - 5*dayMS/2
	for _, c := range []struct {
		name    string
		fields  object
		status  string
		count   int
		expires int64
		used    int64
	}{
		{"renewed", object{"reset": 1}, "active", 3, past + 3*dayMS, 0},
		{"renewed-long", object{"reset": 30}, "active", 1, past + 30*dayMS, 0},
		{"renewed-twice", object{"reset": 1, "resetMax": 2}, "expired", 2, past + 2*dayMS, 7},
		{"renewed-enough", object{"reset": 1, "resetMax": 3}, "active", 3, past + 3*dayMS, 0},
		{"renewed-disabled", object{"reset": 1, "enable": false}, "disabled", 0, past, 7},
	} {
		l.add(c.name, nil)
		l.setTraffic(c.name, object{"upload": 3, "download": 4})
		l.update(c.name, merged(c.fields, object{"expiryTime": past}))
		l.wantRenewed(c.name, c.status, c.count, c.expires)
		if got := l.get(c.name).UsedTraffic; got != c.used {
			l.t.Errorf("%s has used %d bytes, want %d", c.name, got, c.used)
		}
	}
	l.add("renewed-new", object{"reset": 1, "expiryTime": past})
	l.wantRenewed("renewed-new", "active", 3, past+3*dayMS)
	l.update("renewed-disabled", object{"enable": true})
	l.wantRenewed("renewed-disabled", "active", 3, past+3*dayMS)

	l.add("renewed-monthly", object{"resetDay": 31, "expiryTime": past})
	next := monthlyAfter(31)(time.UnixMilli(past))
	count := 1
	for ; next.UnixMilli() <= time.Now().UnixMilli(); count++ {
		next = monthlyAfter(31)(next)
	}
	l.wantRenewed("renewed-monthly", "active", count, next.UnixMilli())
}

func (l *life) wantRenewed(email, status string, count int, expires int64) {
	l.t.Helper()
	l.wantStatus(email, status)
	coretest.Eventually(l.t, email+" is renewed", func() bool { return l.get(email).Client.ResetCount >= count })
	if got := l.get(email).Client; got.ResetCount != count || got.ExpiryTime != expires || got.Status != status {
		l.t.Errorf("%s has resetCount %d, expiryTime %d, status %s; want %d, %d, %s", email,
			got.ResetCount, got.ExpiryTime, got.Status, count, expires, status)
	}
}

// monthlyAfter is the first start of that day of a month after a time, of its last day when it has none.
func monthlyAfter(day int) func(time.Time) time.Time {
	return func(at time.Time) time.Time {
		at = at.UTC()
		for month := time.Date(at.Year(), at.Month(), 1, 0, 0, 0, 0, time.UTC); ; month = month.AddDate(0, 1, 0) {
			last := month.AddDate(0, 1, -1).Day()
			if next := month.AddDate(0, 0, min(day, last)-1); next.After(at) {
				return next
			}
		}
	}
}

func every(length time.Duration) func(time.Time) time.Time {
	return func(at time.Time) time.Time { return at.UTC().Truncate(length).Add(length) }
}

// weekly is the start of the first Sunday after a time.
func weekly(at time.Time) time.Time {
	midnight := every(24 * time.Hour)(at)
	return midnight.AddDate(0, 0, (7-int(midnight.Weekday()))%7)
}

func (l *life) usageResets() {
	for _, c := range []struct {
		name   string
		fields object
		shown  string // trafficReset
		day    int    // trafficResetDay
		next   func(time.Time) time.Time
	}{
		{"reset-absent", object{}, "never", 1, nil},
		{"reset-never", object{"trafficReset": "never"}, "never", 1, nil},
		{"reset-hourly", object{"trafficReset": "hourly"}, "hourly", 1, every(time.Hour)},
		{"reset-daily", object{"trafficReset": "daily"}, "daily", 1, every(24 * time.Hour)},
		{"reset-weekly", object{"trafficReset": "weekly"}, "weekly", 1, weekly},
		{"reset-monthly", object{"trafficReset": "monthly"}, "monthly", 1, monthlyAfter(1)},
		{"reset-monthly-15", object{"trafficReset": "monthly", "trafficResetDay": 15}, "monthly", 15, monthlyAfter(15)},
		{"reset-monthly-31", object{"trafficReset": "monthly", "trafficResetDay": 31}, "monthly", 31, monthlyAfter(31)},
		{
			"reset-every",
			object{"trafficReset": "every", "trafficResetParams": object{"days": 3}},
			"every", 1,
			func(at time.Time) time.Time { return at.Add(3 * 24 * time.Hour) },
		},
		{
			"reset-calendar",
			object{"trafficReset": "calendar", "trafficResetParams": object{"day_of_week": 0, "time_zone": "Asia/Tokyo"}},
			"calendar", 1, func(at time.Time) time.Time { return weekly(at.Add(9 * time.Hour)).Add(-9 * time.Hour) },
		},
	} {
		added := l.add(c.name, c.fields).Client
		got := l.get(c.name).Client
		if got.TrafficReset != c.shown || got.TrafficResetDay != c.day {
			l.t.Errorf("%s shows %s on day %d", c.name, got.TrafficReset, got.TrafficResetDay)
		}
		if c.next == nil {
			if got.ResetPolicy != nil {
				l.t.Errorf("%s has the policy %+v", c.name, got.ResetPolicy)
			}
			continue
		}
		// A boundary may lie between the creation and this moment.
		possible := []int64{c.next(time.UnixMilli(added.CreatedAt)).UnixMilli(), c.next(time.Now()).UnixMilli()}
		if c.shown == "every" {
			possible = possible[:1]
		}
		if got.ResetPolicy == nil || got.ResetPolicy.ID != c.shown || !slices.Contains(possible, got.ResetPolicy.NextAt) {
			l.t.Errorf("%s has the policy %+v, want next_at %d", c.name, got.ResetPolicy, possible)
		}
	}
}

func (l *life) badUsageResets() {
	const ids = "calendar, daily, day, every, hourly, month, monthly, no_reset, week, weekly, year"
	for _, c := range []struct {
		fields object
		msg    string
	}{
		{object{"trafficReset": "yearly"}, `trafficReset must be one of ` + ids + `: "yearly" is not loaded`},
		{object{"trafficReset": "every"}, "trafficResetParams.days is required"},
		{object{"trafficReset": "every", "trafficResetParams": object{"days": 0}}, "trafficResetParams.days must be at least 1"},
		{object{"trafficReset": "monthly", "trafficResetDay": 32}, "trafficResetDay must be between 0 and 31"},
		{object{"trafficReset": "calendar", "trafficResetParams": object{"day_of_month": 1, "time_zone": "Mars/Base"}}, `trafficResetParams.time_zone is not an IANA time zone such as Europe/Berlin: "Mars/Base"`},
		{object{"trafficReset": "daily", "trafficResetParams": object{"day": 1}}, "trafficResetParams.day is not a known parameter"},
	} {
		l.wantRefused("/clients/add", text(l.t, object{
			"client": merged(object{"email": "reset-bad"}, c.fields), "inboundIds": []int64{l.inbound.ID},
		}), c.msg)
	}
	if status, body := l.do(http.MethodGet, "/panel/api/clients/get/reset-bad", ""); status != http.StatusOK || !sameJSON(l.t, body, notFound) {
		l.t.Errorf("a refused client is there: %d %s", status, body)
	}
}

const notFound = `{"success":false,"msg":"client not found","obj":null}`
