package core

import (
	"context"
	"errors"
	"maps"
	"slices"
	"time"

	"go.uber.org/zap"

	"github.com/sluicehq/sluice/kernel/domain"
)

// replaceDelay gathers changes of users before an inbound is replaced for them. It runs from the first change, so that a
// stream of changes can not put the replacement off.
const replaceDelay = 200 * time.Millisecond

// ApplyUsers implements Backend.
func (e *Engine) ApplyUsers(_ context.Context, put []domain.Account, remove []int64) error {
	changed := make([]*user, 0, len(put)+len(remove))
	for _, a := range put {
		if u := e.gate.put(a); u != nil {
			changed = append(changed, u)
		}
	}
	for _, id := range remove {
		e.gate.remove(id)
		changed = append(changed, &user{id: id}) // without rules: nowhere admitted
	}
	if err := e.syncUsers(changed); err != nil {
		return domain.Unavailable("some users are not live on every inbound yet").Because(err)
	}
	return nil
}

// Recheck implements Backend.
func (e *Engine) Recheck(userIDs []int64) error {
	users := make([]*user, 0, len(userIDs))
	now := e.gate.now()
	for _, id := range userIDs {
		if u := e.gate.users.get(id); u != nil {
			e.gate.cut(u, u.expelled(now)) // before the lists: a core that is busy must not keep them connected
			users = append(users, u)
		}
	}
	if err := e.syncUsers(users); err != nil {
		return domain.Unavailable("some users are not what they should be on every inbound yet").Because(err)
	}
	return nil
}

// syncUsers makes the core's lists follow the gate for these users. What they should be is read from the gate while the
// lists are locked, not taken from the caller: of two changes that overtake each other the later one holds.
func (e *Engine) syncUsers(users []*user) error {
	e.mu.Lock()
	defer e.mu.Unlock()
	_, err := e.sync(users)
	if err != nil {
		e.log.Warn("users could not be applied", zap.Error(err))
	}
	return err
}

// sync returns how many entries of lists were wrong. One that fails does not stop the others.
func (e *Engine) sync(users []*user) (changed int, err error) {
	now := e.gate.now()
	for _, l := range e.listeners() {
		failed := e.tasks.guard("changing users of inbound "+l.in.Tag, func() error {
			var errs error
			for _, u := range users {
				did, err := l.sync(u, now)
				if did {
					changed++
				}
				if did && l.replaced {
					e.outdated(l)
				}
				errs = errors.Join(errs, err)
			}
			return errs
		})
		err = errors.Join(err, failed)
	}
	return changed, err
}

// outdated has a listener replaced soon.
func (e *Engine) outdated(l *listener) {
	e.stale[l.in.ID] = true
	if e.replace == nil {
		e.replace = e.clock.AfterFunc(replaceDelay, func() { e.tasks.run("replacing inbounds", e.replaceStale) })
	}
}

// replaceStale replaces the stale listeners. Connections over TCP go on: the user list they came in with stays as it is.
func (e *Engine) replaceStale() {
	e.mu.Lock()
	defer e.mu.Unlock()
	stale := slices.Sorted(maps.Keys(e.stale))
	clear(e.stale)
	e.replace = nil
	for _, id := range stale {
		if l := e.open[id]; l != nil {
			e.note(&l.in, e.reopen(l))
		}
	}
}

// Audit implements Backend.
func (e *Engine) Audit(_ context.Context) (repaired int, err error) {
	e.gate.expire() // first: it needs no lock
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.running == nil {
		return 0, domain.Unavailable("the core is not running")
	}
	e.openAll()
	for _, l := range e.listeners() {
		err = errors.Join(err, e.tasks.guard("auditing inbound "+l.in.Tag, func() error {
			extra := l.inspect(e.gate)
			if extra > 0 && l.replaced {
				e.outdated(l)
			}
			repaired += extra
			return nil
		}))
	}
	var users []*user
	e.gate.users.all(func(u *user) { users = append(users, u) })
	wrong, failed := e.sync(users)
	if err = errors.Join(err, failed); err != nil {
		err = domain.Unavailable("some users could not be put right").Because(err)
	}
	return repaired + wrong, err
}
