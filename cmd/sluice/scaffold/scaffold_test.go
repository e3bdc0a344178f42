package scaffold

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/sluicehq/sluice/kernel/plugin"
	"github.com/sluicehq/sluice/kernel/plugin/kit"
	"github.com/sluicehq/sluice/sdk/wire"
)

// write makes a project in a directory that is not there yet.
func write(t *testing.T, kind, lang string) string {
	t.Helper()
	p := Project{Name: "a-2nd-try", Kind: kind, Lang: lang, Dir: filepath.Join(t.TempDir(), "projects", "one")}
	if err := p.Write(); err != nil {
		t.Fatal(err)
	}
	return p.Dir
}

// run executes a command in a project, without a network for what would look for one.
func run(t *testing.T, dir, command string, env ...string) {
	t.Helper()
	cmd := exec.Command("sh", "-ec", command)
	cmd.Dir = dir
	cmd.Env = append(append(os.Environ(), "GOPROXY=off", "GOFLAGS=", "GOWORK=off", "CGO_ENABLED=0"), env...)
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%s: %v\n%s", command, err, out)
	}
}

// commands are those of the project's README up to the first of sluice itself.
func commands(t *testing.T, dir string) string {
	t.Helper()
	readme, err := os.ReadFile(filepath.Join(dir, "README.md"))
	if err != nil {
		t.Fatal(err)
	}
	_, block, _ := strings.Cut(string(readme), "```sh\n")
	block, _, ok := strings.Cut(block, "sluice plugin check a-2nd-try.wasm\n")
	if !ok {
		t.Fatalf("the README does not say how to check the plugin:\n%s", readme)
	}
	return block
}

// conforms holds the project's plugin against the kit.
func conforms(t *testing.T, dir, kind string) {
	t.Helper()
	wasm, err := os.ReadFile(filepath.Join(dir, "a-2nd-try.wasm"))
	if err != nil {
		t.Fatal(err)
	}
	limits := plugin.Limits{Init: time.Minute, Call: map[wire.Op]time.Duration{}} // for a busy machine
	for _, op := range []wire.Op{wire.OpUsername, wire.OpPeriod, wire.OpFormat, wire.OpEvent} {
		limits.Call[op] = time.Minute
	}
	report, err := kit.Check(context.Background(), "a-2nd-try.wasm", wasm, kit.Options{Limits: limits})
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range report.Findings {
		if f.Verdict != kit.Pass {
			t.Errorf("%+v", f)
		}
	}
	if report.Name != "a-2nd-try" || !slices.ContainsFunc(report.Findings, func(f kit.Finding) bool { return f.Item == kind+" a-2nd-try" }) {
		t.Errorf("it is not the plugin that was asked for: %+v", report)
	}
}

func TestGo(t *testing.T) {
	for _, kind := range Kinds {
		t.Run(kind, func(t *testing.T) {
			dir := write(t, kind, "go")
			run(t, dir, commands(t, dir))
			conforms(t, dir, kind)
			for _, tests := range []string{"sluice/sdk/*_test.go", "sluice/sdk/wire/*_test.go"} {
				if found, _ := filepath.Glob(filepath.Join(dir, tests)); len(found) > 0 {
					t.Errorf("the project carries %q", found)
				}
			}
		})
	}
}

func TestNothingIsLeftOfThePlaceholder(t *testing.T) {
	for _, lang := range Languages {
		for _, kind := range Kinds {
			dir := write(t, kind, lang)
			err := filepath.WalkDir(dir, func(path string, entry os.DirEntry, err error) error {
				if err != nil || entry.IsDir() {
					return err
				}
				text, err := os.ReadFile(path)
				if strings.Contains(string(text), placeholder) {
					t.Errorf("%s %s: %s has the placeholder", lang, kind, path)
				}
				return err
			})
			if err != nil {
				t.Fatal(err)
			}
			sdk := "sdk"
			if lang == "go" {
				sdk = "sluice/sdk"
			}
			for _, file := range []string{"README.md", ".gitignore", sdk + "/README.md", sdk + "/wire/plugin.proto"} {
				if _, err := os.Stat(filepath.Join(dir, file)); err != nil {
					t.Errorf("%s %s: %v", lang, kind, err)
				}
			}
		}
	}
}

func TestRefusals(t *testing.T) {
	full := t.TempDir()
	if err := os.WriteFile(filepath.Join(full, "thesis.txt"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	good := Project{Name: "p", Kind: "period", Lang: "go", Dir: t.TempDir()}
	for _, c := range []struct {
		name   string
		change func(*Project)
		want   string
	}{
		{"no name", func(p *Project) { p.Name = "" }, `the name "" can not be used`},
		{"upper case", func(p *Project) { p.Name = "VIP" }, "a-z, 0-9 and -"},
		{"a path", func(p *Project) { p.Name = "../x" }, "a-z, 0-9 and -"},
		{"too long", func(p *Project) { p.Name = strings.Repeat("x", 65) }, "at most 64"},
		{"a dash in front", func(p *Project) { p.Name = "-x" }, "begins with"},
		{"an unknown kind", func(p *Project) { p.Kind = "route" }, `there is no kind "route": it is one of username, period, format, event`},
		{"an unknown language", func(p *Project) { p.Lang = "cobol" }, `there is no language "cobol": it is one of go, rust, assemblyscript`},
		{"a directory with something in it", func(p *Project) { p.Dir = full }, "is not empty"},
		{"a file", func(p *Project) { p.Dir = filepath.Join(full, "thesis.txt") }, "not a directory"},
	} {
		t.Run(c.name, func(t *testing.T) {
			p := good
			c.change(&p)
			if err := p.Write(); err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("got %v, want ...%s...", err, c.want)
			}
			if found, _ := os.ReadDir(good.Dir); len(found) > 0 {
				t.Errorf("something was written: %v", found)
			}
		})
	}
	if err := good.Write(); err != nil {
		t.Errorf("an empty directory is no good: %v", err)
	}
}
