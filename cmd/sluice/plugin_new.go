package main

import (
	"cmp"
	"fmt"

	"github.com/sluicehq/sluice/cmd/sluice/scaffold"
)

type pluginNewCmd struct {
	Name string `arg:"" help:"Name of the plugin: a-z, 0-9 and -."`
	Kind string `help:"What it provides: username, period, format or event." enum:"username,period,format,event" required:""`
	Lang string `help:"What it is written in: go, rust or assemblyscript." enum:"go,rust,assemblyscript" default:"go"`
	Dir  string `help:"Directory to write; default: one with the plugin's name." placeholder:"DIR"`
}

// Run writes the project.
func (c *pluginNewCmd) Run(s streams) error {
	dir := cmp.Or(c.Dir, c.Name)
	if err := (scaffold.Project{Name: c.Name, Kind: c.Kind, Lang: c.Lang, Dir: dir}).Write(); err != nil {
		return err
	}
	_, err := fmt.Fprintf(s.out, "%s is written: README.md has the commands that test and build it\n", dir)
	return err
}
