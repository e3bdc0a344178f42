// A plugin for tests: two formats whose bodies name the build that made them, one of which may be kept. Its file is made
// another version by writing another mark into it.
package main

import (
	"strings"

	"github.com/sluicehq/sluice/sdk"
	"github.com/sluicehq/sluice/sdk/wire"
)

// mark is set when it is built.
var mark string

func init() {
	sdk.Register(sdk.Info{Name: "marked", Version: "1.0.0"})
	sdk.Format("marked", sdk.FormatOptions{ContentType: "text/plain"}, render)
	sdk.Format("marked-kept", sdk.FormatOptions{ContentType: "text/plain", Cache: wire.CacheRevision}, render)
}

// render writes enough for a torn body to be seen.
func render(_ *sdk.FormatRequest, reply *sdk.FormatReply) error {
	reply.Body = append(reply.Body, strings.Repeat(mark+"\n", 1000)...)
	return nil
}

func main() {}
