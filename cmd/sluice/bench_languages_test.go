package main

import (
	"context"
	_ "embed" // for the native benchmark
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/sluicehq/sluice/kernel/plugin"
	"github.com/sluicehq/sluice/plugins/links/linkstest"
	"github.com/sluicehq/sluice/sdk/wire"
)

// twin is the name of the plugins that are compared: the projects of `sluice plugin new`, which do the same in each language.
const twin = "twin"

// language builds the project of a kind.
type language struct {
	name, tool string // tool is what must be installed
	build      string // in the project's folder, makes twin.wasm
}

var languages = []language{
	{"go", "go", "GOOS=wasip1 GOARCH=wasm GOPROXY=off go build -buildmode=c-shared -ldflags='-s -w' -o twin.wasm ."},
	{"rust", "cargo", "cargo build --quiet --offline --release --target wasm32-unknown-unknown && cp target/wasm32-unknown-unknown/release/plugin.wasm twin.wasm"},
	{"assemblyscript", "npm", "npm install --silent && npm run --silent build"},
}

// project makes and builds the project of a kind, and returns its folder. Debian's own tools go before others that the
// machine may have.
func (l language) project(b *testing.B, kind string) (dir string, wasm []byte) {
	b.Helper()
	dir = filepath.Join(b.TempDir(), twin)
	sh(b, ".", fmt.Sprintf("%s plugin new %s --kind %s --lang %s --dir %s", binary, twin, kind, l.name, dir))
	if _, err := exec.LookPath(l.tool); err != nil {
		b.Fatalf("%s is not installed, `make deps` does that: %v", l.tool, err)
	}
	sh(b, dir, l.build)
	return dir, read(b, filepath.Join(dir, twin+".wasm"))
}

// surge is examples/surge, the plugin in C.
func surge(b *testing.B) []byte {
	b.Helper()
	if _, err := exec.LookPath("clang-19"); err != nil {
		b.Fatalf("clang-19 is not installed, `make deps` does that: %v", err)
	}
	file := filepath.Join(b.TempDir(), "surge.wasm")
	sh(b, "../../examples/surge", "clang-19 --target=wasm32 -O2 -ffreestanding -nostdlib -mbulk-memory -Wl,--no-entry -o "+file+" surge.c")
	return read(b, file)
}

// sh runs commands and returns what they print.
func sh(b *testing.B, dir, commands string) string {
	b.Helper()
	cmd := exec.CommandContext(b.Context(), "sh", "-e", "-c", commands)
	cmd.Dir, cmd.Env = dir, append(os.Environ(), "CGO_ENABLED=0", "PATH=/usr/bin:"+os.Getenv("PATH"))
	out, err := cmd.CombinedOutput()
	if err != nil {
		b.Fatalf("%s: %v\n%s", commands, err, out)
	}
	return string(out)
}

func read(b *testing.B, file string) []byte {
	b.Helper()
	content, err := os.ReadFile(file)
	if err != nil {
		b.Fatal(err)
	}
	return content
}

// BenchmarkPluginMemory is what one plugin adds to the resident memory of a server: a format in each language. The median
// of five starts with the plugin is compared with that of five without one.
func BenchmarkPluginMemory(b *testing.B) {
	plugins := map[string][]byte{"none": nil, "c": surge(b)}
	for _, l := range languages {
		_, plugins[l.name] = l.project(b, wire.KindFormat)
	}
	for b.Loop() {
		bare := residentWith(b, nil)
		b.ReportMetric(bare, "MB-without")
		for name, wasm := range plugins {
			b.ReportMetric(residentWith(b, wasm)-bare, "MB-"+name)
		}
	}
}

// residentWith is the resident memory, in MB, of a server that has just started with the plugin, nil = with none.
func residentWith(b *testing.B, wasm []byte) float64 {
	b.Helper()
	i := install(b, 0)
	if wasm != nil {
		folder := filepath.Join(i.dir, "plugins")
		if err := os.Mkdir(folder, 0o700); err != nil {
			b.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(folder, "x.wasm"), wasm, 0o600); err != nil {
			b.Fatal(err)
		}
	}
	i.start(b).kill() // the first start compiles the plugins
	var held [5]float64
	for n := range held {
		p := i.start(b)
		held[n] = p.rss(b)
		p.kill()
	}
	slices.Sort(held[:])
	return held[len(held)/2]
}

