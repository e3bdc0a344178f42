package main

import (
	"encoding/base64"
	"slices"
	"strings"
	"testing"

	"github.com/sluicehq/sluice/plugins/links"
	"github.com/sluicehq/sluice/plugins/links/linkstest"
	"github.com/sluicehq/sluice/plugins/names"
	"github.com/sluicehq/sluice/plugins/periods"
	"github.com/sluicehq/sluice/sdk"
	"github.com/sluicehq/sluice/sdk/wire"
)

// call renders through the SDK, as a host does.
func call(t *testing.T, req *wire.FormatRequest) wire.FormatReply {
	t.Helper()
	b, err := sdk.Call(wire.OpFormat, req.Append(nil))
	if err != nil {
		t.Fatal(err)
	}
	var reply wire.FormatReply
	if err := reply.Decode(b); err != nil {
		t.Fatal(err)
	}
	return reply
}

func TestFormats(t *testing.T) {
	list, _ := new(links.Renderer).Links(linkstest.All(""))
	for id, want := range map[string]string{
		"links":        string(list),
		"links-base64": base64.StdEncoding.EncodeToString(list),
	} {
		t.Run(id, func(t *testing.T) {
			req := linkstest.All(id)
			if got := call(t, req); string(got.Body) != want {
				t.Errorf("got  %s\nwant %s", got.Body, want)
			}
			set := wire.PrepareRequest{ID: id, Endpoints: req.Endpoints, Handle: 7}
			if _, err := sdk.Call(wire.OpPrepare, set.Append(nil)); err != nil {
				t.Fatal(err)
			}
			req.Endpoints, req.Prepared = nil, 7
			if got := call(t, req); string(got.Body) != want {
				t.Errorf("prepared: got  %s\nwant %s", got.Body, want)
			}
		})
	}
}

func TestLeftOutIsLogged(t *testing.T) {
	t.Cleanup(func() { sdk.Native.Log = nil })
	var lines []string
	sdk.Native.Log = func(_ wire.LogLevel, message string) { lines = append(lines, message) }
	req := &wire.FormatRequest{ID: "links", Endpoints: []wire.Endpoint{{Protocol: "socks"}}, Accounts: []wire.Account{{}}}
	if got := call(t, req); len(got.Body) != 0 {
		t.Errorf("got %q", got.Body)
	}
	if len(lines) != 1 || lines[0] != "some endpoints have no share link and are left out" {
		t.Errorf("logged %q", lines)
	}
}

func TestManifest(t *testing.T) {
	want := `{"abi":1,"name":"sluice-builtin","version":"1.0.0",` +
		`"description":"The formats, periods and username strategies that come with Sluice.",` +
		`"provides":[{"kind":"format","id":"links","title":"Links","description":"One share link per line.",` +
		`"content_type":"text/plain; charset=utf-8","cache":"revision","prepare":true},` +
		`{"kind":"format","id":"links-base64","title":"Links, base64",` +
		`"description":"The share links as one base64 word, which most apps subscribe to.",` +
		`"content_type":"text/plain; charset=utf-8","user_agents":["v2ray","xray","happ","streisand","shadowrocket",` +
		`"foxray","v2box","nekobox","nekoray","hiddify","karing","throne"],"cache":"revision","prepare":true},` +
		`{"kind":"format","id":"clash","title":"Clash","description":"A profile for mihomo (Clash Meta) and the apps around it.",` +
		`"content_type":"text/yaml; charset=utf-8","user_agents":["clash","mihomo","stash"],"cache":"revision","prepare":true},` +
		`{"kind":"format","id":"sing-box","title":"sing-box",`
	if got := string(sdk.Manifest()); !strings.HasPrefix(got, want) {
		t.Errorf("got  %s\nwant %s...", got, want)
	}
}

func TestPeriods(t *testing.T) {
	const now = 1_700_000_000_000
	for _, rule := range periods.Rules() {
		t.Run(rule.ID, func(t *testing.T) {
			req := wire.PeriodRequest{ID: rule.ID, Now: now, Anchor: now - 1, Params: `{"days":2,"day_of_week":1}`}
			want, err := rule.Next(&req)
			if err != nil {
				t.Fatal(err)
			}
			b, err := sdk.Call(wire.OpPeriod, req.Append(nil))
			if err != nil {
				t.Fatal(err)
			}
			var got wire.PeriodReply
			if err := got.Decode(b); err != nil || got != want || got.Never != (rule.ID == "no_reset") {
				t.Errorf("got %+v, %v; want %+v", got, err, want)
			}
		})
	}
}

func TestUsernames(t *testing.T) {
	for _, strategy := range names.Strategies() {
		t.Run(strategy.ID, func(t *testing.T) {
			req := wire.UsernameRequest{ID: strategy.ID, Base: "user10", Start: 1, Count: 3, Entropy: []byte("some entropy")}
			want, err := strategy.Names(&req)
			if err != nil {
				t.Fatal(err)
			}
			b, err := sdk.Call(wire.OpUsername, req.Append(nil))
			if err != nil {
				t.Fatal(err)
			}
			var got wire.UsernameReply
			if err := got.Decode(b); err != nil || len(want) != 3 || !slices.Equal(got.Names, want) {
				t.Errorf("got %q, %v; want %q", got.Names, err, want)
			}
		})
	}
}
