package plugin

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"
	"go.uber.org/zap/zaptest/observer"

	w "github.com/sluicehq/sluice/kernel/plugin/internal/wasmtest"
	"github.com/sluicehq/sluice/sdk/wire"
)

var background = context.Background()

// openHost opens a host that is closed with the test, and returns what it logs.
func openHost(t testing.TB, o Options) (*Host, *observer.ObservedLogs) {
	t.Helper()
	core, logs := observer.New(zapcore.DebugLevel)
	o.Log = zap.New(core)
	o.Limits = o.Limits.patient()
	if o.CacheDir == "" {
		o.CacheDir = codeDir // compiling a guest of Go takes most of a second
	}
	h, err := Open(background, o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := h.Close(background); err != nil {
			t.Error(err)
		}
		if n := h.Panics(); n != 0 {
			t.Errorf("%d panics in the host: %v", n, logs.FilterMessage("panic").All())
		}
	})
	return h, logs
}

// patient gives the guests of a test that set no limit themselves all the time they need on a busy machine.
func (l Limits) patient() Limits {
	if l.Init == 0 {
		l.Init = time.Minute
	}
	calls := map[wire.Op]time.Duration{}
	for _, op := range []wire.Op{wire.OpUsername, wire.OpPeriod, wire.OpFormat, wire.OpPrepare, wire.OpConfigure, wire.OpEvent} {
		calls[op] = time.Minute
	}
	maps.Copy(calls, l.Call)
	l.Call = calls
	return l
}

func load(t testing.TB, h *Host, file string, wasm []byte) {
	t.Helper()
	if err := h.Load(background, file, wasm); err != nil {
		t.Fatal(err)
	}
}

// Where a hand-made guest keeps things in its memory.
const (
	atError    = 16
	atNever    = 64
	atFormat   = 80
	atManifest = 1024
	atInput    = 16 << 10
	inputSize  = 32 << 10
)

// guest describes a hand-made plugin. Its period good always works, its format good too; its username evil does as
// told.
type guest struct {
	manifest   string   // "" = one that provides the three
	abi        int32    // 0 = ours
	pages      uint32   // of memory; 0 = 1
	evil       [][]byte // leaves the packed reply as an i64; nil = replies nothing
	start      [][]byte // the start function; nil = none
	init       [][]byte // _initialize; nil = none
	describe   [][]byte // sluice_manifest instead of what manifest says
	alloc      [][]byte // sluice_alloc instead of one buffer of inputSize bytes
	period     []byte   // the packed reply of the period instead of "never"
	format     []byte   // the packed reply of the format instead of a good one
	unknown    [][]byte // what happens for an unknown op, instead of the error
	errorReply string   // the error for an unknown op instead of its protobuf form
	imports    func(m *w.Module)
	last       func(m *w.Module) // changes the module at the end
}

var (
	void     = w.Signature{}
	i32ToI32 = w.Signature{Params: []byte{w.I32}, Results: []byte{w.I32}}
	toI32    = w.Signature{Results: []byte{w.I32}}
	toI64    = w.Signature{Results: []byte{w.I64}}
	callSig  = w.Signature{Params: []byte{w.I32, w.I32}, Results: []byte{w.I64}}
	hostSig  = w.Signature{Params: []byte{w.I32, w.I32, w.I32, w.I32}, Results: []byte{w.I32}}
	logSig   = w.Signature{Params: []byte{w.I32, w.I32, w.I32}}
)

func manifestOf(name string, items ...string) string {
	return fmt.Sprintf(`{"abi":1,"name":%q,"version":"1.0.0","provides":[%s]}`, name, strings.Join(items, ","))
}

func items(id string) []string {
	return []string{
		`{"kind":"username","id":"evil"}`, `{"kind":"period","id":"` + id + `"}`,
		`{"kind":"format","id":"` + id + `","content_type":"text/x-test"}`,
	}
}

func packed(ptr, size uint32, failed bool) []byte {
	return w.Const64(int64(wire.Pack(ptr, size, failed)))
}

// when runs code and leaves the function if parameter 0 is op.
func when(op wire.Op, code ...[]byte) []byte {
	return append(append(w.Get(0), w.Const(int32(op))...), append(w.Equal, w.If(append(code, w.Return)...)...)...)
}

