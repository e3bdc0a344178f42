package sdk_test

import (
	"bytes"
	"encoding/binary"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/sluicehq/sluice/sdk/wire"
)

// buildGuest compiles a folder of testdata as an author would.
func buildGuest(t *testing.T, dir string) []byte {
	t.Helper()
	out := filepath.Join(t.TempDir(), "guest.wasm")
	cmd := exec.Command("go", "build", "-buildmode=c-shared", "-ldflags=-s -w", "-o", out, dir)
	cmd.Env = append(os.Environ(), "GOOS=wasip1", "GOARCH=wasm", "CGO_ENABLED=0")
	if text, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, text)
	}
	wasm, err := os.ReadFile(out)
	if err != nil {
		t.Fatal(err)
	}
	return wasm
}

// Sections and kinds of the wasm binary format.
const (
	importSection = 2
	exportSection = 7
	kindFunction  = 0
	kindMemory    = 2
)

// section returns the body of a section of a wasm module.
func section(t *testing.T, wasm []byte, id byte) *bytes.Reader {
	t.Helper()
	r := bytes.NewReader(wasm[8:]) // magic and version
	for {
		kind, err := r.ReadByte()
		if err != nil {
			t.Fatalf("section %d: %v", id, err)
		}
		body := take(t, r)
		if kind == id {
			return bytes.NewReader(body)
		}
	}
}

func number(t *testing.T, r *bytes.Reader) uint64 {
	t.Helper()
	n, err := binary.ReadUvarint(r)
	if err != nil {
		t.Fatal(err)
	}
	return n
}

// take reads a length and so many bytes.
func take(t *testing.T, r *bytes.Reader) []byte {
	t.Helper()
	b := make([]byte, number(t, r))
	if _, err := io.ReadFull(r, b); err != nil {
		t.Fatal(err)
	}
	return b
}

// imports are the functions that a guest asks of sluice. A guest of Go imports nothing but functions.
func imports(t *testing.T, wasm []byte) []string {
	t.Helper()
	names := []string{}
	r := section(t, wasm, importSection)
	for range number(t, r) {
		module, name := string(take(t, r)), string(take(t, r))
		if kind := number(t, r); kind != kindFunction {
			t.Fatalf("%s.%s is of kind %d", module, name, kind)
		}
		number(t, r) // its type
		switch module {
		case "sluice":
			names = append(names, name)
		case "wasi_snapshot_preview1":
		default:
			t.Errorf("imports %s.%s", module, name)
		}
	}
	slices.Sort(names)
	return names
}

func exports(t *testing.T, wasm []byte) []string {
	t.Helper()
	names := []string{}
	r := section(t, wasm, exportSection)
	for range number(t, r) {
		names = append(names, string(take(t, r)))
		if kind := number(t, r); kind != kindFunction && kind != kindMemory {
			t.Errorf("exports %s of kind %d", names[len(names)-1], kind)
		}
		number(t, r) // its index
	}
	slices.Sort(names)
	return names
}

func TestGuestAsksOnlyForWhatItUses(t *testing.T) {
	for _, c := range []struct {
		dir  string
		want []string
	}{
		{"./testdata/plain", []string{}},
		{"./testdata/greedy", []string{"http", "kv_delete", "kv_get", "kv_set", "log"}},
	} {
		t.Run(filepath.Base(c.dir), func(t *testing.T) {
			wasm := buildGuest(t, c.dir)
			if got := imports(t, wasm); !slices.Equal(got, c.want) {
				t.Errorf("imports %q, want %q", got, c.want)
			}
			want := []string{"_initialize", "memory", "sluice_abi", "sluice_alloc", "sluice_call", "sluice_manifest"}
			if got := exports(t, wasm); !slices.Equal(got, want) {
				t.Errorf("exports %q, want %q", got, want)
			}
		})
	}
}

// TestReadme holds the example of README.md to the plugin that TestGuestAsksOnlyForWhatItUses compiles.
func TestReadme(t *testing.T) {
	readme, err := os.ReadFile("README.md")
	if err != nil {
		t.Fatal(err)
	}
	source, err := os.ReadFile("testdata/plain/main.go")
	if err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(string(readme), "```go\n"+string(source)+"```\n") {
		t.Error("README.md does not hold testdata/plain/main.go")
	}
	for _, header := range wire.ReplyHeaders {
		if !strings.Contains(string(readme), "`"+header+"`") {
			t.Errorf("README.md does not name the header %s", header)
		}
	}
}
