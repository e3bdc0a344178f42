package accounts

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"time"

	"go.uber.org/zap"

	"github.com/sluicehq/sluice/kernel/domain"
	"github.com/sluicehq/sluice/kernel/period"
	"github.com/sluicehq/sluice/storage"
)

// periodRetry is when a period plugin that failed is asked again.
const periodRetry = 5 * time.Minute

// turn is what time does to one user.
type turn struct {
	user   domain.User        // as it is to be, but for its status
	next   *successor         // the plan that takes the place of the user's, nil = none does
	reset  domain.ResetReason // why usage is set to zero, "" = it is not
	period string             // the one that failed; the user then has a retry time
	failed error              // why, nil = none did
}

// turns plans turns at one moment, under the settings of that moment.
type turns struct {
	*Service
	now       int64 // ms UTC
	settings  domain.Settings
	templates map[int64]domain.Template // of next plans, as far as they were read, by id
}

// Advance brings users up to now: holds end, subscriptions renew, usage resets at its boundaries, the stored status
// follows from time and used bytes, and who expired long enough ago is deleted. firstUse says when users on hold moved
// their first byte (ms UTC). Plugins are asked before the transaction, and what was changed by others since then is left
// for the next call. It returns the users to whom nothing could be done.
func (s *Service) Advance(ctx context.Context, userIDs []int64, firstUse map[int64]int64) (idle []int64, err error) {
	settings, err := s.DB.Settings(ctx)
	if err != nil {
		return nil, err
	}
	accounts, err := s.counted(func() ([]domain.Account, error) { return s.DB.Accounts(ctx, userIDs) })
	if err != nil {
		return nil, err
	}
	at := turns{s, s.now(), settings, map[int64]domain.Template{}}
	planned := make(map[int64]turn, len(accounts))
	for _, a := range accounts {
		planned[a.User.ID] = at.plan(ctx, a.User, a.Traffic.Used(), firstUse[a.User.ID])
	}
	at.report(planned)
	idle, err = at.take(ctx, userIDs, planned)
	if domain.CodeOf(err) == domain.CodeUnavailable || len(userIDs) == 1 || err == nil {
		return idle, err
	}
	return at.each(ctx, userIDs, planned), nil
}

// each takes the turns one by one, because together they failed: one user's fault must not keep the others.
func (t turns) each(ctx context.Context, userIDs []int64, planned map[int64]turn) (idle []int64) {
	for _, id := range userIDs {
		one, err := t.take(ctx, []int64{id}, planned)
		if err != nil {
			t.Log.Error("what is due for a user could not be done", zap.Int64("user", id), zap.Error(err))
			one = []int64{id}
		}
		idle = append(idle, one...)
	}
	return idle
}

// plan says what is due for a user that has used so many bytes. A user that is up to date has an empty turn.
func (t turns) plan(ctx context.Context, u domain.User, used, firstUse int64) turn {
	p := turn{user: u}
	switch {
	case u.HoldSince == nil:
	case firstUse >= *u.HoldSince && firstUse != 0 && (u.HoldTimeout == nil || firstUse < *u.HoldTimeout):
		p.user.Activate(firstUse)
	case u.HoldTimeout != nil && *u.HoldTimeout <= t.now:
		p.user.Activate(*u.HoldTimeout)
	}
	waits := u.ResetRetryAt != nil && *u.ResetRetryAt > t.now
	if !waits {
		p.user.ResetRetryAt = nil
	}
	if !waits || u.Status != domain.StatusExpired { // who expires just now does not wait for what else has failed
		t.renew(ctx, &p)
	}
	if !waits || !u.Succeeded() { // the same
		t.succeed(ctx, &p, used)
	}
	if !waits {
		t.boundary(ctx, &p)
	}
	return p
}

// fail keeps what the plugin of a period should have changed, and has it asked again later.
func (t turns) fail(p *turn, period string, err error) {
	again := t.now + periodRetry.Milliseconds()
	p.user.ResetRetryAt, p.period, p.failed = &again, period, err
}

// renew gives a user that expired the periods that it may have until it is in the future again (3x-ui: reset, resetDay,
// resetMax). Each period counts; with too few of them left it stays expired.
func (t turns) renew(ctx context.Context, p *turn) {
	u := p.user
	if u.HoldSince != nil || u.ExpireAt == nil || *u.ExpireAt > t.now || !u.Renewable() {
		return
	}
	id, params := "every", fmt.Sprintf(`{"days":%d}`, u.RenewDays)
	if u.RenewDay > 0 {
		id, params = "monthly", fmt.Sprintf(`{"day":%d}`, u.RenewDay)
	}
	at := *u.ExpireAt
	if u.RenewDay == 0 { // what was missed may be thousands of periods: they are counted and not asked for
		length := (24 * time.Hour).Milliseconds() * int64(u.RenewDays)
		missed := (t.now - at) / length
		if u.RenewMax > 0 {
			missed = min(missed, int64(u.RenewMax-u.RenewCount))
		}
		at += missed * length
		u.RenewCount += int(missed)
	}
	for at <= t.now && u.Renewable() {
		next, never, err := t.Periods.Next(ctx, period.Question{
			ID: id, Params: params, Anchor: at, Last: at, Now: at, TimeZone: t.settings.TimeZone,
		})
		if err != nil || never {
			t.fail(p, id, cmp.Or(err, errors.New("it has no next date")))
			return
		}
		at = next
		u.RenewCount++
	}
	u.ExpireAt = &at
	p.user = u
	if at > t.now {
		p.reset = domain.ResetByRenewal
	}
}

