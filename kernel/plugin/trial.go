package plugin

import (
	"context"

	"github.com/sluicehq/sluice/kernel/domain"
)

// Trial is a plugin that is loaded beside the registry: only who made it can call it, nobody hears of it, and its
// failures count for nobody's breaker. Its methods may be called from any goroutine.
type Trial struct {
	caller
	host   *Host
	plugin *plugin
}

// Trial loads a file as Load would, under the policy of its name, and publishes nothing. Names and ids of others are no
// obstacle; what was not granted fails when it is called. The error says why the file would be refused. The caller closes
// the trial.
func (h *Host) Trial(ctx context.Context, file string, wasm []byte, policy func(name string) domain.PluginPolicy) (*Trial, error) {
	if err := checkFileName(file); err != nil {
		return nil, err
	}
	var t *Trial
	err := h.change(ctx, "try plugin "+file, func() error {
		enabled := func(name string) domain.PluginPolicy {
			p := policy(name)
			p.Disabled = false
			return p
		}
		p, err := h.build(file, wasm, enabled, true)
		if err != nil {
			p.release()
			return domain.Invalid("", "plugin "+file+" is refused: "+plain(err.Error(), 500)).Because(err)
		}
		t = &Trial{host: h, plugin: p}
		t.registry.Store((&registry{}).with(&entry{file: file, plugin: p}))
		h.trials[p] = t
		return nil
	})
	return t, err
}

// Info describes the plugin. It is always loaded: State says nothing of what the operator wants.
func (t *Trial) Info() Info { return t.plugin.info() }

// Log returns what the plugin has said since the trial began, as Host.Log does.
func (t *Trial) Log() []LogLine { return t.plugin.journal.kept.list() }

// Close refuses further calls and frees the plugin once those in flight have ended, which it does not wait for. A second
// Close does nothing. The error is always nil.
func (t *Trial) Close(context.Context) error {
	t.host.loading.Lock()
	defer t.host.loading.Unlock()
	t.retire()
	return nil
}

// retire ends the trial. The caller holds the host's lock.
func (t *Trial) retire() {
	if t.host.trials[t.plugin] == nil {
		return
	}
	delete(t.host.trials, t.plugin)
	t.registry.Store(&registry{closed: true})
	t.host.retire(t.plugin)
}
