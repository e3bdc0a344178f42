// Package kernel wires the parts into one running Sluice: it owns their start, their stop, and what they know of each
// other.
package kernel

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/jonboulle/clockwork"
	"go.uber.org/zap"
	"golang.org/x/sync/errgroup"

	"github.com/sluicehq/sluice/kernel/accounts"
	"github.com/sluicehq/sluice/kernel/core"
	"github.com/sluicehq/sluice/kernel/domain"
	"github.com/sluicehq/sluice/kernel/jobs"
	"github.com/sluicehq/sluice/kernel/plugin"
	"github.com/sluicehq/sluice/kernel/subscription"
	"github.com/sluicehq/sluice/plugins"
	"github.com/sluicehq/sluice/storage"
)

// How often the clock-driven work runs.
const (
	flushEvery = 5 * time.Second
	auditEvery = 3 * time.Minute
	pruneEvery = time.Hour
)

// Options say what to run.
type Options struct {
	Dir      DataDir
	Database string          // postgres://..., "" = an SQLite file in Dir
	Loopback bool            // subscriptions are served on loopback only
	Log      *zap.Logger     // nil = silent
	Clock    clockwork.Clock // nil = the real clock
}

// Kernel is a Sluice whose parts are wired. Fields that only a started one has are nil after Open.
type Kernel struct {
	Accounts      *accounts.Service
	Subscriptions *subscription.Service // nil after Open
	Plugins       *plugin.Host          // nil after Open
	Core          *core.Engine          // nil after Open

	o       Options
	db      *storage.DB
	flusher *jobs.Flusher
	runner  *jobs.Runner
}

// Open gives access to the data without serving anything, for commands that run while no server does. The caller
// holds the Lock of the directory.
func Open(ctx context.Context, o Options) (*Kernel, error) {
	k, err := open(ctx, o)
	if err != nil {
		return nil, err
	}
	k.Accounts = accounts.New(accounts.Options{DB: k.db, Clock: k.o.Clock, Log: k.o.Log, CertDir: o.Dir.Certs()})
	return k, nil
}

func open(ctx context.Context, o Options) (*Kernel, error) {
	if o.Log == nil {
		o.Log = zap.NewNop()
	}
	if o.Clock == nil {
		o.Clock = clockwork.NewRealClock()
	}
	if o.Database == "" {
		o.Database = o.Dir.Database()
	}
	db, err := storage.Open(ctx, storage.Options{DSN: o.Database, Log: o.Log.Named("storage"), Clock: o.Clock})
	if err != nil {
		return nil, err
	}
	return &Kernel{o: o, db: db}, nil
}

// Start opens the data and starts every part:
//
//  1. the database, with its migrations;
//  2. the plugins, and beside them the core: inbounds listen, users are added, the gate opens;
//  3. the use cases and subscriptions over them;
//  4. the clock-driven jobs.
//
// A core that does not start is logged and seen in Health; the rest runs, so that it can be repaired. The caller holds
// the Lock of the directory.
func Start(ctx context.Context, o Options) (*Kernel, error) {
	k, err := open(ctx, o)
	if err != nil {
		return nil, err
	}
	if err := k.start(ctx); err != nil {
		return nil, errors.Join(err, k.Stop(ctx))
	}
	return k, nil
}

func (k *Kernel) start(ctx context.Context) error {
	node, err := k.o.Dir.node()
	if err != nil {
		return fmt.Errorf("read node id: %w", err)
	}
	k.Core = core.New(core.Options{Log: k.o.Log.Named("core"), Clock: k.o.Clock, CertDir: k.o.Dir.Certs()})
	var both errgroup.Group
	both.Go(func() error { return k.startPlugins(ctx) })
	both.Go(func() error { return k.startCore(ctx) })
	if err := both.Wait(); err != nil {
		return err
	}
	if k.flusher, err = jobs.NewFlusher(ctx, k.db, k.Core, k.o.Clock, node); err != nil {
		return err
	}
	k.Subscriptions = subscription.New(subscription.Options{
		DB: k.db, Clock: k.o.Clock, Log: k.o.Log.Named("subscription"), Renderer: k.Plugins, Usage: k.flusher,
		Loopback: k.o.Loopback,
	})
	if err := k.Subscriptions.Reload(ctx); err != nil {
		return err
	}
	k.Accounts = accounts.New(accounts.Options{
		DB: k.db, Clock: k.o.Clock, Log: k.o.Log.Named("accounts"), CertDir: k.o.Dir.Certs(),
		Core: k.Core, Usage: k.flusher, Subscriptions: k.Subscriptions,
	})
	k.runner, err = jobs.Start(k.o.Clock, k.o.Log.Named("jobs"),
		jobs.Job{Name: "flush traffic", Every: flushEvery, Run: k.flusher.Flush},
		jobs.Job{Name: "note subscription fetches", Every: flushEvery, Run: k.Subscriptions.FlushFetches},
		jobs.Job{Name: "audit core", Every: auditEvery, Run: k.audit},
		jobs.Job{Name: "prune old rows", Every: pruneEvery, Run: k.prune},
	)
	return err
}

func (k *Kernel) startPlugins(ctx context.Context) error {
	host, err := plugin.Open(ctx, plugin.Options{Log: k.o.Log.Named("plugin"), Clock: k.o.Clock, CacheDir: k.o.Dir.Cache()})
	if err != nil {
		return err
	}
	k.Plugins = host
	bundle, err := plugins.Bundle()
	if err != nil {
		return err
	}
	if err := host.LoadBundle(ctx, bundle); err != nil {
		return err
	}
	return host.LoadDir(ctx, k.o.Dir.Plugins())
}

func (k *Kernel) startCore(ctx context.Context) error {
	config, _, err := k.db.CoreConfig(ctx)
	if err != nil {
		return err
	}
	inbounds, err := k.db.Inbounds(ctx)
	if err != nil {
		return err
	}
	accounts := func(yield func(domain.Account) error) error { return k.db.EachAccount(ctx, yield) }
	if err := k.Core.Start(ctx, core.Snapshot{Config: config, Inbounds: inbounds, Accounts: accounts}); err != nil {
		k.o.Log.Error("the core does not run: see /readyz with a token, and `sluice core set`", zap.Error(err))
	}
	return nil
}

func (k *Kernel) audit(ctx context.Context) error {
	repaired, err := k.Core.Audit(ctx)
	if repaired > 0 {
		k.o.Log.Warn("the core had drifted from the database and was repaired", zap.Int("differences", repaired))
	}
	return errors.Join(err, k.Subscriptions.Reload(ctx))
}

func (k *Kernel) prune(ctx context.Context) error {
	return k.db.Prune(ctx, k.o.Clock.Now().UnixMilli())
}

// Stop ends everything in the order that loses nothing: jobs, then the core (gate shut, connections cut), then the
// last flushes, then plugins and database.
func (k *Kernel) Stop(ctx context.Context) error {
	var errs []error
	if k.runner != nil {
		errs = append(errs, k.runner.Stop())
	}
	if k.Core != nil {
		errs = append(errs, k.Core.Stop(ctx))
	}
	if k.flusher != nil {
		errs = append(errs, k.flusher.Flush(ctx))
	}
	if k.Subscriptions != nil {
		errs = append(errs, k.Subscriptions.FlushFetches(ctx))
	}
	if k.Plugins != nil {
		errs = append(errs, k.Plugins.Close(ctx))
	}
	return errors.Join(append(errs, k.db.Close())...)
}
