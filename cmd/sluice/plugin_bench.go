package main

import (
	"context"
	"fmt"

	"github.com/sluicehq/sluice/kernel/plugin/kit"
)

type pluginBenchCmd struct {
	pluginFile
	kitFlags
	Kind  string `help:"Only items of this kind: username, period, format or event." enum:",username,period,format,event" default:""`
	Calls int    `short:"n" help:"Calls to each item." default:"1000"`
	JSON  bool   `name:"json" help:"Print the numbers as JSON."`
}

// Validate refuses a number of calls of which there is no median.
func (c *pluginBenchCmd) Validate() error {
	if c.Calls < 1 {
		return fmt.Errorf("--calls must be at least 1")
	}
	return nil
}

// Run prints the costs on this machine.
func (c *pluginBenchCmd) Run(ctx context.Context, s streams) error {
	wasm, name, err := c.read()
	if err != nil {
		return err
	}
	o, err := c.options()
	if err != nil {
		return err
	}
	measured, err := kit.Bench(ctx, name, wasm, c.Kind, c.Calls, o)
	if err != nil {
		return err
	}
	if c.JSON {
		return printJSON(s.out, measured)
	}
	_, err = fmt.Fprint(s.out, measured.String())
	return err
}
