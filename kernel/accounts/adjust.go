package accounts

import (
	"context"
	"math"
	"slices"

	"github.com/sluicehq/sluice/kernel/domain"
	"github.com/sluicehq/sluice/storage"
)

// Adjustment is what a bulk request adds to users. The zero value adds nothing.
type Adjustment struct {
	Days  int64   // to the expiry as it is stored, or to what a user on hold will get; negative takes away
	Bytes int64   // to the quota; negative takes away
	Flow  *string // the new flow, nil = as it is
}

// Skip says why a bulk request left something of a user undone.
type Skip struct{ Username, Reason string }

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
// user is in skipped, in the order of names and with every reason; the rest of it is done. adjusted counts the users of
// whom something was.
func (s *Service) BulkAdjust(ctx context.Context, names []string, adj Adjustment) (adjusted int, skipped []Skip, err error) {
	if err := adj.check(); err != nil {
		return 0, nil, err
	}
	inbounds, err := s.DB.Inbounds(ctx)
	if err != nil {
		return 0, nil, err
	}
	ids := s.idsOf(names)
	var changed []domain.Account
	err = s.drained(ctx, ids, nil, func(tx *storage.Tx) error {
		accounts, err := accountsByID(ctx, tx, ids)
		if err != nil {
			return err
		}
		changed, skipped = nil, nil
		for i, name := range names {
			a, known := accounts[ids[i]]
			if !known {
				skipped = append(skipped, Skip{name, "client not found"})
				continue
			}
			did, reasons := adj.apply(&a, inbounds)
			for _, reason := range reasons {
				skipped = append(skipped, Skip{name, reason})
			}
			if did {
				a.User.UpdatedAt = s.now()
				a.User.Settle(s.now(), a.Traffic.Used())
				changed = append(changed, a)
			}
		}
		return tx.UpdateUsers(ctx, usersOf(changed))
	}, func(ctx context.Context) {
		s.usersChanged(ctx, "users adjusted", changed, nil)
	})
	return len(changed), skipped, err
}

// apply changes an account and says whether it did, and why not all of it.
func (a Adjustment) apply(account *domain.Account, inbounds []domain.Inbound) (did bool, reasons []string) {
	u := &account.User
	note := func(reason string) {
		if reason == "" {
			did = true
			return
		}
		reasons = append(reasons, reason)
	}
	if a.Days != 0 {
		note(addDays(u, a.Days))
	}
	if a.Bytes != 0 {
		note(addBytes(u, a.Bytes))
	}
	if a.Flow != nil {
		if *a.Flow != "" && !slices.ContainsFunc(inbounds, func(in domain.Inbound) bool {
			return slices.Contains(account.Inbounds, in.ID) && in.EffectiveFlow(*a.Flow) != ""
		}) {
			note("flow not supported on inbound")
		} else {
			u.Flow = *a.Flow
			note("")
		}
	}
	return did, reasons
}

// addDays moves the end of a user's time, and returns why it can not.
func addDays(u *domain.User, days int64) (reason string) {
	ms := days * 24 * 60 * 60 * 1000
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

// addBytes moves a user's quota, and returns why it can not.
func addBytes(u *domain.User, bytes int64) (reason string) {
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

// idsOf returns the id of each name, 0 for one that is unknown.
func (s *Service) idsOf(names []string) []int64 {
	ids := make([]int64, len(names))
	for i, name := range names {
		if r, known := s.Directory.ByName(name); known {
			ids[i] = r.ID
		}
	}
	return ids
}

func accountsByID(ctx context.Context, tx *storage.Tx, ids []int64) (map[int64]domain.Account, error) {
	accounts, err := tx.Accounts(ctx, ids)
	byID := make(map[int64]domain.Account, len(accounts))
	for _, a := range accounts {
		byID[a.User.ID] = a
	}
	return byID, err
}

// usersOf returns the users of accounts, to be written in place.
func usersOf(accounts []domain.Account) []*domain.User {
	users := make([]*domain.User, len(accounts))
	for i := range users {
		users[i] = &accounts[i].User
	}
	return users
}
