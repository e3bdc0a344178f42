package main

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/sluicehq/sluice/kernel/plugin/kit"
)

type pluginCheckCmd struct {
	pluginFile
	kitFlags
	JSON bool `name:"json" help:"Print the report as JSON."`
}

// kitFlags are what a plugin may need before it can be asked anything.
type kitFlags struct {
	Settings string `help:"Settings of the plugin: a JSON object, or @FILE with one." placeholder:"JSON"`
	Params   string `help:"Parameters of its items: a JSON object, or @FILE with one." placeholder:"JSON"`
}

func (f kitFlags) options() (o kit.Options, err error) {
	o.CacheDir = codeCache()
	if o.Settings, err = textOr(f.Settings); err != nil {
		return o, err
	}
	o.Params, err = textOr(f.Params)
	return o, err
}

// Run prints one line for each rule, and what came of them all.
func (c *pluginCheckCmd) Run(ctx context.Context, s streams) error {
	wasm, name, err := c.read()
	if err != nil {
		return err
	}
	o, err := c.options()
	if err != nil {
		return err
	}
	report, err := kit.Check(ctx, name, wasm, o)
	if err != nil {
		return err
	}
	if c.JSON {
		err = printJSON(s.out, report)
	} else {
		_, err = fmt.Fprint(s.out, reportText(&report))
	}
	if err == nil && !report.OK {
		err = errors.New(name + " does not pass")
	}
	return err
}

// reportText has warnings at the end: they do not decide.
func reportText(r *kit.Report) string {
	var decided, warnings strings.Builder
	for _, f := range r.Findings {
		b := &decided
		if f.Verdict == kit.Warn {
			b = &warnings
		}
		fmt.Fprintf(b, "%s  ", f.Verdict)
		if f.Item != "" {
			fmt.Fprintf(b, "%s: ", f.Item)
		}
		b.WriteString(f.Rule)
		if f.Reason != "" {
			fmt.Fprintf(b, ": %s", f.Reason)
		}
		b.WriteByte('\n')
	}
	name := r.Name + " " + r.Version
	if r.Name == "" { // it could not be read
		name = r.File
	}
	return fmt.Sprintf("%s%s%s: %d passed, %d failed, %d warnings\n", &decided, &warnings, name,
		r.Count(kit.Pass), r.Count(kit.Fail), r.Count(kit.Warn))
}
