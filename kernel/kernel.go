// Package kernel wires the parts into one running Sluice: it owns their start, their stop, and what they know of each
// other.
package kernel

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"path/filepath"
	"runtime/debug"
	"sync/atomic"
	"time"

	"github.com/jonboulle/clockwork"
	"go.uber.org/zap"
	"golang.org/x/sync/errgroup"

	"github.com/sluicehq/sluice/kernel/accounts"
	"github.com/sluicehq/sluice/kernel/core"
	"github.com/sluicehq/sluice/kernel/directory"
	"github.com/sluicehq/sluice/kernel/domain"
	"github.com/sluicehq/sluice/kernel/event"
	"github.com/sluicehq/sluice/kernel/external"
	"github.com/sluicehq/sluice/kernel/guard"
	"github.com/sluicehq/sluice/kernel/install"
	"github.com/sluicehq/sluice/kernel/jobs"
	"github.com/sluicehq/sluice/kernel/period"
	"github.com/sluicehq/sluice/kernel/plugin"
	"github.com/sluicehq/sluice/kernel/subscription"
	"github.com/sluicehq/sluice/kernel/username"
	"github.com/sluicehq/sluice/storage"
)

// How often the clock-driven work runs; traffic is flushed as often as the settings say.
const (
	lifeEvery      = 500 * time.Millisecond
	followEvery    = 5 * time.Second
	sightingsEvery = 30 * time.Second
	reconcileEvery = 3 * time.Minute
	pruneEvery     = time.Hour
	policiesEvery  = 5 * time.Second
	scanEvery      = time.Minute
)

// The jobs that are named elsewhere.
const (
	flushJob     = "flush traffic"
	reconcileJob = "reconcile"
)

// Options say what to run.
type Options struct {
	Dir      DataDir
	Database string          // postgres://..., "" = an SQLite file in Dir
	Loopback bool            // subscriptions are served on loopback only
	Log      *zap.Logger     // nil = silent
	Clock    clockwork.Clock // nil = the real clock

	// Reach lets requests to providers of external subscriptions, and those of plugins, reach an address that is not
	// public; nil lets none.
	Reach func(netip.Addr) bool
}

// Kernel is a Sluice whose parts are wired. Fields that only a started one has are nil after Open.
type Kernel struct {
	Accounts      *accounts.Service
	Subscriptions *subscription.Service // nil after Open
	Plugins       *plugin.Host          // nil after Open
	Installed     *install.Service      // nil after Open
	Core          *core.Engine          // nil after Open

	o          Options
	db         *storage.DB
	node       string // GUID of this machine, "" after Open
	directory  *directory.Directory
	external   *external.Service
	flusher    *jobs.Flusher
	life       *jobs.Life
	notices    *notices
	deliveries *event.Dispatcher
	outbox     atomic.Pointer[domain.DeliveryCounts] // nil = not counted yet
	runner     atomic.Pointer[jobs.Runner]
	repaired   atomic.Int64 // differences that were found and mended since the start

	flushEvery atomic.Int64 // as it is scheduled, a time.Duration
}

// Open gives access to the data without serving anything, for commands that run while no server does. The caller
// holds the Lock of the directory.
func Open(ctx context.Context, o Options) (*Kernel, error) {
	k, err := open(ctx, o, false)
	if err != nil {
		return nil, err
	}
	k.Accounts = accounts.New(accounts.Options{DB: k.db, Clock: k.o.Clock, Log: k.o.Log, CertDir: o.Dir.Certs()})
	return k, nil
}

// open opens the database; asIs is that of storage.Options.
func open(ctx context.Context, o Options, asIs bool) (*Kernel, error) {
	if o.Log == nil {
		o.Log = zap.NewNop()
	}
	if o.Clock == nil {
		o.Clock = clockwork.NewRealClock()
	}
	if dir, err := filepath.Abs(string(o.Dir)); err == nil { // inbounds may name their certificates by full path
		o.Dir = DataDir(dir)
	}
	if o.Database == "" {
		o.Database = o.Dir.Database()
	}
	db, err := storage.Open(ctx, storage.Options{DSN: o.Database, Log: o.Log.Named("storage"), Clock: o.Clock, AsIs: asIs})
	if err != nil {
		return nil, err
	}
	return &Kernel{o: o, db: db}, nil
}

