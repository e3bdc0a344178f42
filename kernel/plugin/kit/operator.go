package kit

import (
	"encoding/json"
	"net/url"
	"slices"
	"strings"

	"github.com/sluicehq/sluice/kernel/domain"
	"github.com/sluicehq/sluice/sdk/wire"
)

// grants gives a plugin what it asks for. Where it leaves the hosts to the operator, those that the settings name are
// meant.
func grants(wanted []wire.Permission, settings string) (list []domain.PluginGrant) {
	for _, p := range wanted {
		g := domain.PluginGrant{Name: p.Name}
		for _, host := range p.Hosts {
			if host == wire.AnyHost {
				g.Hosts = append(g.Hosts, chosen(settings)...)
			} else {
				g.Hosts = append(g.Hosts, host)
			}
		}
		list = append(list, g)
	}
	return list
}

// chosen are the hosts of the URLs in settings. A plugin whose settings have none gets one of ours: it can be loaded then.
func chosen(settings string) []string {
	var v any
	_ = json.Unmarshal([]byte(settings), &v) // what is no JSON names none, and is refused elsewhere
	hosts := hostsIn(v)
	if len(hosts) == 0 {
		return []string{"kit.example.com"}
	}
	slices.Sort(hosts)
	return slices.Compact(hosts)
}

func hostsIn(v any) (hosts []string) {
	switch v := v.(type) {
	case string:
		if u, err := url.Parse(v); err == nil && u.Host != "" {
			hosts = append(hosts, strings.ToLower(u.Host))
		}
	case []any:
		for _, part := range v {
			hosts = append(hosts, hostsIn(part)...)
		}
	case map[string]any:
		for _, part := range v {
			hosts = append(hosts, hostsIn(part)...)
		}
	}
	return hosts
}

// unset is the first setting that the plugin can not do without while it has been given none, "" if there is none.
func (s *session) unset() string {
	var schema struct {
		Required []string `json:"required"`
	}
	if s.options.Settings != "" || json.Unmarshal(s.info.SettingsSchema, &schema) != nil || len(schema.Required) == 0 {
		return ""
	}
	return schema.Required[0]
}
