package plugin

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"go.uber.org/zap"

	"github.com/sluicehq/sluice/kernel/domain"
)

// LoadBundle loads the plugin that is part of the binary. It is trusted and runs at full speed: without
// instrumentation, so nothing stops it.
func (h *Host) LoadBundle(ctx context.Context, wasm []byte) error {
	return h.load(ctx, "", func() ([]byte, error) { return wasm, nil })
}

// Load loads one plugin of a third party; name is its file name, without a folder. A plugin loaded under that name
// before serves until the new one is ready, and goes on if it is refused: then the error, and Plugins, say why.
func (h *Host) Load(ctx context.Context, name string, wasm []byte) error {
	if name == "" || name != filepath.Base(name) {
		return domain.Invalid("name", "can not be empty or name a folder")
	}
	return h.load(ctx, name, func() ([]byte, error) { return wasm, nil })
}

// LoadDir loads every *.wasm file of dir in the order of their names. A file that can not be used is listed by Plugins
// with the reason, and logged; only a directory that can not be read is an error.
func (h *Host) LoadDir(ctx context.Context, dir string) error {
	files, err := os.ReadDir(dir) // sorted
	if err != nil {
		return fmt.Errorf("read the plugin directory: %w", err)
	}
	for _, f := range files {
		if !strings.HasSuffix(f.Name(), ".wasm") {
			continue
		}
		err := h.load(ctx, f.Name(), func() ([]byte, error) {
			return readFile(filepath.Join(dir, f.Name()), h.limits.File)
		})
		if ctx.Err() != nil || errors.Is(err, ErrClosed) {
			return err
		}
	}
	return nil
}

// readFile reads a regular file of at most limit bytes; a pipe could keep the start waiting for ever.
func readFile(path string, limit int) ([]byte, error) {
	info, err := os.Stat(path)
	if err != nil {
		return nil, errors.Unwrap(err)
	}
	if !info.Mode().IsRegular() {
		return nil, errors.New("it is not a regular file")
	}
	f, err := os.Open(path)
	if err != nil {
		return nil, errors.Unwrap(err)
	}
	defer func() { _ = f.Close() }() // only read
	b, err := io.ReadAll(io.LimitReader(f, int64(limit)+1))
	if err != nil {
		return nil, fmt.Errorf("it can not be read: %w", err)
	}
	return b, nil
}

// load builds a plugin and puts it in the place of the one with the same file, or refuses it.
func (h *Host) load(ctx context.Context, file string, read func() ([]byte, error)) error {
	h.loading.Lock()
	defer h.loading.Unlock()
	if err := ctx.Err(); err != nil {
		return fmt.Errorf("load plugin %s: %w", file, err)
	}
	current := h.registry.Load()
	if current.closed {
		return domain.Unavailable("the plugins are shut down").Because(ErrClosed)
	}
	wasm, err := read()
	if err != nil {
		return h.refuse(file, wasm, err)
	}
	p, err := h.build(file, wasm)
	if err != nil {
		return h.refuse(file, wasm, err)
	}
	if err := current.conflict(p); err != nil {
		h.retire(p)
		return h.refuse(file, wasm, err)
	}
	h.publish(p)
	return nil
}

// publish is the moment from which new calls see p. The old plugin is retired only afterwards: a caller that still got
// it finds it retired, and the registry replaced.
func (h *Host) publish(p *plugin) {
	current := h.registry.Load()
	old := current.entry(p.file)
	h.registry.Store(current.with(&entry{file: p.file, plugin: p}))
	if old != nil {
		h.retire(old.plugin)
	}
	p.journal.log.Info("plugin loaded", zap.String("version", p.version), zap.String("file", p.file),
		zap.String("sha256", p.sha256), zap.Int("items", len(p.provides)))
}

// refuse notes why a file is not used. Whatever was loaded from it before stays.
func (h *Host) refuse(file string, wasm []byte, why error) error {
	current := h.registry.Load()
	e := &entry{file: file, refused: Info{
		File: file, SHA256: digest(wasm), State: StateRefused, Reason: plain(why.Error(), 500), Builtin: file == "",
	}}
	if old := current.entry(file); old != nil {
		e.plugin = old.plugin
	}
	h.registry.Store(current.with(e))
	h.log.Warn("plugin refused", zap.String("file", file), zap.String("reason", e.refused.Reason))
	doing := "plugin " + file + " is refused: "
	if file == "" {
		doing = "the built-in plugins can not be used: "
	}
	return domain.Invalid("", doing+e.refused.Reason).Because(why)
}
