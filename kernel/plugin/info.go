package plugin

import (
	"slices"

	"github.com/sluicehq/sluice/kernel/domain"
	"github.com/sluicehq/sluice/sdk/wire"
)

// State says what has become of a plugin file.
type State string

// The states of a plugin.
const (
	StateLoaded   State = "loaded"   // it serves
	StateRefused  State = "refused"  // it could not be loaded
	StateFailing  State = "failing"  // it serves, but its last call failed
	StateFailed   State = "failed"   // it is loaded, but switched off for a while because it kept failing
	StateDisabled State = "disabled" // it is loaded, but the operator does not want it to serve
	StateWaiting  State = "waiting"  // it is loaded, but serves nothing before the operator grants what it asks for
)

// Info describes one plugin file, loaded or not.
type Info struct {
	Name        string // from its manifest, "" when that could not be read
	Version     string // from its manifest
	Description string // from its manifest, "" = none
	File        string // the file's name without its folder, "" for the built-in bundle
	SHA256      string // of the file that serves, else of the one refused; lower-case hex
	Size        int    // of that file, in bytes
	Signer      string // the ed25519 key (base64) that has signed it, "" = it is not signed
	Builtin     bool   // part of the binary

	State    State
	Reason   string   // one sentence: why it is refused, waiting, failing or failed; for a loaded one why a newer file was refused; or ""
	Conflict bool     // what it was refused for is another plugin, or a built-in id: it is let in by itself when that is gone
	Waiting  *Waiting // a newer file that is not let in yet, nil = none

	Provides       []wire.Item // nil when the manifest could not be read
	Replaces       []string    // kind and id of the built-in items that it stands in for now, such as "format links"
	Imports        []string    // functions of the host that it imports, such as sluice.log, sorted
	Permissions    []wire.Permission
	Granted        []domain.PluginGrant // those of the operator's grants that apply to this file
	SettingsSchema wire.RawJSON         // empty = it takes none
	Settings       string               // JSON object that it runs with, "" = none

	Calls     uint64 // since it was loaded
	Failures  uint64 // of them: crashes, missed deadlines, unusable replies
	Instances int    // there are now
	Memory    int    // bytes of all of them
}

// Waiting is a newer version that asks for more than was granted, while the old one serves.
type Waiting struct {
	SHA256      string // lower-case hex
	Version     string
	Signer      string // as in Info
	Permissions []wire.Permission
	Reason      string // one sentence
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
	By          string      // the plugin that made it
	Fallback    bool        // it is the built-in one, because the plugin that replaces it failed: not to be cached
}

// Plugins describes every plugin file the host has seen, sorted by file name, the built-in bundle first.
func (h *Host) Plugins() []Info {
	g := h.registry.Load()
	infos := make([]Info, 0, len(g.entries))
	for _, e := range g.entries {
		infos = append(infos, e.info(g))
	}
	return infos
}

func (e *entry) info(g *registry) Info {
	switch {
	case e.plugin == nil && e.held == nil:
		return e.refused
	case e.plugin == nil:
		info := e.held.info()
		info.State, info.Reason, info.Conflict = e.state, e.why, e.state == StateRefused
		if e.state == StateWaiting {
			info.Waiting = e.held.waiting(e.why)
		}
		return info
	}
	info := e.plugin.info()
	info.Replaces = g.replacedBy(e.plugin)
	switch {
	case e.held != nil && e.state == StateWaiting:
		info.Waiting = e.held.waiting(e.why)
	case e.held != nil:
		info.Conflict = true
		fallthrough
	default:
		if info.Reason == "" {
			info.Reason = e.why + e.refused.Reason // at most one of them is there
		}
	}
	return info
}

// replacedBy lists the built-in items that p stands in for, sorted.
func (g *registry) replacedBy(p *plugin) (list []string) {
	for _, o := range g.items {
		if o.plugin == p && o.instead != nil {
			list = append(list, o.what)
		}
	}
	slices.Sort(list)
	return list
}

// info describes the plugin as it is now; State follows the breaker.
func (p *plugin) info() Info {
	info := p.module.info()
	info.State, info.Reason = StateDisabled, ""
	if !p.policy.Disabled {
		info.State, info.Reason = p.breaker.state()
	}
	info.Granted, info.Settings = p.granted.list(), p.policy.Settings
	info.Calls, info.Failures = p.counts.calls.Load(), p.counts.failures.Load()
	info.Instances, info.Memory = int(p.counts.instances.Load()), int(p.counts.memory.Load())
	return info
}

func (p *plugin) waiting(why string) *Waiting {
	return &Waiting{SHA256: p.sha256, Version: p.version, Signer: p.signer, Permissions: p.manifest.Permissions, Reason: why}
}
