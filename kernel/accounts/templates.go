package accounts

import (
	"context"
	"reflect"
	"slices"

	"github.com/sluicehq/sluice/kernel/domain"
	"github.com/sluicehq/sluice/storage"
)

// maxTemplateName is the longest name of a template, in bytes: above what a dialect allows in characters.
const maxTemplateName = 256

// maxDuration is the longest time that a template or a next plan gives, in ms: a hundred years.
const maxDuration = maxHold

// Templates returns every template by id.
func (s *Service) Templates(ctx context.Context) ([]domain.Template, error) {
	return s.DB.Templates(ctx)
}

// Template returns one template.
func (s *Service) Template(ctx context.Context, id int64) (domain.Template, error) {
	return s.DB.Template(ctx, id)
}

// CreateTemplate stores a new template. An unknown group is not_found, also before a name in use, which is a conflict.
func (s *Service) CreateTemplate(ctx context.Context, t domain.Template) (domain.Template, error) {
	t.ID, t.CreatedAt, t.UpdatedAt = 0, s.now(), s.now()
	if err := s.checkTemplate(&t, &domain.Template{}); err != nil {
		return t, err
	}
	err := s.write(ctx, func(tx *storage.Tx) error {
		if err := checkGroups(ctx, &tx.Reader, t.Groups); err != nil {
			return err
		}
		return tx.InsertTemplate(ctx, &t)
	}, nil)
	return t, templateTaken(err)
}

// UpdateTemplate lets edit change a template and stores it; users that were made from it stay as they are. An edit that
// changes nothing writes nothing.
func (s *Service) UpdateTemplate(ctx context.Context, id int64, edit func(*domain.Template) error) (domain.Template, error) {
	var t domain.Template
	err := s.write(ctx, func(tx *storage.Tx) error {
		before, err := tx.Template(ctx, id)
		if err != nil {
			return err
		}
		t = before
		t.Groups = slices.Clone(before.Groups)
		if err := edit(&t); err != nil {
			return err
		}
		if err := s.checkTemplate(&t, &before); err != nil {
			return err
		}
		if err := checkGroups(ctx, &tx.Reader, t.Groups); err != nil {
			return err
		}
		if reflect.DeepEqual(before, t) {
			return nil
		}
		return tx.UpdateTemplate(ctx, &t)
	}, nil)
	return t, templateTaken(err)
}

// checkTemplate checks what does not need the database, and gives groups, methods and policies their one spelling. A policy
// that stays is not looked at: its plugin may be gone.
func (s *Service) checkTemplate(t, before *domain.Template) error {
	t.Groups = distinct(t.Groups)
	plain := domain.User{ResetPolicy: t.ResetPolicy, ResetParams: t.ResetParams}
	normalizePolicy(&plain)
	t.ResetPolicy, t.ResetParams = plain.ResetPolicy, plain.ResetParams
	switch {
	case t.Name == "":
		return domain.Invalid("name", "is required")
	case len(t.Name) > maxTemplateName:
		return domain.Invalid("name", "is longer than 256 bytes")
	case t.Quota != nil && *t.Quota <= 0:
		return domain.Invalid("quota", "must be more than 0 bytes")
	case t.Duration < 0 || t.Duration > maxDuration:
		return domain.Invalid("duration", "must be between 0 and 100 years")
	case t.Hold && t.Duration == 0:
		return domain.Invalid("duration", "must be more than 0 on hold")
	case t.HoldTimeout != nil && (*t.HoldTimeout < 0 || *t.HoldTimeout > maxDuration):
		return domain.Invalid("hold_timeout", "must be between 0 and 100 years")
	case t.Flow != nil && *t.Flow != "" && *t.Flow != domain.FlowVision:
		return domain.Invalid("flow", `must be "" or "`+domain.FlowVision+`"`)
	}
	if err := normalizeMethod(&t.Method); err != nil {
		return err
	}
	if t.ResetPolicy == "" || t.ResetPolicy == before.ResetPolicy && t.ResetParams == before.ResetParams {
		return nil
	}
	if s.Periods == nil {
		return domain.Unavailable("period plugins run in the server only")
	}
	return s.Periods.Check(t.ResetPolicy, t.ResetParams)
}

// checkGroups wants every one of the groups to exist.
func checkGroups(ctx context.Context, r *storage.Reader, ids []int64) error {
	groups, err := r.GroupsOf(ctx, ids)
	if err != nil {
		return err
	}
	if len(groups) < len(distinct(ids)) {
		return domain.NotFound("group not found")
	}
	return nil
}

func templateTaken(err error) error {
	if domain.CodeOf(err) == domain.CodeConflict {
		return domain.Conflict("", "Template by this name already exists").Because(err)
	}
	return err
}

// DeleteTemplates removes templates, all or none, and the next plans that name one of them; users that were made from them
// stay. It returns their names in the order of ids. One that does not exist is not_found.
func (s *Service) DeleteTemplates(ctx context.Context, ids []int64) (names []string, err error) {
	var users []int64
	err = s.eachTemplate(ctx, ids, &names, func(tx *storage.Tx, t *domain.Template) error {
		planned, err := tx.DeleteTemplate(ctx, t.ID)
		users = append(users, planned...)
		return err
	}, func(ctx context.Context) { s.reread(ctx, "template deleted", users) })
	return names, err
}

// DisableTemplates keeps templates from being used, or lets them be used again; under the rules of DeleteTemplates.
func (s *Service) DisableTemplates(ctx context.Context, ids []int64, disabled bool) (names []string, err error) {
	err = s.eachTemplate(ctx, ids, &names, func(tx *storage.Tx, t *domain.Template) error {
		if t.Disabled == disabled {
			return nil
		}
		t.Disabled = disabled
		return tx.UpdateTemplate(ctx, t)
	}, nil)
	return names, err
}

func (s *Service) eachTemplate(
	ctx context.Context, ids []int64, names *[]string, do func(*storage.Tx, *domain.Template) error, effect func(context.Context),
) error {
	return s.write(ctx, func(tx *storage.Tx) error {
		*names = []string{}
		for _, id := range distinct(ids) {
			t, err := tx.Template(ctx, id)
			if err != nil {
				return err
			}
			if err := do(tx, &t); err != nil {
				return err
			}
			*names = append(*names, t.Name)
		}
		return nil
	}, effect)
}
