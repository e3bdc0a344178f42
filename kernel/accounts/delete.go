package accounts

import (
	"context"
	"slices"

	"github.com/sluicehq/sluice/kernel/domain"
	"github.com/sluicehq/sluice/storage"
)

// DeleteUser removes the user: its open connections are cut, a new one is refused. keepTraffic keeps its counters under
// its name, for the next user of that name.
func (s *Service) DeleteUser(ctx context.Context, name string, keepTraffic bool) error {
	user, err := s.DB.UserByName(ctx, name)
	if err != nil {
		return err
	}
	ids := []int64{user.ID}
	return s.drained(ctx, ids, nil, func(tx *storage.Tx) error { // what is kept has the bytes of the last seconds
		return deleteUsers(ctx, tx, ids, keepTraffic)
	}, func(ctx context.Context) {
		s.usersChanged(ctx, "user deleted", nil, ids)
	})
}

// DeleteUsers is DeleteUser for many, in one transaction.
func (s *Service) DeleteUsers(ctx context.Context, names []string, keepTraffic bool, how How) (Report, error) {
	ids, err := s.idsOf(ctx, names)
	if err != nil {
		return Report{}, err
	}
	return s.bulk(ctx, how, "users deleted", ids, func(b *batch) error {
		err := b.each(ctx, names, ids, func(name string, a *domain.Account) {
			b.did(name)
			b.gone = append(b.gone, a.User.ID)
		})
		if err != nil {
			return err
		}
		return deleteUsers(ctx, b.tx, b.gone, keepTraffic)
	})
}

func deleteUsers(ctx context.Context, tx *storage.Tx, ids []int64, keepTraffic bool) error {
	for some := range slices.Chunk(ids, accountBatch) {
		if keepTraffic {
			if err := tx.KeepTraffic(ctx, some); err != nil {
				return err
			}
		}
		if err := tx.DeleteUsers(ctx, some); err != nil {
			return err
		}
	}
	return nil
}

// DeleteDepleted removes the users who have expired or used up their quota and for whom no time will change that: they
// have no next reset, no renewal and no next plan.
func (s *Service) DeleteDepleted(ctx context.Context, how How) (Report, error) {
	return s.deleteAll(ctx, how, "depleted users deleted", s.Directory.DepletedIDs(s.now()), func(a *domain.Account) bool {
		u := &a.User
		status := u.StatusAt(s.now(), a.Traffic.Used())
		over := status == domain.StatusExpired || status == domain.StatusLimited
		return over && u.NextResetAt == nil && !u.Renewable() && !u.HasNextPlan
	})
}

// DeleteOrphans removes the users who have neither an inbound nor a group.
func (s *Service) DeleteOrphans(ctx context.Context, how How) (Report, error) {
	return s.deleteAll(ctx, how, "orphans deleted", s.Directory.OrphanIDs(), func(a *domain.Account) bool {
		return len(a.Inbounds) == 0 && len(a.Groups) == 0
	})
}

// deleteAll removes those of the candidates that are what the directory took them for.
func (s *Service) deleteAll(
	ctx context.Context, how How, what string, candidates []int64, doomed func(*domain.Account) bool,
) (Report, error) {
	return s.bulk(ctx, how, what, candidates, func(b *batch) error {
		for some := range slices.Chunk(candidates, accountBatch) {
			accounts, err := b.tx.Accounts(ctx, some)
			if err != nil {
				return err
			}
			for i := range accounts {
				if a := &accounts[i]; doomed(a) {
					b.report.Count++
					b.gone = append(b.gone, a.User.ID)
				}
			}
		}
		return deleteUsers(ctx, b.tx, b.gone, false)
	})
}
