package main

import (
	"testing"

	"github.com/sluicehq/sluice/plugins/clash"
	"github.com/sluicehq/sluice/plugins/outline"
	"github.com/sluicehq/sluice/plugins/profile"
	"github.com/sluicehq/sluice/plugins/profile/profiletest"
	"github.com/sluicehq/sluice/plugins/singbox"
	"github.com/sluicehq/sluice/plugins/xrayjson"
	"github.com/sluicehq/sluice/sdk"
	"github.com/sluicehq/sluice/sdk/wire"
)

// TestProfiles renders every document through the SDK, whole and prepared, with the others in between.
func TestProfiles(t *testing.T) {
	formats := map[string]*profile.Format{
		"clash": &clash.Format, "sing-box": &singbox.Format, "xray-json": &xrayjson.Format,
		"outline": &outline.Key, "sip008": &outline.List,
	}
	for id, format := range formats {
		req := profiletest.All()
		req.ID = id
		set := wire.PrepareRequest{ID: id, Endpoints: req.Endpoints, Handle: 7}
		if _, err := sdk.Call(wire.OpPrepare, set.Append(nil)); err != nil {
			t.Fatal(err)
		}
		body, _ := new(profile.Renderer).Render(format, req)
		want := string(body)
		if got := call(t, req); string(got.Body) != want {
			t.Errorf("%s: got %.300s, want %.300s", id, got.Body, want)
		}
	}
	for id, format := range formats {
		req := profiletest.All()
		body, _ := new(profile.Renderer).Render(format, req)
		want := string(body)
		req.ID, req.Endpoints, req.Prepared = id, nil, 7
		if got := call(t, req); string(got.Body) != want {
			t.Errorf("%s, prepared: got %.300s, want %.300s", id, got.Body, want)
		}
	}
}

func TestLeftOutOfAProfileIsLogged(t *testing.T) {
	t.Cleanup(func() { sdk.Native.Log = nil })
	var lines []string
	sdk.Native.Log = func(_ wire.LogLevel, message string) { lines = append(lines, message) }
	call(t, &wire.FormatRequest{ID: "clash", Endpoints: []wire.Endpoint{{Protocol: "socks"}}, Accounts: []wire.Account{{}}})
	if len(lines) != 1 || lines[0] != "some endpoints are left out, because apps of this format can not use them" {
		t.Errorf("logged %q", lines)
	}
}
