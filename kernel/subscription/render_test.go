package subscription

import (
	"context"
	"encoding/base64"
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/sluicehq/sluice/kernel/domain"
	"github.com/sluicehq/sluice/kernel/plugin"
	"github.com/sluicehq/sluice/sdk/wire"
	"github.com/sluicehq/sluice/storage"
)

func (b *bench) wantLinks(user *domain.User, want ...string) {
	b.t.Helper()
	if got, err := b.Links(b.t.Context(), user, "localhost:8080"); err != nil || !slices.Equal(got, want) {
		b.t.Errorf("links %q, %v\nwant  %q", got, err, want)
	}
}

func (b *bench) fetch(subID string, r Request) Reply {
	b.t.Helper()
	r.Host = "localhost:8080"
	reply, err := b.Subscription(b.t.Context(), subID, r)
	if err != nil {
		b.t.Fatal(err)
	}
	return reply
}

func wantError(t *testing.T, err error, code domain.Code, sentence string) {
	t.Helper()
	var e *domain.Error
	if !errors.As(err, &e) || e.Code != code || e.Error() != sentence {
		t.Errorf("got %v (%s), want %s: %s", err, domain.CodeOf(err), code, sentence)
	}
}

// The same links, in inbound order, come out of every door.
func TestEveryDoorGivesTheSameLinks(t *testing.T) {
	b := newBench(t)
	first := b.inbound(func(in *domain.Inbound) { in.Remark = "first" })
	second := b.inbound(func(in *domain.Inbound) {
		in.Remark, in.Port, in.Protocol, in.StreamSettings = "second", 8443, domain.Trojan, `{"network":"ws","wsSettings":{"path":"/t"}}`
		in.ShareAddress = "2001:db8::1"
	})
	b.reload()
	alice := b.user("alice", second, first)
	want := []string{
		"vless://" + uuidOf("alice") + "@localhost:443?encryption=none&security=none&type=tcp#first-alice",
		"trojan://pw-alice@[2001:db8::1]:8443?path=%2Ft&security=none&type=ws#second-alice",
	}
	b.wantLinks(alice, want...)
	if got, err := b.LinksBySubID(t.Context(), "sub-alice", "localhost"); err != nil || !slices.Equal(got, want) {
		t.Errorf("by sub id: %q, %v", got, err)
	}
	plain := strings.Join(want, "\n") + "\n"
	reply := b.fetch("sub-alice", Request{Format: "links"})
	if string(reply.Body) != plain || reply.ContentType != "text/plain; charset=utf-8" {
		t.Errorf("links: %q as %s", reply.Body, reply.ContentType)
	}
	for _, format := range []string{"", "links-base64"} {
		reply := b.fetch("sub-alice", Request{Format: format})
		if string(reply.Body) != base64.StdEncoding.EncodeToString([]byte(plain)) {
			t.Errorf("format %q: %q", format, reply.Body)
		}
	}
}

func TestSubscriptionHeaders(t *testing.T) {
	b := newBench(t)
	id := b.inbound(func(in *domain.Inbound) { in.Remark = "one" })
	b.reload()
	b.used.Up, b.used.Down = 10, 20
	b.user("alice", id)
	renée := b.user("Renée", id)
	quota, expire := int64(100), start+1999
	renée.Quota, renée.ExpireAt = &quota, &expire
	b.write(func(tx *storage.Tx) error { return tx.UpdateUser(t.Context(), renée) })
	for subID, want := range map[string][]wire.Pair{
		"sub-alice": {
			{Name: "subscription-userinfo", Value: "upload=10; download=20; total=0; expire=0"},
			{Name: "profile-update-interval", Value: "12"},
			{Name: "profile-title", Value: "base64:YWxpY2U="},
			{Name: "content-disposition", Value: "attachment; filename=alice"},
		},
		"sub-Renée": {
			{Name: "subscription-userinfo", Value: "upload=10; download=20; total=100; expire=1790000001"},
			{Name: "profile-update-interval", Value: "12"},
			{Name: "profile-title", Value: "base64:UmVuw6ll"},
			{Name: "content-disposition", Value: "attachment; filename*=utf-8''Ren%C3%A9e"},
		},
	} {
		if got := b.fetch(subID, Request{}).Headers; !slices.Equal(got, want) {
			t.Errorf("%s: %q\nwant %q", subID, got, want)
		}
	}
	b.write(func(tx *storage.Tx) error {
		return tx.SaveSettings(t.Context(), domain.Settings{PublicURL: "https://vpn.example/"})
	})
	b.reload()
	page := wire.Pair{Name: "profile-web-page-url", Value: "https://vpn.example/sub/sub-Ren%C3%A9e"}
	if got := b.fetch("sub-Renée", Request{}).Headers; !slices.Contains(got, page) {
		t.Errorf("with a public URL: %q", got)
	}
}

