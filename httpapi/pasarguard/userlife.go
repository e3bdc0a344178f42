package pasarguard

import (
	"github.com/sluicehq/sluice/httpapi/detail"
	"github.com/sluicehq/sluice/kernel/accounts"
	"github.com/sluicehq/sluice/kernel/domain"
)

// editLife changes a user's status and what it depends on beside the limit of data. The status follows from facts, so that
// active changes nothing for who is limited or expired: a new limit or expiry does.
func (in *UserInput) editLife(v *accounts.UserView, shown *PublicUser) error {
	expire, newExpire, err := changedTime(in.Expire, shown.Expire, 0, "expire")
	if err != nil {
		return err
	}
	status := v.Status
	fill(&status, in.Status)
	switch status {
	case v.Status:
	case domain.StatusActive:
		if v.Status == domain.StatusOnHold {
			v.Activate(v.Now) // it has what it was promised, unless another expiry was given
		}
		v.Enabled = true
	case domain.StatusOnHold:
		if v.HoldSince == nil {
			v.Hold(v.Now, 0, nil)
		}
		v.Enabled = true
	case domain.StatusDisabled:
		v.Enabled = false
	default:
		return detail.Fields{"status": "Input should be 'active', 'disabled' or 'on_hold'"}
	}
	switch {
	case v.HoldSince != nil && newExpire && expire != nil:
		return detail.Fields{"status": noExpire}
	case v.HoldSince != nil:
		return in.editHold(v, shown)
	case newExpire:
		v.ExpireAt = expire
	}
	return nil
}

// editHold changes what a user on hold waits for.
func (in *UserInput) editHold(v *accounts.UserView, shown *PublicUser) error {
	if given := in.HoldDuration; given.Set && given.Value != orZero(shown.OnHoldExpireDuration) {
		v.HoldDuration = milliseconds(given.Value)
	}
	if v.HoldDuration <= 0 {
		return detail.Fields{"status": noDuration}
	}
	timeout, differs, err := changedTime(in.HoldTimeout, shown.OnHoldTimeout, v.Now, "on_hold_timeout")
	if differs {
		v.HoldTimeout = timeout
	}
	return err
}
