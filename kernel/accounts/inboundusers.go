package accounts

import (
	"context"

	"github.com/sluicehq/sluice/kernel/domain"
)

// EachInboundUser calls yield with every user of an inbound by id until it returns false; an unknown inbound has none.
// Like EachUser it needs no more memory with more of them, and holds nothing while yield runs.
func (s *Service) EachInboundUser(ctx context.Context, inboundID int64, yield func(Listed) bool) error {
	return s.each(ctx, func(after int64) ([]domain.Account, error) {
		return s.DB.AccountsOfInbound(ctx, inboundID, after, accountBatch)
	}, yield)
}

// each calls yield with the users that next returns: up to accountBatch with an id above after, in id order, fewer at the
// end. Groups are read after their users, so that one whose name is missing is gone and not new.
func (s *Service) each(
	ctx context.Context, next func(after int64) ([]domain.Account, error), yield func(Listed) bool,
) error {
	for after := int64(0); ; {
		accounts, err := s.counted(func() ([]domain.Account, error) { return next(after) })
		if err != nil || len(accounts) == 0 {
			return err
		}
		groups, err := s.groupNames(ctx)
		if err != nil {
			return err
		}
		now := s.now()
		for _, a := range accounts {
			if !yield(groups.listed(a, now)) {
				return nil
			}
		}
		if len(accounts) < accountBatch {
			return nil
		}
		after = accounts[len(accounts)-1].User.ID
	}
}
