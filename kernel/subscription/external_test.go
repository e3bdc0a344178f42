package subscription

import (
	"context"
	"encoding/base64"
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/sluicehq/sluice/kernel/domain"
	"github.com/sluicehq/sluice/kernel/external"
	"github.com/sluicehq/sluice/storage"
)

// give makes the share links the user's external links, which the service hands out from then on.
func (b *bench) give(user *domain.User, values ...string) {
	b.t.Helper()
	service := external.New(external.Options{DB: b.db, Clock: b.Clock, Log: b.Log})
	b.t.Cleanup(service.Close)
	b.External = service
	var links []domain.ExternalLink
	for _, v := range values {
		links = append(links, domain.ExternalLink{Kind: domain.ExternalShareLink, Value: v, Enabled: true})
	}
	b.write(func(tx *storage.Tx) error { return tx.SetExternalLinks(b.t.Context(), user.ID, links) })
}

const elsewhere, elsewhereToo = "trojan://secret@elsewhere.example:443#one", "ss://YTpi@elsewhere.example:8388#two"

// External links come after the user's own in everything that has the subscription id, and are not among the links of
// the user.
func TestExternalLinks(t *testing.T) {
	b := newBench(t)
	id := b.inbound(func(in *domain.Inbound) { in.Remark = "own" })
	b.reload()
	alice, bob := b.user("alice", id), b.user("bob", id)
	own := "vless://" + uuidOf("alice") + "@localhost:443?encryption=none&security=none&type=tcp#own-alice"
	for _, values := range [][]string{{elsewhere, elsewhereToo}, {elsewhereToo}, {}} { // each list is a new one for the plugin
		b.give(alice, values...)
		want := append([]string{own}, values...)
		if got, err := b.LinksBySubID(t.Context(), "sub-alice", "localhost"); err != nil || !slices.Equal(got, want) {
			t.Errorf("by sub id: %q, %v\nwant %q", got, err, want)
		}
		body := strings.Join(want, "\n") + "\n"
		if got := b.fetch("sub-alice", Request{Format: "links"}).Body; string(got) != body {
			t.Errorf("links: %q\nwant %q", got, body)
		}
		if got := b.fetch("sub-alice", Request{}).Body; string(got) != base64.StdEncoding.EncodeToString([]byte(body)) {
			t.Errorf("links-base64: %q", got)
		}
		b.wantLinks(alice, own)
		bobs := strings.ReplaceAll(strings.ReplaceAll(own, uuidOf("alice"), uuidOf("bob")), "alice", "bob") + "\n"
		if got := b.fetch(bob.SubID, Request{Format: "links"}).Body; string(got) != bobs {
			t.Errorf("bob gets %q, want %q", got, bobs)
		}
	}
}

func TestETagFollowsExternalLinks(t *testing.T) {
	b := newBench(t)
	alice := b.user("alice")
	b.give(alice, elsewhere)
	first := b.fetch("sub-alice", Request{}).ETag
	b.give(alice, elsewhereToo)
	if second := b.fetch("sub-alice", Request{}).ETag; second == first {
		t.Error("other links have the same ETag")
	}
}

// Whoever has external links gets them, although nobody could connect to the inbounds.
func TestExternalLinksWithoutAPublicAddress(t *testing.T) {
	b := newBench(t)
	b.Loopback = false
	id := b.inbound(func(in *domain.Inbound) { in.Remark = "hidden" })
	b.reload()
	b.give(b.user("alice", id), elsewhere)
	if got := b.fetch("sub-alice", Request{Format: "links"}).Body; string(got) != elsewhere+"\n" {
		t.Errorf("got %q", got)
	}
	if b.logs.FilterMessage("inbounds without a public address are left out of a subscription").Len() != 1 {
		t.Errorf("logged %+v", b.logs.All())
	}
}

// noExternal is what external links are while they can not be had.
type noExternal struct{}

func (noExternal) Links(context.Context, *domain.User) ([]string, error) {
	return nil, errors.New("out of order")
}

func TestExternalLinksThatFail(t *testing.T) {
	b := newBench(t)
	id := b.inbound(func(in *domain.Inbound) { in.Remark = "own" })
	b.reload()
	b.user("alice", id)
	want := b.fetch("sub-alice", Request{})
	b.External = noExternal{}
	if got := b.fetch("sub-alice", Request{}); string(got.Body) != string(want.Body) {
		t.Errorf("got %q, want %q", got.Body, want.Body)
	}
	entries := b.logs.FilterMessage("external links are left out of a subscription").All()
	if len(entries) != 1 || entries[0].ContextMap()["error"] != "out of order" {
		t.Errorf("logged %+v", b.logs.All())
	}
}
