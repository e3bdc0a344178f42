// Package install makes the running plugins what the plugin folder holds and what the operator has said about it: it
// follows files that come, change and go, takes uploads, and keeps settings, grants and switches.
package install

import (
	"context"
	"fmt"
	"maps"
	"reflect"
	"sync"
	"sync/atomic"

	"github.com/jonboulle/clockwork"
	"go.uber.org/zap"

	"github.com/sluicehq/sluice/kernel/domain"
	"github.com/sluicehq/sluice/kernel/plugin"
	"github.com/sluicehq/sluice/sdk/wire"
	"github.com/sluicehq/sluice/storage"
)

// Host runs the plugins.
type Host interface {
	Load(ctx context.Context, file string, wasm []byte) error
	Refuse(file string, why error)
	Remove(ctx context.Context, file string) error
	Apply(ctx context.Context, name string) error
	CheckSettings(name, settings string) error
	Trial(ctx context.Context, file string, wasm []byte, policy func(name string) domain.PluginPolicy) (*plugin.Trial, error)
	Plugins() []plugin.Info
	Items(kind string) []plugin.Item
	Log(name string) []plugin.LogLine

	// Previews compare with what these answer now.
	Period(ctx context.Context, req *wire.PeriodRequest) (wire.PeriodReply, error)
	Usernames(ctx context.Context, req *wire.UsernameRequest) ([]string, error)
	CheckParams(kind, id, params string) error
}

// Options are the parts that the service stands on.
type Options struct {
	Dir   string // of the plugin files
	Last  string // where copies of the files that serve are kept, a folder that exists; "" = nowhere
	DB    *storage.DB
	Clock clockwork.Clock
	Log   *zap.Logger

	Host     Host     // asks for policies itself, so it is made later: nil until then
	Previews Previews // nil until the kernel has started

	// OnHandlers is told which event handlers there are whenever that has changed, before the change is answered.
	OnHandlers func(ctx context.Context, handlers []domain.EventHandler) error
}

// Service keeps plugins, files and policies together. It is safe for concurrent use.
type Service struct {
	Options
	policies atomic.Pointer[map[string]domain.PluginPolicy] // by plugin name, never changed

	changing sync.Mutex             // one change of files or policies at a time
	seen     map[string]seen        // files as Scan last saw them; under changing
	kept     map[string]string      // SHA-256 of the copies in Last, by file; under changing
	unkept   map[string]string      // of files that could not be copied; under changing
	tidied   bool                   // tidy has run; under changing
	handlers *[]domain.EventHandler // as OnHandlers was last told, nil = it was not; under changing
	watch    watch
}

// New returns the service. It knows no policies before Reread, and no files before Scan.
func New(o Options) *Service {
	s := &Service{Options: o, seen: map[string]seen{}, kept: map[string]string{}, unkept: map[string]string{}}
	s.policies.Store(&map[string]domain.PluginPolicy{})
	return s
}

// Policy is what the operator has said about the plugin of that name; the host asks while it loads.
func (s *Service) Policy(name string) domain.PluginPolicy {
	p, said := (*s.policies.Load())[name]
	if !said {
		return domain.PluginPolicy{Name: name}
	}
	return p
}

// Reread reads all policies, and makes plugins follow those that another process has changed. It comes before the host.
func (s *Service) Reread(ctx context.Context) error {
	s.changing.Lock()
	defer s.changing.Unlock()
	stored, err := s.DB.PluginPolicies(ctx)
	if err != nil {
		return fmt.Errorf("read plugin policies: %w", err)
	}
	next := make(map[string]domain.PluginPolicy, len(stored))
	for _, p := range stored {
		next[p.Name] = p
	}
	before := *s.policies.Swap(&next)
	if s.Host == nil {
		return nil
	}
	for _, info := range s.Host.Plugins() {
		if info.Name != "" && !info.Builtin && before[info.Name].Revision != next[info.Name].Revision {
			s.apply(ctx, info.Name)
		}
	}
	s.settled(ctx)
	return nil
}

// keep makes a stored policy the one that the host sees; one without a revision is gone. The caller holds changing.
func (s *Service) keep(p domain.PluginPolicy) {
	next := maps.Clone(*s.policies.Load())
	if p.Revision == 0 {
		delete(next, p.Name)
	} else {
		next[p.Name] = p
	}
	s.policies.Store(&next)
}

// apply makes a plugin follow its policy. What it can not follow is in its log and its state.
func (s *Service) apply(ctx context.Context, name string) {
	if err := s.Host.Apply(ctx, name); err != nil {
		s.Log.Error("a plugin does not follow what was said about it", zap.String("plugin", name), zap.Error(err))
	}
}

// settled follows every change of what is loaded. The caller holds changing.
func (s *Service) settled(ctx context.Context) {
	s.keepLast()
	s.tell(ctx)
}

// tell makes the event handlers known if they have changed: what happens from now on is written down for them. What is not
// told is tried again with the next change or scan. The caller holds changing.
func (s *Service) tell(ctx context.Context) {
	handlers := []domain.EventHandler{}
	for _, item := range s.Host.Items(wire.KindEvent) {
		handlers = append(handlers, domain.EventHandler{Handler: Handler(item.Plugin, item.ID), Events: item.Events})
	}
	if s.OnHandlers == nil || s.handlers != nil && reflect.DeepEqual(*s.handlers, handlers) {
		return
	}
	if err := s.OnHandlers(ctx, handlers); err != nil {
		s.Log.Error("the event handlers can not be stored, it is tried again", zap.Error(err))
		return
	}
	s.handlers = &handlers
}

// List describes every plugin, the bundle first, refused files too.
func (s *Service) List() []plugin.Info { return s.Host.Plugins() }

// Find describes the plugin of that name, and rather one that serves than a file that is refused because of it; else that
// of the file of that name.
func (s *Service) Find(name string) (found plugin.Info, err error) {
	err = domain.NotFound("plugin not found")
	for _, info := range s.Host.Plugins() {
		named := info.Name == name
		if named && info.State != plugin.StateRefused {
			return info, nil
		}
		if err != nil && (named || info.File == name && name != "") {
			found, err = info, nil
		}
	}
	return found, err
}

// Lines are the last lines of a plugin's log, oldest first.
func (s *Service) Lines(name string) ([]plugin.LogLine, error) {
	if _, err := s.Find(name); err != nil {
		return nil, err
	}
	return s.Host.Log(name), nil
}
