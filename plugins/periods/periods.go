// Package periods holds the built-in rules for when usage resets. README.md is their reference for operators.
package periods

import "github.com/sluicehq/sluice/sdk"

// Rule is one period, ready for sdk.Period. Boundaries follow from the request alone and never from the last boundary:
// a run that comes late, or does not come, shifts none of them.
type Rule struct {
	ID      string
	Options sdk.PeriodOptions
	Next    sdk.PeriodFunc
}

// object begins the schema of parameters, which takes no others than those it names.
const object = `{"$schema":"https://json-schema.org/draft/2020-12/schema","type":"object","additionalProperties":false,`

const monthlyParams = object + `"properties":{` +
	`"day":{"type":"integer","minimum":1,"maximum":31,"default":1,"description":"Day of the month."}}}`

const everyParams = object + `"required":["days"],"properties":{` +
	`"days":{"type":"integer","minimum":1,"maximum":3650,"description":"Length in days of 24 hours."}}}`

const calendarParams = object + `"properties":{` +
	`"day_of_month":{"type":"integer","minimum":1,"maximum":31,"description":"1 to 31."},` +
	`"day_of_week":{"type":"integer","minimum":0,"maximum":6,"description":"0 = Sunday."},` +
	`"hour":{"type":"integer","minimum":0,"maximum":23,"default":0,"description":"Hour of that day."},` +
	`"time_zone":{"type":"string","minLength":1,"maxLength":64,"description":"IANA name, else the server's setting."}},` +
	`"oneOf":[{"required":["day_of_month"],"properties":{"day_of_week":false}},` +
	`{"required":["day_of_week"],"properties":{"day_of_month":false}}]}`

// Rules are all of them. Source of the first five: the user templates of PasarGuard, "Reset strategies"; of the four
// after them: the client API of 3x-ui, trafficReset.
func Rules() []Rule {
	of := func(title, description, params string) sdk.PeriodOptions {
		return sdk.PeriodOptions{Title: title, Description: description, Params: params}
	}
	quotaOnly := func(o sdk.PeriodOptions) sdk.PeriodOptions {
		o.QuotaOnly = true
		return o
	}
	return []Rule{
		{"no_reset", quotaOnly(of("Never", "Usage is never reset.", "")), never},
		{"day", quotaOnly(of("Day", "Every 24 hours from creation.", "")), anchored(day)},
		{"week", quotaOnly(of("Week", "Every 7 days from creation.", "")), anchored(7 * day)},
		{"month", quotaOnly(of("Month", "Every 30 days from creation.", "")), anchored(30 * day)},
		{"year", quotaOnly(of("Year", "Every 365 days from creation.", "")), anchored(365 * day)},
		{"hourly", of("Hourly", "At every full hour.", ""), hourly},
		{"daily", of("Daily", "At the start of every day.", ""), calendar(every(day, 0))},
		{"weekly", of("Weekly", "At the start of every Sunday.", ""), calendar(every(week, sunday))},
		{"monthly", of("Monthly", "At the start of one day of every month.", monthlyParams), monthlyOn},
		{"every", of("Every n days", "Every so many days of 24 hours from creation.", everyParams), everyDays},
		{"calendar", of("Calendar", "At one hour of one day of every month or week.", calendarParams), calendarOn},
	}
}

func never(*sdk.PeriodRequest) (sdk.PeriodReply, error) { return sdk.PeriodReply{Never: true}, nil }

// anchored is the rule of boundaries at anchor + k * length, where k is at least 1.
func anchored(length int64) sdk.PeriodFunc {
	return func(req *sdk.PeriodRequest) (sdk.PeriodReply, error) {
		passed := max(0, (req.Now-req.Anchor)/length)
		return sdk.PeriodReply{Next: req.Anchor + (passed+1)*length}, nil
	}
}

func everyDays(req *sdk.PeriodRequest) (sdk.PeriodReply, error) {
	p := read(req.Params)
	days, ok := p.whole("days", 1, 3650)
	if !ok {
		p.refuse("days is required")
	}
	if p.err != nil {
		return sdk.PeriodReply{}, p.err
	}
	return anchored(days * day)(req)
}

func hourly(req *sdk.PeriodRequest) (sdk.PeriodReply, error) {
	return sdk.PeriodReply{Next: zoneOf(req.Transitions).nextHour(req.Now)}, nil
}

// calendar is a rule by the local time of the request's zone; after gives its first boundary after a local time.
func calendar(after func(local int64) int64) sdk.PeriodFunc {
	return func(req *sdk.PeriodRequest) (sdk.PeriodReply, error) {
		return sdk.PeriodReply{Next: zoneOf(req.Transitions).next(req.Now, after)}, nil
	}
}

func monthlyOn(req *sdk.PeriodRequest) (sdk.PeriodReply, error) {
	p := read(req.Params)
	d, ok := p.whole("day", 1, 31)
	if !ok {
		d = 1
	}
	if p.err != nil {
		return sdk.PeriodReply{}, p.err
	}
	return calendar(monthly(d, 0))(req)
}

func calendarOn(req *sdk.PeriodRequest) (sdk.PeriodReply, error) {
	p := read(req.Params)
	ofMonth, inMonth := p.whole("day_of_month", 1, 31)
	ofWeek, inWeek := p.whole("day_of_week", 0, 6)
	hours, _ := p.whole("hour", 0, 23)
	if inMonth == inWeek {
		p.refuse("either day_of_month or day_of_week is required")
	}
	if p.err != nil {
		return sdk.PeriodReply{}, p.err
	}
	if inMonth {
		return calendar(monthly(ofMonth, hours*hour))(req)
	}
	return calendar(every(week, sunday+ofWeek*day+hours*hour))(req)
}