// Start opens the data and starts every part:
//
//  1. the database, with its migrations;
//  2. the plugins with what was said about them, and beside them the directory and the core: users are read once for
//     both, inbounds listen, the gate opens;
//  3. the use cases and subscriptions over them;
//  4. the clock-driven jobs.
//
// A core that does not start is logged and seen in Health; the rest runs, so that it can be repaired. The caller holds
// the Lock of the directory.
func Start(ctx context.Context, o Options) (*Kernel, error) {
	k, err := open(ctx, o, false)
	if err != nil {
		return nil, err
	}
	if err := k.start(ctx); err != nil {
		return nil, errors.Join(err, k.Stop(ctx))
	}
	return k, nil
}

func (k *Kernel) start(ctx context.Context) (err error) {
	if k.node, err = k.o.Dir.node(); err != nil {
		return fmt.Errorf("read node id: %w", err)
	}
	settings, err := k.db.Settings(ctx)
	if err != nil {
		return err
	}
	seq, err := k.db.LastChange(ctx) // before anything is read that may change later
	if err != nil {
		return err
	}
	k.notices = newNotices(k.o.Log.Named("plugin"))
	k.notices.start(k.db)
	k.makeCore()
	k.apply(settings)
	var both errgroup.Group
	both.Go(func() error { return k.startPlugins(ctx) })
	both.Go(func() error { return k.startCore(ctx) })
	if err := both.Wait(); err != nil {
		return err
	}
	if err := k.makeServices(ctx); err != nil {
		return err
	}
	k.Accounts.FollowFrom(seq)
	if err := k.startJobs(settings); err != nil {
		return err
	}
	debug.FreeOSMemory() // what compiling plugins and reading all users took is half of what a small server has
	return nil
}

// makeCore makes the core, the directory beside it, and the job that both tell what is to be done for users.
func (k *Kernel) makeCore() {
	k.directory = directory.New()
	k.Core = core.New(core.Options{
		Log: k.o.Log.Named("core"), Clock: k.o.Clock, CertDir: k.o.Dir.Certs(),
		OnQuota:    func(user int64) { k.life.QuotaUsed(user) },
		OnFirstUse: func(user, at int64) { k.life.FirstUse(user, at) },
	})
	k.life = jobs.NewLife(k.o.Clock, k.o.Log.Named("life"), k.directory, lifeGate{k.Core, k.directory},
		func(ctx context.Context, users []int64, firstUse map[int64]int64) ([]int64, error) {
			return k.Accounts.Advance(ctx, users, firstUse)
		})
}

// makeServices makes what stands on the database, the core and the plugins.
func (k *Kernel) makeServices(ctx context.Context) (err error) {
	if k.flusher, err = jobs.NewFlusher(ctx, k.db, meters{k.Core, k.directory}, k.o.Clock, k.node); err != nil {
		return err
	}
	k.external = external.New(external.Options{
		DB: k.db, Clock: k.o.Clock, Log: k.o.Log.Named("external"),
		Client: guard.New(guard.Options{Allow: k.o.Reach, UserAgent: "Sluice"}),
	})
	k.Subscriptions = subscription.New(subscription.Options{
		DB: k.db, Clock: k.o.Clock, Log: k.o.Log.Named("subscription"), Renderer: k.Plugins, Usage: k.flusher, Directory: k.directory,
		External: k.external, Loopback: k.o.Loopback,
	})
	if err := k.Subscriptions.Reload(ctx); err != nil {
		return err
	}
	k.Accounts = accounts.New(accounts.Options{
		DB: k.db, Clock: k.o.Clock, Log: k.o.Log.Named("accounts"), CertDir: k.o.Dir.Certs(), Node: k.node,
		Core: k.Core, Usage: k.flusher, Subscriptions: k.Subscriptions, Directory: k.directory,
		Periods: period.New(k.Plugins), Names: username.New(k.Plugins),
		OnSettings: k.apply, OnDrift: k.reconcileSoon,
	})
	return nil
}

