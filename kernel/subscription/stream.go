package subscription

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/sluicehq/sluice/kernel/domain"
)

// object is a JSON object of which only some keys matter here; the rest is passed on as it is.
type object map[string]json.RawMessage

// stream is what an inbound's streamSettings say, from the point of view of somebody who wants to connect to it.
// Shapes: evidence/xray-embedding.md §8.
type stream struct {
	network  string // canonical
	security string // none, tls or reality
	carrier  object // settings of the network, under whichever name they were given
	tls      tlsSettings
	reality  realitySettings
	mask     object // finalmask
}

// carrierKeys are the names under which each network's settings may stand.
var carrierKeys = map[string][]string{
	"raw":         {"rawSettings", "tcpSettings"},
	"ws":          {"wsSettings"},
	"grpc":        {"grpcSettings"},
	"httpupgrade": {"httpupgradeSettings"},
	"xhttp":       {"xhttpSettings", "splithttpSettings"},
	"kcp":         {"kcpSettings"},
	"hysteria":    {"hysteriaSettings"},
}

func parseStream(in *domain.Inbound) (stream, error) {
	kind, err := in.Stream()
	if err != nil {
		return stream{}, err
	}
	s := stream{network: kind.Network, security: kind.Security}
	if in.StreamSettings == "" {
		return s, nil
	}
	var all object
	if err := json.Unmarshal([]byte(in.StreamSettings), &all); err != nil {
		return s, fmt.Errorf("streamSettings: %w", err)
	}
	for _, key := range carrierKeys[s.network] {
		if err := all.read(key, &s.carrier); err != nil {
			return s, err
		}
	}
	if err := all.read("tlsSettings", &s.tls); err != nil {
		return s, err
	}
	if err := all.read("realitySettings", &s.reality); err != nil {
		return s, err
	}
	return s, all.read("finalmask", &s.mask)
}

// read decodes one value into to; an absent one leaves it alone.
func (o object) read(key string, to any) error {
	raw := o.value(key)
	if raw == nil {
		return nil
	}
	if err := json.Unmarshal(raw, to); err != nil {
		return fmt.Errorf("%s: %w", key, err)
	}
	return nil
}

// text is the string under key, "" when it is absent or something else.
func (o object) text(key string) string {
	var s string
	_ = json.Unmarshal(o.value(key), &s)
	return s
}

// number is the unsigned number under key, 0 when it is absent or something else.
func (o object) number(key string) uint32 {
	var n uint32
	_ = json.Unmarshal(o.value(key), &n)
	return n
}

// flag is the boolean under key, false when it is absent or something else.
func (o object) flag(key string) bool {
	var b bool
	_ = json.Unmarshal(o.value(key), &b)
	return b
}

// value is what stands under key, nil when nothing does. Names are compared without case, as the core compares them.
func (o object) value(key string) json.RawMessage {
	if raw, ok := o[key]; ok {
		return raw
	}
	for _, name := range slices.Sorted(maps.Keys(o)) {
		if strings.EqualFold(name, key) {
			return o[name]
		}
	}
	return nil
}

// without returns a copy that lacks the keys.
func (o object) without(keys ...string) object {
	rest := maps.Clone(o)
	maps.DeleteFunc(rest, func(name string, _ json.RawMessage) bool {
		return slices.ContainsFunc(keys, func(key string) bool { return strings.EqualFold(name, key) })
	})
	return rest
}

// compact is the object as one line of JSON with sorted keys, "" when it is empty.
func (o object) compact() string {
	if len(o) == 0 {
		return ""
	}
	text, err := json.Marshal(o)
	if err != nil { // the values came out of a decoder
		return ""
	}
	return string(text)
}

// list is a JSON list of strings that may also be written as one string with commas.
type list []string

// UnmarshalJSON reads both spellings.
func (l *list) UnmarshalJSON(data []byte) error {
	var many []string
	if err := json.Unmarshal(data, &many); err == nil {
		*l = many
		return nil
	}
	var one string
	if err := json.Unmarshal(data, &one); err != nil {
		return fmt.Errorf("is neither a list of strings nor a string: %w", err)
	}
	*l = nil
	for part := range strings.SplitSeq(one, ",") {
		if part = strings.TrimSpace(part); part != "" {
			*l = append(*l, part)
		}
	}
	return nil
}

// first is the first entry, "" when there is none: a link that changed at every fetch could not be cached.
func (l list) first() string {
	for _, s := range l {
		if s != "" {
			return s
		}
	}
	return ""
}
