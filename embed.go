// Package sluice holds what the binary carries of its own sources: the SDK, for projects that `sluice plugin new` makes.
package sluice

import "embed"

// SDK is the source of packages sdk and sdk/wire, by their paths in the module, with plugin.proto and the reference. It
// has their tests too, because a pattern can not leave them out.
//
//go:embed sdk/*.go sdk/wire/*.go sdk/wire/plugin.proto sdk/README.md
var SDK embed.FS
