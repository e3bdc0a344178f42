package accounts_test

import (
	"context"
	"errors"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/sluicehq/sluice/kernel/domain"
)

// cdn is a host of inbound 1 that nothing is wrong with.
func cdn(remark string) domain.Host { return domain.Host{InboundID: 1, Remark: remark} }

func (b *bench) host(h domain.Host) domain.Host {
	b.t.Helper()
	made, err := b.CreateHost(b.t.Context(), h)
	if err != nil {
		b.t.Fatal(err)
	}
	return made
}

func TestHostLife(t *testing.T) {
	b := newBench(t)
	b.inbounds(2)
	full := domain.Host{
		ID: 77, InboundID: 2, Remark: "{USERNAME} ✅", Priority: 5,
		Addresses: []string{"vpn.example", "203.0.113.7", "2001:db8::1", "{USERNAME}.example", "*.example", "{SERVER_IP}"}, Port: 65535,
		SNI: []string{"*.sni.example"}, HostNames: []string{"name.example:8080"}, Path: "/{USERNAME} a", Security: "tls",
		ALPN: []string{"h2", "http/1.1"}, Fingerprint: "chrome", AllowInsecure: true, SNIAsHost: true,
		Statuses: []domain.Status{domain.StatusActive, domain.StatusOnHold, domain.StatusLimited, domain.StatusExpired, domain.StatusDisabled},
		Extra:    `{"mux_settings":null}`, CreatedAt: 1, UpdatedAt: 1,
	}
	made := b.host(full)
	want := full
	want.ID, want.Revision, want.CreatedAt, want.UpdatedAt = 1, made.Revision, start, start
	if !reflect.DeepEqual(made, want) {
		t.Errorf("made %+v\nwant %+v", made, want)
	}
	b.host(cdn("first"))
	all, err := b.Hosts(t.Context())
	if err != nil || len(all) != 2 || all[0].Remark != "first" || !reflect.DeepEqual(all[1], made) {
		t.Errorf("hosts %+v, %v", all, err)
	}

	b.clock.Advance(time.Minute)
	changed, err := b.UpdateHost(t.Context(), 1, func(h *domain.Host) error {
		*h = cdn("changed")
		return nil
	})
	if err != nil || changed.ID != 1 || changed.CreatedAt != start || changed.UpdatedAt != start+60_000 || changed.Remark != "changed" {
		t.Errorf("changed %+v, %v", changed, err)
	}
	if got, err := b.Host(t.Context(), 1); err != nil || got.Remark != "changed" || got.InboundID != 1 || len(got.Addresses) != 0 {
		t.Errorf("read %+v, %v", got, err)
	}
	if err := b.DeleteHost(t.Context(), 1); err != nil {
		t.Error(err)
	}
	b.core.wantTold(t, "reload", "reload", "reload", "reload")

	before := b.lastChange()
	if _, err := b.UpdateHost(t.Context(), 2, func(h *domain.Host) error { h.Remark = "first"; return nil }); err != nil {
		t.Error(err)
	}
	if b.lastChange() != before {
		t.Error("an edit that changes nothing is written")
	}
	b.core.wantTold(t, "reload", "reload", "reload", "reload")
}

func TestHostsThatAreNotThere(t *testing.T) {
	b := newBench(t)
	b.inbounds(1)
	b.host(cdn("one"))
	refused := errors.New("refused by the edit")
	for _, c := range []struct {
		name, want string
		do         func(context.Context) error
	}{
		{"read", "host not found", func(ctx context.Context) error { _, err := b.Host(ctx, 9); return err }},
		{"update", "host not found", func(ctx context.Context) error {
			_, err := b.UpdateHost(ctx, 9, func(*domain.Host) error { return nil })
			return err
		}},
		{"delete", "host not found", func(ctx context.Context) error { return b.DeleteHost(ctx, 9) }},
		{"inbound of a new one", "inbound not found", func(ctx context.Context) error {
			_, err := b.CreateHost(ctx, domain.Host{InboundID: 9, Remark: "a"})
			return err
		}},
		{"inbound of an old one", "inbound not found", func(ctx context.Context) error {
			_, err := b.UpdateHost(ctx, 1, func(h *domain.Host) error { h.InboundID = 9; return nil })
			return err
		}},
		{"inbound in a list", "inbound not found", func(ctx context.Context) error {
			_, err := b.ReplaceHosts(ctx, []domain.Host{cdn("a"), {InboundID: 9, Remark: "b"}})
			return err
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			b.t = t
			b.refused(domain.CodeNotFound, "", c.want, c.do)
		})
	}
	if _, err := b.UpdateHost(t.Context(), 1, func(*domain.Host) error { return refused }); !errors.Is(err, refused) {
		t.Errorf("an edit that refuses: %v", err)
	}
}

