package install

import (
	"context"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"reflect"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/jonboulle/clockwork"
	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"
	"go.uber.org/zap/zaptest/observer"

	"github.com/sluicehq/sluice/kernel/domain"
	"github.com/sluicehq/sluice/kernel/plugin"
	"github.com/sluicehq/sluice/sdk/wire"
	"github.com/sluicehq/sluice/storage"
)

// guests are what was built once for all tests.
var guests = sync.OnceValues(func() (built struct{ bell, newer, loud, long, names []byte }, err error) {
	dir, err := os.MkdirTemp("", "sluice-install-")
	if err != nil {
		return built, err
	}
	defer func() { _ = os.RemoveAll(dir) }()
	for _, g := range []struct {
		source, flags string
		to            *[]byte
	}{
		{"./testdata/bell", "-s -w", &built.bell},
		{"./testdata/bell", "-s -w -X main.version=2.0.0", &built.newer},
		{"./testdata/bell", "-s -w -X main.needs=volume", &built.loud},
		{"./testdata/bell", "-s -w -X main.needs=length -X main.version=2.0.0", &built.long},
		{"github.com/sluicehq/sluice/examples/pronounceable", "-s -w", &built.names},
	} {
		file := filepath.Join(dir, "guest.wasm")
		build := exec.Command("go", "build", "-buildmode=c-shared", "-ldflags="+g.flags, "-o", file, g.source)
		build.Env = append(os.Environ(), "GOOS=wasip1", "GOARCH=wasm", "CGO_ENABLED=0")
		if out, err := build.CombinedOutput(); err != nil {
			return built, errors.Join(err, errors.New(string(out)))
		}
		if *g.to, err = os.ReadFile(file); err != nil {
			return built, err
		}
	}
	return built, nil
})

// cache keeps compiled plugins for all hosts of these tests.
var cache string

func TestMain(m *testing.M) { os.Exit(run(m)) }

func run(m *testing.M) int {
	dir, err := os.MkdirTemp("", "sluice-install-")
	if err != nil {
		panic(err)
	}
	defer func() { _ = os.RemoveAll(dir) }()
	cache = dir
	return m.Run()
}

// bench is a service over a real database, a real host and a real folder.
type bench struct {
	*Service
	t        *testing.T
	clock    *clockwork.FakeClock
	logs     *observer.ObservedLogs
	told     [][]domain.EventHandler
	cannot   error // what OnHandlers answers
	database string
	last     string
}

func newBench(t *testing.T) *bench {
	t.Helper()
	b := &bench{t: t, database: filepath.Join(t.TempDir(), "x.db"), last: t.TempDir()}
	b.open(t.TempDir())
	return b
}

// open starts everything over what the folder and the database have, as a start of the server does.
func (b *bench) open(dir string) {
	b.t.Helper()
	core, logs := observer.New(zapcore.InfoLevel)
	b.clock, b.logs = clockwork.NewFakeClock(), logs
	db, err := storage.Open(b.t.Context(), storage.Options{DSN: b.database, Log: zap.NewNop(), Clock: b.clock})
	if err != nil {
		b.t.Fatal(err)
	}
	b.Service = New(Options{Dir: dir, Last: b.last, DB: db, Clock: b.clock, Log: zap.New(core), OnHandlers: func(_ context.Context, list []domain.EventHandler) error {
		if b.cannot == nil {
			b.told = append(b.told, list)
		}
		return b.cannot
	}})
	if err := b.Reread(b.t.Context()); err != nil {
		b.t.Fatal(err)
	}
	host, err := plugin.Open(b.t.Context(), plugin.Options{
		Log: zap.New(core), Clock: b.clock, CacheDir: cache, Policy: b.Policy, KV: func(name string) plugin.KV { return db.PluginKV(name) },
	})
	if err != nil {
		b.t.Fatal(err)
	}
	b.Host = host
	s := b.Service
	b.t.Cleanup(func() {
		if err := errors.Join(s.Stop(), host.Close(context.Background()), db.Close()); err != nil {
			b.t.Error(err)
		}
	})
	b.scan(false)
}