// boundary passes the boundary of a reset policy if it is due: once, however many were missed. It is passed for every
// user; the usage of those that are active or limited is reset, and only of those with a quota if the policy says so
// (decisions.md D15 and §3, resets).
func (t turns) boundary(ctx context.Context, p *turn) {
	u := &p.user
	if u.NextResetAt == nil || *u.NextResetAt > t.now {
		return
	}
	next, err := t.nextReset(ctx, u, t.now, t.settings.TimeZone)
	if err != nil {
		t.fail(p, u.ResetPolicy, err)
		return
	}
	u.NextResetAt = next
	if p.reset == "" && u.StatusAt(t.now, 0) == domain.StatusActive && (u.Quota != nil || !t.Periods.QuotaOnly(u.ResetPolicy)) {
		p.reset = domain.ResetByPeriod
	}
}

// report logs the period plugins that failed, one line for each policy however many users it has.
func (t turns) report(planned map[int64]turn) {
	type failure struct {
		users int
		err   error
	}
	failures := map[string]failure{}
	for _, p := range planned {
		if p.failed != nil {
			failures[p.period] = failure{failures[p.period].users + 1, p.failed}
		}
	}
	for _, id := range slices.Sorted(maps.Keys(failures)) {
		f := failures[id]
		t.Log.Error("a period plugin failed: boundaries stay as they are and are asked for again",
			zap.String("period", id), zap.Int("users", f.users), zap.Duration("again_in", periodRetry), zap.Error(f.err))
	}
}

// outcome is what became of the users of a batch.
type outcome struct {
	changed []domain.Account
	gone    []int64
	idle    []int64 // nothing was due
}

// take stores turns in one transaction, with the bytes of the last seconds counted, and makes the rest follow.
func (t turns) take(ctx context.Context, userIDs []int64, planned map[int64]turn) (idle []int64, err error) {
	var done outcome
	err = t.drained(ctx, userIDs, nil, func(tx *storage.Tx) (err error) {
		done, err = t.store(ctx, tx, userIDs, planned)
		return err
	}, func(ctx context.Context) {
		t.usersChanged(ctx, "time went on", done.changed, done.gone)
	})
	return done.idle, err
}

func (t turns) store(ctx context.Context, tx *storage.Tx, userIDs []int64, planned map[int64]turn) (done outcome, err error) {
	accounts, err := tx.Accounts(ctx, userIDs)
	if err != nil {
		return done, err
	}
	done.gone = missing(userIDs, accounts)
	accounts = slices.DeleteFunc(accounts, func(a domain.Account) bool {
		return a.User.Revision != planned[a.User.ID].user.Revision // changed by others: their change says when it is due
	})
	if err := reset(ctx, tx, accounts, planned); err != nil {
		return done, err
	}
	for _, a := range accounts {
		changed := t.apply(&a, planned[a.User.ID])
		switch at := a.User.DeleteAt(t.settings.AutoDeleteLimited); {
		case at != 0 && at <= t.now:
			done.gone = append(done.gone, a.User.ID)
			if err := tx.DeleteUser(ctx, a.User.ID); err != nil {
				return done, err
			}
		case changed:
			done.changed = append(done.changed, a)
		default:
			done.idle = append(done.idle, a.User.ID)
		}
	}
	if err := tx.UpdateUsers(ctx, usersOf(done.changed)); err != nil {
		return done, err
	}
	return done, t.regroup(ctx, tx, done.changed, planned)
}

// reset sets the usage of those users to zero in the database for whom it is planned.
func reset(ctx context.Context, tx *storage.Tx, accounts []domain.Account, planned map[int64]turn) error {
	for _, reason := range []domain.ResetReason{domain.ResetByRenewal, domain.ResetByPeriod} {
		var ids []int64
		for _, a := range accounts {
			if planned[a.User.ID].reset == reason {
				ids = append(ids, a.User.ID)
			}
		}
		if _, err := tx.ResetTraffics(ctx, ids, reason); err != nil {
			return err
		}
	}
	return nil
}

// apply changes an account as planned and says whether it is another then.
func (t turns) apply(a *domain.Account, p turn) (changed bool) {
	before := a.User
	if p.next != nil && p.next.carriesOver {
		p.user.Quota = carriedOver(p.user.Quota, before.Quota, a.Traffic.Used())
	}
	a.User = p.user
	if p.reset != "" {
		a.Traffic.Up, a.Traffic.Down = 0, 0
	}
	a.User.Settle(t.now, a.Traffic.Used())
	return !reflect.DeepEqual(before, a.User) // a reset moves the boundary or the expiry too
}

// missing returns the ids, ascending as accounts are, that no account has.
func missing(ids []int64, accounts []domain.Account) []int64 {
	var gone []int64
	for _, id := range ids {
		_, found := slices.BinarySearchFunc(accounts, id, func(a domain.Account, id int64) int { return cmp.Compare(a.User.ID, id) })
		if !found {
			gone = append(gone, id)
		}
	}
	return gone
}
