package accounts

import (
	"context"
	"slices"

	"github.com/sluicehq/sluice/kernel/directory"
	"github.com/sluicehq/sluice/kernel/domain"
)

// EnableAdminUsers is the operator's word on every user of an admin, in one transaction. It returns how many users it changed.
// Users are read and told of in portions: with more of them it holds no more than their ids.
func (s *Service) EnableAdminUsers(ctx context.Context, admin string, enabled bool) (changed int, err error) {
	owner, ids, err := s.usersOfAdmin(ctx, admin)
	if err != nil {
		return 0, err
	}
	report, err := s.bulk(ctx, How{}, "users of an admin enabled or disabled", ids, func(b *batch) error {
		for some := range slices.Chunk(ids, accountBatch) {
			accounts, err := b.tx.Accounts(ctx, some)
			if err != nil {
				return err
			}
			accounts = slices.DeleteFunc(accounts, func(a domain.Account) bool {
				return a.User.AdminID != owner.ID || a.User.Enabled == enabled
			})
			for i := range accounts {
				accounts[i].User.Enabled = enabled
				s.touched(&accounts[i])
				b.others = append(b.others, accounts[i].User.ID)
			}
			if err := b.tx.UpdateUsers(ctx, usersOf(accounts)); err != nil {
				return err
			}
			b.report.Count += len(accounts)
		}
		return nil
	})
	return report.Count, err
}

// DeleteAdminUsers removes every user of an admin, in one transaction, and returns how many there were.
func (s *Service) DeleteAdminUsers(ctx context.Context, admin string) (deleted int, err error) {
	owner, ids, err := s.usersOfAdmin(ctx, admin)
	if err != nil {
		return 0, err
	}
	report, err := s.deleteAll(ctx, How{}, "users of an admin deleted", ids, func(a *domain.Account) bool {
		return a.User.AdminID == owner.ID
	})
	return report.Count, err
}

// usersOfAdmin returns an operator with the ids of its users as the directory knows them; who was moved since then is told
// by the account.
func (s *Service) usersOfAdmin(ctx context.Context, name string) (domain.Admin, []int64, error) {
	admin, err := s.DB.AdminByName(ctx, name)
	if err != nil {
		return admin, nil, err
	}
	return admin, s.Directory.MatchingIDs(s.now(), directory.Query{Admins: []int64{admin.ID}}), nil
}
