package plugin

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"regexp"
	"slices"

	"github.com/sluicehq/sluice/kernel/domain"
	"github.com/sluicehq/sluice/sdk/wire"
)

var (
	idPattern      = regexp.MustCompile(`^[a-z0-9][a-z0-9_-]{0,63}$`)
	versionPattern = regexp.MustCompile(`^[0-9A-Za-z][0-9A-Za-z.+-]{0,63}$`)
	typePattern    = regexp.MustCompile(`^([a-z0-9.+-]+/[a-z0-9.+-]+(; ?[a-z-]+=[A-Za-z0-9"._-]+)*)?$`)
)

// A host that can be granted: a name or an IPv4 address in lower case, with a port or without.
var hostPattern = regexp.MustCompile(`^([a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?\.)*[a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?(:[1-9][0-9]{0,4})?$`)

// What an operator still reads before granting a permission.
const (
	maxReason = 300 // bytes
	maxHosts  = 20
)

// maxItems is the number of items one plugin may provide: many times what a person would look through.
const maxItems = 256

// parseManifest reads and checks what sluice_manifest returned. Unknown keys are errors: a plugin of a newer minor,
// which might know more, is refused before.
func parseManifest(b []byte) (*wire.Manifest, error) {
	m := &wire.Manifest{}
	d := json.NewDecoder(bytes.NewReader(b))
	d.DisallowUnknownFields()
	if err := d.Decode(m); err != nil {
		return nil, fmt.Errorf("its manifest is not readable: %s", plain(err.Error(), 200))
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return nil, errors.New("its manifest is followed by something else")
	}
	if err := checkManifest(m); err != nil {
		return nil, fmt.Errorf("its manifest %w", err)
	}
	return m, nil
}

// checkManifest is strict about everything that is shown, becomes part of a URL, or goes into an HTTP header.
func checkManifest(m *wire.Manifest) error {
	switch {
	case m.ABI != wire.Major:
		return fmt.Errorf("says ABI %d, this host has ABI %d", m.ABI, wire.Major)
	case !domain.PluginName(m.Name):
		return fmt.Errorf("has the name %q; it takes a-z, 0-9 and -, at most 64", plain(m.Name, 100))
	case !versionPattern.MatchString(m.Version):
		return fmt.Errorf("has the version %q; it takes letters, digits, and . + -, at most 64", plain(m.Version, 100))
	case !slices.Contains([]string{"", wire.CodecProtobuf, wire.CodecJSON}, m.Codec):
		return fmt.Errorf("names the unknown codec %q", plain(m.Codec, 100))
	case len(m.Provides) == 0 || len(m.Provides) > maxItems:
		return fmt.Errorf("provides %d items; it takes 1 to %d", len(m.Provides), maxItems)
	}
	seen := map[itemKey]bool{}
	for i := range m.Provides {
		item := &m.Provides[i]
		if err := checkItem(item); err != nil {
			return err
		}
		key := itemKey{item.Kind, item.ID}
		if seen[key] {
			return fmt.Errorf("provides %s %s twice", item.Kind, item.ID)
		}
		seen[key] = true
	}
	return checkPermissions(m)
}

// choices are the words that an item's field takes, "" always being one of them.
var choices = []struct {
	name  string
	of    func(*wire.Item) string
	words []string
}{
	{"base", func(i *wire.Item) string { return i.Base }, []string{wire.BaseNone, wire.BaseOptional, wire.BaseRequired}},
	{"collision", func(i *wire.Item) string { return i.Collision }, []string{wire.CollisionSkip, wire.CollisionRetry}},
	{"cache", func(i *wire.Item) string { return i.Cache }, []string{wire.CacheNone, wire.CacheRevision}},
}

// checkItem checks one item; what belongs to another kind is not looked at unless it could do harm there.
func checkItem(item *wire.Item) error {
	if !slices.Contains([]string{wire.KindUsername, wire.KindPeriod, wire.KindFormat, wire.KindEvent}, item.Kind) {
		return fmt.Errorf("provides an item of the unknown kind %q", plain(item.Kind, 100))
	}
	if !idPattern.MatchString(item.ID) {
		return fmt.Errorf("provides a %s with the id %q; it takes a-z, 0-9, _ and -, at most 64", item.Kind, plain(item.ID, 100))
	}
	for _, c := range choices {
		if v := c.of(item); v != "" && !slices.Contains(c.words, v) {
			return fmt.Errorf("gives %s %s the unknown %s %q", item.Kind, item.ID, c.name, plain(v, 100))
		}
	}
	switch {
	case !typePattern.MatchString(item.ContentType):
		return fmt.Errorf("gives format %s the content type %q", item.ID, plain(item.ContentType, 100))
	case slices.Contains(item.UserAgents, ""):
		return fmt.Errorf("gives format %s an empty user agent, which would match every client", item.ID)
	case item.Kind == wire.KindEvent && len(item.Events) == 0:
		return fmt.Errorf("does not say which events %s wants", item.ID)
	}
	return nil
}