// A wrong id tells nothing about ids that exist.
func TestUnknownSubscription(t *testing.T) {
	b := newBench(t)
	b.user("alice")
	for _, id := range []string{"", "nobody", "SUB-ALICE", "a\x00b", "a\xff", strings.Repeat("a", 129)} {
		_, err := b.Subscription(t.Context(), id, Request{Host: "localhost"})
		wantError(t, err, domain.CodeNotFound, "subscription not found")
		if links, err := b.LinksBySubID(t.Context(), id, "localhost"); err != nil || links == nil || len(links) != 0 {
			t.Errorf("links of %q: %v, %v", id, links, err)
		}
	}
}

// Whoever may not connect still gets the links: the core refuses, and after a renewal the app works at once.
func TestSubscriptionOfWhoMayNotConnect(t *testing.T) {
	b := newBench(t)
	id := b.inbound(func(in *domain.Inbound) { in.Remark = "one" })
	b.reload()
	want := b.fetch(b.user("alice", id).SubID, Request{Format: "links"}).Body
	past, none := start-1, int64(0)
	for name, change := range map[string]func(*domain.User){
		"disabled": func(u *domain.User) { u.Enabled = false },
		"expired":  func(u *domain.User) { u.ExpireAt = &past },
		"limited":  func(u *domain.User) { u.Quota = &none },
	} {
		t.Run(name, func(t *testing.T) {
			user, err := b.db.UserBySubID(t.Context(), "sub-alice")
			if err != nil {
				t.Fatal(err)
			}
			change(&user)
			b.write(func(tx *storage.Tx) error { return tx.UpdateUser(t.Context(), &user) })
			if got := b.fetch("sub-alice", Request{Format: "links"}).Body; string(got) != string(want) {
				t.Errorf("got %q, want %q", got, want)
			}
		})
	}
}

func TestETag(t *testing.T) {
	b := newBench(t)
	id := b.inbound(func(in *domain.Inbound) { in.Remark = "one" })
	b.user("alice", id)
	b.user("bob", id)
	b.reload()
	first := b.fetch("sub-alice", Request{}).ETag
	if len(first) != 34 || first[0] != '"' || first[33] != '"' {
		t.Errorf("ETag %s", first)
	}
	b.used.Up = 1 << 20
	if again := b.fetch("sub-alice", Request{}).ETag; again != first {
		t.Errorf("with other usage the ETag is %s, not %s", again, first)
	}
	if other := b.fetch("sub-bob", Request{}).ETag; other == first {
		t.Error("two users have one ETag")
	}
	b.inbound(func(in *domain.Inbound) { in.Remark = "two" })
	b.reload()
	if same := b.fetch("sub-alice", Request{}).ETag; same != first {
		t.Error("somebody else's inbound changes the ETag")
	}
	b.write(func(tx *storage.Tx) error {
		return tx.SaveSettings(t.Context(), domain.Settings{PublicHosts: []string{"example.com"}})
	})
	b.reload()
	if changed := b.fetch("sub-alice", Request{}).ETag; changed == first {
		t.Error("another address has the same ETag")
	}
}

func TestUnknownFormat(t *testing.T) {
	b := newBench(t)
	b.user("alice")
	b.Renderer = loaded{renderer, []string{"links-base64", "links"}}
	_, err := b.Subscription(t.Context(), "sub-alice", Request{Format: "carrier-pigeon"})
	wantError(t, err, domain.CodeInvalid, "format must be one of links, links-base64")
}

// broken renders nothing.
type broken struct{ *plugin.Host }

func (broken) Render(context.Context, *wire.FormatRequest) (plugin.Rendered, error) {
	return plugin.Rendered{}, domain.Unavailable("plugin x crashed").Because(plugin.ErrTrap)
}

func TestFormatThatFails(t *testing.T) {
	b := newBench(t)
	b.user("alice")
	b.Renderer = broken{renderer}
	_, err := b.Subscription(t.Context(), "sub-alice", Request{})
	wantError(t, err, domain.CodeUnavailable, "the format links-base64 can not be made now, because its plugin failed")
	if !errors.Is(err, plugin.ErrTrap) {
		t.Errorf("the cause is lost: %v", err)
	}
	if b.logs.FilterMessage("format plugin failed").Len() != 1 {
		t.Errorf("logged %+v", b.logs.All())
	}
}

