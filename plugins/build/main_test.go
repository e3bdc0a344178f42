package main

import (
	"bytes"
	"compress/gzip"
	"io"
	"os"
	"path/filepath"
	"testing"
)

// TestEmbeddedBuildIsCurrent fails when the source has changed and the embedded build has not.
func TestEmbeddedBuildIsCurrent(t *testing.T) {
	t.Chdir("../..")
	if err := run(true); err != nil {
		t.Error(err)
	}
}

func TestCompareTellsOtherBytes(t *testing.T) {
	t.Chdir("../..")
	want := "plugins/builtin.wasm.gz is not what the source gives; run go run ./plugins/build and commit it"
	if err := compare([]byte("\x00asm")); err == nil || err.Error() != want {
		t.Errorf("got %v, want %s", err, want)
	}
}

func TestCompareRefusesADamagedFile(t *testing.T) {
	t.Chdir(t.TempDir())
	if err := compare(nil); err == nil {
		t.Error("a missing file is accepted")
	}
	if err := os.MkdirAll(filepath.Dir(target), 0o755); err != nil {
		t.Fatal(err)
	}
	packed, err := compress([]byte("wasm"))
	if err != nil {
		t.Fatal(err)
	}
	for _, damaged := range [][]byte{nil, []byte("not gzip"), packed[:len(packed)-4]} {
		if err := os.WriteFile(target, damaged, 0o644); err != nil {
			t.Fatal(err)
		}
		if err := compare([]byte("wasm")); err == nil {
			t.Errorf("%q is accepted", damaged)
		}
	}
}

func TestCompressIsReproducible(t *testing.T) {
	wasm := bytes.Repeat([]byte("sluice"), 1000)
	first, err := compress(wasm)
	if err != nil {
		t.Fatal(err)
	}
	second, err := compress(wasm)
	if err != nil || !bytes.Equal(first, second) {
		t.Errorf("two runs differ, %v", err)
	}
	r, err := gzip.NewReader(bytes.NewReader(first))
	if err != nil {
		t.Fatal(err)
	}
	if back, err := io.ReadAll(r); err != nil || !bytes.Equal(back, wasm) {
		t.Errorf("got %d bytes back, %v", len(back), err)
	}
	if !r.ModTime.IsZero() || r.Name != "" {
		t.Errorf("the file names a time (%s) or a name (%s)", r.ModTime, r.Name)
	}
}
