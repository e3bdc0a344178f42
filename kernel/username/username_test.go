package username

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"reflect"
	"sync"
	"testing"
	"time"

	"github.com/sluicehq/sluice/kernel/domain"
	"github.com/sluicehq/sluice/kernel/plugin"
	"github.com/sluicehq/sluice/plugins"
	"github.com/sluicehq/sluice/sdk/wire"
)

// codeDir keeps compiled code and built guests for one run of the tests.
var codeDir string

func TestMain(m *testing.M) {
	var err error
	if codeDir, err = os.MkdirTemp("", "username-test"); err != nil {
		panic(err)
	}
	code := m.Run()
	if err := os.RemoveAll(codeDir); err != nil {
		panic(err)
	}
	os.Exit(code)
}

// open returns a service over the built-in plugin as it is in the binary. A call may take all the time that it needs on
// a busy machine.
func open(t testing.TB, more ...string) (*Service, *plugin.Host) {
	t.Helper()
	return openWithin(t, time.Minute, more...)
}

// openWithin returns a service over the built-in plugin and those that are built from the folders more.
func openWithin(t testing.TB, deadline time.Duration, more ...string) (*Service, *plugin.Host) {
	t.Helper()
	h, err := plugin.Open(t.Context(), plugin.Options{CacheDir: codeDir, Limits: plugin.Limits{
		Init: time.Minute, Call: map[wire.Op]time.Duration{wire.OpUsername: deadline},
	}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := h.Close(context.Background()); err != nil {
			t.Error(err)
		}
	})
	wasm, err := plugins.Bundle()
	if err != nil {
		t.Fatal(err)
	}
	if err := h.LoadBundle(t.Context(), wasm); err != nil {
		t.Fatal(err)
	}
	for _, folder := range more {
		if err := h.Load(t.Context(), filepath.Base(folder)+".wasm", build(t, folder)); err != nil {
			t.Fatal(err)
		}
	}
	return New(h), h
}

var builds sync.Map // func() ([]byte, error) by folder

// build returns the plugin whose source is in folder, built once.
func build(t testing.TB, folder string) []byte {
	t.Helper()
	once, _ := builds.LoadOrStore(folder, sync.OnceValues(func() ([]byte, error) {
		file := filepath.Join(codeDir, filepath.Base(folder)+".wasm")
		cmd := exec.Command("go", "build", "-buildmode=c-shared", "-ldflags=-s -w", "-o", file, folder)
		cmd.Env = append(os.Environ(), "GOOS=wasip1", "GOARCH=wasm", "CGO_ENABLED=0")
		if out, err := cmd.CombinedOutput(); err != nil {
			return nil, fmt.Errorf("%w: %s", err, out)
		}
		return os.ReadFile(file)
	}))
	wasm, err := once.(func() ([]byte, error))()
	if err != nil {
		t.Fatal(err)
	}
	return wasm
}

const (
	guest   = "./testdata/guest"
	example = "../../examples/pronounceable"
)

// users stands for the users there are.
type users struct {
	keys  map[string]bool
	calls int
}

func having(names ...string) *users {
	u := &users{keys: map[string]bool{}}
	for _, name := range names {
		u.keys[domain.NameKey(name)] = true
	}
	return u
}

func (u *users) taken(_ context.Context, names []string) (map[string]bool, error) {
	u.calls++
	found := map[string]bool{}
	for _, name := range names {
		if key := domain.NameKey(name); u.keys[key] {
			found[key] = true
		}
	}
	return found, nil
}

// refused checks that err is a domain error that says exactly this.
func refused(t *testing.T, err error, code domain.Code, sentence string) {
	t.Helper()
	var got *domain.Error
	if !errors.As(err, &got) || got.Code != code || got.Error() != sentence {
		t.Errorf("got %v (%s)\nwant %s (%s)", err, domain.CodeOf(err), sentence, code)
	}
}

func TestList(t *testing.T) {
	s, h := open(t, guest)
	byID := map[string]Strategy{}
	var builtin []string
	for _, strategy := range s.List() {
		byID[strategy.ID] = strategy
		if strategy.Builtin {
			builtin = append(builtin, strategy.ID)
		}
	}
	if want := []string{"append", "random", "sequence"}; !reflect.DeepEqual(builtin, want) {
		t.Errorf("built in are %q, want %q", builtin, want)
	}
	for _, want := range []Strategy{
		{
			ID: "random", Title: "Random", Description: "Five random characters of A-Z and 0-9.",
			Base: "none", Collision: "retry", Plugin: "sluice-builtin", Builtin: true,
		},
		{
			ID: "sequence", Title: "Sequence", Description: "Base and number; a number at the end of the base is counted on.",
			Base: "required", Collision: "skip", Plugin: "sluice-builtin", Builtin: true,
		},
		{
			ID: "seen", Title: "seen", Description: "Shows its request.", Params: []byte(`{"type":"object"}`),
			Base: "optional", Collision: "skip", Plugin: "guest",
		},
	} {
		if got := byID[want.ID]; !reflect.DeepEqual(got, want) {
			t.Errorf("got  %+v\nwant %+v", got, want)
		}
	}
	if err := h.Close(t.Context()); err != nil {
		t.Fatal(err)
	}
	if got := s.List(); got == nil || len(got) != 0 {
		t.Errorf("a closed host lists %#v, want an empty list", got)
	}
}
