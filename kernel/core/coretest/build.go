package coretest

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"testing"
)

// module is the core's module; its main package is a full client.
const module = "github.com/xtls/xray-core"

// Binary returns the path of the xray program, of the version that go.mod names. It is built once per version and Go
// release and kept in the user's cache directory.
func Binary(t testing.TB) string {
	t.Helper()
	path, err := build()
	if err != nil {
		t.Fatalf("building the xray client: %v", err)
	}
	return path
}

var build = sync.OnceValues(func() (string, error) {
	version, err := goCommand("list", "-m", "-f", "{{.Version}}", module)
	if err != nil {
		return "", err
	}
	cache, err := os.UserCacheDir()
	if err != nil {
		return "", err
	}
	dir := filepath.Join(cache, "sluice-test", fmt.Sprintf("xray-%s-%s", version, runtime.Version()))
	path := filepath.Join(dir, "xray")
	if _, err := os.Stat(path); err == nil {
		return path, nil
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return "", err
	}
	// Under another name first: several test processes may build it at the same time.
	building := fmt.Sprintf("%s.%d", path, os.Getpid())
	if _, err := goCommand("build", "-o", building, module+"/main"); err != nil {
		return "", err
	}
	return path, os.Rename(building, path)
})

// goCommand runs the go tool in the package's folder, and so with the module's go.mod.
func goCommand(args ...string) (string, error) {
	cmd := exec.Command("go", args...) // with the flags of the test itself: its packages need not be compiled again
	out, err := cmd.Output()
	if e, ok := err.(*exec.ExitError); ok {
		return "", fmt.Errorf("go %s: %w: %s", strings.Join(args, " "), err, e.Stderr)
	}
	return strings.TrimSpace(string(out)), err
}
