package subscription_test

import (
	"context"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/jonboulle/clockwork"
	"go.uber.org/zap"

	"github.com/sluicehq/sluice/kernel/accounts"
	"github.com/sluicehq/sluice/kernel/directory"
	"github.com/sluicehq/sluice/kernel/domain"
	"github.com/sluicehq/sluice/kernel/external"
	"github.com/sluicehq/sluice/kernel/plugin"
	"github.com/sluicehq/sluice/kernel/subscription"
	"github.com/sluicehq/sluice/sdk/wire"
	"github.com/sluicehq/sluice/storage"
	"github.com/sluicehq/sluice/storage/storagetest"
)

// counted is the plugin host that counts what it renders.
type counted struct {
	*plugin.Host
	renders atomic.Int64
}

func (c *counted) Render(ctx context.Context, req *wire.FormatRequest) (plugin.Rendered, error) {
	c.renders.Add(1)
	return c.Host.Render(ctx, req)
}

// moved is what users have moved that is not in the database yet.
type moved struct {
	db *storage.DB
	up atomic.Int64
}

func (m *moved) Usage(ctx context.Context, userID int64) (domain.Traffic, error) {
	t, err := m.db.Traffic(ctx, userID)
	t.Up += m.up.Load()
	return t, err
}

func (m *moved) Counted(read func() ([]domain.Account, error)) ([]domain.Account, error) {
	accounts, err := read()
	for i := range accounts {
		accounts[i].Traffic.Up += m.up.Load()
	}
	return accounts, err
}

// house is the use cases over a database, and two services that render its subscriptions: kept, which they tell of every
// commit as in a running Sluice and which keeps what it rendered; and plain, which reads everything anew every time.
type house struct {
	*accounts.Service
	t           testing.TB
	clock       *clockwork.FakeClock
	directory   *directory.Directory
	renderer    *counted
	used        *moved
	kept, plain *subscription.Service
	sudo        accounts.Principal
}

func newHouse(t testing.TB) *house {
	t.Helper()
	h := &house{t: t, clock: clockwork.NewFakeClockAt(time.UnixMilli(1_790_000_000_000)), directory: directory.New(), renderer: &counted{Host: subscription.BuiltIn()}}
	db := storagetest.Open(t, storage.Options{DSN: filepath.Join(t.TempDir(), "sluice.db"), Clock: h.clock})
	h.used = &moved{db: db}
	links := external.New(external.Options{DB: db, Clock: h.clock, Log: zap.NewNop(), Client: noClient{}})
	t.Cleanup(links.Close)
	o := subscription.Options{DB: db, Clock: h.clock, Log: zap.NewNop(), Renderer: h.renderer, Usage: h.used, External: links, Loopback: true}
	h.plain = subscription.New(o)
	o.Directory = h.directory
	h.kept = subscription.New(o)
	h.Service = accounts.New(accounts.Options{DB: db, Clock: h.clock, Log: zap.NewNop(), CertDir: t.TempDir(), Directory: h.directory, Subscriptions: both{h.kept, h.plain}})
	admin, err := h.CreateAdmin(t.Context(), "root", "correct horse battery", true)
	if err != nil {
		t.Fatal(err)
	}
	h.sudo = accounts.Principal{Admin: admin}
	if err := (both{h.kept, h.plain}).Reload(t.Context()); err != nil {
		t.Fatal(err)
	}
	return h
}

type noClient struct{}

func (noClient) Get(context.Context, string, int64) ([]byte, error) {
	return nil, domain.Unavailable("nobody answers")
}

// alice makes a user of that name with one inbound.
func (h *house) alice() {
	h.t.Helper()
	in, err := h.CreateInbound(h.t.Context(), domain.Inbound{
		Protocol: domain.VLESS, Port: 443, Enabled: true, Tag: "one", Remark: "one", Settings: `{"decryption":"none"}`,
	}, nil)
	h.must(in, err)
	h.must(h.CreateUser(h.t.Context(), accounts.NewUser{
		Username: "alice", SubID: "sub-alice", UUID: "b831381d-6324-4d53-ad4f-8cda48b30811", Enabled: true, AdminID: h.sudo.Admin.ID, Inbounds: []int64{in.ID},
	}, nil))
}