func (b *bench) scan(force bool) {
	b.t.Helper()
	if err := b.Scan(b.t.Context(), force); err != nil {
		b.t.Fatal(err)
	}
}

func (b *bench) put(name string, content []byte) {
	b.t.Helper()
	if err := os.WriteFile(filepath.Join(b.Dir, name), content, 0o600); err != nil {
		b.t.Fatal(err)
	}
}

// want compares the plugins, written as "file name version state".
func (b *bench) want(want ...string) {
	b.t.Helper()
	got := []string{}
	for _, p := range b.List() {
		got = append(got, strings.Join([]string{p.File, p.Name, p.Version, string(p.State)}, " "))
	}
	if !reflect.DeepEqual(got, append([]string{}, want...)) {
		b.t.Fatalf("got  %q\nwant %q", got, want)
	}
}

// What decides is the content: the same bytes are not loaded again, others are, whatever size and time say.
func TestScan(t *testing.T) {
	b := newBench(t)
	g, err := guests()
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(b.Dir, "names.wasm")
	old := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	put := func(content []byte, at time.Time) {
		t.Helper()
		b.put("names.wasm", content)
		if err := os.Chtimes(file, at, at); err != nil {
			t.Fatal(err)
		}
	}
	broken := append([]byte{}, g.names...)
	broken[0] = 'X'
	for _, step := range []struct {
		name    string
		content []byte
		at      time.Time
		force   bool
		lines   int // that the host logs
		state   string
	}{
		{"new", g.names, old, false, 1, "loaded"},
		{"nothing", g.names, old, false, 0, "loaded"},
		{"copied over itself", g.names, old.Add(time.Hour), false, 0, "loaded"},
		{"an event about nothing", g.names, old.Add(time.Hour), true, 0, "loaded"},
		{"broken, of the same size and time", broken, old.Add(time.Hour), false, 0, "loaded"},
		{"the same, with an event", broken, old.Add(time.Hour), true, 1, "loaded"},
		{"the same once more", broken, old.Add(time.Hour), true, 0, "loaded"},
		{"repaired", g.names, old.Add(2 * time.Hour), false, 1, "loaded"},
	} {
		put(step.content, step.at)
		b.scan(step.force)
		if n := len(b.logs.TakeAll()); n != step.lines {
			t.Errorf("%s: the host logs %d lines, want %d", step.name, n, step.lines)
		}
		b.want("names.wasm pronounceable 1.0.0 " + step.state)
	}
	if p, err := b.Find("pronounceable"); err != nil || p.Reason != "" {
		t.Errorf("after the repair: %v, %s", err, p.Reason)
	}
	if err := os.Remove(file); err != nil {
		t.Fatal(err)
	}
	b.scan(false)
	b.want()
}

// What is in the folder that is no file, or nobody's business, keeps nothing waiting.
func TestOddFiles(t *testing.T) {
	b := newBench(t)
	if err := errors.Join(
		os.Mkdir(filepath.Join(b.Dir, "folder.wasm"), 0o700),
		syscall.Mkfifo(filepath.Join(b.Dir, "pipe.wasm"), 0o600),
		os.Symlink("nowhere", filepath.Join(b.Dir, "link.wasm")),
	); err != nil {
		t.Fatal(err)
	}
	b.put("empty.wasm", nil)
	b.put(".hidden.wasm", []byte("x"))
	b.put("notes.txt", []byte("x"))
	b.scan(false)
	b.want("empty.wasm   refused", "folder.wasm   refused", "pipe.wasm   refused")
	for _, file := range []string{"folder.wasm", "pipe.wasm"} {
		if p, err := b.Find(file); err != nil || p.Reason != "it can not be read: it is not a regular file" {
			t.Errorf("%s: %v, %s", file, err, p.Reason)
		}
	}
	if err := os.RemoveAll(b.Dir); err != nil {
		t.Fatal(err)
	}
	if err := b.Scan(t.Context(), true); err == nil {
		t.Error("no folder is no error")
	}
	b.want("empty.wasm   refused", "folder.wasm   refused", "pipe.wasm   refused")
}

