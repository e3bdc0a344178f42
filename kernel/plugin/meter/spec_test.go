package meter_test

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/tetratelabs/wazero"
	"github.com/tetratelabs/wazero/api"

	"github.com/sluicehq/sluice/kernel/plugin/meter"
)

// script is a test of the WebAssembly specification, as wast2json writes it. The expected values in it are not looked
// at: what counts is that an instrumented module does what the plain one does.
type script struct {
	Commands []command `json:"commands"`
}

type command struct {
	Type     string `json:"type"`
	Line     int    `json:"line"`
	Name     string `json:"name"`
	Filename string `json:"filename"`
	As       string `json:"as"`
	Format   string `json:"module_type"`
	Action   struct {
		Type   string  `json:"type"`
		Module string  `json:"module"`
		Field  string  `json:"field"`
		Args   []value `json:"args"`
	} `json:"action"`
}

type value struct {
	Type  string          `json:"type"`
	Lanes string          `json:"lane_type"`
	Value json.RawMessage `json:"value"`
}

// stack returns the value as wazero takes it.
func (v value) stack(t *testing.T) []uint64 {
	t.Helper()
	var one string
	if json.Unmarshal(v.Value, &one) == nil {
		n, err := strconv.ParseUint(one, 10, 64)
		if err != nil {
			return []uint64{0} // null, nan: any value does, as both sides get it
		}
		return []uint64{n}
	}
	var lanes []string
	if err := json.Unmarshal(v.Value, &lanes); err != nil {
		t.Fatal(err)
	}
	out, width := make([]uint64, 2), 128/len(lanes)
	for i, lane := range lanes {
		n, _ := strconv.ParseUint(lane, 10, 64) // a nan becomes 0
		out[i*width/64] |= n << (i * width % 64)
	}
	return out
}

// world runs one script, instrumented or not.
type world struct {
	runtime wazero.Runtime
	metered bool
	named   map[string]api.Module
	last    api.Module
}

func (w *world) instantiate(wasm []byte, name string) (string, error) {
	if w.metered {
		var err error
		if wasm, err = meter.Instrument(wasm); err != nil {
			return "", err
		}
	}
	m, err := w.runtime.InstantiateWithConfig(context.Background(), wasm, wazero.NewModuleConfig().WithName(name))
	if err != nil {
		return "fails: " + class(err), nil
	}
	w.last = m
	return "instantiated", nil
}

// class is an error without what depends on where code lies.
func class(err error) string {
	line, _, _ := strings.Cut(err.Error(), "\n")
	if i := strings.Index(line, "wasm error: "); i >= 0 {
		return line[i:]
	}
	return "error"
}

func (w *world) invoke(module, field string, args []uint64) string {
	m := w.last
	if module != "" {
		m = w.named[module]
	}
	if m == nil {
		return "no module"
	}
	f := m.ExportedFunction(field)
	if f == nil {
		return "no function"
	}
	results, err := f.Call(context.Background(), args...)
	if err != nil {
		return "fails: " + class(err)
	}
	for i, kind := range f.Definition().ResultTypes() {
		if kind == typeFuncref && results[i] != 0 {
			results[i] = 1 // where the function lies does not matter
		}
	}
	return fmt.Sprint(results)
}

// typeFuncref is the one type that wazero has no name for.
const typeFuncref api.ValueType = 0x70

// TestSpecification runs the specification's own tests, which come with wazero, on plain and on instrumented modules
// side by side: those of WebAssembly 1 and 2, and those of proposals, which the engine has off, so that both refuse them.
func TestSpecification(t *testing.T) {
	out, err := exec.Command("go", "list", "-m", "-f", "{{.Dir}}", "github.com/tetratelabs/wazero").Output()
	if err != nil {
		t.Fatal(err)
	}
	dir := filepath.Join(strings.TrimSpace(string(out)), "internal", "integration_test", "spectest")
	host, err := os.ReadFile(filepath.Join(dir, "testdata", "spectest.wasm"))
	if err != nil {
		t.Fatal(err)
	}
	scripts, err := filepath.Glob(filepath.Join(dir, "*", "testdata", "*.json"))
	if err != nil || len(scripts) < 250 {
		t.Fatalf("%d scripts, %v", len(scripts), err)
	}
	var ran, refused int
	for _, file := range scripts {
		set := filepath.Base(filepath.Dir(filepath.Dir(file)))
		t.Run(set+"/"+strings.TrimSuffix(filepath.Base(file), ".json"), func(t *testing.T) {
			r, n := runScript(t, file, host)
			ran, refused = ran+r, refused+n
		})
	}
	t.Logf("%d steps agree, %d modules are refused", ran, refused)
	if ran < 60_000 || refused > 70 {
		t.Errorf("%d steps ran and %d modules were refused: the test has lost its grip", ran, refused)
	}
}

// scriptRun is a script under way in both worlds.
type scriptRun struct {
	t            *testing.T
	dir          string
	worlds       [2]*world
	wasm         []byte // of the module that commands refer to
	skipping     bool   // until the next module, because this one is refused
	ran, refused int
}

func runScript(t *testing.T, file string, host []byte) (ran, refused int) {
	b, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	var s script
	if err := json.Unmarshal(b, &s); err != nil {
		t.Fatal(err)
	}
	run := &scriptRun{t: t, dir: filepath.Dir(file)}
	for i := range run.worlds {
		w := &world{runtime: newRuntime(t, &ticker{limit: 1 << 60}), metered: i == 1, named: map[string]api.Module{}}
		if _, err := w.runtime.InstantiateWithConfig(context.Background(), host, wazero.NewModuleConfig()); err != nil {
			t.Fatal(err)
		}
		run.worlds[i] = w
	}
	for _, c := range s.Commands {
		var got [2]string
		var done bool
		switch c.Type {
		case "module", "register", "assert_unlinkable", "assert_uninstantiable", "assert_invalid", "assert_malformed":
			got, done = run.module(c)
		case "action", "assert_return", "assert_trap", "assert_exhaustion":
			got, done = run.action(c)
		}
		if !done {
			continue
		}
		run.ran++
		if got[0] != got[1] {
			t.Errorf("line %d, %s %s%s: plain %s, instrumented %s", c.Line, c.Type, c.Action.Field, c.Filename, got[0], got[1])
		}
	}
	return run.ran, run.refused
}

// module instantiates the module of a command. A module that the meter refuses is done only if it is broken anyway.
func (r *scriptRun) module(c command) (got [2]string, done bool) {
	if c.Format == "text" {
		return got, false
	}
	wasm := r.wasm
	if c.Filename != "" {
		var err error
		if wasm, err = os.ReadFile(filepath.Join(r.dir, c.Filename)); err != nil {
			r.t.Fatal(err)
		}
	}
	if c.Type == "module" {
		r.wasm, r.skipping = wasm, false
	}
	if r.skipping {
		return got, false
	}
	for i, w := range r.worlds {
		var refusal error
		got[i], refusal = w.instantiate(wasm, c.As)
		if c.Name != "" {
			w.named[c.Name] = w.last
		}
		if refusal == nil {
			continue
		}
		if got[0] == "instantiated" {
			r.refused, r.skipping = r.refused+1, true
		}
		return got, false
	}
	return got, true
}

func (r *scriptRun) action(c command) (got [2]string, done bool) {
	if r.skipping || c.Action.Type != "invoke" {
		return got, false
	}
	var args []uint64
	for _, a := range c.Action.Args {
		args = append(args, a.stack(r.t)...)
	}
	for i, w := range r.worlds {
		got[i] = w.invoke(c.Action.Module, c.Action.Field, args)
	}
	return got, true
}
