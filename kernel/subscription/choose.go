package subscription

import (
	"slices"
	"strings"

	"github.com/sluicehq/sluice/kernel/domain"
	"github.com/sluicehq/sluice/kernel/plugin"
	"github.com/sluicehq/sluice/sdk/wire"
)

// The steps by which a format can be chosen, in their order. Source: decisions.md §4.
const (
	StepAsked   = "asked"   // the URL names it
	StepRule    = "rule"    // a rule of the operator, or one that comes with Sluice
	StepPlugin  = "plugin"  // the User-Agents that a plugin names in its manifest
	StepAccept  = "accept"  // a browser, which asks for HTML
	StepDefault = "default" // links in base64, which every app reads
)

// choice is the format of one fetch.
type choice struct {
	format string
	item   *plugin.Item // what makes it, nil = nothing does
	step   string
	rule   int // index of the rule that decided, -1 = none did
}

// choose decides the format of a fetch. A rule whose format is not loaded is as if it were not there. That a browser asks
// for HTML counts last, because apps that are browsers inside ask for it too.
func (s *snapshot) choose(formats []plugin.Item, r *Request) choice {
	if r.Format != "" {
		id := formatNamed(r.Format, formats)
		return choice{id, itemOf(formats, id), StepAsked, -1}
	}
	agent := r.UserAgent[:min(len(r.UserAgent), maxSeen)]
	lower := strings.ToLower(agent)
	if c, ok := firstOf(s.rules, formats, agent, lower); ok {
		c.step = StepRule
		return c
	}
	if c, ok := firstOf(declared(formats), formats, agent, lower); ok {
		c.step = StepPlugin
		c.rule += len(s.rules)
		return c
	}
	if html := itemOf(formats, formatHTML); html != nil && strings.Contains(r.Accept, "text/html") {
		return choice{formatHTML, html, StepAccept, -1}
	}
	return choice{formatBase64, itemOf(formats, formatBase64), StepDefault, -1}
}

func firstOf(rules []rule, formats []plugin.Item, agent, lower string) (choice, bool) {
	for i := range rules {
		if !rules[i].matches(agent, lower) {
			continue
		}
		if id := formatNamed(rules[i].Format, formats); itemOf(formats, id) != nil {
			return choice{format: id, item: itemOf(formats, id), rule: i}, true
		}
	}
	return choice{}, false
}

// itemOf is the format of that id, nil = it is not loaded.
func itemOf(formats []plugin.Item, id string) *plugin.Item {
	for i := range formats {
		if formats[i].ID == id {
			return &formats[i]
		}
	}
	return nil
}

// formats are those that are loaded.
func (s *Service) formats() []plugin.Item { return s.Renderer.Items(wire.KindFormat) }

// noFormat refuses a format that is asked for by name; it lists what there is.
func noFormat(formats []plugin.Item) *domain.Error {
	var ids []string
	for i := range formats {
		ids = append(ids, formats[i].ID)
	}
	return domain.Invalid("format", "must be one of "+strings.Join(slices.Sorted(slices.Values(ids)), ", "))
}
