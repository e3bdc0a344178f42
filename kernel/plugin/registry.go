package plugin

import (
	"fmt"
	"slices"
	"strings"

	"github.com/santhosh-tekuri/jsonschema/v6"

	"github.com/sluicehq/sluice/sdk/wire"
)

// registry is what callers see of the loaded plugins. It is never changed, only replaced.
type registry struct {
	entries []*entry // by file
	items   map[itemKey]offer
	lists   map[string][]Item // of items, by kind, sorted by id
	closed  bool
}

// entry is one plugin file. At least one of plugin, held and refused is there.
type entry struct {
	file    string
	plugin  *plugin // that serves, or would if it were not disabled; nil = none
	held    *plugin // of the file as it is now: built, but something keeps it from serving; nil = none
	state   State   // of held: waiting or refused
	why     string  // of held: what keeps it
	refused Info    // of the file as it is now, if it could not be built; else State is ""
}

type itemKey struct{ kind, id string }

// provided is an item with the plugin that serves it.
type provided struct {
	item   wire.Item
	plugin *plugin
	params *jsonschema.Schema
	what   string // kind and id, for errors: format links
}

// offer is who serves an item.
type offer struct {
	*provided
	instead *provided // the built-in item that it stands in for, and that serves when it fails; nil = none
}

// with returns a registry in which e has taken the place of the entry with the same file.
func (g *registry) with(e *entry) *registry {
	next := g.without(e.file)
	next.entries = append(next.entries, e)
	slices.SortFunc(next.entries, func(a, b *entry) int { return strings.Compare(a.file, b.file) })
	next.index()
	return next
}

// without returns a registry that does not have the file.
func (g *registry) without(file string) *registry {
	next := &registry{}
	for _, e := range g.entries {
		if e.file != file {
			next.entries = append(next.entries, e)
		}
	}
	next.index()
	return next
}

// index finds out who serves what. The bundle comes first, so that what replaces a part of it knows what that was.
func (g *registry) index() {
	g.items = map[itemKey]offer{}
	for _, e := range g.entries {
		if e.plugin == nil || e.plugin.policy.Disabled {
			continue
		}
		for i := range e.plugin.provides {
			p := &e.plugin.provides[i]
			key := itemKey{p.item.Kind, p.item.ID}
			g.items[key] = offer{provided: p, instead: g.items[key].provided}
		}
	}
	g.lists = map[string][]Item{}
	for key, o := range g.items {
		g.lists[key.kind] = append(g.lists[key.kind], Item{
			Item: o.item, Plugin: o.plugin.name, SHA256: o.plugin.sha256, Builtin: o.plugin.builtin,
		})
	}
	for _, list := range g.lists {
		slices.SortFunc(list, func(a, b Item) int { return strings.Compare(a.ID, b.ID) })
	}
}

// entry returns the entry of file, an empty one when there is none.
func (g *registry) entry(file string) entry {
	for _, e := range g.entries {
		if e.file == file {
			return *e
		}
	}
	return entry{file: file}
}

// named returns the plugin of that name that serves, else one that is held, nil when there is neither.
func (g *registry) named(name string) (found *plugin) {
	for _, e := range g.entries {
		if e.plugin != nil && e.plugin.name == name {
			return e.plugin
		}
		if e.held != nil && e.held.name == name {
			found = e.held
		}
	}
	return found
}

// obstacle says what keeps p from serving in the place of its file: the state that it has meanwhile, and why. "" =
// nothing does.
func (g *registry) obstacle(p *plugin) (State, string) {
	for _, e := range g.entries {
		other := e.plugin
		if other == nil && e.state == StateWaiting {
			other = e.held // what is granted to the name is for the file that asked first
		}
		if other != nil && e.file != p.file && other.name == p.name {
			return StateRefused, fmt.Sprintf("another loaded plugin (%s) has the name %s", other.source(), p.name)
		}
	}
	if p.policy.Disabled {
		return "", ""
	}
	if lacks := p.lacks(); lacks != "" {
		return StateWaiting, lacks
	}
	for i := range p.provides {
		item := &p.provides[i].item
		o := g.items[itemKey{item.Kind, item.ID}]
		switch {
		case o.provided == nil || p.builtin && o.plugin.builtin:
		case !o.plugin.builtin && o.plugin.file != p.file:
			return StateRefused, fmt.Sprintf("it provides %s %s, as %s does already", item.Kind, item.ID, o.plugin.source())
		case (o.plugin.builtin || o.instead != nil) && !p.policy.Replaces:
			return StateRefused, fmt.Sprintf(
				"it provides %s %s, which is built in and which the operator has not allowed it to replace", item.Kind, item.ID)
		}
	}
	return "", ""
}

// known lists the ids of a kind, sorted, for errors.
func (g *registry) known(kind string) string {
	var ids []string
	for k := range g.items {
		if k.kind == kind {
			ids = append(ids, k.id)
		}
	}
	if len(ids) == 0 {
		return "none is loaded"
	}
	slices.Sort(ids)
	return "known are " + strings.Join(ids, ", ")
}
