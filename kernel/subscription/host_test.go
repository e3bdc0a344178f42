package subscription

import (
	"encoding/json"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/txtar"

	"github.com/sluicehq/sluice/kernel/domain"
	"github.com/sluicehq/sluice/plugins/links"
	"github.com/sluicehq/sluice/sdk/wire"
	"github.com/sluicehq/sluice/storage"
)

// front stores a host of the inbound after change was made to it.
func (b *bench) front(inbound int64, change func(*domain.Host)) *domain.Host {
	b.t.Helper()
	h := &domain.Host{InboundID: inbound, Remark: "host", Addresses: []string{"front.example"}}
	change(h)
	b.write(func(tx *storage.Tx) error { return tx.InsertHost(b.t.Context(), h) })
	return h
}

// vless is the link of a bare VLESS endpoint.
func vless(user, address, remark string) string {
	return fmt.Sprintf("vless://%s@%s?encryption=none&security=none&type=tcp#%s", uuidOf(user), address, remark)
}

// TestHostsOfEveryTransport puts hosts in front of every inbound that TestNewEndpoint has, and compares what clients are
// told with the golden file: the links of a host that only stands at another address, of one that says everything, of
// one without security and of one with TLS of its own, and the endpoint of the second.
func TestHostsOfEveryTransport(t *testing.T) {
	const file = "testdata/hosts.txtar"
	inbounds, err := txtar.ParseFile("testdata/endpoints.txtar")
	if err != nil {
		t.Fatal(err)
	}
	golden, err := txtar.ParseFile(file)
	if err != nil {
		t.Fatal(err)
	}
	var made []txtar.File
	for i := 0; i+1 < len(inbounds.Files); i += 2 {
		in := inbounds.Files[i]
		t.Run(in.Name, func(t *testing.T) {
			var j inboundJSON
			decode(t, in.Data, &j)
			door, err := newEndpoint(j.inbound())
			if err != nil {
				t.Fatal(err)
			}
			got := toldOf(t, door)
			made = append(made, txtar.File{Name: in.Name, Data: []byte(got)})
			if at := slices.IndexFunc(golden.Files, func(f txtar.File) bool { return f.Name == in.Name }); !*update && (at < 0 || string(golden.Files[at].Data) != got) {
				t.Errorf("told\n%s\nwhich is not what %s has", got, file)
			}
		})
	}
	if *update {
		golden.Files = made
		if err := os.WriteFile(file, txtar.Format(golden), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if len(golden.Files) != len(inbounds.Files)/2 {
		t.Errorf("%d inbounds, %d in %s", len(inbounds.Files)/2, len(golden.Files), file)
	}
}

func toldOf(t *testing.T, door endpoint) string {
	t.Helper()
	user := &domain.User{ID: 5, Username: "alice", Credentials: domain.Credentials{
		VLESSID: uuidOf("alice"), VMessID: uuidOf("alice"), TrojanPassword: "pw", ShadowsocksPassword: "pw", HysteriaAuth: "auth", Flow: domain.FlowVision,
	}}
	all := domain.Host{
		ID: 2, Remark: "all", Addresses: []string{"{USERNAME}.front.example"}, Port: 8443, SNI: []string{"sni.{USERNAME}.example"},
		HostNames: []string{"name.front.example"}, Path: "/{USERNAME}", ALPN: []string{"h3"}, Fingerprint: "safari", AllowInsecure: true,
	}
	none, tls := all, all
	none.Remark, none.Security, tls.Remark, tls.Security, tls.SNIAsHost = "none", "none", "tls", "tls", true
	var text strings.Builder
	for _, h := range []domain.Host{{ID: 1, Remark: "address", Addresses: []string{"2001:db8::1"}}, all, none, tls} {
		e, a := newHost(h, door).tell(viewer{user: user, status: domain.StatusActive, now: start}, "")
		var r links.Renderer
		link, left := r.Links(&wire.FormatRequest{Endpoints: []wire.Endpoint{e}, Accounts: []wire.Account{a}})
		if left != 0 {
			t.Errorf("host %s has no link", h.Remark)
		}
		text.Write(link)
		if h.Remark == "all" {
			text.Write(readable(t, e))
		}
	}
	return text.String()
}

// Hosts come in the order of their priority, then those inbounds that have none; a disabled host is none.
func TestHostsReplaceTheirInbound(t *testing.T) {
	b := newBench(t)
	plain := b.inbound(func(in *domain.Inbound) { in.Remark, in.Port = "plain", 1001 })
	fronted := b.inbound(func(in *domain.Inbound) { in.Remark, in.Port = "fronted", 1002 })
	other := b.inbound(func(in *domain.Inbound) { in.Remark, in.Port = "other", 1003 })
	off := b.inbound(func(in *domain.Inbound) { in.Remark, in.Port = "off", 1004 })
	b.front(fronted, func(h *domain.Host) { h.Remark, h.Priority = "last of {USERNAME}", 9 })
	b.front(fronted, func(h *domain.Host) { h.Remark, h.Priority, h.Port = "first", -1, 8443 })
	middle := b.front(other, func(h *domain.Host) { h.Remark, h.Addresses = "middle", nil })
	b.front(other, func(h *domain.Host) { h.Remark = "middle too" })
	b.front(off, func(h *domain.Host) { h.Disabled = true })
	b.reload()
	alice := b.user("alice", plain, fronted, other, off)
	want := []string{
		vless("alice", "front.example:8443", "first"),
		vless("alice", "localhost:1003", "middle"),
		vless("alice", "front.example:1003", "middle%20too"),
		vless("alice", "front.example:1002", "last%20of%20alice"),
		vless("alice", "localhost:1001", "plain-alice"),
		vless("alice", "localhost:1004", "off-alice"),
	}
	b.wantLinks(alice, want...)
	if got, err := b.LinksBySubID(t.Context(), "sub-alice", "localhost"); err != nil || !slices.Equal(got, want) {
		t.Errorf("by sub id: %q, %v", got, err)
	}
	if got := b.fetch("sub-alice", Request{Format: "links"}).Body; string(got) != strings.Join(want, "\n")+"\n" {
		t.Errorf("in the subscription: %q", got)
	}
	b.wantLinks(b.user("bob", other), vless("bob", "localhost:1003", "middle"), vless("bob", "front.example:1003", "middle%20too"))

	b.write(func(tx *storage.Tx) error { return tx.DeleteHost(t.Context(), middle.ID) })
	b.reload()
	b.wantLinks(alice, slices.Delete(want, 1, 2)...)
}

// A host is told to users of its statuses only; an inbound whose hosts are all for others is not told at all.
func TestHostsOfAStatus(t *testing.T) {
	b := newBench(t)
	id := b.inbound(func(in *domain.Inbound) { in.Remark = "door" })
	b.front(id, func(h *domain.Host) {
		h.Remark, h.Statuses = "go", []domain.Status{domain.StatusActive, domain.StatusOnHold}
	})
	b.front(id, func(h *domain.Host) { h.Remark, h.Statuses = "renew", []domain.Status{domain.StatusExpired} })
	b.reload()
	past := start - 1
	for _, c := range []struct {
		name   string
		change func(*domain.User)
		want   []string
	}{
		{"active", func(*domain.User) {}, []string{"go"}},
		{"held", func(u *domain.User) { u.HoldSince = &past }, []string{"go"}},
		{"expired", func(u *domain.User) { u.ExpireAt = &past }, []string{"renew"}},
		{"disabled", func(u *domain.User) { u.Enabled = false }, nil},
		{"once more active", func(*domain.User) {}, []string{"go"}}, // the list of active users is a prepared one by now
	} {
		t.Run(c.name, func(t *testing.T) {
			b.t = t
			user := b.user(c.name, id)
			c.change(user)
			var want []string
			for _, remark := range c.want {
				want = append(want, vless(c.name, "front.example:443", remark))
			}
			b.wantLinks(user, want...)
		})
	}
}

// What a host leaves to chance is the same for a user at every fetch, and another for other users. Users whose
// endpoints differ must not share what a plugin has prepared.
func TestHostChoicesStay(t *testing.T) {
	b := newBench(t)
	id := b.inbound(func(in *domain.Inbound) {
		in.Remark, in.StreamSettings = "door", `{"network":"ws","security":"tls","tlsSettings":{"serverName":"own.example"}}`
	})
	b.front(id, func(h *domain.Host) {
		h.Addresses, h.SNI, h.HostNames, h.Path = []string{"a.example", "b.example", "*.c.example"}, []string{"*.sni.example"}, []string{"*.name.example"}, "/{USERNAME}"
	})
	b.reload()
	bodies, etags := map[string]bool{}, map[string]bool{}
	for i := range 20 {
		name := string(rune('a' + i))
		user := b.user(name, id)
		first := b.fetch(user.SubID, Request{Format: "links"})
		for range 3 {
			b.reload() // another snapshot, too
			if again := b.fetch(user.SubID, Request{Format: "links"}); string(again.Body) != string(first.Body) || again.ETag != first.ETag {
				t.Errorf("%s: %q, then %q", name, first.Body, again.Body)
			}
		}
		body := string(first.Body)
		letters := fmt.Sprintf("%016x", drawLot(user.ID, 1).salt)
		for _, part := range []string{"path=%2F" + name + "&", "sni=" + letters + ".sni.example&", "host=" + letters + ".name.example&"} {
			if !strings.Contains(body, part) {
				t.Errorf("%s: %s has no %s", name, body, part)
			}
		}
		bodies[body], etags[first.ETag] = true, true
	}
	if len(bodies) != 20 || len(etags) != 20 {
		t.Errorf("20 users have %d bodies with %d ETags", len(bodies), len(etags))
	}
}

// Only what is the same for all users may be prepared under one handle.
func TestHostsThatDifferByUserAreNotPrepared(t *testing.T) {
	for _, c := range []struct {
		name     string
		host     domain.Host
		prepared bool
	}{
		{"remark with a variable", domain.Host{Remark: "{USERNAME}"}, true},
		{"one address", domain.Host{Addresses: []string{"a.example"}}, true},
		{"two addresses", domain.Host{Addresses: []string{"a.example", "b.example"}}, false},
		{"variable in the address", domain.Host{Addresses: []string{"{USERNAME}.example"}}, false},
		{"star in the address", domain.Host{Addresses: []string{"*.example"}}, false},
		{"one of everything", domain.Host{SNI: []string{"a"}, HostNames: []string{"b"}, Path: "/*"}, true},
		{"two SNIs", domain.Host{SNI: []string{"a", "b"}}, false},
		{"star in a name", domain.Host{HostNames: []string{"*.a"}}, false},
		{"variable in the path", domain.Host{Path: "/{USERNAME}"}, false},
		{"unknown variable", domain.Host{Path: "/{X}"}, true},
	} {
		t.Run(c.name, func(t *testing.T) {
			door := endpoint{inbound: domain.Inbound{ID: 3, Protocol: domain.VLESS}}
			c.host.InboundID = 3
			s := &snapshot{number: 1, endpoints: []endpoint{door}, byInbound: map[int64]int{3: 0}}
			s.addHosts([]domain.Host{c.host})
			var req draft
			s.fill(&req, viewer{user: &domain.User{Username: "alice"}}, []int64{3}, "public.example")
			if len(req.Endpoints) != 1 || (req.Prepared != 0) != c.prepared {
				t.Errorf("%d endpoints under the handle %d", len(req.Endpoints), req.Prepared)
			}
		})
	}
}

// A host with an address is reached although the inbound's own is not known; one without is left out like the inbound.
func TestHostsWithoutAPublicAddress(t *testing.T) {
	b := newBench(t)
	b.Loopback = false
	id := b.inbound(func(in *domain.Inbound) { in.Remark = "hidden" })
	b.front(id, func(h *domain.Host) { h.Addresses = nil })
	known := b.front(id, func(h *domain.Host) { h.Remark = "known" })
	b.reload()
	alice := b.user("alice", id)
	b.wantLinks(alice, vless("alice", "front.example:443", "known"))
	b.write(func(tx *storage.Tx) error { return tx.DeleteHost(t.Context(), known.ID) })
	b.reload()
	_, err := b.Links(t.Context(), alice, "evil.example")
	wantError(t, err, domain.CodeUnavailable, errNoAddress.Error())
}

// The owner is read only where a host names it.
func TestHostNamesTheOwner(t *testing.T) {
	b := newBench(t)
	id := b.inbound(func(in *domain.Inbound) { in.Remark = "door" })
	b.front(id, func(h *domain.Host) { h.Remark, h.Disabled = "{ADMIN_USERNAME}", true })
	b.front(id, func(h *domain.Host) { h.Remark = "{USERNAME}" })
	b.reload()
	if b.current.Load().asksOwner {
		t.Error("the owner is read, and nobody names it")
	}
	b.front(id, func(h *domain.Host) { h.Remark = "{ADMIN_USERNAME}/{USERNAME} at {SERVER_IP}, {EXPIRE_DATE}" })
	b.reload()
	if !b.current.Load().asksOwner {
		t.Error("the owner is not read")
	}
	b.wantLinks(b.user("alice", id), vless("alice", "front.example:443", "alice"),
		vless("alice", "front.example:443", "root%2Falice%20at%20localhost%2C%20%E2%88%9E"))
}

// Dates are those of the time zone in the settings.
func TestHostDatesAreInTheZone(t *testing.T) {
	b := newBench(t)
	id := b.inbound(func(in *domain.Inbound) { in.Remark = "door" })
	b.front(id, func(h *domain.Host) { h.Remark = "{EXPIRE_DATE}" })
	user := b.user("alice", id)
	evening := int64(1_790_030_000_000) // 2026-09-21 23:53 UTC
	user.ExpireAt = &evening
	for zone, want := range map[string]string{"": "2026-09-21", "Asia/Tokyo": "2026-09-22"} {
		b.write(func(tx *storage.Tx) error { return tx.SaveSettings(t.Context(), domain.Settings{TimeZone: zone}) })
		b.reload()
		b.wantLinks(user, vless("alice", "front.example:443", want))
	}
}

// AllowInsecure is a parameter, not part of the streamSettings: the core refuses it there.
func TestAllowInsecure(t *testing.T) {
	door, err := newEndpoint(domain.Inbound{Protocol: domain.VLESS, StreamSettings: `{"security":"tls"}`})
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		host domain.Host
		want []wire.Pair
	}{
		{domain.Host{AllowInsecure: true}, []wire.Pair{{Name: "allowInsecure", Value: "1"}}},
		{domain.Host{}, nil},
		{domain.Host{AllowInsecure: true, Security: "none"}, nil},
	} {
		told := newHost(c.host, door).told
		var stream map[string]json.RawMessage
		decode(t, []byte(told.StreamSettings), &stream)
		if !slices.Equal(told.Params, c.want) || strings.Contains(told.StreamSettings, "nsecure") {
			t.Errorf("%+v: params %v, streamSettings %s", c.host, told.Params, told.StreamSettings)
		}
	}
}
