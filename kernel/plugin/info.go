package plugin

import "github.com/sluicehq/sluice/sdk/wire"

// State says what has become of a plugin file.
type State string

// The states of a plugin.
const (
	StateLoaded  State = "loaded"  // it serves
	StateRefused State = "refused" // it could not be loaded
	StateFailing State = "failing" // it serves, but its last call failed
	StateFailed  State = "failed"  // it is loaded, but switched off for a while because it kept failing
)

// Info describes one plugin file, loaded or not.
type Info struct {
	Name     string      // from its manifest, "" when that could not be read
	Version  string      // from its manifest
	File     string      // the file's name without its folder, "" for the built-in bundle
	SHA256   string      // of the file that serves, else of the one refused; lower-case hex
	State    State       //
	Reason   string      // one sentence: why it is refused, failing or failed; for a loaded one why a newer file was refused; or ""
	Provides []wire.Item // nil unless it is loaded
	Builtin  bool        // part of the binary
}

// Item is one thing that the loaded plugins provide.
type Item struct {
	wire.Item
	Plugin  string // the plugin's name
	SHA256  string // of the plugin, lower-case hex; part of the key of whatever is cached
	Builtin bool   // part of the binary
}

// Rendered is a subscription made by a format plugin. Everything in it is the caller's own copy, checked to be fit for
// HTTP headers: no control characters, only names of wire.ReplyHeaders.
type Rendered struct {
	Body        []byte
	ContentType string      // the reply's, else the item's, else text/plain; charset=utf-8
	Filename    string      // without folders or quotes; "" = the plugin names none
	Headers     []wire.Pair // names in lower case
}
