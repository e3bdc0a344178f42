package periods

// Lengths of time, in ms. A day is 24 hours; a day of the calendar is longer or shorter when the clock is changed.
const (
	second = 1000
	hour   = 3600 * second
	day    = 24 * hour
	week   = 7 * day
)

// sunday is the start of the first Sunday, 1970-01-04 00:00, as a local time.
const sunday = 3 * day

// ceil is the smallest multiple of unit that is not below t.
func ceil(t, unit int64) int64 {
	rest := t % unit
	if rest > 0 {
		rest -= unit
	}
	return t - rest
}

// every is the rule of boundaries at start + k * length.
func every(length, start int64) func(local int64) int64 {
	return func(local int64) int64 { return ceil(local+1-start, length) + start }
}

// monthly is the rule of one boundary a month: on this day, or on the last one of a month that is shorter, this long
// after the day began.
func monthly(dayOfMonth, sinceMidnight int64) func(local int64) int64 {
	return func(local int64) int64 {
		for month := monthOf(local); ; month++ {
			begin, end := beginOf(month), beginOf(month+1)
			if at := min(begin+dayOfMonth*day, end) - day + sinceMidnight; at > local {
				return at
			}
		}
	}
}

// Months are counted from March of the year 0, so that a leap day is the last day of its year and needs no case of its
// own. Package time knows all this too, but would make the bundle 280 kB larger.

// march0 is the start of March of the year 0, as a local time.
const march0 = -719468 * day

// beginOf is the start of a month, as a local time.
func beginOf(month int64) int64 {
	year := floor(month, 12)
	inYear := (153*(month-year*12) + 2) / 5 // the days before it: its months are 31 30 31 30 31 days long, again and again
	return march0 + (365*year+floor(year, 4)-floor(year, 100)+floor(year, 400)+inYear)*day
}

// monthOf is the month that a local time lies in.
func monthOf(local int64) int64 {
	// The length of the average month gives a guess that is off by one at most.
	month := floor((local-march0)/day*4800, 146097)
	for beginOf(month) > local {
		month--
	}
	for beginOf(month+1) <= local {
		month++
	}
	return month
}

// floor is a / b, rounded down.
func floor(a, b int64) int64 {
	q := a / b
	if a%b < 0 {
		q--
	}
	return q
}
