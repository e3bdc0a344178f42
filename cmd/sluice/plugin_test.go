package main

import (
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/sluicehq/sluice/kernel/core/coretest"
)

// TestPluginScripts is the work of a plugin's author on the command line: testdata/plugin has one story a file.
func TestPluginScripts(t *testing.T) {
	goCache := goEnv(t, "GOCACHE")
	testscript.Run(t, testscript.Params{
		Dir: filepath.Join("testdata", "plugin"),
		Setup: func(env *testscript.Env) error {
			env.Setenv("PATH", filepath.Dir(binary)+string(filepath.ListSeparator)+env.Getenv("PATH"))
			env.Setenv("GOCACHE", goCache)
			env.Setenv("GOPROXY", "off")
			env.Setenv("XDG_CACHE_HOME", filepath.Join(env.WorkDir, ".cache"))
			return nil
		},
	})
}

func goEnv(t *testing.T, name string) string {
	t.Helper()
	out, err := exec.Command("go", "env", name).Output()
	if err != nil {
		t.Fatal(err)
	}
	return strings.TrimSpace(string(out))
}

// TestPluginRunFormat renders a user of a running server with a format that the server has never seen.
func TestPluginRunFormat(t *testing.T) {
	dir := t.TempDir()
	project := filepath.Join(dir, "table")
	if _, errs, code := command(t, "", "plugin", "new", "table", "--kind", "format", "--dir", project); code != 0 {
		t.Fatal(errs)
	}
	build := exec.Command("go", "build", "-buildmode=c-shared", "-ldflags=-s -w", "-o", "table.wasm", ".")
	build.Dir = project
	build.Env = append(os.Environ(), "GOOS=wasip1", "GOARCH=wasm", "CGO_ENABLED=0", "GOPROXY=off")
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	wasm, data := filepath.Join(project, "table.wasm"), filepath.Join(dir, "data")
	run := []string{"plugin", "run", wasm, "--kind", "format", "--data", data, "--user", "alice@example.com"}
	if _, errs, code := command(t, "", run...); code != 1 || !strings.Contains(errs, "there is no database in "+data) {
		t.Errorf("without data: %d %s", code, errs)
	}
	if _, err := os.Stat(data); err == nil {
		t.Error("a data directory was made")
	}

	s := start(t, data)
	s.login()
	s.panel(http.MethodPost, "/inbounds/add", vlessInbound(coretest.FreePort(t)), nil)
	s.panel(http.MethodPost, "/clients/add", aliceJSON, nil)
	out, errs, code := command(t, "", run...)
	if code != 0 || !strings.Contains(out, "\tvless\t") || strings.Count(out, "\n") != 1 {
		t.Errorf("%d %q %s", code, out, errs)
	}
	if !strings.Contains(errs, "content-type: text/plain; charset=utf-8\n") {
		t.Errorf("around the body: %s", errs)
	}
	if _, errs, code := command(t, "", append(run[:len(run)-1], "nobody")...); code != 1 || !strings.Contains(errs, "not found") {
		t.Errorf("an unknown user: %d %s", code, errs)
	}
}

// sdkReadme returns the blocks of a language in the SDK's README.
func sdkReadme(t *testing.T, language string) []string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("..", "..", "sdk", "README.md"))
	if err != nil {
		t.Fatal(err)
	}
	var blocks []string
	for _, b := range regexp.MustCompile("(?s)```"+language+"\n(.*?)```").FindAllSubmatch(text, -1) {
		blocks = append(blocks, string(b[1]))
	}
	return blocks
}

// shell runs commands as an author would, without a network.
func shell(t *testing.T, dir, commands string) string {
	t.Helper()
	cmd := exec.Command("bash", "-euo", "pipefail", "-c", commands)
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), "PATH="+filepath.Dir(binary)+string(filepath.ListSeparator)+os.Getenv("PATH"), "GOPROXY=off", "CGO_ENABLED=0")
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	return string(out)
}

// TestSDKReadme runs the commands of the SDK's README in the order in which they stand there.
func TestSDKReadme(t *testing.T) {
	out := shell(t, t.TempDir(), strings.Join(sdkReadme(t, "sh"), "\n"))
	for _, want := range []string{
		"vip-names is written", "ok  \texample.com/plugin", "0 failed", "alice-1\nalice-2\nalice-3\n", "\nsigner      ",
	} {
		if !strings.Contains(out, want) {
			t.Errorf("the commands do not print %q:\n%s", want, out)
		}
	}
}

// TestSDKReadmePeriod builds the period of the SDK's README, which stands there without its imports.
func TestSDKReadmePeriod(t *testing.T) {
	dir := t.TempDir()
	shell(t, dir, "sluice plugin new fortnights --kind period && rm fortnights/main_test.go")
	source := "package main\n\nimport (\n\t\"strconv\"\n\t\"strings\"\n\n\t\"github.com/sluicehq/sluice/sdk\"\n)\n\n" +
		sdkReadme(t, "go")[1] + "\nfunc main() {}\n"
	if err := os.WriteFile(filepath.Join(dir, "fortnights", "main.go"), []byte(source), 0o600); err != nil {
		t.Fatal(err)
	}
	out := shell(t, filepath.Join(dir, "fortnights"), `GOOS=wasip1 GOARCH=wasm go build -buildmode=c-shared -o fortnights.wasm .
		sluice plugin check --params '{"hour":4}' fortnights.wasm`)
	if !strings.Contains(out, "PASS  period fortnight: boundaries come in order") {
		t.Errorf("%s", out)
	}
}
