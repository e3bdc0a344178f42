package accounts

import (
	"context"
	"errors"
	"slices"

	"github.com/sluicehq/sluice/kernel/domain"
	"github.com/sluicehq/sluice/kernel/username"
	"github.com/sluicehq/sluice/storage"
)

// Names makes the names of users that are made in bulk.
type Names interface {
	Generate(ctx context.Context, r username.Request, taken username.Taken) (username.Result, error)
	List() []username.Strategy
}

// Strategies returns the loaded ways to make names, by id.
func (s *Service) Strategies() []username.Strategy { return s.Names.List() }

// usable returns a template that users can be made from.
func (s *Service) usable(ctx context.Context, id int64) (domain.Template, error) {
	t, err := s.DB.Template(ctx, id)
	switch {
	case err != nil:
		return t, err
	case t.Disabled:
		return t, domain.Forbidden("this template is disabled")
	case len(t.Groups) == 0: // they were deleted
		return t, domain.Invalid("", "you must select at least one group")
	}
	return t, nil
}

// planned is a user as the template has it (seed: user templates, "What is applied").
func planned(t *domain.Template, now int64) NewUser {
	n := NewUser{
		Enabled: true, Quota: t.Quota, ResetPolicy: t.ResetPolicy, ResetParams: t.ResetParams, Groups: t.Groups,
		Method: t.Method,
	}
	if t.Flow != nil {
		n.Flow = *t.Flow
	}
	switch {
	case t.Hold:
		n.HoldDuration, n.HoldTimeout = t.Duration, after(now, t.HoldTimeout)
	case t.Duration > 0:
		n.ExpireAt = after(now, &t.Duration)
	}
	return n
}

// after is the moment ms after now, nil for nil.
func after(now int64, ms *int64) *int64 {
	if ms == nil {
		return nil
	}
	at := now + *ms
	return &at
}

// FromTemplate makes a user from a template; name is what its prefix and suffix go around. What is wrong with the whole
// name is an Invalid without a field.
func (s *Service) FromTemplate(ctx context.Context, who Principal, templateID int64, name, note string) (OwnedView, error) {
	t, err := s.usable(ctx, templateID)
	if err != nil {
		return OwnedView{}, err
	}
	n := planned(&t, s.now())
	n.Username, n.Note = affixed(t.Prefix, name, t.Suffix), note
	if err := username.Check(n.Username); err != nil {
		return OwnedView{}, err
	}
	return s.CreateUserOf(ctx, who, n)
}

func affixed(prefix *string, name string, suffix *string) string {
	return orEmpty(prefix) + name + orEmpty(suffix)
}

func orEmpty(text *string) string {
	if text == nil {
		return ""
	}
	return *text
}

// Batch asks for many users of one template.
type Batch struct {
	TemplateID int64
	Count      int    // 1 to 500
	Strategy   string // id of a loaded username strategy
	Params     string // its parameters, a JSON object, "" = none
	Base       string // what names are made from, "" = none
	Start      *int64 // the first number, nil = 1
	Note       string
}

// Made is what became of a Batch.
type Made struct {
	Users   []domain.User // in the order of their names
	Missing int           // users fewer than asked for
	Why     string        // one sentence, "" = none is missing
}

// ManyFromTemplate makes users from a template in one transaction. There may be fewer than asked for, because the names of
// the strategy are taken.
func (s *Service) ManyFromTemplate(ctx context.Context, who Principal, batch Batch) (Made, error) {
	t, err := s.usable(ctx, batch.TemplateID)
	if err != nil {
		return Made{}, err
	}
	request := username.Request{
		Strategy: batch.Strategy, Params: batch.Params, Base: batch.Base, Start: batch.Start, Count: batch.Count,
		Prefix: orEmpty(t.Prefix), Suffix: orEmpty(t.Suffix),
	}
	for range updateTries {
		made, err := s.tryMany(ctx, who, &t, request, batch.Note)
		if !errors.Is(err, errOvertaken) {
			return made, err
		}
	}
	return Made{}, domain.Conflict("", "the names are being taken by others: try again")
}

// tryMany makes the users unless somebody took one of their names since it was found free.
func (s *Service) tryMany(ctx context.Context, who Principal, t *domain.Template, r username.Request, note string) (Made, error) {
	names, err := s.Names.Generate(ctx, r, s.taken)
	if err != nil {
		return Made{}, err
	}
	plan := planned(t, s.now())
	plan.Note, plan.AdminID = note, who.Admin.ID
	list := make([]NewUser, len(names.Names))
	for i, name := range names.Names {
		list[i] = plan
		list[i].Username = name
	}
	drafts := s.draft(ctx, list)
	var b *batch
	err = s.write(ctx, func(tx *storage.Tx) error {
		b = newBatch(tx)
		if err := s.create(ctx, b, drafts); err != nil {
			return err
		}
		for _, d := range drafts {
			switch {
			case d.why != nil && d.why.Code == domain.CodeConflict:
				return errOvertaken
			case d.why != nil:
				return d.why
			}
		}
		return nil
	}, func(ctx context.Context) {
		s.usersChanged(ctx, "users created from a template", b.put, nil)
	})
	if err != nil {
		return Made{}, err
	}
	made := Made{Users: make([]domain.User, len(drafts)), Missing: names.Missing, Why: names.Why}
	for i := range drafts {
		made.Users[i] = drafts[i].account.User
	}
	return made, nil
}