// own is the link of alice.
const own = "vless://b831381d-6324-4d53-ad4f-8cda48b30811@localhost:443?encryption=none&security=none&type=tcp#one-alice\n"

// both are told alike.
type both [2]*subscription.Service

func (b both) Reload(ctx context.Context) error {
	if err := b[0].Reload(ctx); err != nil {
		return err
	}
	return b[1].Reload(ctx)
}

// must fails the test if a use case did.
func (h *house) must(_ any, err error) {
	h.t.Helper()
	if err != nil {
		h.t.Fatal(err)
	}
}

func (h *house) fetch(s *subscription.Service, format string) (subscription.Reply, error) {
	return s.Subscription(h.t.Context(), "sub-alice", subscription.Request{Format: format, Host: "localhost", UserAgent: "test"})
}

// settle makes sure that the next fetch could be answered with what is kept.
func (h *house) settle(format string) subscription.Reply {
	h.t.Helper()
	first, err := h.fetch(h.kept, format)
	if err != nil {
		h.t.Fatal(err)
	}
	renders := h.renderer.renders.Load()
	again, err := h.fetch(h.kept, format)
	if err != nil || h.renderer.renders.Load() != renders {
		h.t.Fatalf("it is not kept: %v", err)
	}
	if string(again.Body) != string(first.Body) || again.ETag != first.ETag || again.ContentType != first.ContentType || !slices.Equal(again.Headers, first.Headers) {
		h.t.Fatalf("what is kept is not what was made:\n%+v\n%+v", first, again)
	}
	return again
}

// agree compares what is kept with what the database says, and returns it as text.
func (h *house) agree(format string) string {
	h.t.Helper()
	got, errGot := h.fetch(h.kept, format)
	want, errWant := h.fetch(h.plain, format)
	if domain.CodeOf(errGot) != domain.CodeOf(errWant) {
		h.t.Fatalf("got %v, want %v", errGot, errWant)
	}
	if string(got.Body) != string(want.Body) || got.ETag != want.ETag || !slices.Equal(got.Headers, want.Headers) {
		h.t.Errorf("got  %s%q\nwant %s%q", got.Body, got.Headers, want.Body, want.Headers)
	}
	var b strings.Builder
	b.WriteString(string(got.Body))
	for _, header := range got.Headers {
		b.WriteString(header.Name + ": " + header.Value + "\n")
	}
	return b.String()
}

