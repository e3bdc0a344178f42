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

// UpdateUser lets edit change a user (User, Inbounds, and Group or GroupIDs of the view) and stores it; what that takes
// away is cut when this returns. An edit that changes nothing writes nothing. edit may be called again if others change
// the user at the same time; it must not write elsewhere, nor through the view's pointers: it replaces them.
func (s *Service) UpdateUser(ctx context.Context, name string, edit func(v *UserView) error) (UserView, error) {
	user, err := s.DB.UserByName(ctx, name)
	if err != nil {
		return UserView{}, err
	}
	for range updateTries {
		after, err := s.tryUpdate(ctx, user, edit)
		if !errors.Is(err, errOvertaken) {
			return after, err
		}
		if user, err = s.DB.UserByID(ctx, user.ID); err != nil {
			return UserView{}, err
		}
	}
	return UserView{}, domain.Conflict("", "the user is being changed by others: try again")
}

// tryUpdate plans the change on a user as it was read, period plugins included, and stores it if the user is still that.
// So no plugin runs while other writers wait. It returns the user as it is then.
func (s *Service) tryUpdate(ctx context.Context, before domain.User, edit func(v *UserView) error) (UserView, error) {
	after, err := s.view(ctx, before)
	if err != nil {
		return UserView{}, err
	}
	e := edition{before: before, shown: after}
	e.shown.Inbounds, e.shown.GroupIDs = slices.Clone(after.Inbounds), slices.Clone(after.GroupIDs)
	if err := edit(&after); err != nil {
		return UserView{}, err
	}
	slices.Sort(after.Inbounds)
	after.Inbounds, after.GroupIDs = slices.Compact(after.Inbounds), distinct(after.GroupIDs)
	normalizePolicy(&after.User)
	if e.after = after; e.empty() {
		return after, nil
	}
	if err := checkUser(&e.after.User); err != nil {
		return UserView{}, err
	}
	if err := checkLabel(after.Group); err != nil {
		return UserView{}, err
	}
	if before.ResetPolicy != after.ResetPolicy || before.ResetParams != after.ResetParams {
		if err := s.schedule(ctx, &e.after.User); err != nil {
			return UserView{}, err
		}
	}
	account, err := s.rewrite(ctx, before.ID, "user updated", func(tx *storage.Tx, a *domain.Account) error {
		if a.User.Revision != before.Revision {
			return errOvertaken
		}
		a.User = e.after.User
		a.User.UpdatedAt = s.now()
		return e.store(ctx, tx, a)
	})
	if err != nil {
		return UserView{}, err
	}
	return s.viewOf(ctx, &s.DB.Reader, account)
}

// edition is a change of a user that was planned on what was read and shown.
type edition struct {
	before domain.User
	shown  UserView // of which Inbounds, Group and GroupIDs count
	after  UserView
}

func (e *edition) empty() bool {
	return reflect.DeepEqual(e.before, e.after.User) && slices.Equal(e.shown.Inbounds, e.after.Inbounds) &&
		e.shown.Group == e.after.Group && slices.Equal(e.shown.GroupIDs, e.after.GroupIDs)
}

// store writes what belongs to the user beside its row, and checks what the change refers to.
func (e *edition) store(ctx context.Context, tx *storage.Tx, a *domain.Account) error {
	if e.before.UsernameKey != domain.NameKey(e.after.Username) { // what was kept under the name is for a new user of it
		if err := tx.DropKeptTraffic(ctx, []string{e.after.Username}); err != nil {
			return err
		}
	}
	if err := checkNext(ctx, tx, e.after.NextPlan); err != nil {
		return err
	}
	if e.before.AdminID != e.after.AdminID {
		if err := takeRoom(ctx, tx, e.after.AdminID, 1); err != nil {
			return err
		}
	}
	if e.shown.Group != e.after.Group {
		if err := relabel(ctx, tx, a, e.after.Group); err != nil {
			return err
		}
	}
	if !slices.Equal(e.shown.GroupIDs, e.after.GroupIDs) {
		if err := regroup(ctx, tx, a, e.after.GroupIDs); err != nil {
			return err
		}
	}
	if slices.Equal(e.shown.Inbounds, e.after.Inbounds) {
		return nil
	}
	return replaceInbounds(ctx, tx, a, e.shown.Inbounds, e.after.Inbounds)
}

// replaceInbounds gives an account that was shown with some inbounds those that are wanted. They have to exist.
func replaceInbounds(ctx context.Context, tx *storage.Tx, a *domain.Account, shown, wanted []int64) error {
	inbounds, err := tx.InboundIDs(ctx)
	if err != nil {
		return err
	}
	if why := unknownInbound(wanted, inbounds); why != nil {
		return why
	}
	groups, err := doorsOf(ctx, tx, a.Groups)
	if err != nil {
		return err
	}
	if why := groups.want(a, shown, wanted); why != nil {
		return why
	}
	one := []domain.Account{*a}
	err = tx.ReplaceInbounds(ctx, one)
	*a = one[0] // with the inbounds that follow
	return err
}

// regroup puts an account into exactly these groups.
func regroup(ctx context.Context, tx *storage.Tx, a *domain.Account, groups []int64) error {
	one := []domain.Account{*a}
	one[0].Groups = append([]int64{}, groups...) // none is not nil
	err := tx.ReplaceGroups(ctx, one)
	*a = one[0]
	return err
}

// rewrite runs change on a user in a transaction that has its bytes of the last seconds, and stores the user with the
// status that follows. An unknown user is not_found.
func (s *Service) rewrite(
	ctx context.Context, id int64, what string, change func(*storage.Tx, *domain.Account) error,
) (account domain.Account, err error) {
	err = s.drained(ctx, []int64{id}, nil, func(tx *storage.Tx) (err error) {
		if account, err = tx.Account(ctx, id); err != nil {
			return err
		}
		if err := change(tx, &account); err != nil {
			return err
		}
		account.User.Settle(s.now(), account.Traffic.Used())
		return conflict(tx.UpdateUser(ctx, &account.User), account.User.Username)
	}, func(ctx context.Context) {
		s.usersChanged(ctx, what, []domain.Account{account}, nil)
	})
	return account, err
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
	_, err = s.rewrite(ctx, user.ID, what, change)
	return err
}
