package plugin

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"

	"go.uber.org/zap"
)

// maxCache bounds what is kept of compiled code, in bytes: 60 plugins in Go. Who works on a plugin makes a version of it
// every minute, each of which compiles to 8 MB.
const maxCache = 512 << 20

// openEngine makes the engine that the host starts with. A cache that can not be used, on a disk that is full or can only
// be read, costs time at each start and nothing else.
func (h *Host) openEngine(ctx context.Context) (err error) {
	h.engine, err = newEngine(ctx, h.o.CacheDir, h.limits.Memory)
	if err != nil && h.o.CacheDir != "" {
		h.uncached(err)
		h.engine, err = newEngine(ctx, "", h.limits.Memory)
	}
	if err != nil {
		return fmt.Errorf("start the plugin engine: %w", err)
	}
	h.engines = append(h.engines, h.engine)
	return nil
}

// compile gives m its machine code. When the cache is what fails, not the code, it is emptied, as a broken file in it
// would be met again, and from then on code is made without it. The caller holds loading.
func (h *Host) compile(m *module, code []byte) (err error) {
	m.engine = h.engine
	m.compiled, err = m.engine.compile(code)
	if m.engine.cache == nil {
		return err
	}
	if err == nil {
		h.trim(maxCache)
		return nil
	}
	ctx, cause := context.Background(), err
	spare, err := newEngine(ctx, "", h.limits.Memory)
	if err != nil {
		return err
	}
	if m.compiled, err = spare.compile(code); err != nil {
		return errors.Join(err, spare.close(ctx))
	}
	h.uncached(cause)
	h.empty()
	m.engine, h.engine = spare, spare
	h.engines = append(h.engines, spare)
	return nil
}

func (h *Host) uncached(err error) {
	h.log.Error("the cache of compiled plugins can not be used: until the next start plugins are compiled whenever they are loaded",
		zap.String("folder", h.o.CacheDir), zap.Error(err))
}

// cached are the folders that wazero keeps code in, one for each of its versions.
func (h *Host) cached() []string {
	dirs, _ := filepath.Glob(filepath.Join(h.o.CacheDir, "wazero-*")) // an error is one of the pattern
	return dirs
}

// empty removes all that is kept.
func (h *Host) empty() {
	for _, dir := range h.cached() {
		if err := os.RemoveAll(dir); err != nil {
			h.log.Warn("the cache of compiled plugins can not be emptied", zap.Error(err))
		}
	}
}

// trim removes what was kept first until the rest is within limit, in bytes. If it is used, the next start makes it anew.
func (h *Host) trim(limit int64) {
	type code struct {
		file string
		fs.FileInfo
	}
	var all []code
	for _, dir := range h.cached() {
		files, _ := os.ReadDir(dir) // what can not be read can not be trimmed
		for _, f := range files {
			if info, err := f.Info(); err == nil {
				all = append(all, code{filepath.Join(dir, f.Name()), info})
			}
		}
	}
	slices.SortFunc(all, func(a, b code) int { return b.ModTime().Compare(a.ModTime()) })
	for _, c := range all {
		if limit -= c.Size(); limit >= 0 {
			continue
		}
		if err := os.Remove(c.file); err != nil {
			h.log.Warn("the cache of compiled plugins can not be trimmed", zap.Error(err))
		}
	}
}