// TestKeptBodiesFollowEveryCommit changes everything that a subscription depends on, each from a state in which the body is
// kept: the very next fetch must be what the database says, and must not be what it was.
func TestKeptBodiesFollowEveryCommit(t *testing.T) {
	h := newHouse(t)
	ctx := t.Context()
	at := func(port int, remark string) domain.Inbound {
		return domain.Inbound{Protocol: domain.VLESS, Port: port, Enabled: true, Tag: remark, Remark: remark, Settings: `{"decryption":"none"}`}
	}
	var ids []int64
	for i, remark := range []string{"one", "two", "three {ADMIN_USERNAME}"} {
		in, err := h.CreateInbound(ctx, at(1000+i, remark), nil)
		h.must(in, err)
		ids = append(ids, in.ID)
	}
	h.must(h.CreateUser(ctx, accounts.NewUser{Username: "alice", SubID: "sub-alice", Enabled: true, AdminID: h.sudo.Admin.ID, Inbounds: ids[:1]}, nil))
	h.must(h.CreateAdmin(ctx, "other", "correct horse battery", false))
	var group accounts.GroupView
	var host domain.Host
	all := accounts.How{}
	quota, later, past := int64(1<<30), h.clock.Now().Add(time.Hour).UnixMilli(), h.clock.Now().Add(-time.Hour).UnixMilli()
	edit := func(change func(*domain.User)) func() error {
		return func() error {
			_, err := h.UpdateUser(ctx, "alice", func(v *accounts.UserView) error { change(&v.User); return nil })
			return err
		}
	}
	inbound := func(id int64, change func(*domain.Inbound)) func() error {
		return func() error {
			_, err := h.UpdateInbound(ctx, id, func(in *domain.Inbound) error { change(in); return nil })
			return err
		}
	}
	settings := func(change func(*domain.Settings)) func() error {
		return func() error { _, err := h.ChangeSettings(ctx, change); return err }
	}
	links := func(given ...domain.ExternalLink) func() error {
		return func() error { return h.SetExternalLinks(ctx, "alice", given) }
	}
	for _, step := range []struct {
		name string
		do   func() error
	}{
		{"another uuid", edit(func(u *domain.User) { u.VLESSID = "b831381d-6324-4d53-ad4f-8cda48b30811" })},
		{"another name", edit(func(u *domain.User) { u.Note, u.Username = "note", "ALICE" })},
		{"its name again", edit(func(u *domain.User) { u.Username = "alice" })},
		{"a second inbound", func() error { _, err := h.Attach(ctx, []string{"alice"}, ids[1:2], all); return err }},
		{"one inbound less", func() error { _, err := h.Detach(ctx, []string{"alice"}, ids[1:2], all); return err }},
		{"a group with an inbound", func() (err error) {
			if group, err = h.NewGroup(ctx, "g", ids[1:2], false); err != nil {
				return err
			}
			_, err = h.UpdateUser(ctx, "alice", func(v *accounts.UserView) error { v.GroupIDs = []int64{group.ID}; return nil })
			return err
		}},
		{"the group has another inbound", func() error {
			_, err := h.UpdateGroup(ctx, group.ID, func(g *domain.Group) error { g.Inbounds = ids[2:]; return nil })
			return err
		}},
		{"another owner", func() error { _, err := h.SetOwner(ctx, h.sudo, "alice", "other"); return err }},
		{"the group is disabled", func() error { _, err := h.DisableGroups(ctx, []int64{group.ID}, true); return err }},
		{"the group is enabled", func() error { _, err := h.DisableGroups(ctx, []int64{group.ID}, false); return err }},
		{"the group is gone", func() error { _, err := h.DeleteGroups(ctx, []int64{group.ID}); return err }},
		{"an inbound's remark", inbound(ids[0], func(in *domain.Inbound) { in.Remark = "uno" })},
		{"a host", func() (err error) {
			host, err = h.CreateHost(ctx, domain.Host{InboundID: ids[0], Remark: "{STATUS_TEXT}", Addresses: []string{"front.example"}})
			return err
		}},
		{"the host's address", func() error {
			_, err := h.UpdateHost(ctx, host.ID, func(h *domain.Host) error { h.Addresses = []string{"back.example"}; return nil })
			return err
		}},
		{"disabled", func() error { _, err := h.SetEnabled(ctx, []string{"alice"}, false, all); return err }},
		{"with a line that says so", settings(func(s *domain.Settings) { s.StatusEntry = true })},
		{"enabled", func() error { _, err := h.SetEnabled(ctx, []string{"alice"}, true, all); return err }},
		{"a quota", edit(func(u *domain.User) { u.Quota, u.ExpireAt = &quota, &later })},
		{"moved that much", func() error { h.used.up.Store(quota); return nil }},
		{"moved less", func() error { h.used.up.Store(7); return nil }},
		{"its time is over", func() error { h.clock.Advance(2 * time.Hour); return nil }},
		{"it has time again", edit(func(u *domain.User) { u.ExpireAt = nil })},
		{"expired by the operator", edit(func(u *domain.User) { u.ExpireAt = &past })},
		{"and not", edit(func(u *domain.User) { u.ExpireAt = nil })},
		{"the host is gone", func() error { return h.DeleteHost(ctx, host.ID) }},
		{"an external link", links(domain.ExternalLink{Kind: domain.ExternalShareLink, Value: "trojan://a@b.example:443#x", Enabled: true})},
		{"another", links(domain.ExternalLink{Kind: domain.ExternalShareLink, Value: "trojan://a@c.example:443#x", Enabled: true})},
		{"none", links()},
		{"a public host", settings(func(s *domain.Settings) { s.PublicHosts = []string{"vpn.example"} })},
		{"a title", settings(func(s *domain.Settings) { s.ProfileTitle = "{USERNAME} at X" })},
		{"an announcement", settings(func(s *domain.Settings) { s.Announcement = "back at noon" })},
		{"a place to ask", settings(func(s *domain.Settings) { s.SupportURL = "https://help.example" })},
		{"hours", settings(func(s *domain.Settings) { s.UpdateHours = 1 })},
		{"a public URL", settings(func(s *domain.Settings) { s.PublicURL = "https://vpn.example" })},
		{"its usage", func() error { up := int64(3); return h.SetTraffic(ctx, "alice", &up, nil) }},
		{"the inbound is disabled", inbound(ids[0], func(in *domain.Inbound) { in.Enabled = false })},
		{"the inbound is enabled", inbound(ids[0], func(in *domain.Inbound) { in.Enabled = true })},
		{"the inbound is gone", func() error { return h.DeleteInbound(ctx, ids[0]) }},
		{"the user is gone", func() error { return h.DeleteUser(ctx, "alice", false) }},
	} {
		t.Run(step.name, func(t *testing.T) {
			h.t = t
			h.settle("links")
			before := h.agree("links")
			if err := step.do(); err != nil {
				t.Fatal(err)
			}
			if after := h.agree("links"); after == before {
				t.Errorf("nothing has changed: %s", after)
			}
		})
	}
}

