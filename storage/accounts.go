package storage

import (
	"context"

	"github.com/sluicehq/sluice/kernel/domain"
)

// accountBatch is how many accounts EachAccount holds at a time (about 1 MB).
const accountBatch = 2000

// The users of accounts, with their traffic.
const (
	accountUsers = "SELECT " + userColumns + ", " + trafficColumns + " FROM users JOIN user_traffic ON user_id = id "
	accountsByID = accountUsers + "WHERE id " + isListed + " ORDER BY id"
	nextAccounts = accountUsers + "WHERE id > $1 ORDER BY id LIMIT $2"
)

// EachAccount calls fn with every user in id order, as they all were at one moment. It stops at fn's first error and
// returns it as it is. Memory is bounded by a batch, whatever the number of users. In a Tx on PostgreSQL another
// node's flush may come between two batches.
func (r *Reader) EachAccount(ctx context.Context, fn func(domain.Account) error) error {
	return r.snapshot(ctx, "read accounts", func(r *Reader) error {
		batch := make([]domain.Account, 0, accountBatch)
		for after := int64(0); ; {
			batch, err := r.accountsAfter(ctx, after, batch[:0])
			if err != nil {
				return err
			}
			for _, a := range batch {
				if err := fn(a); err != nil {
					return err
				}
			}
			if len(batch) < accountBatch {
				return nil
			}
			after = batch[len(batch)-1].User.ID
		}
	})
}

// accountsAfter reads the next accounts with an id above after into batch, as many as it has room for.
func (r *Reader) accountsAfter(ctx context.Context, after int64, batch []domain.Account) ([]domain.Account, error) {
	batch, err := r.readAccounts(ctx, batch, nextAccounts, after, cap(batch))
	if err != nil || len(batch) == 0 {
		return batch, err
	}
	return batch, r.attach(ctx, batch, "user_id > $1 AND user_id <= $2", after, batch[len(batch)-1].User.ID)
}

// attach reads the inbounds and groups of accounts that are in id order; where selects the rows of theirs.
func (r *Reader) attach(ctx context.Context, batch []domain.Account, where string, args ...any) error {
	for _, has := range []struct {
		membership
		of func(a *domain.Account) *[]int64
	}{
		{userInbounds, func(a *domain.Account) *[]int64 { return &a.Direct }},
		{userGroups, func(a *domain.Account) *[]int64 { return &a.Groups }},
	} {
		var owner, id int64
		next := 0 // both are in id order
		attach := func() {
			for batch[next].User.ID < owner {
				next++
			}
			ids := has.of(&batch[next])
			*ids = append(*ids, id)
		}
		if err := r.scan(ctx, []any{&owner, &id}, attach, has.attached(where), args...); err != nil {
			return fail(ctx, r.engine, "read "+has.table, err)
		}
	}
	return r.effective(ctx, batch)
}

// Accounts returns the users with these ids, in any order, as EachAccount shows them and in id order; those that are
// gone are left out. There should be at most 5,000.
func (r *Reader) Accounts(ctx context.Context, ids []int64) (accounts []domain.Account, err error) {
	accounts = []domain.Account{}
	if len(ids) == 0 {
		return accounts, nil
	}
	list := r.engine.list(ids)
	err = r.snapshot(ctx, "read accounts", func(r *Reader) error {
		var err error
		if accounts, err = r.readAccounts(ctx, accounts, accountsByID, list); err != nil || len(accounts) == 0 {
			return err
		}
		return r.attach(ctx, accounts, "user_id "+isListed, list)
	})
	return accounts, err
}

// AccountsAfter returns the first users with an id above afterID, at most limit (some 0.5 KB each), as EachAccount shows
// them and in id order: for a list that is handed on while it is read, in short reads that hold nothing up.
func (r *Reader) AccountsAfter(ctx context.Context, afterID int64, limit int) (accounts []domain.Account, err error) {
	err = r.snapshot(ctx, "read accounts", func(r *Reader) error {
		accounts, err = r.accountsAfter(ctx, afterID, make([]domain.Account, 0, limit))
		return err
	})
	return accounts, err
}

// readAccounts appends the users that a query selects to batch, with no inbounds and groups yet.
func (r *Reader) readAccounts(
	ctx context.Context, batch []domain.Account, query string, args ...any,
) ([]domain.Account, error) {
	a := domain.Account{Direct: []int64{}, Groups: []int64{}}
	keep := func() { batch = append(batch, a) }
	err := r.scan(ctx, append(userFields(&a.User), trafficFields(&a.Traffic)...), keep, query, args...)
	return batch, fail(ctx, r.engine, "read accounts", err)
}

// Account returns one user as EachAccount shows it; none is not_found.
func (r *Reader) Account(ctx context.Context, userID int64) (a domain.Account, err error) {
	err = r.snapshot(ctx, "read account", func(r *Reader) error {
		if a.User, err = r.UserByID(ctx, userID); err != nil {
			return err
		}
		if a.Direct, err = r.ids(ctx, "read inbounds of user", directOfUser, userID); err != nil {
			return err
		}
		if a.Groups, err = r.UserGroups(ctx, userID); err != nil {
			return err
		}
		if a.Traffic, err = r.Traffic(ctx, userID); err != nil {
			return err
		}
		one := []domain.Account{a}
		err = r.effective(ctx, one)
		a = one[0]
		return err
	})
	return a, err
}

// snapshot gives fn a Reader whose reads all see one state of the database, and returns fn's error as it is.
func (r *Reader) snapshot(ctx context.Context, doing string, fn func(r *Reader) error) error {
	if r.inside {
		return fn(r)
	}
	tx, err := r.bun.BeginTx(ctx, r.engine.snapshot())
	if err != nil {
		return fail(ctx, r.engine, doing, err)
	}
	defer func() { _ = tx.Rollback() }() // nothing was written that a commit could keep
	return fn(&Reader{engine: r.engine, bun: tx, raw: r.raw.in(tx.Tx), clock: r.clock, inside: true})
}
