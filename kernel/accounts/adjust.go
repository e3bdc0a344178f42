package accounts

import (
	"context"
	"math"
	"slices"

	"github.com/sluicehq/sluice/kernel/domain"
)

// Adjustment is what a bulk request adds to users. The zero value adds nothing.
type Adjustment struct {
	Days  int64   // to the expiry as it is stored, or to what a user on hold will get; negative takes away
	Bytes int64   // to the quota; negative takes away
	Flow  *string // the new flow, nil = as it is
}

// maxAdjustDays bounds an adjustment: a hundred years.
const maxAdjustDays = 36500

func (a Adjustment) check() error {
	switch {
	case a == Adjustment{}:
		return domain.Invalid("", "no adjustment specified")
	case a.Days > maxAdjustDays || a.Days < -maxAdjustDays:
		return domain.Invalid("days", "must be between -36500 and 36500")
	case a.Flow != nil && *a.Flow != "" && *a.Flow != domain.FlowVision:
		return domain.Invalid("flow", `must be "", "none" or "`+domain.FlowVision+`"`)
	}
	return nil
}

// BulkAdjust changes expiry, quota and flow of users, each named once, in one transaction. What can not be done for a
// user is skipped, with every reason; the rest of it is done. Done are the users of whom something was.
func (s *Service) BulkAdjust(ctx context.Context, names []string, adj Adjustment, how How) (Report, error) {
	if err := adj.check(); err != nil && len(names) > 0 { // nobody is nothing to do, as in 3x-ui
		return Report{}, err
	}
	inbounds, err := s.DB.Inbounds(ctx)
	if err != nil {
		return Report{}, err
	}
	return s.edit(ctx, how, "users adjusted", names, func(a *domain.Account) (did, changed bool, reasons []*domain.Error) {
		did, reasons = adj.apply(a, inbounds)
		return did, did, reasons
	})
}

// apply changes an account and says whether it did, and why not all of it.
func (a Adjustment) apply(account *domain.Account, inbounds []domain.Inbound) (did bool, reasons []*domain.Error) {
	u := &account.User
	note := func(reason string) {
		if reason == "" {
			did = true
			return
		}
		reasons = append(reasons, domain.Invalid("", reason))
	}
	if a.Days != 0 {
		note(AddTime(u, a.Days*24*60*60*1000))
	}
	if a.Bytes != 0 {
		note(AddBytes(u, a.Bytes))
	}
	if a.Flow != nil {
		note(setFlow(account, *a.Flow, inbounds))
	}
	return did, reasons
}

// setFlow gives a user a flow, and returns why it can not.
func setFlow(a *domain.Account, flow string, inbounds []domain.Inbound) (reason string) {
	carries := func(in domain.Inbound) bool {
		return slices.Contains(a.Inbounds, in.ID) && in.EffectiveFlow(flow) != ""
	}
	if flow != "" && !slices.ContainsFunc(inbounds, carries) {
		return "flow not supported on inbound"
	}
	a.User.Flow = flow
	return ""
}

// AddTime moves the end of a user's time by ms, or what a user on hold will get; below 0 takes away. The reason why it can
// not, and changes nothing, is "" if it can.
func AddTime(u *domain.User, ms int64) (reason string) {
	switch {
	case u.HoldSince != nil && u.HoldDuration+ms <= 0:
		return "reduction exceeds delay window"
	case u.HoldSince != nil && u.HoldDuration+ms > maxHold:
		return "addition exceeds 100 years"
	case u.HoldSince != nil:
		u.HoldDuration += ms
		return ""
	case u.ExpireAt == nil:
		return "unlimited expiry"
	case *u.ExpireAt > math.MaxInt64-max(ms, 0):
		return "addition exceeds the largest time"
	case *u.ExpireAt+ms <= 0:
		return "reduction exceeds remaining time"
	}
	at := *u.ExpireAt + ms
	u.ExpireAt = &at
	return ""
}

// AddBytes moves a user's quota, under the rules of AddTime.
func AddBytes(u *domain.User, bytes int64) (reason string) {
	switch {
	case u.Quota == nil:
		return "unlimited traffic"
	case bytes > 0 && *u.Quota > math.MaxInt64-bytes:
		return "addition exceeds the largest quota"
	case *u.Quota+bytes <= 0:
		return "reduction exceeds remaining quota"
	}
	quota := *u.Quota + bytes
	u.Quota = &quota
	return ""
}
