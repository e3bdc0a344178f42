// Command build makes plugins/builtin.wasm.gz, the built-in plugin as it is embedded. The same source gives the same
// bytes on every machine: the toolchain is pinned and nothing of the machine goes in. Run it from the module's root:
//
//	go run ./plugins/build          writes the file
//	go run ./plugins/build -check   fails if the file is not what the source gives
package main

import (
	"bytes"
	"compress/gzip"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
)

const (
	toolchain = "go1.26.8" // a change changes the bytes: rebuild and commit
	source    = "./plugins/builtin"
	target    = "plugins/builtin.wasm.gz"
)

func main() {
	check := flag.Bool("check", false, "compare with the file instead of writing it")
	flag.Parse()
	if err := run(*check); err != nil {
		fmt.Fprintln(os.Stderr, "plugins/build:", err)
		os.Exit(1)
	}
}

func run(check bool) error {
	wasm, err := build()
	if err != nil {
		return err
	}
	if check {
		return compare(wasm)
	}
	packed, err := compress(wasm)
	if err != nil {
		return err
	}
	return os.WriteFile(target, packed, 0o644)
}

// build compiles the plugin with an environment of its own.
func build() ([]byte, error) {
	dir, err := os.MkdirTemp("", "sluice-build-")
	if err != nil {
		return nil, err
	}
	defer func() { _ = os.RemoveAll(dir) }()
	out := filepath.Join(dir, "builtin.wasm")
	cmd := exec.Command("go", "build", "-buildmode=c-shared", "-trimpath", "-buildvcs=false",
		"-ldflags=-s -w -buildid=", "-gcflags=all=-B", "-o", out, source)
	cmd.Env = append(os.Environ(), "GOOS=wasip1", "GOARCH=wasm", "CGO_ENABLED=0", "GOTOOLCHAIN="+toolchain,
		"GOFLAGS=", "GOWASM=", "GOEXPERIMENT=", "GOWORK=off")
	cmd.Stderr = os.Stderr
	if err := cmd.Run(); err != nil {
		return nil, fmt.Errorf("building %s: %w", source, err)
	}
	return os.ReadFile(out)
}

// compress leaves out name and time, which would differ from run to run.
func compress(wasm []byte) ([]byte, error) {
	var packed bytes.Buffer
	w, err := gzip.NewWriterLevel(&packed, gzip.BestCompression)
	if err != nil {
		return nil, err
	}
	if _, err := w.Write(wasm); err != nil {
		return nil, err
	}
	if err := w.Close(); err != nil {
		return nil, err
	}
	return packed.Bytes(), nil
}

// compare looks at the unpacked bytes: another Go version may compress them otherwise.
func compare(wasm []byte) error {
	f, err := os.Open(target)
	if err != nil {
		return err
	}
	defer func() { _ = f.Close() }()
	r, err := gzip.NewReader(f)
	if err != nil {
		return fmt.Errorf("reading %s: %w", target, err)
	}
	committed, err := io.ReadAll(r)
	if err != nil {
		return fmt.Errorf("reading %s: %w", target, err)
	}
	if !bytes.Equal(committed, wasm) {
		return errors.New(target + " is not what the source gives; run go run ./plugins/build and commit it")
	}
	return nil
}