func (g guest) wasm() []byte {
	m := &w.Module{Memory: &w.Limits{Min: max(g.pages, 1)}}
	if g.imports != nil {
		g.imports(m)
	}
	def := func(custom [][]byte, usual ...[]byte) [][]byte {
		if custom != nil {
			return custom
		}
		return usual
	}
	if g.manifest == "" {
		g.manifest = manifestOf("hand-made", items("good")...)
	}
	if g.abi == 0 {
		g.abi = wire.Version
	}
	never := wire.PeriodReply{Never: true}
	format := wire.FormatReply{Body: []byte("good"), Filename: "good.txt", Headers: []wire.Pair{{Name: "Announce", Value: "hi"}}}
	unimplemented := wire.Error{Code: wire.CodeUnimplemented, Message: "what?"}
	put := func(at uint32, b []byte) []byte { m.Data(at, string(b)); return packed(at, uint32(len(b)), false) }
	failure := unimplemented.Append(nil)
	if g.errorReply != "" {
		failure = []byte(g.errorReply)
	}
	m.Data(atError, string(failure))
	m.Data(atManifest, g.manifest)
	good, body := put(atNever, never.Append(nil)), put(atFormat, format.Append(nil))
	if g.period != nil {
		good = g.period
	}
	if g.format != nil {
		body = g.format
	}

	m.Export(wire.ExportABI, m.Func(toI32, 0, w.Const(g.abi)))
	m.Export(wire.ExportManifest, m.Func(toI64, 1, def(g.describe, packed(atManifest, uint32(len(g.manifest)), false))...))
	m.Export(wire.ExportAlloc, m.Func(i32ToI32, 0, def(g.alloc, w.Get(0), w.Const(inputSize+1), w.LessU,
		w.If(w.Const(atInput), w.Return), w.Const(0))...))
	ops := [][]byte{when(wire.OpPeriod, good), when(wire.OpFormat, body), when(wire.OpUsername, def(g.evil, w.Const64(0))...)}
	m.Export(wire.ExportCall, m.Func(callSig, 2, append(ops, def(g.unknown, packed(atError, uint32(len(failure)), true))...)...))
	if g.start != nil {
		f := m.Func(void, 0, g.start...)
		m.Start = &f
	}
	if g.init != nil {
		m.Export("_initialize", m.Func(void, 0, g.init...))
	}
	if g.last != nil {
		g.last(m)
	}
	return m.Bytes()
}

// stillWorks checks that the good items of a hand-made plugin answer as they should.
func stillWorks(t *testing.T, h *Host, id string) {
	t.Helper()
	if got, err := h.Period(background, &wire.PeriodRequest{ID: id}); err != nil || !got.Never {
		t.Errorf("the period answers %+v, %v afterwards", got, err)
	}
	if got, err := h.Render(background, &wire.FormatRequest{ID: id}); err != nil || string(got.Body) != "good" {
		t.Errorf("the format answers %q, %v afterwards", got.Body, err)
	}
}

// codeDir keeps compiled code and built guests for one run of the tests.
var codeDir string

func TestMain(m *testing.M) {
	os.Exit(inCodeDir(m.Run))
}

func inCodeDir(run func() int) int {
	var err error
	if codeDir, err = os.MkdirTemp("", "plugin-test"); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	code := run()
	if err := os.RemoveAll(codeDir); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	return code
}

// goGuest returns the guest testdata/guest, which is written with the SDK and built once.
func goGuest(t testing.TB) []byte { return built(t, guestBuild) }

// callerGuest returns the guest testdata/caller, which uses every permission.
func callerGuest(t testing.TB) []byte { return built(t, callerBuild) }

var guestBuild, callerBuild = buildOnce("guest"), buildOnce("caller")

func built(t testing.TB, build func() ([]byte, error)) []byte {
	t.Helper()
	wasm, err := build()
	if err != nil {
		t.Fatal(err)
	}
	return wasm
}

func buildOnce(name string) func() ([]byte, error) {
	return sync.OnceValues(func() ([]byte, error) {
		file := filepath.Join(codeDir, name+".wasm")
		build := exec.Command("go", "build", "-buildmode=c-shared", "-ldflags=-s -w", "-o", file, "./testdata/"+name)
		build.Env = append(os.Environ(), "GOOS=wasip1", "GOARCH=wasm", "CGO_ENABLED=0")
		if out, err := build.CombinedOutput(); err != nil {
			return nil, fmt.Errorf("%w: %s", err, out)
		}
		return os.ReadFile(file)
	})
}

// check compares an error with the sentence and the cause it should have.
func check(t *testing.T, err error, cause error, sentence string) {
	t.Helper()
	switch {
	case err == nil:
		t.Errorf("no error, want %q", sentence)
	case err.Error() != sentence:
		t.Errorf("error\n got %q\nwant %q", err, sentence)
	case cause != nil && !errors.Is(err, cause):
		t.Errorf("%v is not caused by %v but by %v", err, cause, errors.Unwrap(err))
	}
}
