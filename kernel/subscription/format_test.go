package subscription

import (
	"testing"

	"github.com/sluicehq/sluice/kernel/domain"
	"github.com/sluicehq/sluice/kernel/plugin"
	"github.com/sluicehq/sluice/sdk/wire"
)

// loaded has the formats that are named.
type loaded struct {
	*plugin.Host
	ids []string
}

func (l loaded) Items(string) (items []plugin.Item) {
	for _, id := range l.ids {
		items = append(items, plugin.Item{Item: wire.Item{ID: id}})
	}
	return items
}

func TestFormatNames(t *testing.T) {
	for _, c := range []struct {
		name, asked string
		ids         []string
		want        string
	}{
		{"an id", "links", []string{"links"}, "links"},
		{"an id with the name of a route elsewhere", "outline", nil, "outline"},
		{"links_base64", "links_base64", []string{"links-base64"}, "links-base64"},
		{"clash_meta", "clash_meta", []string{"clash"}, "clash"},
		{"clash_meta where it is an id", "clash_meta", []string{"clash", "clash_meta"}, "clash_meta"},
		{"sing_box", "sing_box", nil, "sing-box"},
		{"xray", "xray", nil, "xray-json"},
		{"unknown", "pigeon", nil, "pigeon"},
	} {
		t.Run(c.name, func(t *testing.T) {
			if got := formatNamed(c.asked, loaded{ids: c.ids}.Items("")); got != c.want {
				t.Errorf("%q, want %q", got, c.want)
			}
		})
	}
}

// A format that is known elsewhere but not loaded is refused like any other.
func TestOtherNameOfAFormatThatIsNotLoaded(t *testing.T) {
	b := newBench(t)
	b.user("alice")
	b.Renderer = loaded{renderer, []string{"links", "links-base64"}}
	_, err := b.Subscription(t.Context(), "sub-alice", Request{Format: "sing_box"})
	wantError(t, err, domain.CodeInvalid, "format must be one of links, links-base64")
}
