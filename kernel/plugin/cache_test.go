package plugin

import (
	"errors"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"go.uber.org/zap"
)

func TestCacheDir(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "cache")
	for range 2 { // compiled, then read from the disk
		h, _ := openHost(t, Options{CacheDir: dir})
		load(t, h, "x.wasm", guest{}.wasm())
		stillWorks(t, h, "good")
	}
	if files, err := filepath.Glob(filepath.Join(dir, "*", "*")); err != nil || len(files) == 0 {
		t.Errorf("nothing is kept in the cache directory: %v, %v", files, err)
	}
}

// A cache that is broken, or on a disk that is full, costs time and nothing else; what is broken in it is gone then.
func TestBrokenCache(t *testing.T) {
	cut := func(t *testing.T, dir string) {
		files, err := filepath.Glob(filepath.Join(dir, "wazero-*", "*"))
		if err != nil || len(files) == 0 {
			t.Fatalf("nothing is kept in the cache directory: %v, %v", files, err)
		}
		for _, f := range files {
			if err := os.Truncate(f, 20); err != nil {
				t.Fatal(err)
			}
		}
	}
	folderIsFile := func(t *testing.T, dir string) { // what a test can do like a full disk, also as root
		folders, err := filepath.Glob(filepath.Join(dir, "wazero-*"))
		if err != nil || len(folders) == 0 {
			t.Fatalf("nothing is kept in the cache directory: %v, %v", folders, err)
		}
		for _, folder := range folders {
			if err := errors.Join(os.RemoveAll(folder), os.WriteFile(folder, nil, 0o600)); err != nil {
				t.Fatal(err)
			}
		}
	}
	for _, c := range []struct {
		name         string
		before, with func(t *testing.T, dir string) // Open, and Load
		codes        string                         // that are kept afterwards, by the next host
	}{
		{"whole", nil, nil, "kept"},
		{"with a file that is cut off", cut, nil, "kept"},
		{"that can not be opened", folderIsFile, nil, "not kept"},
		{"that can not be written", nil, folderIsFile, "kept"},
	} {
		t.Run(c.name, func(t *testing.T) {
			dir := filepath.Join(t.TempDir(), "cache")
			fill, _ := openHost(t, Options{CacheDir: dir})
			load(t, fill, "x.wasm", guest{}.wasm())
			if c.before != nil {
				c.before(t, dir)
			}
			h, logs := openHost(t, Options{CacheDir: dir})
			if c.with != nil {
				c.with(t, dir)
			}
			load(t, h, "x.wasm", guest{}.wasm())
			load(t, h, "y.wasm", guest{manifest: manifestOf("b", `{"kind":"format","id":"b"}`)}.wasm())
			stillWorks(t, h, "good")
			want := 1
			if c.before == nil && c.with == nil {
				want = 0
			}
			if n := logs.FilterMessageSnippet("cache of compiled plugins can not be used").Len(); n != want {
				t.Errorf("%d lines in the log", n)
			}
			next, _ := openHost(t, Options{CacheDir: dir})
			load(t, next, "x.wasm", guest{}.wasm())
			stillWorks(t, next, "good")
			files, err := filepath.Glob(filepath.Join(dir, "wazero-*", "*"))
			if kept := len(files) > 0; err != nil || kept != (c.codes == "kept") {
				t.Errorf("the next host keeps %q, %v", files, err)
			}
		})
	}
}

// What was kept first goes first, of every version of the engine.
func TestCacheIsBounded(t *testing.T) {
	dir := t.TempDir()
	h := &Host{o: Options{CacheDir: dir}, log: zap.NewNop()}
	at := time.Unix(1_800_000_000, 0)
	for i, name := range []string{"wazero-v1/a", "wazero-v2/c", "wazero-v1/b", "wazero-v2/d", "last-plugins/x.wasm"} {
		file := filepath.Join(dir, name)
		if err := errors.Join(
			os.MkdirAll(filepath.Dir(file), 0o700), os.WriteFile(file, make([]byte, 100), 0o600), os.Chtimes(file, at, at.Add(time.Duration(i)*time.Hour)),
		); err != nil {
			t.Fatal(err)
		}
	}
	left := func() (names []string) {
		files, err := filepath.Glob(filepath.Join(dir, "*", "*"))
		if err != nil {
			t.Fatal(err)
		}
		for _, f := range files {
			names = append(names, filepath.Base(f))
		}
		return names
	}
	h.trim(400)
	if got := left(); !slices.Equal(got, []string{"x.wasm", "a", "b", "c", "d"}) {
		t.Errorf("within the limit there is %q", got)
	}
	h.trim(299)
	if got := left(); !slices.Equal(got, []string{"x.wasm", "b", "d"}) {
		t.Errorf("after trimming there is %q", got)
	}
}
