//go:build integration

package examples

import (
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/sluicehq/sluice/kernel/domain"
	"github.com/sluicehq/sluice/kernel/plugin/kit"
	"github.com/sluicehq/sluice/sdk/wire"
)

// buildForeign builds a copy of an example in another language.
func buildForeign(t *testing.T, name string) []byte {
	t.Helper()
	dir := t.TempDir()
	if err := os.CopyFS(dir, os.DirFS(name)); err != nil {
		t.Fatal(err)
	}
	return build(t, dir, command(t, name), filepath.Join(dir, name+".wasm"))
}

// TestJalali asks for months whose first days are known, among them those before and after leap days.
func TestJalali(t *testing.T) {
	wantLines(t, "jalali/jalali.ts", 39)
	wasm := buildForeign(t, "jalali")
	conforms(t, wasm, kit.Options{})
	host := load(t, wasm, domain.PluginPolicy{})
	iran := []wire.Transition{{At: 0, Offset: 12600}, {At: ms("2022-03-21T20:30:00Z"), Offset: 16200}, {At: ms("2022-09-21T19:30:00Z"), Offset: 12600}}
	for _, c := range []struct {
		name, now, want string
		zone            []wire.Transition
	}{
		{"Nowruz 1403", "2024-03-01T00:00:00Z", "2024-03-19T20:30:00Z", iran},
		{"the moment before", "2024-03-19T20:29:59.999Z", "2024-03-19T20:30:00Z", iran},
		{"at the moment, the next", "2024-03-19T20:30:00Z", "2024-04-19T20:30:00Z", iran},
		{"Mehr, after six months of 31 days", "2025-09-01T00:00:00Z", "2025-09-22T20:30:00Z", iran},
		{"Aban, after a month of 30 days", "2025-09-30T00:00:00Z", "2025-10-22T20:30:00Z", iran},
		{"Nowruz 1404, after a leap year", "2025-03-20T00:00:00Z", "2025-03-20T20:30:00Z", iran},
		{"Nowruz 1408, five years after the last leap year", "2029-03-01T00:00:00Z", "2029-03-19T20:30:00Z", iran},
		{"Nowruz 1409, after the next", "2030-03-01T00:00:00Z", "2030-03-20T20:30:00Z", iran},
		{"in summer time", "2022-07-01T00:00:00Z", "2022-07-22T19:30:00Z", iran},
		{"without a zone", "2025-03-20T00:00:00Z", "2025-03-21T00:00:00Z", nil},
		{"west of Greenwich", "2025-03-21T02:00:00Z", "2025-03-21T05:00:00Z", []wire.Transition{{At: 0, Offset: -18000}}},
		{"Nowruz 1349", "1970-01-01T00:00:00.001Z", "1970-01-21T00:00:00Z", nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			reply, err := host.Period(t.Context(), &wire.PeriodRequest{ID: "jalali", Now: ms(c.now), Transitions: c.zone})
			if err != nil || reply.Next != ms(c.want) {
				t.Errorf("the next boundary is %s, %v, want %s", time.UnixMilli(reply.Next).UTC().Format(time.RFC3339Nano), err, c.want)
			}
		})
	}
}

// ms is a moment as requests have it.
func ms(text string) int64 {
	moment, err := time.Parse(time.RFC3339Nano, text)
	if err != nil {
		panic(err)
	}
	return moment.UnixMilli()
}

func TestSurge(t *testing.T) {
	wasm := buildForeign(t, "surge")
	conforms(t, wasm, kit.Options{})
	tls := wire.Security{Kind: "tls", ServerName: "a.example", PinnedCertSHA256: []string{"ab01"}}
	raw, ws := wire.Transport{Network: "raw"}, wire.Transport{Network: "ws", Path: "/p q", Host: "h.example"}
	req := wire.FormatRequest{ID: "surge"}
	add := func(a wire.Account, e wire.Endpoint) {
		e.Address, e.Port = "10.0.0.1", 443
		req.Accounts, req.Endpoints = append(req.Accounts, a), append(req.Endpoints, e)
	}
	add(wire.Account{Remark: "1, =DE #🇩🇪\n", Password: "p,w"}, wire.Endpoint{Protocol: "trojan", Transport: raw, Security: tls})
	add(wire.Account{Remark: "2", ID: "u"}, wire.Endpoint{Protocol: "vmess", Transport: ws})
	add(wire.Account{Remark: "3", ID: "u"}, wire.Endpoint{Protocol: "vmess", Transport: ws, Security: tls})
	add(wire.Account{Remark: "4", Password: "p"}, wire.Endpoint{Protocol: "shadowsocks", Shadowsocks: wire.Shadowsocks{Method: "aes-128-gcm"}})
	add(wire.Account{Remark: "5", Password: "p", Method: "aes-256-gcm"}, wire.Endpoint{Protocol: "shadowsocks", Shadowsocks: wire.Shadowsocks{Method: "aes-128-gcm"}})
	add(wire.Account{Remark: "6", Password: "user"}, wire.Endpoint{Protocol: "shadowsocks", Shadowsocks: wire.Shadowsocks{Method: "2022-blake3-aes-128-gcm", ServerKey: "server"}})
	add(wire.Account{Remark: "not vless", ID: "u"}, wire.Endpoint{Protocol: "vless", Transport: raw, Security: tls})
	add(wire.Account{Remark: "not over grpc", Password: "p"}, wire.Endpoint{Protocol: "trojan", Transport: wire.Transport{Network: "grpc"}, Security: tls})
	add(wire.Account{Remark: "not with reality", Password: "p"}, wire.Endpoint{Protocol: "trojan", Transport: raw, Security: wire.Security{Kind: "reality"}})
	add(wire.Account{Remark: "not with quotes", Password: `p"`}, wire.Endpoint{Protocol: "trojan", Transport: raw, Security: tls})
	add(wire.Account{Remark: "not a link"}, wire.Endpoint{RawURI: "trojan://x"})
	got, err := load(t, wasm, domain.PluginPolicy{}).Render(t.Context(), &req)
	want := `1   DE  🇩🇪  = trojan, 10.0.0.1, 443, password="p,w", sni="a.example", server-cert-fingerprint-sha256="ab01"
2 = vmess, 10.0.0.1, 443, username="u", vmess-aead=true, ws=true, ws-path="/p q", ws-headers=Host:"h.example"
3 = vmess, 10.0.0.1, 443, username="u", vmess-aead=true, tls=true, sni="a.example", server-cert-fingerprint-sha256="ab01", ws=true, ws-path="/p q", ws-headers=Host:"h.example"
4 = ss, 10.0.0.1, 443, encrypt-method="aes-128-gcm", password="p", udp-relay=true
5 = ss, 10.0.0.1, 443, encrypt-method="aes-256-gcm", password="p", udp-relay=true
6 = ss, 10.0.0.1, 443, encrypt-method="2022-blake3-aes-128-gcm", password="server:user", udp-relay=true
`
	if err != nil || string(got.Body) != want {
		t.Errorf("it renders\n%s%v, want\n%s", got.Body, err, want)
	}
}