// taken says which of the names users have.
func (s *Service) taken(ctx context.Context, names []string) (map[string]bool, error) {
	ids, err := s.DB.UserIDs(ctx, names)
	taken := make(map[string]bool, len(ids))
	for key := range ids {
		taken[key] = true
	}
	return taken, err
}

// ApplyTemplate brings a user to a template; a nil note stays.
func (s *Service) ApplyTemplate(ctx context.Context, who Principal, name string, templateID int64, note *string) (OwnedView, error) {
	return s.one(ctx, who, name, func(ctx context.Context, who Principal, ids []int64) (Report, error) {
		return s.ApplyTemplateTo(ctx, who, ids, templateID, note)
	})
}

// ApplyTemplateTo brings users to a template, under the rules of ChangeUsers: name, credentials, owner and creation stay, a
// next plan is dropped, the rest is the template's.
func (s *Service) ApplyTemplateTo(
	ctx context.Context, who Principal, ids []int64, templateID int64, note *string,
) (Report, error) {
	if len(ids) > maxNamed {
		return Report{}, domain.Invalid("ids", "must be at most 5000 users")
	}
	t, err := s.usable(ctx, templateID)
	if err != nil {
		return Report{}, err
	}
	for range updateTries {
		report, err := s.tryApply(ctx, who, ids, &t, note)
		if !errors.Is(err, errOvertaken) {
			return report, err
		}
	}
	return Report{}, domain.Conflict("", "the users are being changed by others: try again")
}

// tryApply asks period plugins for the boundaries that the users will have, and brings those to the template who are there
// then: what others change meanwhile stays, or is the template's.
func (s *Service) tryApply(ctx context.Context, who Principal, ids []int64, t *domain.Template, note *string) (Report, error) {
	boundaries, err := s.boundaries(ctx, ids, t)
	if err != nil {
		return Report{}, err
	}
	return s.byIDs(ctx, who, ids, How{}, "template applied", func(b *batch, accounts []domain.Account) ([]domain.Account, error) {
		for i := range accounts {
			a := &accounts[i]
			if s.become(&a.User, t) {
				next, asked := boundaries[a.User.ResetAnchor]
				if !asked {
					return nil, errOvertaken
				}
				a.User.NextResetAt, a.User.ResetRetryAt = next, nil
			}
			if note != nil {
				a.User.Note = *note
			}
			if err := checkUser(&a.User); err != nil {
				return nil, err
			}
			a.Groups = slices.Clone(t.Groups)
		}
		if err := s.storeApplied(ctx, b.tx, accounts, t.ResetUsage); err != nil {
			return nil, err
		}
		return accounts, b.tx.ReplaceGroups(ctx, accounts)
	})
}

// boundaries are the first resets under a template's policy of users who have another one, by the anchor that these are
// counted from; nil = never.
func (s *Service) boundaries(ctx context.Context, ids []int64, t *domain.Template) (map[int64]*int64, error) {
	users, err := s.DB.Accounts(ctx, ids)
	if err != nil {
		return nil, err
	}
	next := map[int64]*int64{}
	for i := range users {
		u := &users[i].User
		if _, asked := next[u.ResetAnchor]; asked || !s.become(u, t) {
			continue
		}
		if err := s.schedule(ctx, u); err != nil {
			return nil, err
		}
		next[u.ResetAnchor] = u.NextResetAt
	}
	return next, nil
}

// storeApplied stores users that a template was applied to.
func (s *Service) storeApplied(ctx context.Context, tx *storage.Tx, accounts []domain.Account, resetUsage bool) error {
	if resetUsage {
		if err := s.reset(ctx, tx, accounts); err != nil {
			return err
		}
		return tx.ClearUsages(ctx, idsIn(accounts))
	}
	for i := range accounts {
		s.touched(&accounts[i])
	}
	return tx.UpdateUsers(ctx, usersOf(accounts))
}

// bring makes a user what the template says, but for its groups and its usage.
func (s *Service) bring(ctx context.Context, u *domain.User, t *domain.Template) error {
	if s.become(u, t) {
		return s.schedule(ctx, u)
	}
	return nil
}

// become is bring, but for the next boundary of a reset policy that is new to the user; it says whether there is to be one.
func (s *Service) become(u *domain.User, t *domain.Template) (scheduled bool) {
	now := s.now()
	plan := planned(t, now)
	u.Enabled, u.Quota, u.ExpireAt, u.NextPlan = true, plan.Quota, plan.ExpireAt, domain.NextPlan{}
	u.HoldSince, u.HoldDuration, u.HoldTimeout = nil, 0, nil
	if t.Hold {
		u.Hold(now, plan.HoldDuration, plan.HoldTimeout)
	}
	if t.Flow != nil {
		u.Flow = *t.Flow
	}
	if t.Method != nil {
		u.Method = t.Method
	}
	scheduled = u.ResetPolicy != t.ResetPolicy || u.ResetParams != t.ResetParams
	u.ResetPolicy, u.ResetParams = t.ResetPolicy, t.ResetParams
	return scheduled
}
