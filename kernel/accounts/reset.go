package accounts

import (
	"context"
	"slices"

	"go.uber.org/zap"

	"github.com/sluicehq/sluice/kernel/domain"
	"github.com/sluicehq/sluice/storage"
)

// ResetTraffics is ResetTraffic for many users, in one transaction.
func (s *Service) ResetTraffics(ctx context.Context, names []string, how How) (Report, error) {
	ids, err := s.idsOf(ctx, names)
	if err != nil {
		return Report{}, err
	}
	return s.bulk(ctx, how, "usage reset", ids, func(b *batch) error {
		err := b.each(ctx, names, ids, func(name string, a *domain.Account) {
			b.did(name)
			b.put = append(b.put, *a)
		})
		if err != nil {
			return err
		}
		return s.reset(ctx, b.tx, b.put)
	})
}

// reset sets the usage of accounts to zero, logs what it was, and stores the status that follows.
func (s *Service) reset(ctx context.Context, tx *storage.Tx, accounts []domain.Account) error {
	ids := make([]int64, len(accounts))
	for i := range accounts {
		a := &accounts[i]
		ids[i] = a.User.ID
		a.Traffic.Up, a.Traffic.Down = 0, 0
		*a = s.touched(a)
	}
	for some := range slices.Chunk(ids, accountBatch) {
		if _, err := tx.ResetTraffics(ctx, some, domain.ResetByOperator); err != nil {
			return err
		}
	}
	return tx.UpdateUsers(ctx, usersOf(accounts))
}

// ResetAllTraffics sets the usage of every user that has any to zero, in one transaction. Users are read and told of in
// portions: with more of them it holds no more than their ids.
func (s *Service) ResetAllTraffics(ctx context.Context, how How) (Report, error) {
	if err := s.flush(ctx); err != nil {
		return Report{}, err
	}
	ids, err := s.DB.UsedIDs(ctx) // the directory does not know what other processes have stored
	if err != nil {
		return Report{}, err
	}
	return s.bulk(ctx, how, "usage of all reset", ids, func(b *batch) error {
		for some := range slices.Chunk(ids, accountBatch) {
			accounts, err := b.tx.Accounts(ctx, some)
			if err != nil {
				return err
			}
			if err := s.reset(ctx, b.tx, accounts); err != nil {
				return err
			}
			b.report.Count += len(accounts)
		}
		b.others = ids
		return nil
	})
}

// flush stores everything that moved here.
func (s *Service) flush(ctx context.Context) error {
	if s.Usage == nil {
		return nil
	}
	return s.Usage.Flush(ctx)
}

// lost says that a commit can not be followed now.
func (s *Service) lost(what string, err error) {
	s.Log.Error("users can not be read after a commit, reconcile will retry", zap.String("change", what), zap.Error(err))
	s.drifted()
}

// reread makes the directory and the core follow a commit that changed more users than should be held in memory, and says
// whether it could.
func (s *Service) reread(ctx context.Context, what string, ids []int64) (done bool) {
	for some := range slices.Chunk(ids, accountBatch) {
		accounts, err := s.DB.Accounts(ctx, some)
		if err != nil {
			s.lost(what, err)
			return false
		}
		s.usersChanged(ctx, what, accounts, nil)
	}
	return true
}
