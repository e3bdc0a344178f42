package accounts

import (
	"context"

	"github.com/sluicehq/sluice/kernel/domain"
)

// SetEnabled is the operator's word on users. Those of whom it was the word already count as done, as in 3x-ui.
func (s *Service) SetEnabled(ctx context.Context, names []string, enabled bool, how How) (Report, error) {
	return s.edit(ctx, how, "users enabled or disabled", names, func(a *domain.Account) (did, changed bool, why []*domain.Error) {
		changed = a.User.Enabled != enabled
		a.User.Enabled = enabled
		return true, changed, nil
	})
}
