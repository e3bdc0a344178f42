// Package accounts holds the use cases on users, inbounds, admins, tokens and settings: each is one transaction and,
// after its commit, the effects on what follows the database.
package accounts

import (
	"context"
	"sync"

	"github.com/jonboulle/clockwork"
	"go.uber.org/zap"

	"github.com/sluicehq/sluice/kernel/core"
	"github.com/sluicehq/sluice/kernel/domain"
	"github.com/sluicehq/sluice/storage"
)

// Core is what the use cases need of the embedded proxy core.
type Core interface {
	ApplyInbounds(ctx context.Context, put []domain.Inbound, remove []int64) error
	ApplyUsers(ctx context.Context, put []domain.Account, remove []int64) error
	SetConfig(ctx context.Context, config string) error
	Problems() []core.Problem
	Health() error // nil while it runs
}

// Usage answers what a user has moved, with what is not in the database yet.
type Usage interface {
	Usage(ctx context.Context, userID int64) (domain.Traffic, error)
	// Settled runs fn while no bytes are both in the database and in the core's counters. fn must not ask for Usage.
	Settled(fn func() error) error
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

	CertDir       string        // the only folder that inbounds may name files in
	Core          Core          // nil in a process that serves nothing
	Usage         Usage         // nil: what the database holds
	Subscriptions Subscriptions // nil in a process that serves nothing
}

// Service runs the use cases. It is safe for concurrent use.
type Service struct {
	Options
	// order makes effects follow their commits in the order of these: without it the effect of an older commit could
	// arrive after that of a newer one and bring a deleted user back.
	order sync.Mutex
}

// New returns the use cases over the given parts.
func New(o Options) *Service { return &Service{Options: o} }

func (s *Service) now() int64 { return s.Clock.Now().UnixMilli() }

// write runs one transaction and then, if it committed, its effects. The caller's going away ends the transaction but
// not the effects: what is committed must be followed.
func (s *Service) write(ctx context.Context, tx func(*storage.Tx) error, effect func(context.Context)) error {
	s.order.Lock()
	defer s.order.Unlock()
	return s.settled(func() error {
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
func (s *Service) settled(fn func() error) error {
	if s.Usage == nil {
		return fn()
	}
	return s.Usage.Settled(fn)
}

// follow makes the core follow a commit. A core that does not is brought back by the reconciler, because the database
// is the truth; so this is logged and the request has succeeded.
func (s *Service) follow(what string, apply func(Core) error) {
	if s.Core == nil {
		return
	}
	if err := apply(s.Core); err != nil {
		s.Log.Error("core does not follow a commit, reconcile will retry", zap.String("change", what), zap.Error(err))
	}
}

// reload makes the subscriptions follow a commit, under the same rule as follow.
func (s *Service) reload(ctx context.Context) {
	if s.Subscriptions == nil {
		return
	}
	if err := s.Subscriptions.Reload(ctx); err != nil {
		s.Log.Error("subscriptions do not follow a commit, reconcile will retry", zap.Error(err))
	}
}