// What was said is there after a restart, also what was said to a version that is not there any more.
func TestSaidOnce(t *testing.T) {
	b := newBench(t)
	g, err := guests()
	if err != nil {
		t.Fatal(err)
	}
	if _, err := b.Upload(t.Context(), g.bell); err != nil {
		t.Fatal(err)
	}
	b.want("bell.wasm bell 1.0.0 waiting")
	off, on := false, true
	change := func(c Change) {
		t.Helper()
		if _, err := b.Change(t.Context(), "bell", c); err != nil {
			t.Fatal(err)
		}
	}
	change(Change{Grants: []domain.PluginGrant{{Name: wire.PermissionKV}}})
	b.want("bell.wasm bell 1.0.0 loaded")
	change(Change{Enabled: &off})
	b.open(b.Dir)
	b.want("bell.wasm bell 1.0.0 disabled")
	change(Change{Enabled: &on})
	b.want("bell.wasm bell 1.0.0 loaded")
	if _, err := b.Upload(t.Context(), g.newer); err != nil {
		t.Fatal(err)
	}
	p, err := b.Find("bell")
	if err != nil || p.Version != "1.0.0" || p.Waiting == nil || p.Waiting.Version != "2.0.0" {
		t.Fatalf("a new file has what was granted to the old one: %v, %+v", err, p)
	}
	b.open(b.Dir)
	b.want("bell.wasm bell 1.0.0 loaded") // a copy of it: the file is the new one's
	if p, err := b.Find("bell"); err != nil || p.Waiting == nil || p.Waiting.Version != "2.0.0" {
		t.Fatalf("after a restart nothing waits: %v, %+v", err, p)
	}
	change(Change{Grants: []domain.PluginGrant{{Name: wire.PermissionKV}}})
	b.want("bell.wasm bell 2.0.0 loaded")
}

// What served last serves again after a restart, whatever the file has become meanwhile.
func TestLastGood(t *testing.T) {
	b := newBench(t)
	g, err := guests()
	if err != nil {
		t.Fatal(err)
	}
	b.put("names.wasm", g.names)
	b.scan(false)
	b.put("names.wasm", []byte("half a file"))
	b.scan(false)
	for _, when := range []string{"after a restart", "after another"} {
		b.open(b.Dir)
		b.want("names.wasm pronounceable 1.0.0 loaded")
		if p, err := b.Find("pronounceable"); err != nil || !strings.Contains(p.Reason, "it is not a WebAssembly 1 module") {
			t.Errorf("%s: %v, %+v", when, err, p)
		}
	}
	if err := os.Remove(filepath.Join(b.Dir, "names.wasm")); err != nil {
		t.Fatal(err)
	}
	b.scan(false)
	b.want()
	if files, err := os.ReadDir(b.last); err != nil || len(files) != 0 {
		t.Errorf("kept of what is gone: %v, %v", files, err)
	}
	b.put("names.wasm", []byte("half a file"))
	b.open(b.Dir)
	b.want("names.wasm   refused")
}

// What went while nothing ran is gone for good, and so is what a write that was cut off has left.
func TestTidy(t *testing.T) {
	b := newBench(t)
	g, err := guests()
	if err != nil {
		t.Fatal(err)
	}
	b.put("names.wasm", g.names)
	b.scan(false)
	b.put(".upload-123", []byte("half"))
	if err := errors.Join(os.Rename(filepath.Join(b.Dir, "names.wasm"), filepath.Join(b.Dir, "other.wasm")),
		os.WriteFile(filepath.Join(b.last, ".upload-456"), []byte("half"), 0o600)); err != nil {
		t.Fatal(err)
	}
	b.open(b.Dir)
	b.want("other.wasm pronounceable 1.0.0 loaded")
	for dir, want := range map[string]string{b.Dir: "other.wasm", b.last: "other.wasm"} {
		files, err := os.ReadDir(dir)
		if err != nil || len(files) != 1 || files[0].Name() != want {
			t.Errorf("%s has %v, %v", dir, files, err)
		}
	}
}

