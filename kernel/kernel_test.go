package kernel

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"go.uber.org/zap"
	"go.uber.org/zap/zaptest/observer"

	"github.com/sluicehq/sluice/kernel/directory"
	"github.com/sluicehq/sluice/kernel/domain"
	"github.com/sluicehq/sluice/kernel/plugin"
	"github.com/sluicehq/sluice/storage"
)

// startKernel starts a kernel on d and stops it when the test ends.
func startKernel(t *testing.T, d DataDir, log *zap.Logger) *Kernel {
	t.Helper()
	lock := acquire(t, d)
	k, err := Start(t.Context(), Options{Dir: d, Log: log})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := k.Stop(context.WithoutCancel(t.Context())); err != nil {
			t.Error(err)
		}
		if err := lock.Release(); err != nil {
			t.Error(err)
		}
	})
	return k
}

// A plugin that can not be used is refused with a reason, and everything else runs.
func TestStartWithABrokenPlugin(t *testing.T) {
	d := dataDir(t)
	if err := d.create(); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(d.Plugins(), "bad.wasm"), []byte("no wasm"), 0o600); err != nil {
		t.Fatal(err)
	}
	k := startKernel(t, d, nil)
	h := k.Health(t.Context())
	if h.Database != nil || h.Core != nil || len(h.Inbounds) != 0 || h.Readiness() != Degraded || k.OnlineUsers() != 0 {
		t.Errorf("health %+v, %d users online", h, k.OnlineUsers())
	}
	if len(h.Plugins) != 2 || !h.Plugins[0].Builtin || h.Plugins[0].State != plugin.StateLoaded {
		t.Fatalf("plugins %+v", h.Plugins)
	}
	if bad := h.Plugins[1]; bad.File != "bad.wasm" || bad.State != plugin.StateRefused || bad.Reason == "" {
		t.Errorf("the broken plugin: %+v", bad)
	}
}

// A core that does not start is logged and seen in the health; the rest runs, so that it can be repaired.
func TestStartWithABrokenCoreConfiguration(t *testing.T) {
	d := dataDir(t)
	lock := acquire(t, d)
	k, err := Open(t.Context(), Options{Dir: d})
	if err != nil {
		t.Fatal(err)
	}
	if k.Core != nil || k.Plugins != nil || k.Subscriptions != nil {
		t.Errorf("Open starts parts: %+v", k)
	}
	err = k.db.Write(t.Context(), func(tx *storage.Tx) error {
		owner := domain.Admin{Username: "owner"}
		if err := tx.InsertAdmin(t.Context(), &owner); err != nil {
			return err
		}
		alice := domain.User{Username: "alice", SubID: "s", Enabled: true, AdminID: owner.ID}
		if err := tx.InsertUser(t.Context(), &alice, nil); err != nil {
			return err
		}
		_, err := tx.SaveCoreConfig(t.Context(), `{"outbounds":[{"protocol":"gopher"}]}`)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	if err := k.Stop(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := lock.Release(); err != nil {
		t.Fatal(err)
	}

	observed, logs := observer.New(zap.ErrorLevel)
	k = startKernel(t, d, zap.New(observed))
	h := k.Health(t.Context())
	if h.Core == nil || h.Database != nil || h.Readiness() != Unready {
		t.Errorf("health %+v", h)
	}
	if logs.FilterMessageSnippet("the core does not run").Len() != 1 {
		t.Errorf("logged %+v", logs.All())
	}
	page, err := k.Accounts.Users(t.Context(), directory.Query{Limit: 1}, 1)
	if err != nil || page.Summary.Total != 1 || len(page.Users) != 1 {
		t.Errorf("the use cases know %+v, %v", page, err)
	}
	const good = `{"outbounds":[{"protocol":"freedom"}]}`
	if err := k.Accounts.SetCoreConfig(t.Context(), good); domain.CodeOf(err) != domain.CodeUnavailable {
		t.Errorf("SetCoreConfig: %v", err)
	}
	if got, err := k.Accounts.CoreConfig(t.Context()); err != nil || got != good {
		t.Errorf("the repaired configuration is not kept: %s, %v", got, err)
	}
}

// A start that fails leaves nothing behind: the next one works.
func TestStartFails(t *testing.T) {
	d := dataDir(t)
	if err := d.create(); err != nil {
		t.Fatal(err)
	}
	node := filepath.Join(string(d), "node")
	if err := os.WriteFile(node, []byte("broken"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := Start(t.Context(), Options{Dir: d}); err == nil || !strings.HasPrefix(err.Error(), "read node id: ") {
		t.Fatalf("got %v", err)
	}
	if err := os.Remove(node); err != nil {
		t.Fatal(err)
	}
	if h := startKernel(t, d, nil).Health(t.Context()); h.Readiness() != Ready {
		t.Errorf("health %+v", h)
	}
}

func TestOpenRefuses(t *testing.T) {
	d := dataDir(t)
	if err := d.create(); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(d.Database(), []byte(strings.Repeat("no database ", 100)), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := Open(t.Context(), Options{Dir: d}); err == nil {
		t.Error("a file that is no database is opened")
	}
}
