package accounts

import (
	"context"

	"github.com/sluicehq/sluice/kernel/domain"
	"github.com/sluicehq/sluice/kernel/period"
)

// noReset is the period that never resets. It is stored as no period at all.
const noReset = "no_reset"

// normalizePolicy gives a user that is never reset the one spelling of that.
func normalizePolicy(u *domain.User) {
	if u.ResetPolicy == noReset {
		u.ResetPolicy = ""
	}
	if u.ResetPolicy == "" {
		u.ResetParams = ""
	}
}

// schedule checks a user's reset policy and sets its next boundary. A policy that is new never resets at once
// (decisions.md §3, resets).
func (s *Service) schedule(ctx context.Context, u *domain.User) error {
	u.NextResetAt, u.ResetRetryAt = nil, nil
	if normalizePolicy(u); u.ResetPolicy == "" {
		return nil // most users: the settings are not read for them
	}
	if s.Periods == nil {
		return domain.Unavailable("period plugins run in the server only")
	}
	if err := s.Periods.Check(u.ResetPolicy, u.ResetParams); err != nil {
		return err
	}
	settings, err := s.DB.Settings(ctx)
	if err != nil {
		return err
	}
	u.NextResetAt, err = s.nextReset(ctx, u, s.now(), settings.TimeZone)
	return err
}

// nextReset is the user's first boundary after now (ms UTC), nil when there is none.
func (s *Service) nextReset(ctx context.Context, u *domain.User, now int64, zone string) (*int64, error) {
	q := period.Question{ID: u.ResetPolicy, Params: u.ResetParams, Anchor: u.ResetAnchor, Now: now, TimeZone: zone}
	if u.NextResetAt != nil {
		q.Last = *u.NextResetAt
	}
	next, never, err := s.Periods.Next(ctx, q)
	if err != nil || never {
		return nil, err
	}
	return &next, nil
}

// schedules remembers the schedule of the last user: those of one request mostly have the same, and each costs a call of a
// plugin.
type schedules struct {
	*Service
	policy, params string
	anchor         int64
	next           *int64
}

// set is schedule.
func (s *schedules) set(ctx context.Context, u *domain.User) error {
	if u.ResetPolicy != "" && u.ResetPolicy == s.policy && u.ResetParams == s.params && u.ResetAnchor == s.anchor {
		u.NextResetAt = s.next
		return nil
	}
	if err := s.schedule(ctx, u); err != nil {
		return err
	}
	s.policy, s.params, s.anchor, s.next = u.ResetPolicy, u.ResetParams, u.ResetAnchor, u.NextResetAt
	return nil
}
