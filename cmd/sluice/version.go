package main

import (
	"fmt"
	"runtime/debug"
)

// version is set by the linker for a release.
var version = "dev"

type versionCmd struct{}

// Run prints the version of Sluice, of the core inside it and of Go.
func (versionCmd) Run(s streams) error {
	core, goVersion := "unknown", "unknown"
	if info, ok := debug.ReadBuildInfo(); ok {
		goVersion = info.GoVersion
		for _, m := range info.Deps {
			if m.Path == "github.com/xtls/xray-core" {
				core = m.Version
			}
		}
	}
	_, err := fmt.Fprintf(s.out, "sluice %s\nxray-core %s\n%s\n", version, core, goVersion)
	return err
}
