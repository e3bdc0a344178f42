package accounts_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/jonboulle/clockwork"

	"github.com/sluicehq/sluice/kernel/directory"
	"github.com/sluicehq/sluice/kernel/domain"
	"github.com/sluicehq/sluice/kernel/plugin"
	"github.com/sluicehq/sluice/plugins"
	"github.com/sluicehq/sluice/sdk/wire"
)

// codeDir keeps compiled plugins for all tests: compiling one takes most of a second.
var codeDir string

// builtins is a host with the bundle as it is in the binary, for all tests that load nothing else.
var builtins *plugin.Host

func TestMain(m *testing.M) {
	code, err := runTests(m)
	if err != nil {
		panic(err)
	}
	os.Exit(code)
}

func runTests(m *testing.M) (code int, err error) {
	if codeDir, err = os.MkdirTemp("", "accounts"); err != nil {
		return 0, err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(codeDir)) }()
	if builtins, err = openPlugins(plugin.Options{Limits: patient()}); err != nil {
		return 0, err
	}
	defer func() { err = errors.Join(err, builtins.Close(context.Background())) }()
	return m.Run(), nil
}

// counters stand where the core's stand, in step with the directory as the kernel keeps them. They are fed by hand, so
// that exact bytes can be asked for.
type counters struct {
	mu        sync.Mutex
	moved     map[int64]domain.TrafficDelta
	directory *directory.Directory
	clock     clockwork.Clock
}

func (c *counters) move(user, up, down int64) {
	c.mu.Lock()
	defer c.mu.Unlock()
	d := c.moved[user]
	c.moved[user] = domain.TrafficDelta{UserID: user, Up: d.Up + up, Down: d.Down + down, OnlineAt: c.clock.Now().UnixMilli()}
}

func (c *counters) Moved() (users []domain.TrafficDelta, _ []domain.InboundDelta) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, d := range c.moved {
		users = append(users, d)
	}
	return users, nil
}

func (c *counters) Flushed(users []domain.TrafficDelta, _ []domain.InboundDelta) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, d := range users {
		left := c.moved[d.UserID]
		left.Up, left.Down = left.Up-d.Up, left.Down-d.Down
		c.moved[d.UserID] = left
		if left.Up == 0 && left.Down == 0 {
			delete(c.moved, d.UserID)
		}
	}
	c.directory.Moved(users)
}

func (c *counters) UnflushedInbound(int64) (up, down int64) { return 0, 0 }

func (c *counters) Unflushed(user int64) (up, down int64) {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.moved[user].Up, c.moved[user].Down
}

// openPlugins opens a host with the bundle.
func openPlugins(o plugin.Options) (*plugin.Host, error) {
	o.CacheDir = codeDir
	h, err := plugin.Open(context.Background(), o)
	if err != nil {
		return nil, err
	}
	wasm, err := plugins.Bundle()
	if err != nil {
		return nil, err
	}
	return h, h.LoadBundle(context.Background(), wasm)
}

// patient gives plugins all the time that they may need on a busy machine.
func patient() plugin.Limits {
	return plugin.Limits{Init: time.Minute, Call: map[wire.Op]time.Duration{wire.OpPeriod: time.Minute}}
}

// moodyGuest is the plugin of testdata/moody.
var moodyGuest = sync.OnceValues(func() ([]byte, error) {
	file := filepath.Join(codeDir, "moody.wasm")
	build := exec.Command("go", "build", "-buildmode=c-shared", "-ldflags=-s -w", "-o", file, "./testdata/moody")
	build.Env = append(os.Environ(), "GOOS=wasip1", "GOARCH=wasm", "CGO_ENABLED=0")
	if out, err := build.CombinedOutput(); err != nil {
		return nil, fmt.Errorf("%w: %s", err, out)
	}
	return os.ReadFile(file)
})

// openMoody opens a host with the plugin of testdata/moody too; it sees the clock's time.
func openMoody(t testing.TB, clock clockwork.Clock, limits plugin.Limits) *plugin.Host {
	t.Helper()
	h, err := openPlugins(plugin.Options{Clock: clock, Limits: limits})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := h.Close(context.Background()); err != nil {
			t.Error(err)
		}
	})
	wasm, err := moodyGuest()
	if err != nil {
		t.Fatal(err)
	}
	if err := h.Load(t.Context(), "moody.wasm", wasm); err != nil {
		t.Fatal(err)
	}
	return h
}
