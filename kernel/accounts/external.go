package accounts

import (
	"context"
	"errors"
	"fmt"

	"github.com/sluicehq/sluice/kernel/domain"
	"github.com/sluicehq/sluice/kernel/external"
	"github.com/sluicehq/sluice/storage"
)

// SetExternalLinks replaces what a user gets in its subscription besides the inbounds. Nothing is fetched: what a
// provider does not serve is found out when somebody asks for the subscription. Those without a value are left out.
func (s *Service) SetExternalLinks(ctx context.Context, name string, given []domain.ExternalLink) error {
	links := []domain.ExternalLink{}
	for i := range given {
		if given[i].Value == "" {
			continue
		}
		if err := external.Check(&given[i]); err != nil {
			return within(fmt.Sprintf("externalLinks[%d]", i), err)
		}
		links = append(links, given[i])
	}
	user, err := s.DB.UserByName(ctx, name)
	if err != nil {
		return err
	}
	var account domain.Account
	return s.write(ctx, func(tx *storage.Tx) (err error) {
		if err := tx.SetExternalLinks(ctx, user.ID, links); err != nil {
			return err
		}
		account, err = tx.Account(ctx, user.ID)
		return err
	}, func(ctx context.Context) {
		s.usersChanged(ctx, "external links set", []domain.Account{account}, nil)
	})
}

// within is an error of a part of a request, by the path of the field.
func within(path string, err error) error {
	var e *domain.Error
	if !errors.As(err, &e) {
		return err
	}
	at := *e
	at.Field = path
	if e.Field != "" {
		at.Field += "." + e.Field
	}
	return &at
}