// Without any address that clients could reach there is a sentence instead of links that nobody could use; with some,
// the rest is left out.
func TestNoPublicAddress(t *testing.T) {
	b := newBench(t)
	b.Loopback = false
	hidden := b.inbound(func(in *domain.Inbound) { in.Remark = "hidden" })
	shared := b.inbound(func(in *domain.Inbound) { in.Remark, in.ShareAddress = "shared", "share.example" })
	b.reload()
	const want = "no address is known that clients can reach: set public_hosts in the settings, or shareAddr of the inbound"
	b.user("alice", hidden)
	_, err := b.Subscription(t.Context(), "sub-alice", Request{Host: "evil.example"})
	wantError(t, err, domain.CodeUnavailable, want)

	bob := b.user("bob", hidden, shared)
	b.wantLinks(bob, "vless://"+uuidOf("bob")+"@share.example:443?encryption=none&security=none&type=tcp#shared-bob")
	if b.logs.FilterMessage("inbounds without a public address are left out of a subscription").Len() != 1 {
		t.Errorf("logged %+v", b.logs.All())
	}
	if reply := b.fetch(b.user("carol").SubID, Request{}); len(reply.Body) != 0 {
		t.Errorf("a user without inbounds gets %q", reply.Body)
	}
}

func TestFetchIsRecorded(t *testing.T) {
	b := newBench(t)
	b.user("alice")
	before := b.user("bob").Revision
	b.fetch("sub-alice", Request{UserAgent: "v2rayNG/1.8\r\n\x1b[0m" + strings.Repeat("é", 200)})
	if err := b.FlushFetches(t.Context()); err != nil {
		t.Fatal(err)
	}
	alice, err := b.db.UserByName(t.Context(), "alice")
	if err != nil || alice.SubFetchAt != start || alice.Revision >= before {
		t.Fatalf("fetched at %d, revision %d, %v", alice.SubFetchAt, alice.Revision, err)
	}
	if want := "v2rayNG/1.8[0m" + strings.Repeat("é", 91); alice.SubAgent != want {
		t.Errorf("agent %q (%d bytes), want %q", alice.SubAgent, len(alice.SubAgent), want)
	}
}

func TestCut(t *testing.T) {
	for _, c := range []struct {
		name, in string
		n        int
		want     string
	}{
		{"short", "abc", 5, "abc"},
		{"exact", "abcde", 5, "abcde"},
		{"in the middle of a character", "abcdé", 5, "abcd"},
		{"no UTF-8", "a\xffb", 5, "ab"},
		{"control characters", "a\x00\n\x7f\u0085b", 9, "ab"},
	} {
		if got := cut(c.in, c.n); got != c.want {
			t.Errorf("%s: %q, want %q", c.name, got, c.want)
		}
	}
}

// Everything that a format may want to know of a user reaches it.
func TestRequest(t *testing.T) {
	b := newBench(t)
	quota, expire, reset := int64(100), start+5, start+7
	user := &domain.User{
		ID: 9, Username: "alice", SubID: "sub", Enabled: true, Quota: &quota, ExpireAt: &expire, NextResetAt: &reset, CreatedAt: 3, Note: "note",
	}
	b.write(func(tx *storage.Tx) error {
		return tx.SaveSettings(t.Context(), domain.Settings{ProfileTitle: "{USERNAME} of X", SupportURL: "https://x.example"})
	})
	b.reload()
	drafted := func(traffic domain.Traffic, base string) *wire.FormatRequest {
		d, err := b.draft(t.Context(), b.current.Load(), user, traffic, nil, address{base: base}, extras{})
		if err != nil {
			t.Fatal(err)
		}
		d.Prepared = 0
		return &d.FormatRequest
	}
	got := drafted(domain.Traffic{Up: 40, Down: 60, OnlineAt: 8}, "https://a.example/")
	want := &wire.FormatRequest{Now: start, User: wire.User{
		ID: 9, Username: "alice", SubID: "sub", Status: "limited", Up: 40, Down: 60, HasQuota: true, Quota: 100,
		ExpireAt: expire, NextResetAt: reset, CreatedAt: 3, Note: "note", OnlineAt: 8,
	}, URL: "https://a.example/sub/alice?token=sub", Title: "alice of X", SupportURL: "https://x.example"}
	if string(mustJSON(t, got)) != string(mustJSON(t, want)) {
		t.Errorf("got  %s\nwant %s", mustJSON(t, got), mustJSON(t, want))
	}
	user.Quota = nil
	if got := drafted(domain.Traffic{}, ""); got.User.HasQuota || got.User.Status != "active" || got.URL != "" {
		t.Errorf("without a quota: %s", mustJSON(t, got))
	}
}