// BenchmarkLanguages is a call of each kind to the same plugin in each language through the host, as a file of a third
// party, next to the same Go code run natively: ten names, a boundary, a table of ten endpoints, an event that is logged.
// The plugin in C has a format of its own.
func BenchmarkLanguages(b *testing.B) {
	table := []string{fmt.Sprintf("%-24s %10s %10s", "a call, µs", "median", "× native")}
	for b.Loop() {
		for _, kind := range []string{wire.KindUsername, wire.KindPeriod, wire.KindFormat, wire.KindEvent} {
			native := 0.0
			var calls []languageCall
			for _, l := range languages {
				dir, wasm := l.project(b, kind)
				if l.name == "go" {
					native = runNative(b, dir, kind)
				}
				calls = append(calls, languageCall{l.name, call(b, wasm, kind, twin)})
			}
			if kind == wire.KindFormat {
				calls = append(calls, languageCall{"c", call(b, surge(b), kind, "surge")})
			}
			for i, took := range interleavedMedians(calls) {
				b.ReportMetric(took/native, fmt.Sprintf("ratio-%s-%s/native", kind, calls[i].language))
				table = append(table, fmt.Sprintf("%-24s %10.2f %10.1f", kind+" "+calls[i].language, took/1000, took/native))
			}
		}
	}
	b.ReportMetric(0, "ns/op")
	fmt.Println("\n" + strings.Join(table, "\n")) // of what a benchmark logs, ten lines are kept
}

// languageCall is one call to a plugin in a language.
type languageCall struct {
	language string
	call     func()
}

// interleavedMedians makes the calls in turns and returns the median of each, in ns.
func interleavedMedians(calls []languageCall) []float64 {
	const rounds, batch = 41, 100
	medians := make([]float64, len(calls))
	took := make([][]time.Duration, len(calls))
	for range rounds {
		for i, c := range calls {
			began := time.Now()
			for range batch {
				c.call()
			}
			took[i] = append(took[i], time.Since(began)/batch)
		}
	}
	for i := range took {
		slices.Sort(took[i])
		medians[i] = float64(took[i][rounds/2].Nanoseconds())
	}
	return medians
}

// typicalRequest is what an installation asks an item of a kind, encoded.
func typicalRequest(kind, id string) (op wire.Op, r any, encoded []byte) {
	const now, day = 1_790_000_000_000, 86_400_000
	switch kind {
	case wire.KindUsername:
		r := &wire.UsernameRequest{ID: id, Now: now, Base: "alice", Start: 1, Count: 10}
		return wire.OpUsername, r, r.Append(nil)
	case wire.KindPeriod:
		r := &wire.PeriodRequest{ID: id, Now: now, Anchor: now - 400*day, Transitions: []wire.Transition{{At: 0}}}
		return wire.OpPeriod, r, r.Append(nil)
	case wire.KindFormat:
		r := linkstest.Sample(id)
		return wire.OpFormat, r, r.Append(nil)
	}
	e := &wire.EventRequest{ID: id, Now: now, Time: now, Type: "user.created", EventID: 7, Payload: `{"user":{"id":7,"username":"alice","status":"active"}}`}
	return wire.OpEvent, e, e.Append(nil)
}

// call loads a plugin into a host of its own and returns the typical call to its item.
func call(b *testing.B, wasm []byte, kind, id string) func() {
	b.Helper()
	ctx := context.Background()
	host, err := plugin.Open(ctx, plugin.Options{})
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { _ = host.Close(ctx) })
	if err := host.Load(ctx, "x.wasm", wasm); err != nil {
		b.Fatal(err)
	}
	_, request, _ := typicalRequest(kind, id)
	return func() {
		var err error
		switch r := request.(type) {
		case *wire.UsernameRequest:
			_, err = host.Usernames(ctx, r)
		case *wire.PeriodRequest:
			_, err = host.Period(ctx, r)
		case *wire.FormatRequest:
			_, err = host.Render(ctx, r)
		case *wire.EventRequest:
			err = host.Event(ctx, r)
		}
		if err != nil {
			b.Fatal(err)
		}
	}
}

// nativeBench is put into a project in Go as a benchmark.
//
//go:embed testdata/native_bench.txt
var nativeBench []byte

// runNative is the time of the typical call to a project in Go that is not compiled to wasm, in ns: the least of three.
func runNative(b *testing.B, dir, kind string) float64 {
	b.Helper()
	op, _, request := typicalRequest(kind, twin)
	for name, content := range map[string][]byte{"native_test.go": nativeBench, "request.bin": request} {
		if err := os.WriteFile(filepath.Join(dir, name), content, 0o600); err != nil {
			b.Fatal(err)
		}
	}
	out := sh(b, dir, fmt.Sprintf("OP=%d GOPROXY=off go test -run '^$' -bench Native -benchtime 200ms -count 3 .", op))
	least := 0.0
	for line := range strings.Lines(out) {
		fields := strings.Fields(line)
		if len(fields) < 4 || fields[3] != "ns/op" {
			continue
		}
		ns, err := strconv.ParseFloat(fields[2], 64)
		if err != nil {
			b.Fatal(err)
		}
		if least == 0 || ns < least {
			least = ns
		}
	}
	if least == 0 {
		b.Fatalf("no number in %s", out)
	}
	return least
}
