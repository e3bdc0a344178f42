package install

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"

	"go.uber.org/zap"

	"github.com/sluicehq/sluice/kernel/plugin"
)

// A copy of each file that serves is kept, so that it serves again after a restart when the file in the folder is by then
// one that does not: a broken one, or one that waits for a grant. Without the copies nothing but that is lost.

// revive loads the file that served last under that name, if the one in the folder is another.
func (s *Service) revive(ctx context.Context, name, sha256 string) {
	if s.Last == "" {
		return
	}
	wasm, err := readPlugin(filepath.Join(s.Last, name))
	if errors.Is(err, fs.ErrNotExist) {
		return
	}
	if err != nil {
		s.Log.Warn("the copy of a plugin that served before can not be read", zap.String("file", name), zap.Error(err))
		return
	}
	last := digest(wasm)
	if s.kept[name] = last; last != sha256 {
		_ = s.Host.Load(ctx, name, wasm) // the host logs why it does not
	}
}

// keepLast copies the files that serve and were not copied yet, and drops the copies of those that are gone.
func (s *Service) keepLast() {
	if s.Last == "" {
		return
	}
	there := map[string]bool{}
	for _, info := range s.Host.Plugins() {
		there[info.File] = true
		serves := info.State != plugin.StateRefused && info.State != plugin.StateWaiting
		if info.File == "" || !serves || s.kept[info.File] == info.SHA256 {
			continue
		}
		wasm, err := readPlugin(filepath.Join(s.Dir, info.File))
		if err != nil || digest(wasm) != info.SHA256 { // it has changed again: the next scan sees it
			continue
		}
		if err := write(s.Last, info.File, wasm); err != nil {
			if s.unkept[info.File] != info.SHA256 { // this is tried again every few seconds
				s.Log.Warn("no copy of a plugin can be kept: if its file is replaced by one that can not be used, nothing of it serves after the next start",
					zap.String("file", info.File), zap.Error(err))
			}
			s.unkept[info.File] = info.SHA256
			continue
		}
		s.kept[info.File] = info.SHA256
	}
	for name := range s.kept {
		if !there[name] {
			s.drop(name)
		}
	}
}

// tidy removes, at the first scan, the copies of files that went while nothing ran, and what writes that were cut off have
// left behind.
func (s *Service) tidy(there map[string]bool) {
	if s.tidied {
		return
	}
	s.tidied = true
	left, _ := filepath.Glob(filepath.Join(s.Dir, unfinished)) // an error is one of the pattern
	for _, file := range left {
		if err := os.Remove(file); err != nil {
			s.Log.Warn("what is left of an upload can not be removed", zap.String("file", file), zap.Error(err))
		}
	}
	if s.Last == "" {
		return
	}
	copies, err := os.ReadDir(s.Last)
	if err != nil {
		s.Log.Warn("the copies of plugins can not be read", zap.Error(err))
	}
	for _, c := range copies {
		if !there[c.Name()] {
			s.drop(c.Name())
		}
	}
}

// drop removes the copy of a plugin whose file is gone.
func (s *Service) drop(name string) {
	delete(s.kept, name)
	if err := os.Remove(filepath.Join(s.Last, name)); err != nil && !errors.Is(err, fs.ErrNotExist) {
		s.Log.Warn("the copy of a plugin can not be removed", zap.String("file", name), zap.Error(err))
	}
}
