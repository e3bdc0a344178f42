package accounts

import (
	"context"
	"errors"
	"math"
	"slices"

	"github.com/sluicehq/sluice/kernel/domain"
	"github.com/sluicehq/sluice/storage"
)

// successor is the next plan of a user while it takes the place of the present one.
type successor struct {
	carriesOver bool    // what is left of the old quota is added to the new one
	groups      []int64 // that the user is in then, nil = it stays in its own
}

// succeed gives a user its next plan if what it has is used up: usage begins anew, and the plan is gone.
func (t turns) succeed(ctx context.Context, p *turn, used int64) {
	u := p.user
	if p.reset != "" { // it was renewed just now
		used = 0
	}
	u.Settle(t.now, used)
	if !u.Succeeded() || p.failed != nil {
		return
	}
	next, err := t.succession(ctx, &u, t.template)
	switch {
	case domain.CodeOf(err) == domain.CodeNotFound: // its template was deleted just now, and the plan with it
		return
	case err != nil:
		t.fail(p, u.ResetPolicy, err)
		return
	}
	u.Status, u.StatusSince = p.user.Status, p.user.StatusSince
	p.user, p.next, p.reset = u, next, domain.ResetByRenewal
}

// template reads a template once for all users of a batch.
func (t turns) template(ctx context.Context, id int64) (read domain.Template, err error) {
	read, known := t.templates[id]
	if known {
		return read, nil
	}
	if read, err = t.DB.Template(ctx, id); err == nil {
		t.templates[id] = read
	}
	return read, err
}

// succession makes a user what its next plan says.
func (s *Service) succession(
	ctx context.Context, u *domain.User, template func(context.Context, int64) (domain.Template, error),
) (*successor, error) {
	plan := u.NextPlan
	next := &successor{carriesOver: plan.NextCarriesOver}
	if plan.NextTemplate != nil {
		t, err := template(ctx, *plan.NextTemplate)
		if err != nil {
			return nil, err
		}
		if len(t.Groups) > 0 {
			next.groups = t.Groups
		}
		enabled := u.Enabled
		err = s.bring(ctx, u, &t)
		u.Enabled = enabled
		return next, err
	}
	u.Quota, u.ExpireAt, u.NextPlan = plan.NextQuota, nil, domain.NextPlan{}
	u.HoldSince, u.HoldDuration, u.HoldTimeout = nil, 0, nil
	if plan.NextDuration > 0 {
		u.ExpireAt = after(s.now(), &plan.NextDuration)
	}
	return next, nil
}

// checkNext wants the template of a next plan to exist.
func checkNext(ctx context.Context, tx *storage.Tx, plan domain.NextPlan) error {
	if plan.NextTemplate == nil {
		return nil
	}
	_, err := tx.Template(ctx, *plan.NextTemplate)
	return err
}

// plans remembers what is wrong with the next plans of a request that name a template, by its id; nil = nothing.
type plans map[int64]*domain.Error

// check is checkNext for one user of many, with what is wrong as a reason not to make it.
func (p plans) check(ctx context.Context, tx *storage.Tx, plan domain.NextPlan) (*domain.Error, error) {
	if plan.NextTemplate == nil {
		return nil, nil
	}
	why, known := p[*plan.NextTemplate]
	if known {
		return why, nil
	}
	switch err := checkNext(ctx, tx, plan); {
	case domain.CodeOf(err) == domain.CodeNotFound:
		why = domain.NotFound("template not found")
	case err != nil:
		return nil, err
	}
	p[*plan.NextTemplate] = why
	return why, nil
}

// carriedOver is a quota with what was left of the one before it, nil = none.
func carriedOver(quota, before *int64, used int64) *int64 {
	if quota == nil || before == nil || *before <= used {
		return quota
	}
	sum := *quota + min(*before-used, math.MaxInt64-*quota) // the largest quota is as good as any above it
	return &sum
}

// regroup puts those of the users whose next plan says so into its groups.
func (t turns) regroup(ctx context.Context, tx *storage.Tx, changed []domain.Account, planned map[int64]turn) error {
	var places []int
	var moved []domain.Account
	for i, a := range changed {
		if next := planned[a.User.ID].next; next != nil && next.groups != nil {
			a.Groups = slices.Clone(next.groups)
			places, moved = append(places, i), append(moved, a)
		}
	}
	if err := tx.ReplaceGroups(ctx, moved); err != nil {
		return err
	}
	for i, place := range places {
		changed[place] = moved[i]
	}
	return nil
}

// ActivateNextOf gives a user its next plan now. A user without one is not_found.
func (s *Service) ActivateNextOf(ctx context.Context, who Principal, name string) (OwnedView, error) {
	user, err := s.ownedUser(ctx, who, name)
	if err != nil {
		return OwnedView{}, err
	}
	for range updateTries {
		account, err := s.tryActivate(ctx, who, user.ID)
		switch {
		case err == nil:
			return s.ownedView(ctx, account)
		case !errors.Is(err, errOvertaken):
			return OwnedView{}, err
		}
	}
	return OwnedView{}, domain.Conflict("", "the user is being changed by others: try again")
}

// tryActivate plans what the user is to be, asking period plugins, and stores it if the user is still what was read.
func (s *Service) tryActivate(ctx context.Context, who Principal, id int64) (domain.Account, error) {
	user, err := s.DB.UserByID(ctx, id)
	if err == nil {
		err = who.owns(&user)
	}
	if err != nil {
		return domain.Account{}, err
	}
	if !user.HasNextPlan {
		return domain.Account{}, domain.NotFound("User doesn't have next plan")
	}
	planned := user
	next, err := s.succession(ctx, &planned, s.DB.Template)
	if err != nil {
		return domain.Account{}, err
	}
	planned.Enabled = true
	return s.rewrite(ctx, user.ID, "next plan activated", func(tx *storage.Tx, a *domain.Account) error {
		if a.User.Revision != user.Revision {
			return errOvertaken
		}
		if next.carriesOver {
			planned.Quota = carriedOver(planned.Quota, a.User.Quota, a.Traffic.Used())
		}
		a.User, a.User.UpdatedAt = planned, s.now()
		a.Traffic.Up, a.Traffic.Down = 0, 0
		if _, err := tx.ResetTraffic(ctx, a.User.ID, domain.ResetByRenewal); err != nil || next.groups == nil {
			return err
		}
		return regroup(ctx, tx, a, next.groups)
	})
}
