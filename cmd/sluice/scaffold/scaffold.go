// Package scaffold writes the project that a plugin begins with: sources that build and pass their tests as they are.
//
// The template folder holds real projects named my-plugin: those in Go are packages of this module, compiled and tested
// with it. A project is the shared folder of its language with the folder of its kind over it.
package scaffold

import (
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"github.com/sluicehq/sluice"
	"github.com/sluicehq/sluice/sdk/wire"
)

//go:embed template
var templates embed.FS

// Kinds are what a plugin can provide, Languages what it can be written in.
var (
	Kinds     = []string{wire.KindUsername, wire.KindPeriod, wire.KindFormat, wire.KindEvent}
	Languages = []string{"go", "rust", "assemblyscript"}
)

// placeholder is the name that stands in the templates: of the plugin and of its one item.
const placeholder = "my-plugin"

// namePattern is the manifest's rule for the name of a plugin; its one item has the same.
var namePattern = regexp.MustCompile(`^[a-z0-9][a-z0-9-]{0,63}$`)

// Project is a plugin that is about to be begun.
type Project struct {
	Name string // a-z, 0-9 and -, at most 64
	Kind string // one of Kinds
	Lang string // one of Languages
	Dir  string // where it is written, made if needed; it must be empty
}

// Write makes the project. Nothing that exists is changed: a directory that is not empty is an error.
func (p Project) Write() error {
	switch {
	case !namePattern.MatchString(p.Name):
		return fmt.Errorf("the name %q can not be used: it takes a-z, 0-9 and -, at most 64, and begins with one of the first two", p.Name)
	case !slices.Contains(Kinds, p.Kind):
		return fmt.Errorf("there is no kind %q: it is one of %s", p.Kind, strings.Join(Kinds, ", "))
	case !slices.Contains(Languages, p.Lang):
		return fmt.Errorf("there is no language %q: it is one of %s", p.Lang, strings.Join(Languages, ", "))
	}
	if err := p.claim(); err != nil {
		return err
	}
	for _, part := range []string{"shared", p.Kind} {
		if err := p.copy(templates, path.Join("template", p.Lang, part), "."); err != nil {
			return err
		}
	}
	if p.Lang != "go" {
		return errors.Join(p.copy(sluice.SDK, "sdk/README.md", "sdk/README.md"),
			p.copy(sluice.SDK, "sdk/wire/plugin.proto", "sdk/wire/plugin.proto"))
	}
	return p.carrySDK()
}

// claim makes the directory, or makes sure that there is nothing in it.
func (p Project) claim() error {
	existing, err := os.ReadDir(p.Dir)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return os.MkdirAll(p.Dir, 0o755)
	case err != nil:
		return err
	case len(existing) > 0:
		return fmt.Errorf("the directory %s is not empty", p.Dir)
	}
	return nil
}

// carrySDK gives a project in Go its own copy of the SDK as a module, so that it builds without a network.
func (p Project) carrySDK() error {
	if err := p.copy(sluice.SDK, "sdk", "sluice/sdk"); err != nil {
		return err
	}
	const module = "github.com/sluicehq/sluice"
	for _, f := range []struct{ name, text string }{
		{"sluice/go.mod", "module " + module + "\n\ngo 1.26.0\n"},
		{"go.mod", "module example.com/plugin\n\ngo 1.26.0\n\nrequire " + module + " v0.0.0\n\nreplace " + module + " => ./sluice\n"},
	} {
		if err := p.put(f.name, []byte(f.text)); err != nil {
			return err
		}
	}
	return nil
}

// copy writes a file or a folder of from under the name to. The SDK goes without its tests, which need more than it.
func (p Project) copy(from fs.FS, name, to string) error {
	return fs.WalkDir(from, name, func(at string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		if from == fs.FS(sluice.SDK) && strings.HasSuffix(at, "_test.go") {
			return nil
		}
		text, err := fs.ReadFile(from, at)
		if err != nil {
			return err
		}
		return p.put(path.Join(to, strings.TrimPrefix(at, name)), text)
	})
}

// put writes one file with the plugin's name in it. A pattern of go:embed passes over names that begin with a dot.
func (p Project) put(name string, text []byte) error {
	if name == "gitignore" {
		name = ".gitignore"
	}
	file := filepath.Join(p.Dir, filepath.FromSlash(name))
	if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
		return err
	}
	return os.WriteFile(file, []byte(strings.ReplaceAll(string(text), placeholder, p.Name)), 0o644)
}