func TestReplaceHosts(t *testing.T) {
	b := newBench(t)
	b.inbounds(1)
	stays, old := b.host(cdn("stays")), b.host(cdn("old"))
	b.clock.Advance(time.Minute)
	replaced, fresh, again := cdn("replaced"), cdn("new"), cdn("gone before")
	replaced.ID, replaced.Priority, again.ID = old.ID, -1, 99
	all, err := b.ReplaceHosts(t.Context(), []domain.Host{fresh, replaced, again})
	if err != nil {
		t.Fatal(err)
	}
	var got []domain.Host
	for _, h := range all {
		got = append(got, domain.Host{ID: h.ID, Remark: h.Remark, Priority: h.Priority, CreatedAt: h.CreatedAt, UpdatedAt: h.UpdatedAt})
	}
	want := []domain.Host{
		{ID: 2, Remark: "replaced", Priority: -1, CreatedAt: start, UpdatedAt: start + 60_000},
		{ID: 1, Remark: "stays", CreatedAt: start, UpdatedAt: start},
		{ID: 3, Remark: "new", CreatedAt: start + 60_000, UpdatedAt: start + 60_000},
		{ID: 4, Remark: "gone before", CreatedAt: start + 60_000, UpdatedAt: start + 60_000},
	}
	if !reflect.DeepEqual(got, want) || all[1].Revision != stays.Revision {
		t.Errorf("hosts %+v\nwant  %+v", got, want)
	}
	b.core.wantTold(t, "reload", "reload", "reload")

	b.refused(domain.CodeInvalid, "hosts[1].port", "hosts[1].port must be between 1 and 65535, or 0 for the inbound's", func(ctx context.Context) error {
		bad := cdn("b")
		bad.Port = -1
		_, err := b.ReplaceHosts(ctx, []domain.Host{cdn("a"), bad})
		return err
	})
	b.refused(domain.CodeInvalid, "hosts", "hosts are more than 1000", func(ctx context.Context) error {
		_, err := b.ReplaceHosts(ctx, make([]domain.Host, 1001))
		return err
	})
}

func TestHostRefuses(t *testing.T) {
	b := newBench(t)
	b.inbounds(1)
	b.host(cdn("one"))
	notHost := func(shown string) string { return "addresses[1] is not a host name or an IP address: " + shown }
	const control = "must be text without control characters"
	for _, c := range []struct {
		name, field, want string
		change            func(*domain.Host)
	}{
		{"no remark", "remark", "remark cannot be empty", func(h *domain.Host) { h.Remark = "" }},
		{"blank remark", "remark", "remark cannot be empty", func(h *domain.Host) { h.Remark = " " }},
		{"long remark", "remark", "remark is longer than 256 bytes", func(h *domain.Host) { h.Remark = strings.Repeat("a", 257) }},
		{"remark of two lines", "remark", "remark " + control, func(h *domain.Host) { h.Remark = "a\nb" }},
		{"remark that is no UTF-8", "remark", "remark " + control, func(h *domain.Host) { h.Remark = "a\xff" }},
		{"negative port", "port", "port must be between 1 and 65535, or 0 for the inbound's", func(h *domain.Host) { h.Port = -1 }},
		{"port too high", "port", "port must be between 1 and 65535, or 0 for the inbound's", func(h *domain.Host) { h.Port = 65536 }},
		{"security", "security", `security must be none, tls, or "" for the inbound's`, func(h *domain.Host) { h.Security = "reality" }},
		{"status", "statuses[1]", "statuses[1] must be one of active, on_hold, limited, expired, disabled", func(h *domain.Host) {
			h.Statuses = []domain.Status{domain.StatusActive, "happy"}
		}},
		{"address with a port", "addresses[1]", notHost(`"a.example:443"`), func(h *domain.Host) { h.Addresses = []string{"a.example", "a.example:443"} }},
		{"unknown variable in an address", "addresses[1]", notHost(`"{USER}.example"`), func(h *domain.Host) { h.Addresses = []string{"a.example", "{USER}.example"} }},
		{"size in an address", "addresses[1]", notHost(`"{DATA_LEFT}.example"`), func(h *domain.Host) { h.Addresses = []string{"a.example", "{DATA_LEFT}.example"} }},
		{"empty address", "addresses[0]", "addresses[0] must not be empty or contain spaces", func(h *domain.Host) { h.Addresses = []string{""} }},
		{"SNI with a space", "sni[0]", "sni[0] must not be empty or contain spaces", func(h *domain.Host) { h.SNI = []string{"a b"} }},
		{"host name with NUL", "host_names[0]", "host_names[0] " + control, func(h *domain.Host) { h.HostNames = []string{"a\x00"} }},
		{"long ALPN", "alpn[0]", "alpn[0] is longer than 256 bytes", func(h *domain.Host) { h.ALPN = []string{strings.Repeat("a", 257)} }},
		{"many addresses", "addresses", "addresses has more than 100 entries", func(h *domain.Host) { h.Addresses = make([]string, 101) }},
		{"long path", "path", "path is longer than 1024 bytes", func(h *domain.Host) { h.Path = strings.Repeat("a", 1025) }},
		{"fingerprint", "fingerprint", "fingerprint " + control, func(h *domain.Host) { h.Fingerprint = "\x7f" }},
		{"extra is no JSON", "extra", "extra must be a JSON object", func(h *domain.Host) { h.Extra = "{" }},
		{"extra is no object", "extra", "extra must be a JSON object", func(h *domain.Host) { h.Extra = "null" }},
		{"long extra", "extra", "extra is longer than 16 KiB", func(h *domain.Host) { h.Extra = strings.Repeat(" ", 16<<10) + "{}" }},
	} {
		t.Run(c.name, func(t *testing.T) {
			b.t = t
			b.refused(domain.CodeInvalid, c.field, c.want, func(ctx context.Context) error {
				h := cdn("a")
				c.change(&h)
				_, err := b.CreateHost(ctx, h)
				return err
			})
			b.refused(domain.CodeInvalid, c.field, c.want, func(ctx context.Context) error {
				_, err := b.UpdateHost(ctx, 1, func(h *domain.Host) error { c.change(h); return nil })
				return err
			})
		})
	}
}
