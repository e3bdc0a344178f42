// Package sdk is what the author of a Sluice plugin in Go imports.
//
// A plugin registers what it provides from an init function; main stays empty, it never runs:
//
//	GOOS=wasip1 GOARCH=wasm go build -buildmode=c-shared -ldflags='-s -w' -o plugin.wasm .
//
// A request, with every string in it, is valid until the registered function returns; strings.Clone keeps one longer. A
// function may panic: the call fails, and the host goes on with a fresh instance. The same code builds natively, where
// Call stands in for the host and Native for what a plugin imports, so that a plugin has ordinary unit tests.
//
// README.md is the reference of the ABI, package wire has the messages.
package sdk

import "github.com/sluicehq/sluice/sdk/wire"

// The messages, by the names under which an author meets them; package wire says what is in them.
type (
	// UsernameRequest asks a username item for names.
	UsernameRequest = wire.UsernameRequest
	// RejectedName is a name that the kernel could not use, with the reason.
	RejectedName = wire.RejectedName
	// PeriodRequest asks a period item for the next boundary.
	PeriodRequest = wire.PeriodRequest
	// PeriodReply is that boundary.
	PeriodReply = wire.PeriodReply
	// FormatRequest asks a format item for a subscription.
	FormatRequest = wire.FormatRequest
	// FormatReply is that subscription.
	FormatReply = wire.FormatReply
	// PrepareRequest hands a format item its endpoints once.
	PrepareRequest = wire.PrepareRequest
	// EventRequest hands an event item what has happened.
	EventRequest = wire.EventRequest
	// User is whose subscription it is.
	User = wire.User
	// Account is what the user has of its own on one endpoint.
	Account = wire.Account
	// Endpoint is one way to connect.
	Endpoint = wire.Endpoint
	// Pair is a name with a value.
	Pair = wire.Pair
)

// Info describes the plugin as a whole.
type Info struct {
	Name        string // a-z, 0-9 and -, unique among the loaded plugins
	Version     string // such as 1.2.0
	Description string // one sentence for the operator, "" = none
}

// Register names the plugin. Every plugin calls it once.
func Register(info Info) { guest.info = info }

// guest is the plugin that this program is.
var guest plugin

// plugin is everything that an author has registered. Its zero value provides nothing.
type plugin struct {
	info           Info
	items          []wire.Item // in the order of registration
	permissions    []wire.Permission
	settingsSchema string

	usernames map[string]UsernameFunc
	periods   map[string]PeriodFunc
	formats   map[string]*format
	events    map[string]EventFunc
	configure ConfigureFunc

	usernameRequest wire.UsernameRequest // requests are reused: their slices grow once
	periodRequest   wire.PeriodRequest
	formatRequest   wire.FormatRequest
	formatReply     wire.FormatReply
	eventRequest    wire.EventRequest
}

// provide adds an item. A second one of the same kind and id is the author's mistake and stops the program at its start.
func (p *plugin) provide(item wire.Item) {
	for i := range p.items {
		if p.items[i].Kind == item.Kind && p.items[i].ID == item.ID {
			panic("sdk: " + item.Kind + " " + item.ID + " is registered twice")
		}
	}
	p.items = append(p.items, item)
}

// add is map assignment for maps that may be nil.
func add[T any](m *map[string]T, id string, v T) {
	if *m == nil {
		*m = map[string]T{}
	}
	(*m)[id] = v
}
