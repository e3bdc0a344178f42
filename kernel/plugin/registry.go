package plugin

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/santhosh-tekuri/jsonschema/v6"

	"github.com/sluicehq/sluice/sdk/wire"
)

// registry is what callers see of the loaded plugins. It is never changed, only replaced.
type registry struct {
	entries []*entry // by file
	items   map[itemKey]*provided
	closed  bool
}

// entry is one plugin file.
type entry struct {
	file    string
	plugin  *plugin // nil when it is refused
	refused Info    // of the file refused last, State "" when there is none
}

type itemKey struct{ kind, id string }

// provided is an item with the plugin that serves it.
type provided struct {
	item   wire.Item
	plugin *plugin
	params *jsonschema.Schema
	what   string // kind and id, for errors: format links
}

// with returns a registry in which e has taken the place of the entry with the same file.
func (g *registry) with(e *entry) *registry {
	next := &registry{items: map[itemKey]*provided{}}
	for _, old := range g.entries {
		if old.file != e.file {
			next.entries = append(next.entries, old)
		}
	}
	next.entries = append(next.entries, e)
	slices.SortFunc(next.entries, func(a, b *entry) int { return strings.Compare(a.file, b.file) })
	for _, e := range next.entries {
		if e.plugin == nil {
			continue
		}
		for i := range e.plugin.provides {
			p := &e.plugin.provides[i]
			next.items[itemKey{p.item.Kind, p.item.ID}] = p
		}
	}
	return next
}

// entry returns the entry of file, nil when there is none.
func (g *registry) entry(file string) *entry {
	for _, e := range g.entries {
		if e.file == file {
			return e
		}
	}
	return nil
}

// conflict returns why p can not join the plugins of other files, nil when it can.
func (g *registry) conflict(p *plugin) error {
	for _, e := range g.entries {
		if e.plugin != nil && e.file != p.file && e.plugin.name == p.name {
			return fmt.Errorf("another loaded plugin (%s) has the name %s", e.plugin.source(), p.name)
		}
	}
	for i := range p.provides {
		item := &p.provides[i].item
		other := g.items[itemKey{item.Kind, item.ID}]
		switch {
		case other == nil || other.plugin.file == p.file:
		case other.plugin.builtin:
			return fmt.Errorf("it provides %s %s, which is built in and can not be replaced", item.Kind, item.ID)
		default:
			return fmt.Errorf("it provides %s %s, as %s does already", item.Kind, item.ID, other.plugin.source())
		}
	}
	return nil
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

// Plugins describes every plugin file the host has seen, sorted by file name, the built-in bundle first.
func (h *Host) Plugins() []Info {
	g := h.registry.Load()
	infos := make([]Info, 0, len(g.entries))
	for _, e := range g.entries {
		if e.plugin == nil {
			infos = append(infos, e.refused)
			continue
		}
		info := e.plugin.info()
		if info.Reason == "" {
			info.Reason = e.refused.Reason
		}
		infos = append(infos, info)
	}
	return infos
}

// Items returns what the loaded plugins provide of a kind (wire.KindFormat, ...), sorted by id.
func (h *Host) Items(kind string) []Item {
	var items []Item
	for k, p := range h.registry.Load().items {
		if k.kind == kind {
			items = append(items, Item{
				Item: p.item, Plugin: p.plugin.name, SHA256: p.plugin.sha256, Builtin: p.plugin.builtin,
			})
		}
	}
	slices.SortFunc(items, func(a, b Item) int { return cmp.Compare(a.ID, b.ID) })
	return items
}
