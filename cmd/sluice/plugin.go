package main

import (
	"encoding/json"
	"io"
	"os"
	"path/filepath"
)

// pluginCmd are the tools of a plugin's author. None of them needs a server.
type pluginCmd struct {
	New     pluginNewCmd     `cmd:"" help:"Begin a plugin: a project that builds as it is, with a test and a README."`
	Check   pluginCheckCmd   `cmd:"" help:"Hold a plugin against the rules of the ABI and of its kind; exit code 1 if it breaks one."`
	Bench   pluginBenchCmd   `cmd:"" help:"Measure how long a plugin takes to load and to answer."`
	Inspect pluginInspectCmd `cmd:"" help:"Print what a plugin is, what it imports and which permissions it asks for."`
	Run     pluginRunCmd     `cmd:"" help:"Make one call to a plugin and print the answer."`
	Keygen  pluginKeygenCmd  `cmd:"" help:"Make a key to sign plugins with."`
	Sign    pluginSignCmd    `cmd:"" help:"Sign a plugin, so that permissions can be granted to its signer."`
}

// pluginFile is the file that a command is about.
type pluginFile struct {
	File string `arg:"" help:"The .wasm file." placeholder:"FILE.wasm"`
}

// read returns the file's content and its name without a folder.
func (f pluginFile) read() (wasm []byte, name string, err error) {
	wasm, err = os.ReadFile(f.File)
	return wasm, filepath.Base(f.File), err
}

// codeCache is where compiled code is kept between commands: compiling takes most of their time. Without a place for it
// they work too.
func codeCache() string {
	dir, err := os.UserCacheDir()
	if err != nil {
		return ""
	}
	dir = filepath.Join(dir, "sluice", "plugins")
	if os.MkdirAll(dir, 0o700) != nil {
		return ""
	}
	return dir
}

// printJSON prints v for a script.
func printJSON(out io.Writer, v any) error {
	e := json.NewEncoder(out)
	e.SetEscapeHTML(false)
	e.SetIndent("", "  ")
	return e.Encode(v)
}

// textOr reads @FILE, or returns the text itself.
func textOr(value string) (string, error) {
	if len(value) == 0 || value[0] != '@' {
		return value, nil
	}
	text, err := os.ReadFile(value[1:])
	return string(text), err
}