// Events are written for the handlers that there are when the answer is there.
func TestHandlersAreTold(t *testing.T) {
	b := newBench(t)
	g, err := guests()
	if err != nil {
		t.Fatal(err)
	}
	want := func(when string, n int) {
		t.Helper()
		if len(b.told) == 0 || len(b.told[len(b.told)-1]) != n {
			t.Fatalf("%s: told %v, want %d handlers", when, b.told, n)
		}
	}
	want("at the start", 0)
	if _, err := b.Upload(t.Context(), g.bell); err != nil {
		t.Fatal(err)
	}
	want("while it waits", 0)
	grants := Change{Grants: []domain.PluginGrant{{Name: wire.PermissionKV}}}
	if _, err := b.Change(t.Context(), "bell", grants); err != nil {
		t.Fatal(err)
	}
	want("granted", 1)
	if h := b.told[len(b.told)-1][0]; h.Handler != "bell/ring" || !reflect.DeepEqual(h.Events, []string{"user.created"}) {
		t.Errorf("told %+v", h)
	}
	told := len(b.told)
	b.scan(true)
	if len(b.told) != told {
		t.Error("told again what had not changed")
	}
	b.cannot = errors.New("the disk is full")
	if err := b.Delete(t.Context(), "bell", true); err != nil {
		t.Fatal(err)
	}
	b.cannot = nil
	b.scan(false)
	want("told later", 0)
}

// A plugin that was deleted leaves nothing, unless that is wanted.
func TestDelete(t *testing.T) {
	for _, c := range []struct {
		name string
		keep bool
	}{{"with everything", false}, {"kept for later", true}} {
		t.Run(c.name, func(t *testing.T) {
			b := newBench(t)
			g, err := guests()
			if err != nil {
				t.Fatal(err)
			}
			if _, err := b.Upload(t.Context(), g.bell); err != nil {
				t.Fatal(err)
			}
			if _, err := b.Change(t.Context(), "bell", Change{Grants: []domain.PluginGrant{{Name: wire.PermissionKV}}}); err != nil {
				t.Fatal(err)
			}
			if _, err := b.DB.PluginKV("bell").Set(t.Context(), "last", []byte("x")); err != nil {
				t.Fatal(err)
			}
			if err := b.Delete(t.Context(), "bell", c.keep); err != nil {
				t.Fatal(err)
			}
			b.want()
			_, found, err := b.DB.PluginKV("bell").Get(t.Context(), "last")
			if err != nil || found != c.keep {
				t.Errorf("stored: %v, %v", found, err)
			}
			if granted := len(b.Policy("bell").Grants) > 0; granted != c.keep {
				t.Errorf("granted: %v", granted)
			}
			if _, err := b.Upload(t.Context(), g.bell); err != nil {
				t.Fatal(err)
			}
			b.want("bell.wasm bell 1.0.0 " + map[bool]string{true: "loaded", false: "waiting"}[c.keep])
		})
	}
	b := newBench(t)
	if err := b.Delete(t.Context(), "bell", false); domain.CodeOf(err) != domain.CodeNotFound {
		t.Errorf("nobody: %v", err)
	}
}

// A file that could not be stored is no plugin, and nothing of it is left.
func TestUploadThatCanNotBeStored(t *testing.T) {
	b := newBench(t)
	g, err := guests()
	if err != nil {
		t.Fatal(err)
	}
	if err := os.Mkdir(filepath.Join(b.Dir, "pronounceable.wasm"), 0o700); err != nil { // in the place of the file
		t.Fatal(err)
	}
	if _, err := b.Upload(t.Context(), g.names); domain.CodeOf(err) != domain.CodeUnavailable {
		t.Fatalf("stored over a folder: %v", err)
	}
	files, err := os.ReadDir(b.Dir)
	if err != nil || len(files) != 1 {
		t.Errorf("left in the folder: %v, %v", files, err)
	}
	b.want()
}
