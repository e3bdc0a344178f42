package sdk

import (
	"strconv"

	"github.com/sluicehq/sluice/sdk/wire"
)

// Manifest is what the host reads first: who the plugin is and what it provides, as JSON. It is written by hand because
// encoding/json would add more than a megabyte to every plugin.
func Manifest() []byte { return guest.manifest(nil) }

func (p *plugin) manifest(b []byte) []byte {
	b = append(b, `{"abi":`...)
	b = strconv.AppendInt(b, wire.Major, 10)
	b = appendMember(b, "name", p.info.Name)
	b = appendMember(b, "version", p.info.Version)
	b = appendOptional(b, "description", p.info.Description)
	b = append(b, `,"provides":[`...)
	for i := range p.items {
		b = appendItem(comma(b, i), &p.items[i])
	}
	b = append(b, ']')
	if len(p.permissions) > 0 {
		b = append(b, `,"permissions":[`...)
		for i := range p.permissions {
			b = appendPermission(comma(b, i), &p.permissions[i])
		}
		b = append(b, ']')
	}
	b = appendRaw(b, "settings_schema", p.settingsSchema)
	return append(b, '}')
}

func appendItem(b []byte, item *wire.Item) []byte {
	b = append(b, `{"kind":`...)
	b = appendJSON(b, item.Kind)
	b = appendMember(b, "id", item.ID)
	b = appendOptional(b, "title", item.Title)
	b = appendOptional(b, "description", item.Description)
	b = appendRaw(b, "params_schema", string(item.Params))
	b = appendOptional(b, "base", item.Base)
	b = appendOptional(b, "collision", item.Collision)
	b = appendTrue(b, "quota_only", item.QuotaOnly)
	b = appendOptional(b, "content_type", item.ContentType)
	b = appendList(b, "user_agents", item.UserAgents)
	b = appendOptional(b, "cache", item.Cache)
	b = appendTrue(b, "prepare", item.Prepare)
	b = appendList(b, "events", item.Events)
	return append(b, '}')
}

func appendPermission(b []byte, p *wire.Permission) []byte {
	b = append(b, `{"name":`...)
	b = appendJSON(b, p.Name)
	b = appendMember(b, "reason", p.Reason)
	b = appendList(b, "hosts", p.Hosts)
	return append(b, '}')
}

// comma separates element i of a list from the one before.
func comma(b []byte, i int) []byte {
	if i > 0 {
		b = append(b, ',')
	}
	return b
}

func appendMember(b []byte, name, value string) []byte {
	b = append(b, ',')
	b = appendJSON(b, name)
	b = append(b, ':')
	return appendJSON(b, value)
}

func appendOptional(b []byte, name, value string) []byte {
	if value == "" {
		return b
	}
	return appendMember(b, name, value)
}

// appendTrue adds a member that is left out when it is false.
func appendTrue(b []byte, name string, value bool) []byte {
	if !value {
		return b
	}
	return appendRaw(b, name, "true")
}

// appendRaw adds a member whose value is JSON already.
func appendRaw(b []byte, name, value string) []byte {
	if value == "" {
		return b
	}
	b = append(b, ',')
	b = appendJSON(b, name)
	b = append(b, ':')
	return append(b, value...)
}

func appendList(b []byte, name string, list []string) []byte {
	if len(list) == 0 {
		return b
	}
	b = append(b, ',')
	b = appendJSON(b, name)
	b = append(b, ':', '[')
	for i, s := range list {
		b = appendJSON(comma(b, i), s)
	}
	return append(b, ']')
}

// appendJSON adds s as a JSON string. Bytes that are not UTF-8 become U+FFFD, as in encoding/json.
func appendJSON(b []byte, s string) []byte {
	const hex = "0123456789abcdef"
	b = append(b, '"')
	for _, r := range s {
		switch {
		case r == '"' || r == '\\':
			b = append(b, '\\', byte(r))
		case r < 0x20:
			b = append(b, '\\', 'u', '0', '0', hex[r>>4], hex[r&15])
		default:
			b = append(b, string(r)...)
		}
	}
	return append(b, '"')
}
