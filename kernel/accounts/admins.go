package accounts

import (
	"context"

	"github.com/sluicehq/sluice/kernel/domain"
	"github.com/sluicehq/sluice/storage"
)

// maxProfile is how much a script may keep with an admin, in bytes.
const maxProfile = 16 << 10

// CreateAdmin is AddAdmin for an operator who may have any number of users.
func (s *Service) CreateAdmin(ctx context.Context, username, password string, sudo bool) (domain.Admin, error) {
	return s.AddAdmin(ctx, domain.Admin{Username: username, Sudo: sudo, Enabled: true}, password)
}

// AddAdmin makes an operator with a password of at least 8 characters. Of the draft it takes the name, Sudo, Enabled,
// UserLimit and Profile.
func (s *Service) AddAdmin(ctx context.Context, draft domain.Admin, password string) (domain.Admin, error) {
	if err := domain.CheckName(draft.Username); err != nil {
		return domain.Admin{}, err
	}
	if err := checkAdmin(draft); err != nil {
		return domain.Admin{}, err
	}
	hash, err := hashPassword(ctx, password)
	if err != nil {
		return domain.Admin{}, err
	}
	admin := domain.Admin{
		Username: draft.Username, PasswordHash: hash, Sudo: draft.Sudo, Enabled: draft.Enabled,
		UserLimit: draft.UserLimit, Profile: draft.Profile, CreatedAt: s.now(),
	}
	err = s.write(ctx, func(tx *storage.Tx) error { return tx.InsertAdmin(ctx, &admin) }, nil)
	if domain.CodeOf(err) == domain.CodeConflict {
		err = domain.Conflict("username", "already in use: "+draft.Username).Because(err)
	}
	return admin, err
}

func checkAdmin(a domain.Admin) error {
	switch {
	case a.UserLimit != nil && *a.UserLimit < 0:
		return domain.Invalid("user_limit", "must not be negative")
	case len(a.Profile) > maxProfile:
		return domain.Invalid("profile", "is longer than 16 KiB")
	}
	return nil
}

// SetPassword gives an operator a new password, which ends all sessions of the operator.
func (s *Service) SetPassword(ctx context.Context, username, password string) error {
	return s.updateAdmin(ctx, username, &password, func(*storage.Tx, *domain.Admin) error { return nil })
}

// Root is whoever may use the command line on the machine: it may change sudo admins too.
var Root = Principal{Admin: domain.Admin{Sudo: true}}

// mayChange says whether a sudo admin is who's to change: its own account is, others are Root's alone.
func (p Principal) mayChange(admin *domain.Admin) bool {
	return !admin.Sudo || admin.ID == p.Admin.ID || p.root()
}

// root says whether who acts is Root: the zero Principal, which is nobody, is not.
func (p Principal) root() bool { return p.Admin.ID == Root.Admin.ID && p.Admin.Sudo }

// UpdateAdmin lets change edit an operator and gives it a new password, nil = the old one stays. The name, the id and what
// is derived stay as they are. A sudo admin is changed by itself or Root alone, and the last one stays one.
func (s *Service) UpdateAdmin(ctx context.Context, who Principal, username string, password *string, change func(*domain.Admin) error) error {
	return s.updateAdmin(ctx, username, password, func(tx *storage.Tx, admin *domain.Admin) error {
		if !who.mayChange(admin) {
			return domain.Forbidden("You're not allowed to modify another sudoer's account. Use the sluice command on the server instead.")
		}
		edited := *admin
		if err := change(&edited); err != nil {
			return err
		}
		if err := checkAdmin(edited); err != nil {
			return err
		}
		if admin.Sudo && admin.Enabled && (!edited.Sudo || !edited.Enabled) {
			if _, err := otherSudo(ctx, tx, admin.ID); err != nil {
				return err
			}
		}
		admin.Sudo, admin.Enabled, admin.UserLimit, admin.Profile = edited.Sudo, edited.Enabled, edited.UserLimit, edited.Profile
		return nil
	})
}

// updateAdmin stores an operator as edit leaves it, with a new password unless that is nil.
func (s *Service) updateAdmin(
	ctx context.Context, username string, password *string, edit func(*storage.Tx, *domain.Admin) error,
) error {
	var hash string
	if password != nil {
		var err error
		if hash, err = hashPassword(ctx, *password); err != nil { // before the transaction: it takes its time
			return err
		}
	}
	return s.write(ctx, func(tx *storage.Tx) error {
		admin, err := tx.AdminByName(ctx, username)
		if err != nil {
			return err
		}
		if err := edit(tx, &admin); err != nil {
			return err
		}
		if password != nil {
			admin.PasswordHash = hash
			admin.PasswordAt = max(s.now(), admin.PasswordAt+1) // another one than sessions have, also within a millisecond
		}
		return tx.UpdateAdmin(ctx, &admin)
	}, nil)
}

// DeleteAdmin removes an operator with its tokens and sessions. Its users become those of who does it, or of the first
// other sudo admin: every user has an owner here, other than in PasarGuard. Sudo admins are deleted by Root alone.
func (s *Service) DeleteAdmin(ctx context.Context, who Principal, username string) error {
	var moved []int64
	return s.write(ctx, func(tx *storage.Tx) error {
		admin, err := tx.AdminByName(ctx, username)
		if err != nil {
			return err
		}
		heir := who.Admin
		switch {
		case admin.Sudo && !who.root():
			return domain.Forbidden("You're not allowed to remove sudoer's account. Use the sluice command on the server instead.")
		case who.root():
			if heir, err = otherSudo(ctx, tx, admin.ID); err != nil {
				return err
			}
		}
		if moved, err = tx.MoveUsers(ctx, admin.ID, heir.ID); err != nil {
			return err
		}
		return tx.DeleteAdmin(ctx, admin.ID)
	}, func(ctx context.Context) {
		s.reread(ctx, "users of a deleted admin moved", moved)
	})
}

// otherSudo returns the first enabled sudo admin that is not the one with this id, and refuses to go on without that one
// if there is none.
func otherSudo(ctx context.Context, tx *storage.Tx, id int64) (domain.Admin, error) {
	admins, err := tx.Admins(ctx)
	if err != nil {
		return domain.Admin{}, err
	}
	for _, a := range admins {
		if a.ID != id && a.Sudo && a.Enabled {
			return a, nil
		}
	}
	return domain.Admin{}, domain.Conflict("", "this is the last enabled sudo admin: it can not be disabled, deleted or lose sudo")
}

// FirstAdmin makes the sudo admin "admin" when there is no admin at all, and returns its password: the one time that
// it can be read. Otherwise it returns "".
func (s *Service) FirstAdmin(ctx context.Context) (password string, err error) {
	admins, err := s.DB.Admins(ctx)
	if err != nil || len(admins) > 0 {
		return "", err
	}
	password = newPassword()
	switch _, err = s.CreateAdmin(ctx, "admin", password, true); {
	case domain.CodeOf(err) == domain.CodeConflict: // another server on the same database was first
		return "", nil
	case err != nil:
		return "", err
	}
	return password, nil
}
