package accounts

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/sluicehq/sluice/kernel/domain"
	"github.com/sluicehq/sluice/storage"
)

// Report is what became of the items of a bulk request, each list in the order of the request and never nil.
type Report struct {
	Count   int      // of the users for whom something was done
	Done    []string // their names, unless the request named nobody
	Idle    []string // names of those for whom there was nothing to do
	Skipped []Skip   // what was not done

	changed []domain.Account // if they are few and the request named them by ids
}

// Skip says why something of a bulk request was not done.
type Skip struct {
	Name string // as the request has it, of a user or of what else it names
	Why  *domain.Error
}

// batch is a bulk request while it is carried out.
type batch struct {
	tx     *storage.Tx
	report Report
	put    []domain.Account // users as the commit leaves them
	gone   []int64          // users that it deletes
	others []int64          // users that it changes, too many to be held
}

func newBatch(tx *storage.Tx) *batch {
	return &batch{tx: tx, report: Report{Done: []string{}, Idle: []string{}, Skipped: []Skip{}}}
}

func (b *batch) did(name string) {
	b.report.Count++
	b.report.Done = append(b.report.Done, name)
}

func (b *batch) idle(name string) { b.report.Idle = append(b.report.Idle, name) }

func (b *batch) skip(name string, why *domain.Error) {
	b.report.Skipped = append(b.report.Skipped, Skip{name, why})
}

// errUnknown is why nothing was done for a name that nobody has.
var errUnknown = domain.NotFound("client not found")

// bulk carries a bulk request out in one transaction, which has the bytes of the last seconds of the users with these
// ids. change skips what can not be done; its error ends the whole.
func (s *Service) bulk(ctx context.Context, how How, what string, ids []int64, change func(*batch) error) (Report, error) {
	var b *batch
	if how.DryRun {
		how.Once = nil // the answer of a try is not that of the request
	}
	err := s.drained(ctx, known(ids), nil, func(tx *storage.Tx) error {
		b = newBatch(tx)
		err := once(ctx, tx, how.Once, &b.report, func() error {
			if err := change(b); err != nil {
				return err
			}
			return how.allows(&b.report)
		})
		if err == nil && how.DryRun {
			err = errTried
		}
		return err
	}, func(ctx context.Context) {
		s.usersChanged(ctx, what, b.put, b.gone)
		s.reread(ctx, what, b.others)
	})
	if err != nil && !errors.Is(err, errTried) {
		return Report{}, err
	}
	return b.report, nil
}

// allows refuses a report that the request does not put up with.
func (h How) allows(r *Report) error {
	if !h.Atomic || len(r.Skipped) == 0 {
		return nil
	}
	return &Refused{First: r.Skipped[0], More: len(r.Skipped) - 1}
}

// Refused is why an atomic request changed nothing.
type Refused struct {
	First Skip // that could not be done
	More  int  // of the others
}

// Error names the first.
func (r *Refused) Error() string {
	text := fmt.Sprintf("nothing was changed: %s: %s", r.First.Name, r.First.Why)
	if r.More > 0 {
		text += fmt.Sprintf(" (and %d more)", r.More)
	}
	return text
}

// Unwrap gives the refusal the code of the first.
func (r *Refused) Unwrap() error { return r.First.Why }

// known are the ids of those that exist.
func known(ids []int64) []int64 {
	return slices.DeleteFunc(slices.Clone(ids), func(id int64) bool { return id == 0 })
}

// edit is bulk for a change that is made to each of the named users by itself. It says whether it changed the account,
// whose user is stored then, and why not all of it.
func (s *Service) edit(
	ctx context.Context, how How, what string, names []string,
	change func(*domain.Account) (did, changed bool, reasons []*domain.Error),
) (Report, error) {
	ids, err := s.idsOf(ctx, names)
	if err != nil {
		return Report{}, err
	}
	return s.bulk(ctx, how, what, ids, func(b *batch) error {
		err := b.each(ctx, names, ids, func(name string, a *domain.Account) {
			did, changed, reasons := change(a)
			for _, why := range reasons {
				b.skip(name, why)
			}
			if did {
				b.did(name)
			}
			if changed {
				b.put = append(b.put, s.touched(a))
			}
		})
		if err != nil {
			return err
		}
		return b.tx.UpdateUsers(ctx, usersOf(b.put))
	})
}

// touched is an account that was changed, with the stored status and the time of the change that follow.
func (s *Service) touched(a *domain.Account) domain.Account {
	a.User.UpdatedAt = s.now()
	a.User.Settle(a.User.UpdatedAt, a.Traffic.Used())
	return *a
}

// each calls do with the accounts of the named users, in that order; unknown names are skipped. ids are what idsOf says of
// the names.
func (b *batch) each(ctx context.Context, names []string, ids []int64, do func(name string, a *domain.Account)) error {
	accounts, err := accountsByID(ctx, b.tx, known(ids))
	if err != nil {
		return err
	}
	for i, name := range names {
		a, ok := accounts[ids[i]]
		if !ok || a.User.UsernameKey != domain.NameKey(name) { // it was renamed a moment ago
			b.skip(name, errUnknown)
			continue
		}
		do(name, &a)
	}
	return nil
}

// idsOf returns the id of each name, 0 for one that is unknown. The database is asked, for the directory may not know yet
// whom another process has just made.
func (s *Service) idsOf(ctx context.Context, names []string) ([]int64, error) {
	byName, err := s.DB.UserIDs(ctx, names)
	ids := make([]int64, len(names))
	for i, name := range names {
		ids[i] = byName[domain.NameKey(name)]
	}
	return ids, err
}

// accountBatch is how many accounts are read at a time.
const accountBatch = 1000

func accountsByID(ctx context.Context, tx *storage.Tx, ids []int64) (map[int64]domain.Account, error) {
	byID := make(map[int64]domain.Account, len(ids))
	for some := range slices.Chunk(ids, accountBatch) {
		accounts, err := tx.Accounts(ctx, some)
		if err != nil {
			return nil, err
		}
		for _, a := range accounts {
			byID[a.User.ID] = a
		}
	}
	return byID, nil
}

// usersOf returns the users of accounts, to be written in place.
func usersOf(accounts []domain.Account) []*domain.User {
	users := make([]*domain.User, len(accounts))
	for i := range users {
		users[i] = &accounts[i].User
	}
	return users
}