// What a kept body does not say is of now: usage and expiry in the headers.
func TestHeadersOfAKeptBodyAreOfNow(t *testing.T) {
	h := newHouse(t)
	h.alice()
	h.settle("links")
	renders := h.renderer.renders.Load()
	for _, up := range []int64{5, 6} {
		h.used.up.Store(up)
		reply, err := h.fetch(h.kept, "links")
		want := wire.Pair{Name: "subscription-userinfo", Value: "upload=" + string(rune('0'+up)) + "; download=0; total=0; expire=0"}
		if err != nil || !slices.Contains(reply.Headers, want) {
			t.Errorf("%q, %v", reply.Headers, err)
		}
	}
	if h.renderer.renders.Load() != renders {
		t.Error("the body was rendered again")
	}
}

// An external link that ends, or whose provider answers something else, shows without any commit.
func TestKeptBodiesFollowExternalLinks(t *testing.T) {
	h := newHouse(t)
	h.alice()
	soon := h.clock.Now().Add(time.Minute).UnixMilli()
	if err := h.SetExternalLinks(t.Context(), "alice", []domain.ExternalLink{
		{Kind: domain.ExternalShareLink, Value: "trojan://a@b.example:443#x", Enabled: true, ExpireAt: &soon},
	}); err != nil {
		t.Fatal(err)
	}
	if body := h.settle("links").Body; string(body) != own+"trojan://a@b.example:443#x\n" {
		t.Errorf("at first %q", body)
	}
	h.clock.Advance(time.Hour)
	if body, err := h.fetch(h.kept, "links"); err != nil || string(body.Body) != own {
		t.Errorf("afterwards %q, %v", body.Body, err)
	}
}

