// Package accounts holds the use cases on users, inbounds, admins, tokens and settings: each is one transaction and,
// after its commit, the effects on what follows the database.
package accounts

import (
	"context"
	"slices"
	"sync"

	"github.com/jonboulle/clockwork"
	"go.uber.org/zap"

	"github.com/sluicehq/sluice/kernel/core"
	"github.com/sluicehq/sluice/kernel/directory"
	"github.com/sluicehq/sluice/kernel/domain"
	"github.com/sluicehq/sluice/kernel/period"
	"github.com/sluicehq/sluice/storage"
)

// Core is what the use cases need of the embedded proxy core.
type Core interface {
	ApplyInbounds(ctx context.Context, put []domain.Inbound, remove []int64) error
	ApplyUsers(ctx context.Context, put []domain.Account, remove []int64) error
	SetConfig(ctx context.Context, config string) error
	Problems() []core.Problem
	Health() error // nil while it runs

	Online() []core.Online
	ActiveInbounds() []int64
	Sightings() []domain.Sighting
	SightingsOf(userID int64) []domain.Sighting
	ForgetAddresses(userID int64)
	Refused(userID int64) int64
}

// Usage answers what a user has moved, with what is not in the database yet.
type Usage interface {
	// Flush stores everything that moved.
	Flush(ctx context.Context) error
	// Counted returns accounts as read has them in the database, with what is not in it yet.
	Counted(read func() ([]domain.Account, error)) ([]domain.Account, error)
	Usage(ctx context.Context, userID int64) (domain.Traffic, error)
	// Settled runs fn while no bytes are both in the database and in the core's counters. fn must not ask for Usage.
	Settled(ctx context.Context, fn func() error) error
	// Drain is Settled for a transaction that needs the bytes of the last seconds of users and inbounds: commit stores
	// them, a chunk, with what it writes, and calls last once, just before the commit; effect runs after it. Neither may ask
	// for Usage.
	Drain(ctx context.Context, userIDs, inboundIDs []int64, commit func(c domain.Chunk, last func()) error, effect func()) error
}

// Directory is the live record of every user.
type Directory interface {
	Put(a domain.Account) bool
	Remove(ids ...int64)
	Revision(id int64) int64 // 0 = unknown
	Len() int
	ByID(id int64) (directory.Record, bool)
	ByName(name string) (directory.Record, bool)
	Each(yield func(directory.Record) bool)
	UsersOf(inbounds []int64) []int64

	Page(now int64, q directory.Query) directory.Page
	Summary(now int64, names int) directory.Summary
	Names(ids []int64) []string
	GroupTotals() map[int64]directory.GroupTotal
	AdminTotals() map[int64]directory.AdminTotal
	MatchingIDs(now int64, q directory.Query) []int64
	DepletedIDs(now int64) []int64
	OrphanIDs() []int64
}

// Periods says when usage resets and subscriptions renew.
type Periods interface {
	Check(id, params string) error
	Next(ctx context.Context, q period.Question) (next int64, never bool, err error)
	QuotaOnly(id string) bool
}

// Subscriptions is told when what links are made of has changed.
type Subscriptions interface {
	Reload(ctx context.Context) error
}

// Options are the parts that the use cases stand on.
type Options struct {
	DB    *storage.DB
	Clock clockwork.Clock
	Log   *zap.Logger

	CertDir string // the only folder that inbounds may name files in
	Node    string // GUID of this process' node

	// A process that serves nothing has none of these.
	Core          Core
	Usage         Usage
	Subscriptions Subscriptions
	Directory     Directory
	Periods       Periods
	Names         Names

	OnSettings func(domain.Settings) // told of settings that were changed, nil = nobody is
	OnDrift    func()                // told that a part did not follow a commit, nil = nobody is
}

// Service runs the use cases. It is safe for concurrent use.
type Service struct {
	Options
	// order makes effects follow their commits in the order of these: without it the effect of an older commit could
	// arrive after that of a newer one and bring a deleted user back.
	order    sync.Mutex
	open     map[int64]bool // inbounds as AdvanceInbounds left them; under order
	followed int64          // seq of the last change that was looked at; under order
	done     map[int64]bool // seqs of changes of groups after which nothing is left to be followed; under order

	noting  sync.Mutex
	unnoted []domain.Sighting // that could not be stored yet; under noting

	logins *logins
}

// New returns the use cases over the given parts.
func New(o Options) *Service {
	return &Service{Options: o, open: map[int64]bool{}, done: map[int64]bool{}, logins: newLogins()}
}

func (s *Service) now() int64 { return s.Clock.Now().UnixMilli() }

// write runs one transaction and then, if it committed, its effects. The caller's going away ends the transaction but
// not the effects: what is committed must be followed.
func (s *Service) write(ctx context.Context, tx func(*storage.Tx) error, effect func(context.Context)) error {
	s.order.Lock()
	defer s.order.Unlock()
	return s.settled(ctx, func() error {
		if err := s.DB.Write(ctx, tx); err != nil {
			return err
		}
		if effect != nil {
			effect(context.WithoutCancel(ctx))
		}
		return nil
	})
}

// settled keeps flushes out while accounts are read and handed to the core: bytes of a flush in between would count
// twice against a quota.
func (s *Service) settled(ctx context.Context, fn func() error) error {
	if s.Usage == nil {
		return fn()
	}
	return s.Usage.Settled(ctx, fn)
}

// drained is write for a transaction that reads or sets the usage of users or inbounds: it has their bytes of the last
// seconds.
func (s *Service) drained(
	ctx context.Context, userIDs, inboundIDs []int64, tx func(*storage.Tx) error, effect func(context.Context),
) error {
	if s.Usage == nil {
		return s.write(ctx, tx, effect)
	}
	s.order.Lock()
	defer s.order.Unlock()
	userIDs = slices.Compact(slices.Sorted(slices.Values(userIDs))) // the bytes of one that is there twice would count twice
	return s.Usage.Drain(ctx, userIDs, inboundIDs, func(c domain.Chunk, last func()) error {
		return s.DB.Write(ctx, func(t *storage.Tx) error {
			if err := t.AddTraffic(ctx, c); err != nil {
				return err
			}
			if err := tx(t); err != nil {
				return err
			}
			last()
			return nil
		})
	}, func() { effect(context.WithoutCancel(ctx)) })
}

// usersChanged makes the directory and the core follow a commit: the directory first, because it can not fail.
func (s *Service) usersChanged(ctx context.Context, what string, put []domain.Account, remove []int64) {
	if s.Directory != nil {
		for _, a := range put {
			s.Directory.Put(a)
		}
		s.Directory.Remove(remove...)
	}
	s.follow(what, func(c Core) error { return c.ApplyUsers(ctx, put, remove) })
}

// follow makes the core follow a commit. A core that does not is brought back by the reconciler, because the database
// is the truth; so this is logged and the request has succeeded.
func (s *Service) follow(what string, apply func(Core) error) {
	if s.Core == nil {
		return
	}
	if err := apply(s.Core); err != nil {
		s.Log.Error("core does not follow a commit, reconcile will retry", zap.String("change", what), zap.Error(err))
		s.drifted()
	}
}

func (s *Service) drifted() {
	if s.OnDrift != nil {
		s.OnDrift()
	}
}

// reload makes the subscriptions follow a commit, under the same rule as follow.
func (s *Service) reload(ctx context.Context) {
	if s.Subscriptions == nil {
		return
	}
	if err := s.Subscriptions.Reload(ctx); err != nil {
		s.Log.Error("subscriptions do not follow a commit, reconcile will retry", zap.Error(err))
		s.drifted()
	}
}
