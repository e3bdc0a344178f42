package domain

// day is the day of durations given in days, in ms.
const day = 24 * 60 * 60 * 1000

// Activate ends the hold at the given moment (ms UTC), from which the user's time is counted (decisions.md §1.2, hold).
func (u *User) Activate(at int64) {
	expire := at + u.HoldDuration
	u.HoldSince, u.HoldTimeout, u.HoldDuration, u.ExpireAt = nil, nil, 0, &expire
}

// Hold makes the user wait for its first use after now (ms UTC), for at most until timeout (nil = for ever); duration
// (ms) is what it gets then.
func (u *User) Hold(now, duration int64, timeout *int64) {
	u.HoldSince, u.HoldTimeout, u.HoldDuration, u.ExpireAt = &now, timeout, duration, nil
}

// Settle brings the stored status up to date at now (ms UTC), with used bytes counted, and returns what it was before.
func (u *User) Settle(now, used int64) (before Status) {
	before = u.Status
	if status := u.StatusAt(now, used); status != before {
		u.Status, u.StatusSince = status, now
	}
	return before
}

// Succeeded says whether the user's next plan is to take the place of what is used up. A renewal comes before it.
func (u *User) Succeeded() bool {
	return u.HasNextPlan && (u.Status == StatusLimited || u.Status == StatusExpired && !u.Renewable())
}

// Renewable says whether the subscription is to be renewed when it expires. A disabled user's waits until it is enabled.
func (u *User) Renewable() bool {
	return u.Enabled && (u.RenewDays > 0 || u.RenewDay > 0) && (u.RenewMax == 0 || u.RenewCount < u.RenewMax)
}

// DeleteAt is when the user is to be deleted by itself (ms UTC), 0 = never. Users whose quota is used up count only if
// limitedToo says so, and who expired only if it will not be renewed: a renewal that failed is tried again.
func (u *User) DeleteAt(limitedToo bool) int64 {
	over := u.Status == StatusExpired && !u.Renewable() || u.Status == StatusLimited && limitedToo
	if u.AutoDelete == nil || !over || u.HasNextPlan {
		return 0
	}
	return u.StatusSince + int64(*u.AutoDelete)*day
}

// DueAt is the next moment at which something has to be done for the user because time passes (ms UTC), 0 = never. What
// is overdue lies in the past. It does not know of quotas, which bytes use up and not time.
func (u *User) DueAt(limitedToo bool) int64 {
	next := u.DeleteAt(limitedToo)
	sooner := func(at *int64, notBefore int64) {
		if at == nil {
			return
		}
		if when := max(*at, notBefore, 1); next == 0 || when < next { // 0 would be never
			next = when
		}
	}
	var retry int64
	if u.ResetRetryAt != nil {
		retry = *u.ResetRetryAt
	}
	sooner(u.NextResetAt, retry)
	if u.Succeeded() {
		sooner(&u.StatusSince, retry)
	}
	switch {
	case u.HoldSince != nil:
		sooner(u.HoldTimeout, 0)
	case !u.Enabled:
	case u.Status != StatusExpired:
		sooner(u.ExpireAt, 0)
	case u.Renewable():
		sooner(u.ExpireAt, retry)
	}
	return next
}
