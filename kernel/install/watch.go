package install

import (
	"context"
	"fmt"
	"runtime/debug"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/fsnotify/fsnotify"
	"go.uber.org/zap"
)

// settle is how long the folder has to be quiet before it is looked at: a file that is being copied changes many times.
// busiest bounds that for a folder that never is.
const (
	settle  = 300 * time.Millisecond
	busiest = 5 * time.Second
)

// watch is the goroutine that follows the folder.
type watch struct {
	watcher *fsnotify.Watcher
	stop    context.CancelFunc
	running sync.WaitGroup
	panics  atomic.Uint64
}

// Watch follows the folder until Stop. It only says when to look: what has changed is decided by what the files hold, so
// that a lost or a doubled event harms nothing; and Scan is called from time to time by others, for file systems that
// tell nothing.
func (s *Service) Watch() error {
	watcher, err := fsnotify.NewWatcher()
	if err != nil {
		return fmt.Errorf("watch the plugin folder: %w", err)
	}
	if err := watcher.Add(s.Dir); err != nil {
		_ = watcher.Close()
		return fmt.Errorf("watch the plugin folder: %w", err)
	}
	ctx, stop := context.WithCancel(context.Background())
	s.watch.watcher, s.watch.stop = watcher, stop
	s.watch.running.Go(func() { s.listen(ctx) })
	return nil
}

// Stop ends Watch and waits for a scan under way.
func (s *Service) Stop() error {
	if s.watch.watcher == nil {
		return nil
	}
	s.watch.stop()
	err := s.watch.watcher.Close()
	s.watch.running.Wait()
	return err
}

// Panics is how many panics were caught since the start. Each is a bug.
func (s *Service) Panics() uint64 { return s.watch.panics.Load() }

// listen scans whenever the folder has become quiet.
func (s *Service) listen(ctx context.Context) {
	var quiet <-chan time.Time // nil = nothing has happened
	var since time.Time        // of the first event that was not looked at
	for {
		select {
		case <-ctx.Done():
			return
		case e, open := <-s.watch.watcher.Events:
			if !open {
				return
			}
			if !strings.HasSuffix(e.Name, suffix) {
				continue
			}
			if quiet == nil {
				since = s.Clock.Now()
			}
			quiet = s.Clock.After(min(settle, max(busiest-s.Clock.Since(since), 0)))
		case err, open := <-s.watch.watcher.Errors: // of lost events, for one
			if !open {
				return
			}
			s.Log.Warn("watching the plugin folder", zap.Error(err))
			quiet = s.Clock.After(settle)
		case <-quiet:
			quiet = nil
			s.look(ctx)
		}
	}
}

func (s *Service) look(ctx context.Context) {
	defer func() {
		if p := recover(); p != nil {
			s.watch.panics.Add(1)
			s.Log.Error("following the plugin folder panicked", zap.Any("panic", p), zap.ByteString("stack", debug.Stack()))
		}
	}()
	if err := s.Scan(ctx, true); err != nil && ctx.Err() == nil {
		s.Log.Error("the plugin folder can not be followed", zap.Error(err))
	}
}
