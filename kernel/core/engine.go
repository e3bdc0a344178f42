package core

import (
	"cmp"
	"context"
	"maps"
	"slices"
	"sync"

	"github.com/jonboulle/clockwork"
	"go.uber.org/zap"

	"github.com/sluicehq/sluice/kernel/domain"
)

// Engine is the Backend that runs xray-core in this process. There must be at most one that is started.
type Engine struct {
	log     *zap.Logger
	clock   clockwork.Clock
	certDir string
	tasks   *tasks
	gate    *gate
	stopLog context.CancelFunc

	mu       sync.Mutex // held for every change of the core; the gate does not need it
	started  bool
	running  *instance // nil = stopped
	config   string
	inbounds map[int64]domain.Inbound // what should run
	open     map[int64]*listener      // what does
	problems map[int64]Problem
	stale    map[int64]bool  // listeners to be replaced
	replace  clockwork.Timer // fires when stale has waited long enough, nil = not set
}

// New returns an Engine that is not started.
func New(o Options) *Engine {
	e := &Engine{
		log: o.Log, clock: o.Clock, certDir: o.CertDir,
		inbounds: map[int64]domain.Inbound{},
		open:     map[int64]*listener{},
		problems: map[int64]Problem{},
		stale:    map[int64]bool{},
	}
	if e.log == nil {
		e.log = zap.NewNop()
	}
	if e.clock == nil {
		e.clock = clockwork.NewRealClock()
	}
	e.tasks = &tasks{log: e.log}
	e.gate = newGate(e.clock, e.tasks)
	e.gate.onTrip = func(u *user) {
		if o.OnQuota != nil {
			o.OnQuota(u.id)
		}
		_ = e.syncUsers([]*user{u}) // it has logged what failed
	}
	if o.OnFirstUse != nil {
		e.gate.onFirstUse = o.OnFirstUse
	}
	return e
}

// Start implements Backend.
func (e *Engine) Start(_ context.Context, s Snapshot) error {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.started {
		return domain.Unavailable("the core was started before")
	}
	cfg, err := buildConfig(s.Config, e.certDir)
	if err != nil {
		return err
	}
	logs, stopLog := context.WithCancel(context.Background())
	forwardLogs(logs, e.tasks, e.log)
	if s.Accounts != nil {
		if err := s.Accounts(func(a domain.Account) error { e.gate.put(a); return nil }); err != nil {
			stopLog()
			return err
		}
	}
	if e.running, err = startInstance(e.gate, cfg); err != nil {
		stopLog()
		return domain.Unavailable("the core does not start: " + reason(err)).Because(err)
	}
	e.started, e.config, e.stopLog = true, s.Config, stopLog
	for _, in := range s.Inbounds {
		e.inbounds[in.ID] = in
	}
	e.openAll()
	return nil
}

// Stop implements Backend. A second call does nothing.
func (e *Engine) Stop(ctx context.Context) error {
	e.gate.close()
	e.mu.Lock()
	running := e.running
	e.running = nil
	if e.replace != nil {
		e.replace.Stop()
	}
	clear(e.open)
	e.mu.Unlock()
	if running == nil {
		return nil
	}
	err := running.close(e.tasks)
	e.gate.cutAll(everything)
	e.stopLog()
	if waited := e.tasks.wait(ctx); err == nil {
		err = waited
	}
	return err
}

// SetConfig implements Backend.
func (e *Engine) SetConfig(_ context.Context, json string) error {
	if err := CheckConfig(json, e.certDir); err != nil {
		return err
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.running == nil {
		return domain.Unavailable("the core is not running")
	}
	err := e.restart(json)
	if err == nil {
		e.config = json
		return nil
	}
	if again := e.restart(e.config); again != nil {
		e.log.Error("the core does not start again with its old configuration", zap.Error(again))
	}
	return domain.Invalid("", "the core does not start with this configuration: "+reason(err)).Because(err)
}

// restart replaces the running instance by one with another configuration. On failure none runs.
func (e *Engine) restart(config string) error {
	cfg, err := buildConfig(config, e.certDir)
	if err != nil {
		return err
	}
	if e.running != nil {
		if err := e.running.close(e.tasks); err != nil {
			e.log.Warn("the core did not close cleanly", zap.Error(err))
		}
		e.gate.cutAll(everything)
		clear(e.open)
	}
	if e.running, err = startInstance(e.gate, cfg); err != nil {
		return err
	}
	e.openAll()
	return nil
}

// Health implements Backend.
func (e *Engine) Health() error {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.running == nil {
		return domain.Unavailable("the core is not running")
	}
	return nil
}

// Problems implements Backend.
func (e *Engine) Problems() []Problem {
	e.mu.Lock()
	defer e.mu.Unlock()
	list := slices.Collect(maps.Values(e.problems))
	slices.SortFunc(list, func(a, b Problem) int { return cmp.Compare(a.InboundID, b.InboundID) })
	return list
}
