package accounts

import (
	"context"

	"github.com/sluicehq/sluice/kernel/domain"
	"github.com/sluicehq/sluice/storage"
)

// CreateAdmin makes an operator with a password of at least 8 characters.
func (s *Service) CreateAdmin(ctx context.Context, username, password string, sudo bool) (domain.Admin, error) {
	if err := domain.CheckName(username); err != nil {
		return domain.Admin{}, err
	}
	hash, err := hashPassword(ctx, password)
	if err != nil {
		return domain.Admin{}, err
	}
	admin := domain.Admin{
		Username: username, UsernameKey: domain.NameKey(username), PasswordHash: hash, Sudo: sudo, Enabled: true,
		CreatedAt: s.now(),
	}
	err = s.write(ctx, func(tx *storage.Tx) error { return tx.InsertAdmin(ctx, &admin) }, nil)
	if domain.CodeOf(err) == domain.CodeConflict {
		err = domain.Conflict("username", "already in use: "+username).Because(err)
	}
	return admin, err
}

// SetPassword gives an operator a new password.
func (s *Service) SetPassword(ctx context.Context, username, password string) error {
	hash, err := hashPassword(ctx, password)
	if err != nil {
		return err
	}
	return s.write(ctx, func(tx *storage.Tx) error {
		admin, err := tx.AdminByName(ctx, username)
		if err != nil {
			return err
		}
		admin.PasswordHash = hash
		return tx.UpdateAdmin(ctx, &admin)
	}, nil)
}

// FirstAdmin makes the sudo admin "admin" when there is no admin at all, and returns its password: the one time that
// it can be read. Otherwise it returns "".
func (s *Service) FirstAdmin(ctx context.Context) (password string, err error) {
	admins, err := s.DB.Admins(ctx)
	if err != nil || len(admins) > 0 {
		return "", err
	}
	password = newPassword()
	if _, err = s.CreateAdmin(ctx, "admin", password, true); err != nil {
		return "", err
	}
	return password, nil
}
