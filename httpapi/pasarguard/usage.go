package pasarguard

import (
	"context"
	"time"

	"github.com/sluicehq/sluice/kernel/accounts"
	"github.com/sluicehq/sluice/kernel/domain"
)

// UsageQuery says of which time usage is wanted, and in which steps; the zero value asks for the last 30 days by the hour.
// It is exported because the API's document passes over embedded types that are not.
type UsageQuery struct {
	Period string `query:"period" doc:"minute, hour, day or month; usage is kept by the hour, so a minute is one; absent = hour"`
	Start  string `query:"start" doc:"ISO-8601, or seconds since the epoch; absent = 30 days before the end"`
	End    string `query:"end" doc:"the same; absent = now"`
}

// usageBody is what a user has moved.
type usageBody struct {
	Period string                 `json:"period" enum:"hour,day,month"`
	Start  moment                 `json:"start"`
	End    moment                 `json:"end"`
	Stats  map[string][]usageStep `json:"stats" doc:"by the id of a node; -1 is all of them"`
}

// usageStep is what was moved in an hour, a day or a month. Those in which nothing was are left out.
type usageStep struct {
	PeriodStart  moment `json:"period_start"`
	TotalTraffic int64  `json:"total_traffic" doc:"bytes"`
}

// allNodes is what the sum of all nodes stands under.
const allNodes = "-1"

// presetSpan is of how long usage is shown when nobody says.
const presetSpan = 30 * 24 * time.Hour

// usageSteps are the starts of the periods, in UTC, by their names.
var usageSteps = map[string]func(time.Time) time.Time{
	"hour":  func(t time.Time) time.Time { return t.Truncate(time.Hour) },
	"day":   func(t time.Time) time.Time { return time.Date(t.Year(), t.Month(), t.Day(), 0, 0, 0, 0, time.UTC) },
	"month": func(t time.Time) time.Time { return time.Date(t.Year(), t.Month(), 1, 0, 0, 0, 0, time.UTC) },
}

// body is the answer as far as it does not depend on the user.
func (q *UsageQuery) body(now time.Time) (b usageBody, err error) {
	switch b.Period = q.Period; b.Period {
	case "", "minute":
		b.Period = "hour"
	case "hour", "day", "month":
	default:
		return b, domain.Invalid("", "period must be minute, hour, day or month")
	}
	end, err := queryMoment("end", q.End)
	if err != nil {
		return b, domain.Invalid("", "end must be ISO-8601 or seconds since the epoch")
	}
	if q.End == "" {
		end = now.UnixMilli()
	}
	start, err := queryMoment("start", q.Start)
	if err != nil {
		return b, domain.Invalid("", "start must be ISO-8601 or seconds since the epoch")
	}
	if q.Start == "" {
		start = end - presetSpan.Milliseconds()
	}
	if b.Start, b.End = moment(start), moment(end); start >= end {
		return b, domain.Invalid("", "Start date must be before end date")
	}
	return b, nil
}

// usage answers q with the hours that read returns.
func (o Options) usage(q *UsageQuery, read func(from, to int64) ([]domain.HourUsage, error)) (usageBody, error) {
	b, err := q.body(o.Accounts.Clock.Now())
	if err != nil {
		return b, err
	}
	from := time.UnixMilli(int64(b.Start)).Truncate(time.Hour) // the hour that has begun counts
	hours, err := read(from.UnixMilli(), int64(b.End))
	steps, stepOf := []usageStep{}, usageSteps[b.Period]
	for _, h := range hours {
		start := moment(stepOf(time.UnixMilli(h.Hour).UTC()).UnixMilli())
		if last := len(steps) - 1; last < 0 || steps[last].PeriodStart != start {
			steps = append(steps, usageStep{PeriodStart: start})
		}
		steps[len(steps)-1].TotalTraffic += h.Up + h.Down
	}
	b.Stats = map[string][]usageStep{allNodes: steps}
	return b, err
}

type usageRequest struct {
	UserPath
	UsageQuery
}

func (r routes) userUsage(ctx context.Context, who accounts.Principal, in *usageRequest) (usageBody, error) {
	return r.usage(&in.UsageQuery, func(from, to int64) ([]domain.HourUsage, error) {
		return r.Accounts.UsageOf(ctx, who, in.Username, from, to)
	})
}
