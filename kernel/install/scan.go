package install

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"go.uber.org/zap"

	"github.com/sluicehq/sluice/sdk/wire"
)

// suffix is what a plugin's file name ends in; other files in the folder are not looked at.
const suffix = ".wasm"

// maxFile is how much of a file is read, in bytes: one more than a plugin may have, so that the host sees that it is too
// large.
const maxFile = wire.MaxFile + 1

// seen is a file as it was when it was last read.
type seen struct {
	size   int64
	at     time.Time // of its last modification
	sha256 string
}

// Scan makes the loaded plugins those of the folder. A file is read again only if its size or time is another or force
// says so, and loaded only if its content is. What can not be loaded is in List with the reason; only a folder that can
// not be read is an error.
func (s *Service) Scan(ctx context.Context, force bool) error {
	s.changing.Lock()
	defer s.changing.Unlock()
	files, err := os.ReadDir(s.Dir) // sorted
	if err != nil {
		return fmt.Errorf("read the plugin folder: %w", err)
	}
	there := map[string]bool{}
	for _, f := range files {
		if !strings.HasSuffix(f.Name(), suffix) || strings.HasPrefix(f.Name(), ".") {
			continue
		}
		there[f.Name()] = true
		s.follow(ctx, f.Name(), force)
		if ctx.Err() != nil {
			return ctx.Err()
		}
	}
	s.tidy(there)
	for name := range s.seen {
		if !there[name] {
			s.gone(ctx, name)
		}
	}
	s.settled(ctx)
	return nil
}

// follow loads a file if its content is not what was loaded, or refused, before.
func (s *Service) follow(ctx context.Context, name string, force bool) {
	info, err := os.Stat(filepath.Join(s.Dir, name))
	if errors.Is(err, fs.ErrNotExist) { // removed meanwhile: the next scan sees it
		return
	}
	was, known := s.seen[name]
	if err == nil && known && !force && was.size == info.Size() && was.at.Equal(info.ModTime()) {
		return
	}
	wasm, err := readPlugin(filepath.Join(s.Dir, name))
	now := seen{sha256: digest(wasm)}
	if info != nil {
		now.size, now.at = info.Size(), info.ModTime()
	}
	s.seen[name] = now
	if known && was.sha256 == now.sha256 {
		return
	}
	if !known {
		s.revive(ctx, name, now.sha256)
	}
	if err != nil {
		s.Host.Refuse(name, fmt.Errorf("it can not be read: %w", err))
		return
	}
	_ = s.Host.Load(ctx, name, wasm) // the host lists the reason, and has logged it
}

// gone retires the plugin of a file that is not there any more.
func (s *Service) gone(ctx context.Context, name string) {
	delete(s.seen, name)
	if err := s.Host.Remove(ctx, name); err != nil {
		s.Log.Error("a plugin whose file is gone could not be retired", zap.String("file", name), zap.Error(err))
	}
}

// readPlugin reads a regular file; a pipe could keep the scan waiting for ever.
func readPlugin(path string) ([]byte, error) {
	info, err := os.Stat(path)
	if err != nil {
		return nil, err
	}
	if !info.Mode().IsRegular() {
		return nil, errors.New("it is not a regular file")
	}
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer func() { _ = f.Close() }() // only read
	wasm := make([]byte, min(info.Size(), maxFile))
	n, err := f.ReadAt(wasm, 0)
	if err != nil && n < len(wasm) {
		return nil, fmt.Errorf("it is being written: %w", err)
	}
	return slices.Clip(wasm[:n]), nil
}

// digest is how a file's content is named, in lists and logs too.
func digest(wasm []byte) string {
	sum := sha256.Sum256(wasm)
	return hex.EncodeToString(sum[:])
}
