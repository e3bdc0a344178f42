package storage

import (
	"cmp"
	"context"

	"github.com/sluicehq/sluice/kernel/domain"
)

// NewUser is a user to be written with all that it starts with.
type NewUser struct {
	User      domain.User
	Inbounds  []int64        // ids of those that it is attached to itself, in any order
	Groups    []int64        // ids, the first one first
	Traffic   domain.Traffic // what was kept for it, zero = nothing
	Effective []int64        // ids of the inbounds that it has then, by its groups too, ascending
}

// InsertUser is InsertUsers for one user with an empty traffic row.
func (tx *Tx) InsertUser(ctx context.Context, u *domain.User, inboundIDs []int64) error {
	n := NewUser{User: *u, Inbounds: inboundIDs}
	err := tx.InsertUsers(ctx, []*NewUser{&n})
	*u = n.User
	return err
}

// InsertUsers writes new users, each in a fraction of the time that a transaction of its own takes; at most 5,000. It
// fills User.ID, User.UsernameKey, User.Revision, Traffic.UserID and Effective, and User.CreatedAt and User.UpdatedAt
// where they are 0. A value that must be unique and is not is a conflict with the column as Field; an unknown inbound,
// group, admin or next template is not_found.
func (tx *Tx) InsertUsers(ctx context.Context, users []*NewUser) error {
	if len(users) == 0 {
		return nil
	}
	ids, err := tx.engine.newIDs(ctx, tx.raw, "users", len(users))
	if err != nil {
		return tx.fail(ctx, "number users", err)
	}
	if err := tx.recordAll(ctx, domain.KindUser, ids); err != nil {
		return err
	}
	rows, accounts := make([]*domain.User, len(users)), make([]domain.Account, len(users))
	traffic := make([][]int64, len(users))
	for i, n := range users {
		u, t := &n.User, &n.Traffic
		u.ID, u.Revision, t.UserID = ids[i], tx.logged[row{domain.KindUser, ids[i]}], ids[i]
		u.UsernameKey = domain.NameKey(u.Username)
		u.CreatedAt, u.UpdatedAt = cmp.Or(u.CreatedAt, tx.now), cmp.Or(u.UpdatedAt, tx.now)
		if err := storable(u); err != nil {
			return tx.fail(ctx, "insert users", err)
		}
		rows[i], accounts[i] = u, domain.Account{User: domain.User{ID: u.ID}, Direct: n.Inbounds, Groups: n.Groups}
		traffic[i] = []int64{t.UserID, t.Up, t.Down, t.LifetimeUp, t.LifetimeDown, t.OnlineAt}
	}
	if err := tx.engine.insertUsers(ctx, tx, rows); err != nil {
		return tx.fail(ctx, "insert users", err)
	}
	if err := tx.insertNumbers(ctx, "user_traffic", trafficColumns, traffic); err != nil {
		return err
	}
	return tx.joinNew(ctx, users, accounts)
}

// joinNew attaches new users, which accounts stand for, and fills Effective.
func (tx *Tx) joinNew(ctx context.Context, users []*NewUser, accounts []domain.Account) error {
	inbounds, groups := [][]int64{}, [][]int64{}
	for i := range accounts {
		a := &accounts[i]
		inbounds = append(inbounds, userInbounds.rows(a.User.ID, a.Direct)...)
		groups = append(groups, userGroups.rows(a.User.ID, a.Groups)...)
	}
	if err := tx.join(ctx, userInbounds, inbounds); err != nil {
		return err
	}
	if err := tx.join(ctx, userGroups, groups); err != nil {
		return err
	}
	if err := tx.effective(ctx, accounts); err != nil {
		return err
	}
	for i, n := range users {
		n.Effective = accounts[i].Inbounds
	}
	return nil
}
