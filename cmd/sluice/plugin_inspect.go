package main

import (
	"cmp"
	"context"
	"fmt"
	"io"
	"strings"

	"github.com/sluicehq/sluice/kernel/plugin"
	"github.com/sluicehq/sluice/sdk/wire"
)

type pluginInspectCmd struct {
	pluginFile
	JSON bool `name:"json" help:"Print everything as JSON."`
}

// inspected is an inspection as a script reads it.
type inspected struct {
	File      string         `json:"file"`
	SHA256    string         `json:"sha256"`
	Size      int            `json:"size"`       // bytes
	Signer    string         `json:"signer"`     // base64, "" = not signed
	MemoryMin int            `json:"memory_min"` // bytes that an instance begins with
	MemoryMax int            `json:"memory_max"` // bytes, 0 = none declared
	Imports   []string       `json:"imports"`
	Exports   []string       `json:"exports"`
	Manifest  *wire.Manifest `json:"manifest"` // null = it could not be read
	Problem   string         `json:"problem"`  // why a server would refuse the file, "" = it would not
}

// Run prints what the file is, also of one that a server would refuse.
func (c *pluginInspectCmd) Run(ctx context.Context, s streams) error {
	wasm, name, err := c.read()
	if err != nil {
		return err
	}
	host, err := plugin.Open(ctx, plugin.Options{CacheDir: codeCache()})
	if err != nil {
		return err
	}
	defer func() { _ = host.Close(context.WithoutCancel(ctx)) }() // no call is under way
	found, err := host.Inspect(name, wasm)
	if err != nil {
		return err
	}
	i := inspected{
		File: found.File, SHA256: found.SHA256, Size: found.Size, Signer: found.Signer, MemoryMin: found.Memory.Min,
		MemoryMax: found.Memory.Max, Imports: append([]string{}, found.Imports...), Exports: append([]string{}, found.Exports...),
		Manifest: found.Manifest, Problem: found.Problem,
	}
	if c.JSON {
		return printJSON(s.out, i)
	}
	return i.print(s.out)
}

// print is for a person: first what matters to whoever is going to trust the file.
func (i *inspected) print(out io.Writer) error {
	var b strings.Builder
	line := func(name, format string, args ...any) {
		fmt.Fprintf(&b, "%-12s"+format+"\n", append([]any{name}, args...)...)
	}
	if m := i.Manifest; m != nil {
		line("plugin", "%s %s", m.Name, m.Version)
		if m.Description != "" {
			line("", "%s", m.Description)
		}
		for _, item := range m.Provides {
			line("provides", "%s %s %s", item.Kind, item.ID, item.Title)
		}
		for _, p := range m.Permissions {
			line("permission", "%s: %s", strings.Join(append([]string{p.Name}, p.Hosts...), " "), p.Reason)
		}
		if len(m.Permissions) == 0 {
			line("permission", "none")
		}
		if len(m.Settings) > 0 {
			line("settings", "%s", m.Settings)
		}
	}
	line("signer", "%s", cmp.Or(i.Signer, "nobody"))
	line("sha256", "%s", i.SHA256)
	line("size", "%d bytes", i.Size)
	if len(i.Exports) > 0 { // else it is no module
		line("memory", "%d KiB to begin with", i.MemoryMin>>10)
		line("imports", "%s", cmp.Or(strings.Join(i.Imports, " "), "none"))
	}
	if i.Problem != "" {
		line("problem", "%s", i.Problem)
	}
	_, err := io.WriteString(out, b.String())
	return err
}
