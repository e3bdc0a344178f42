package plugin

import (
	"context"
	"errors"
	"path/filepath"

	"go.uber.org/zap"

	"github.com/sluicehq/sluice/kernel/domain"
	"github.com/sluicehq/sluice/sdk/wire"
)

// LoadBundle loads the plugin that is part of the binary. It is trusted and runs at full speed: without
// instrumentation, so nothing stops it.
func (h *Host) LoadBundle(ctx context.Context, wasm []byte) error {
	return h.load(ctx, "", func() ([]byte, error) { return wasm, nil })
}

// Load loads one plugin of a third party; name is its file name, without a folder. A plugin loaded under that name
// before serves until the new one is ready, and goes on if it is refused: then the error, and Plugins, say why. A file
// that has to wait for a grant is no error: Plugins lists it, and Apply lets it in.
func (h *Host) Load(ctx context.Context, name string, wasm []byte) error {
	if err := checkFileName(name); err != nil {
		return err
	}
	return h.load(ctx, name, func() ([]byte, error) { return wasm, nil })
}

// Refuse notes that a file can not be used, such as one that can not be read. What was loaded from it before stays.
func (h *Host) Refuse(file string, why error) {
	_ = h.change(context.Background(), "refuse a plugin", func() error {
		return h.refuse(&module{host: h, file: file}, why)
	})
}

// Remove retires the plugin of a file that is gone; calls in flight end first. Plugins that were refused because of it
// are let in. A file that the host does not know is no error.
func (h *Host) Remove(ctx context.Context, file string) error {
	if err := checkFileName(file); err != nil {
		return err
	}
	return h.change(ctx, "remove plugin "+file, func() error {
		current := h.registry.Load()
		old := current.entry(file)
		next := current.without(file)
		h.registry.Store(next)
		for _, p := range []*plugin{old.plugin, old.held} {
			if p == nil {
				continue
			}
			p.journal.say(zap.InfoLevel, "plugin removed", zap.String("file", file))
			h.retire(p)
			if next.named(p.name) == nil {
				h.logs.forget(p.name)
			}
		}
		if name := old.refused.Name; next.named(name) == nil {
			h.logs.forget(name)
		}
		if p := or(old.plugin, old.held); p != nil {
			h.notices = append(h.notices, p.notice(NoticeRemoved, ""))
		}
		h.logs.forget(file)
		h.admit()
		return nil
	})
}

func checkFileName(name string) error {
	if name == "" || name != filepath.Base(name) {
		return domain.Invalid("name", "can not be empty or name a folder")
	}
	return nil
}

// or is the first of two plugins that is there.
func or(p, q *plugin) *plugin {
	if p != nil {
		return p
	}
	return q
}

// load builds a plugin and puts it in the place of the one with the same file, or refuses it.
func (h *Host) load(ctx context.Context, file string, read func() ([]byte, error)) error {
	return h.change(ctx, "load plugin "+file, func() error {
		wasm, err := read()
		if err != nil {
			return h.refuse(&module{host: h, file: file, sha256: digest(wasm), builtin: file == ""}, err)
		}
		p, err := h.build(file, wasm, h.o.Policy, false)
		if err != nil {
			p.release()
			return h.refuse(p.module, err)
		}
		state, why := h.registry.Load().obstacle(p)
		if state == "" {
			h.publish(p)
			h.admit() // the old version may have been in the way of others
			return nil
		}
		h.hold(p, state, why)
		if state == StateRefused {
			return h.told(p.module, errors.New(why))
		}
		return nil
	})
}

// publish is the moment from which new calls see p. The old plugin is retired only afterwards: a caller that still got
// it finds it retired, and the registry replaced.
func (h *Host) publish(p *plugin) {
	current := h.registry.Load()
	old := current.entry(p.file)
	h.registry.Store(current.with(&entry{file: p.file, plugin: p}))
	h.retireOthers(old, p)
	p.journal.say(zap.InfoLevel, "plugin loaded", zap.String("version", p.version), zap.String("file", p.file),
		zap.String("sha256", p.sha256), zap.Int("items", len(p.provides)))
	h.notices = append(h.notices, p.notice(NoticeLoaded, ""))
}

// hold keeps p, which is built but may not serve, until nothing is in its way. What its file held before serves on.
func (h *Host) hold(p *plugin, state State, why string) {
	current := h.registry.Load()
	old := current.entry(p.file)
	h.registry.Store(current.with(&entry{file: p.file, plugin: old.plugin, held: p, state: state, why: why}))
	h.retireOthers(entry{held: old.held}, p)
	p.pool.empty()
	if state == StateWaiting {
		p.journal.say(zap.WarnLevel, "plugin is held", zap.String("file", p.file), zap.String("reason", why))
	}
}

// retireOthers retires the plugins of an entry that is replaced, but for p.
func (h *Host) retireOthers(e entry, p *plugin) {
	for _, old := range []*plugin{e.plugin, e.held} {
		if old != p {
			h.retire(old)
		}
	}
}

// admit lets in whatever is held back by nothing any more, and notes what holds the others back now.
func (h *Host) admit() {
	for entered := true; entered; {
		entered = false
		g := h.registry.Load()
		for _, e := range g.entries {
			if e.held == nil {
				continue
			}
			state, why := g.obstacle(e.held)
			if state != "" && state == e.state && why == e.why {
				continue
			}
			if entered = true; state == "" {
				h.publish(e.held)
			} else {
				h.hold(e.held, state, why)
			}
			break
		}
	}
}

// refuse notes why a file, which could not be built, is not used. Whatever was loaded from it before stays.
func (h *Host) refuse(m *module, why error) error {
	current := h.registry.Load()
	old := current.entry(m.file)
	e := &entry{file: m.file, plugin: old.plugin, refused: m.info()}
	e.refused.State, e.refused.Reason = StateRefused, plain(why.Error(), 500)
	h.registry.Store(current.with(e))
	h.retire(old.held)
	if m.name == "" && old.plugin != nil {
		m.name = old.plugin.name // whose log shall tell it
	}
	return h.told(m, why)
}

// told logs and announces a refusal, and makes an error of it.
func (h *Host) told(m *module, why error) error {
	reason := plain(why.Error(), 500)
	h.log.Warn("plugin refused", zap.String("file", m.file), zap.String("reason", reason))
	name := m.name
	if name == "" {
		name = m.file
	}
	h.logs.of(name).add(h.clock.Now(), wire.LogWarn, "plugin refused: "+reason)
	h.notices = append(h.notices, Notice{
		Type: NoticeRefused, Plugin: m.name, Version: m.version, File: m.file, SHA256: m.sha256, Reason: reason,
	})
	doing := "plugin " + m.file + " is refused: "
	if m.file == "" {
		doing = "the built-in plugins can not be used: "
	}
	return domain.Invalid("", doing+reason).Because(why)
}
