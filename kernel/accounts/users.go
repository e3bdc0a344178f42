package accounts

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/sluicehq/sluice/kernel/domain"
	"github.com/sluicehq/sluice/storage"
)

// UserView is a user with what is derived from it.
type UserView struct {
	domain.User
	Traffic  domain.Traffic
	Status   domain.Status
	Now      int64   // ms UTC, the moment of Status
	Inbounds []int64 // ids of the effective inbounds, ascending, never nil
}

// CreateUser makes a user and lets it in; it can connect when this returns. A username that exists is a conflict,
// except with the same SubID: then the new inbounds are attached and nothing else changes (decisions.md §2, add).
func (s *Service) CreateUser(ctx context.Context, n NewUser) (UserView, error) {
	user, err := n.user(s.now())
	if err != nil {
		return UserView{}, err
	}
	if err := s.schedule(ctx, &user); err != nil {
		return UserView{}, err
	}
	var account domain.Account
	err = s.write(ctx, func(tx *storage.Tx) error {
		if err := inboundsExist(ctx, tx, n.Inbounds); err != nil {
			return err
		}
		id, err := insertOrAttach(ctx, tx, user, n)
		if err != nil {
			return err
		}
		account, err = tx.Account(ctx, id)
		return err
	}, func(ctx context.Context) {
		s.usersChanged(ctx, "user created", []domain.Account{account}, nil)
	})
	if err != nil {
		return UserView{}, err
	}
	return s.view(ctx, account.User)
}

func insertOrAttach(ctx context.Context, tx *storage.Tx, user domain.User, n NewUser) (int64, error) {
	taken := domain.Conflict("username", "already in use: "+n.Username)
	old, err := tx.UserByName(ctx, n.Username)
	switch {
	case domain.CodeOf(err) == domain.CodeNotFound:
		err = tx.InsertUser(ctx, &user, n.Inbounds)
		return user.ID, credentialConflict(err, taken)
	case err != nil:
		return 0, err
	case n.SubID == "" || n.SubID != old.SubID:
		return 0, taken
	}
	have, err := tx.UserInbounds(ctx, old.ID)
	if err != nil {
		return 0, err
	}
	return old.ID, tx.SetUserInbounds(ctx, old.ID, append(have, n.Inbounds...))
}

// credentialConflict gives a collision of a unique column the name that callers know, and never the name of who
// holds the value.
func credentialConflict(err error, taken *domain.Error) error {
	var e *domain.Error
	if !errors.As(err, &e) || e.Code != domain.CodeConflict {
		return err
	}
	fields := map[string]string{
		"sub_id": "sub_id", "vless_id": "uuid", "vmess_id": "uuid", "hysteria_auth": "auth",
		"trojan_password": "password", "shadowsocks_password": "password",
	}
	field, ok := fields[e.Field]
	if !ok {
		return taken.Because(err)
	}
	return domain.Conflict(field, "is already in use").Because(err)
}

func inboundsExist(ctx context.Context, tx *storage.Tx, ids []int64) error {
	for _, id := range ids {
		if _, err := tx.Inbound(ctx, id); err != nil {
			if domain.CodeOf(err) == domain.CodeNotFound {
				return domain.NotFound(fmt.Sprintf("inbound %d: not found", id))
			}
			return err
		}
	}
	return nil
}

// User returns the user of that name, compared case-insensitively.
func (s *Service) User(ctx context.Context, name string) (UserView, error) {
	user, err := s.DB.UserByName(ctx, name)
	if err != nil {
		return UserView{}, err
	}
	return s.view(ctx, user)
}

func (s *Service) view(ctx context.Context, user domain.User) (UserView, error) {
	traffic, err := s.usage(ctx, user.ID)
	if err != nil {
		return UserView{}, err
	}
	inbounds, err := s.DB.UserInbounds(ctx, user.ID)
	if err != nil {
		return UserView{}, err
	}
	now := s.now()
	return UserView{user, traffic, user.StatusAt(now, traffic.Used()), now, slices.Clip(inbounds)}, nil
}

func (s *Service) usage(ctx context.Context, userID int64) (domain.Traffic, error) {
	if s.Usage == nil {
		return s.DB.Traffic(ctx, userID)
	}
	return s.Usage.Usage(ctx, userID)
}

// DeleteUser removes the user: its open connections are cut, a new one is refused.
func (s *Service) DeleteUser(ctx context.Context, name string) error {
	var user domain.User
	return s.write(ctx, func(tx *storage.Tx) (err error) {
		if user, err = tx.UserByName(ctx, name); err != nil {
			return err
		}
		return tx.DeleteUser(ctx, user.ID)
	}, func(ctx context.Context) {
		s.usersChanged(ctx, "user deleted", nil, []int64{user.ID})
	})
}
