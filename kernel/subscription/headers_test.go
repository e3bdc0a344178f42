package subscription

import (
	"context"
	"slices"
	"testing"

	"github.com/sluicehq/sluice/kernel/domain"
	"github.com/sluicehq/sluice/kernel/plugin"
	"github.com/sluicehq/sluice/sdk/wire"
	"github.com/sluicehq/sluice/storage"
)

// The settings reach the headers and, for formats that show them, the request.
func TestHeadersOfTheSettings(t *testing.T) {
	b := newBench(t)
	b.user("alice")
	b.write(func(tx *storage.Tx) error {
		return tx.SaveSettings(t.Context(), domain.Settings{
			PublicURL: "https://vpn.example/x/", ProfileTitle: "{USERNAME} ✅ {DATA_USAGE} of {ADMIN_USERNAME}", SupportURL: "https://t.me/help",
			UpdateHours: 3, Announcement: "back at noon",
		})
	})
	b.reload()
	b.used.Up = 1 << 20
	want := []wire.Pair{
		{Name: "subscription-userinfo", Value: "upload=1048576; download=0; total=0; expire=0"},
		{Name: "profile-update-interval", Value: "3"},
		{Name: "profile-title", Value: "base64:YWxpY2Ug4pyFIDEgTUIgb2Ygcm9vdA=="},
		{Name: "content-disposition", Value: "attachment; filename=alice"},
		{Name: "support-url", Value: "https://t.me/help"},
		{Name: "announce", Value: "base64:YmFjayBhdCBub29u"},
		{Name: "profile-web-page-url", Value: "https://vpn.example/x/sub/sub-alice"},
	}
	if got := b.fetch("sub-alice", Request{}).Headers; !slices.Equal(got, want) {
		t.Errorf("got  %q\nwant %q", got, want)
	}
}

// stranger provides what a plugin in the folder could, with its headers.
type stranger struct {
	item plugin.Item
	made plugin.Rendered
}

func (s stranger) Items(string) []plugin.Item { return []plugin.Item{s.item} }

func (s stranger) Render(context.Context, *wire.FormatRequest) (plugin.Rendered, error) {
	return s.made, nil
}

func TestPagesOfStrangersAreSandboxed(t *testing.T) {
	own := wire.Pair{Name: "content-security-policy", Value: "script-src 'unsafe-inline'"}
	for _, c := range []struct {
		name    string
		builtin bool
		made    plugin.Rendered
		want    string
	}{
		{"a stranger's", false, plugin.Rendered{ContentType: "text/html"}, "sandbox"},
		{"with a policy of its own", false, plugin.Rendered{ContentType: "text/html", Headers: []wire.Pair{own}}, "script-src 'unsafe-inline', sandbox"},
		{"whatever it says it is", false, plugin.Rendered{ContentType: "application/xml"}, "sandbox"},
		{"built in", true, plugin.Rendered{ContentType: "text/html", Headers: []wire.Pair{own}}, own.Value},
		{"built in, for a stranger that failed", false, plugin.Rendered{ContentType: "text/html", Headers: []wire.Pair{own}, Fallback: true}, own.Value},
	} {
		t.Run(c.name, func(t *testing.T) {
			b := newBench(t)
			b.user("alice")
			b.Renderer = stranger{plugin.Item{Plugin: "x", Builtin: c.builtin, Item: wire.Item{ID: "html"}}, c.made}
			var got []string
			for _, h := range b.fetch("sub-alice", Request{Format: "html"}).Headers {
				if h.Name == "content-security-policy" {
					got = append(got, h.Value)
				}
			}
			if !slices.Equal(got, []string{c.want}) {
				t.Errorf("got %q, want %q", got, c.want)
			}
		})
	}
}

// Where both the plugin and the kernel have something to say, the kernel's word is the only one.
func TestHeadersOfAPluginDoNotHideTheKernels(t *testing.T) {
	b := newBench(t)
	b.user("alice")
	b.write(func(tx *storage.Tx) error { return tx.SaveSettings(t.Context(), domain.Settings{Announcement: "ours"}) })
	b.reload()
	headers := []wire.Pair{{Name: "announce", Value: "theirs"}, {Name: "routing", Value: "r"}}
	b.Renderer = stranger{plugin.Item{Builtin: true, Item: wire.Item{ID: "a"}}, plugin.Rendered{Headers: headers, Filename: "f.yaml"}}
	got := b.fetch("sub-alice", Request{Format: "a"}).Headers
	for _, want := range []wire.Pair{
		{Name: "announce", Value: "base64:b3Vycw=="}, {Name: "routing", Value: "r"}, {Name: "content-disposition", Value: "attachment; filename=f.yaml"},
	} {
		if !slices.Contains(got, want) {
			t.Errorf("%q is missing in %q", want, got)
		}
	}
	if len(got) != 6 || headers[0].Value != "theirs" {
		t.Errorf("got %q; the plugin's own list is %q", got, headers)
	}
}

// A page that a browser saved instead of showing it would be of no use to anybody.
func TestPagesAreShownAndFilesAreSaved(t *testing.T) {
	for _, c := range []struct{ contentType, filename, want string }{
		{"text/html; charset=utf-8", "", "inline; filename=alice"},
		{"Text/HTML", "page.html", "inline; filename=page.html"},
		{"text/plain; charset=utf-8", "", "attachment; filename=alice"},
		{"application/json", "a\r\nx: y", "attachment; filename*=utf-8''a%0D%0Ax%3A%20y"},
	} {
		t.Run(c.contentType, func(t *testing.T) {
			b := newBench(t)
			b.user("alice")
			b.Renderer = stranger{plugin.Item{Builtin: true, Item: wire.Item{ID: "a"}}, plugin.Rendered{ContentType: c.contentType, Filename: c.filename}}
			want := wire.Pair{Name: "content-disposition", Value: c.want}
			if got := b.fetch("sub-alice", Request{Format: "a"}).Headers; !slices.Contains(got, want) {
				t.Errorf("%q is missing in %q", want, got)
			}
		})
	}
}

// A format that could not be made by the plugin that is to make it is made anew as soon as that works again.
func TestFallbacksAreNotKept(t *testing.T) {
	item := plugin.Item{Plugin: "x", Item: wire.Item{ID: "a", Cache: wire.CacheRevision}}
	b := newBench(t)
	alice := b.user("alice")
	known := map[string]*domain.User{"sub-alice": alice}
	b.Directory = remembering(known)
	for _, step := range []struct {
		made plugin.Rendered
		want string
	}{
		{plugin.Rendered{Body: []byte("instead"), Fallback: true}, "instead"},
		{plugin.Rendered{Body: []byte("own")}, "own"},
		{plugin.Rendered{Body: []byte("later")}, "own"},
	} {
		b.Renderer = stranger{item, step.made}
		if got := b.fetch("sub-alice", Request{Format: "a"}).Body; string(got) != step.want {
			t.Errorf("got %q, want %q", got, step.want)
		}
	}
	item.SHA256 = "another"
	b.Renderer = stranger{item, plugin.Rendered{Body: []byte("new")}}
	if got := b.fetch("sub-alice", Request{Format: "a"}).Body; string(got) != "new" {
		t.Errorf("a new version gives %q", got)
	}
	item.SHA256, item.Cache = "a third", wire.CacheNone
	for _, want := range []string{"1", "2"} {
		b.Renderer = stranger{item, plugin.Rendered{Body: []byte(want)}}
		if got := b.fetch("sub-alice", Request{Format: "a"}).Body; string(got) != want {
			t.Errorf("what may not be kept is %q, want %q", got, want)
		}
	}
}