func (k *Kernel) startJobs(settings domain.Settings) error {
	runner, err := jobs.Start(k.o.Clock, k.o.Log.Named("jobs"),
		k.flush(settings),
		jobs.Job{Name: "advance users", Every: lifeEvery, Run: k.life.Run},
		jobs.Job{Name: "advance inbounds", Every: followEvery, Run: k.Accounts.AdvanceInbounds},
		jobs.Job{Name: "follow changes", Every: followEvery, Run: k.Accounts.Follow},
		jobs.Job{Name: "note addresses", Every: sightingsEvery, Run: k.Accounts.NoteSightings},
		jobs.Job{Name: "note subscription fetches", Every: followEvery, Run: k.Subscriptions.FlushFetches},
		jobs.Job{Name: reconcileJob, Every: reconcileEvery, Run: k.reconcile},
		jobs.Job{Name: "prune old rows", Every: pruneEvery, Run: k.prune},
		jobs.Job{Name: "follow plugin policies", Every: policiesEvery, Run: k.followPlugins},
		jobs.Job{Name: "scan plugin folder", Every: scanEvery, Run: k.scanPlugins},
	)
	if err != nil {
		return err
	}
	k.runner.Store(runner)
	return k.Installed.Watch()
}

func (k *Kernel) flush(s domain.Settings) jobs.Job {
	return jobs.Job{Name: flushJob, Every: s.FlushEvery(), Run: k.flusher.Flush}
}

// apply makes the running parts follow the settings.
func (k *Kernel) apply(s domain.Settings) {
	k.Core.SetAddressGrace(s.IPGrace())
	k.directory.SetDeleteLimited(s.AutoDeleteLimited)
	k.directory.SetExpiring(s.ExpireDiff(), s.TrafficDiff())
	every := int64(s.FlushEvery())
	runner := k.runner.Load()
	if k.flushEvery.Swap(every) == every || runner == nil {
		return
	}
	if err := runner.Reschedule(k.flush(s)); err != nil {
		k.o.Log.Error("traffic is still flushed as often as before", zap.Error(err))
	}
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
	for i := range inbounds {
		inbounds[i].Enabled = inbounds[i].Serves(k.o.Clock.Now().UnixMilli())
	}
	accounts := func(yield func(domain.Account) error) error {
		return k.db.EachAccount(ctx, func(a domain.Account) error {
			k.directory.Put(a)
			return yield(a)
		})
	}
	if err := k.Core.Start(ctx, core.Snapshot{Config: config, Inbounds: inbounds, Accounts: accounts}); err != nil {
		k.o.Log.Error("the core does not run: see /readyz with a token, and `sluice core set`", zap.Error(err))
		return k.db.EachAccount(ctx, func(a domain.Account) error { // it may not have asked for them
			k.directory.Put(a)
			return nil
		})
	}
	return nil
}

// reconcile finds where the directory and the core differ from the database, and mends it.
func (k *Kernel) reconcile(ctx context.Context) error {
	users, err := k.Accounts.Reconcile(ctx)
	entries, audited := k.Core.Audit(ctx)
	if users+entries > 0 {
		k.repaired.Add(int64(users + entries))
		k.o.Log.Warn("the running core had drifted from the database and was repaired",
			zap.Int("users", users), zap.Int("list_entries", entries))
	}
	return errors.Join(err, audited, k.Subscriptions.Reload(ctx))
}

// reconcileSoon is for a part that did not follow a commit.
func (k *Kernel) reconcileSoon() {
	if runner := k.runner.Load(); runner != nil {
		runner.Now(reconcileJob)
	}
}

func (k *Kernel) prune(ctx context.Context) error {
	return k.db.Prune(ctx, k.o.Clock.Now().UnixMilli())
}

// Stop ends everything in the order that loses nothing: jobs, then the core (gate shut, connections cut), then the
// last flushes, then plugins and database. Events that were not delivered are at the next start.
func (k *Kernel) Stop(ctx context.Context) error {
	var errs []error
	if runner := k.runner.Load(); runner != nil {
		errs = append(errs, runner.Stop())
	}
	if k.Installed != nil {
		errs = append(errs, k.Installed.Stop())
	}
	if k.deliveries != nil {
		errs = append(errs, k.deliveries.Stop(ctx))
	}
	if k.Core != nil {
		errs = append(errs, k.Core.Stop(ctx))
	}
	if k.flusher != nil {
		errs = append(errs, k.flusher.Flush(ctx))
	}
	if k.Accounts != nil && k.Core != nil {
		errs = append(errs, k.Accounts.NoteSightings(ctx))
	}
	if k.Subscriptions != nil {
		k.external.Close()
		errs = append(errs, k.Subscriptions.FlushFetches(ctx))
	}
	if k.Plugins != nil {
		errs = append(errs, k.Plugins.Close(ctx))
	}
	if k.notices != nil {
		k.notices.close()
	}
	return errors.Join(append(errs, k.db.Close())...)
}
