package accounts

import (
	"context"
	"errors"
	"reflect"
	"slices"

	"github.com/sluicehq/sluice/kernel/domain"
	"github.com/sluicehq/sluice/storage"
)

// updateTries is how often a change is tried while others change the same user.
const updateTries = 10

// errOvertaken says that a user was changed between reading and writing it.
var errOvertaken = errors.New("the user was changed meanwhile")

// UpdateUser lets edit change a user (User and Inbounds of the view) and stores it; what that takes away is cut when
// this returns. An edit that changes nothing writes nothing. edit may be called again if others change the user at the
// same time; it must not write elsewhere, nor through the view's pointers: it replaces them.
func (s *Service) UpdateUser(ctx context.Context, name string, edit func(v *UserView) error) (UserView, error) {
	user, err := s.DB.UserByName(ctx, name)
	if err != nil {
		return UserView{}, err
	}
	for range updateTries {
		if err = s.tryUpdate(ctx, user.ID, edit); !errors.Is(err, errOvertaken) {
			break
		}
	}
	if errors.Is(err, errOvertaken) {
		return UserView{}, domain.Conflict("", "the user is being changed by others: try again").Because(err)
	}
	if err != nil {
		return UserView{}, err
	}
	if user, err = s.DB.UserByID(ctx, user.ID); err != nil {
		return UserView{}, err
	}
	return s.view(ctx, user)
}

// tryUpdate plans the change on a user as it is read, period plugins included, and stores it if the user is still that.
// So no plugin runs while other writers wait.
func (s *Service) tryUpdate(ctx context.Context, id int64, edit func(v *UserView) error) error {
	before, err := s.DB.UserByID(ctx, id)
	if err != nil {
		return err
	}
	after, err := s.view(ctx, before)
	if err != nil {
		return err
	}
	had := slices.Clone(after.Inbounds)
	if err := edit(&after); err != nil {
		return err
	}
	slices.Sort(after.Inbounds)
	after.Inbounds = slices.Compact(after.Inbounds)
	normalizePolicy(&after.User)
	if reflect.DeepEqual(before, after.User) && slices.Equal(had, after.Inbounds) {
		return nil
	}
	if err := checkUser(&after.User); err != nil {
		return err
	}
	if before.ResetPolicy != after.ResetPolicy || before.ResetParams != after.ResetParams {
		if err := s.schedule(ctx, &after.User); err != nil {
			return err
		}
	}
	return s.rewrite(ctx, id, "user updated", func(tx *storage.Tx, a *domain.Account) error {
		if a.User.Revision != before.Revision {
			return errOvertaken
		}
		a.User = after.User
		a.User.UpdatedAt = s.now()
		if slices.Equal(had, after.Inbounds) {
			return nil
		}
		if err := inboundsExist(ctx, tx, after.Inbounds); err != nil {
			return err
		}
		a.Inbounds = after.Inbounds
		return tx.SetUserInbounds(ctx, id, a.Inbounds)
	})
}

// rewrite runs change on a user in a transaction that has its bytes of the last seconds, and stores the user with the
// status that follows. An unknown user is not_found.
func (s *Service) rewrite(ctx context.Context, id int64, what string, change func(*storage.Tx, *domain.Account) error) error {
	var account domain.Account
	return s.drained(ctx, []int64{id}, nil, func(tx *storage.Tx) (err error) {
		if account, err = tx.Account(ctx, id); err != nil {
			return err
		}
		if err := change(tx, &account); err != nil {
			return err
		}
		account.User.Settle(s.now(), account.Traffic.Used())
		taken := domain.Conflict("username", "already in use: "+account.User.Username)
		return credentialConflict(tx.UpdateUser(ctx, &account.User), taken)
	}, func(ctx context.Context) {
		s.usersChanged(ctx, what, []domain.Account{account}, nil)
	})
}

// maxBytes is the most that usage can be set to: both sides and all that is ever moved after it fit in one number.
const maxBytes = 1 << 61

// SetTraffic sets what a user has used since the last reset, in bytes; a nil side stays as it is.
func (s *Service) SetTraffic(ctx context.Context, name string, up, down *int64) error {
	for _, side := range []struct {
		field string
		bytes *int64
	}{{"up", up}, {"down", down}} {
		switch {
		case side.bytes == nil:
		case *side.bytes < 0:
			return domain.Invalid(side.field, "must not be negative")
		case *side.bytes > maxBytes:
			return domain.Invalid(side.field, "must be at most 2305843009213693952")
		}
	}
	return s.changeUsage(ctx, name, "usage set", func(tx *storage.Tx, a *domain.Account) error {
		if up != nil {
			a.Traffic.Up = *up
		}
		if down != nil {
			a.Traffic.Down = *down
		}
		return tx.SetTraffic(ctx, a.User.ID, a.Traffic.Up, a.Traffic.Down)
	})
}

// ResetTraffic sets a user's usage to zero and logs what it was. A user whose quota was used up comes back; one that the
// operator disabled does not.
func (s *Service) ResetTraffic(ctx context.Context, name string) error {
	return s.changeUsage(ctx, name, "usage reset", func(tx *storage.Tx, a *domain.Account) error {
		a.Traffic.Up, a.Traffic.Down = 0, 0
		_, err := tx.ResetTraffic(ctx, a.User.ID, domain.ResetByOperator)
		return err
	})
}

func (s *Service) changeUsage(ctx context.Context, name, what string, change func(*storage.Tx, *domain.Account) error) error {
	user, err := s.DB.UserByName(ctx, name)
	if err != nil {
		return err
	}
	return s.rewrite(ctx, user.ID, what, change)
}