// The plugins say when they have changed: settings of a plugin are in no hash.
func TestKeptBodiesFollowPlugins(t *testing.T) {
	h := newHouse(t)
	h.alice()
	h.settle("links")
	renders := h.renderer.renders.Load()
	h.kept.PluginsChanged()
	if reply, err := h.fetch(h.kept, "links"); err != nil || string(reply.Body) != own || h.renderer.renders.Load() != renders+1 {
		t.Errorf("%q after %d renders, %v", reply.Body, h.renderer.renders.Load()-renders, err)
	}
	h.settle("links")
}

// A body that says what changes by itself is made for every fetch.
func TestBodiesThatMoveAreNotKept(t *testing.T) {
	for _, c := range []struct {
		name, remark, title string
		kept                bool
	}{
		{"nothing", "one", "", true},
		{"what follows commits", "{USERNAME} {DATA_LIMIT} {EXPIRE_DATE} {STATUS_TEXT}", "{ADMIN_USERNAME}", true},
		{"usage in a remark", "{DATA_LEFT}", "", false},
		{"time in a remark", "{TIME_LEFT}", "", false},
		{"usage in the title", "one", "{USAGE_PERCENTAGE} %", false},
	} {
		t.Run(c.name, func(t *testing.T) {
			h := newHouse(t)
			h.alice()
			h.must(h.UpdateInbound(t.Context(), 1, func(in *domain.Inbound) error { in.Remark = c.remark; return nil }))
			h.must(h.ChangeSettings(t.Context(), func(s *domain.Settings) { s.ProfileTitle = c.title }))
			for i := range int64(3) {
				h.used.up.Store(i << 20)
				h.agree("links")
			}
			want := int64(6) // of both services
			if c.kept {
				want = 4
			}
			if got := h.renderer.renders.Load(); got != want {
				t.Errorf("%d renders, want %d", got, want)
			}
			e, err := h.kept.Explain(t.Context(), "alice", "", "", "links")
			if err != nil || e.Kept != c.kept || (e.WhyNot == "") != c.kept {
				t.Errorf("explained as %v: %q, %v", e.Kept, e.WhyNot, err)
			}
		})
	}
}

// Users are found without the database, which may even be gone.
func TestKeptBodiesDoNotNeedTheDatabase(t *testing.T) {
	h := newHouse(t)
	h.alice()
	want := h.settle("links")
	if err := h.DB.Close(); err != nil {
		t.Fatal(err)
	}
	if got, err := h.fetch(h.kept, "links"); err != nil || string(got.Body) != string(want.Body) {
		t.Errorf("%q, %v", got.Body, err)
	}
	if _, err := h.kept.Subscription(t.Context(), "sub-nobody", subscription.Request{}); err == nil {
		t.Error("nobody is found")
	}
}

// TestKeptBodiesUnderFire changes users while others fetch them: after each commit the one who made it must see it.
func TestKeptBodiesUnderFire(t *testing.T) {
	h := newHouse(t)
	h.alice()
	ctx, stop := context.WithCancel(t.Context())
	var readers sync.WaitGroup
	for range 4 {
		readers.Go(func() {
			for ctx.Err() == nil {
				if _, err := h.kept.Subscription(t.Context(), "sub-alice", subscription.Request{Format: "links", Host: "localhost"}); err != nil {
					t.Error(err)
					return
				}
			}
		})
	}
	for i := range 40 {
		remark := fmt.Sprintf("n%d", i)
		h.must(h.UpdateInbound(ctx, 1, func(in *domain.Inbound) error { in.Remark = remark; return nil }))
		name := fmt.Sprintf("alice%d", i)
		h.must(h.UpdateUser(ctx, strings.TrimSuffix("alice"+fmt.Sprint(i-1), "-1"), func(v *accounts.UserView) error { v.Username = name; return nil }))
		if got, err := h.fetch(h.kept, "links"); err != nil || !strings.HasSuffix(string(got.Body), "#"+remark+"-"+name+"\n") {
			t.Fatalf("after %s and %s: %s %v", remark, name, got.Body, err)
		}
	}
	stop()
	readers.Wait()
}
