package main

import (
	"github.com/sluicehq/sluice/plugins/clash"
	"github.com/sluicehq/sluice/plugins/outline"
	"github.com/sluicehq/sluice/plugins/profile"
	"github.com/sluicehq/sluice/plugins/singbox"
	"github.com/sluicehq/sluice/plugins/xrayjson"
	"github.com/sluicehq/sluice/sdk"
	"github.com/sluicehq/sluice/sdk/wire"
)

// documents keeps its buffers between calls, as renderer does.
var documents profile.Renderer

const jsonType = "application/json; charset=utf-8"

// registerProfiles adds the formats that are whole documents. Apps that take links too, and say so, are those of
// links-base64, which stands before them: links leave the app's own routing and DNS to the user.
func registerProfiles() {
	profileFormat("clash", &clash.Format, sdk.FormatOptions{
		Title: "Clash", Description: "A profile for mihomo (Clash Meta) and the apps around it.",
		ContentType: "text/yaml; charset=utf-8", UserAgents: []string{"clash", "mihomo", "stash"},
	})
	profileFormat("sing-box", &singbox.Format, sdk.FormatOptions{
		Title: "sing-box", Description: "A profile for sing-box 1.12 and newer.",
		ContentType: jsonType, UserAgents: []string{"sing-box", "sfa/", "sfi/", "sfm/", "sft/"},
	})
	profileFormat("xray-json", &xrayjson.Format, sdk.FormatOptions{
		Title: "Xray JSON", Description: "A list of complete configurations for apps around xray-core.",
		ContentType: jsonType,
	})
	profileFormat("outline", &outline.Key, sdk.FormatOptions{
		Title: "Outline", Description: "The first shadowsocks server, as Outline takes it from an ssconf:// address.",
		ContentType: jsonType, UserAgents: []string{"outline", "ssconf"},
	})
	profileFormat("sip008", &outline.List, sdk.FormatOptions{
		Title: "SIP008", Description: "All shadowsocks servers, for the apps of the shadowsocks project.",
		ContentType: jsonType, UserAgents: []string{"shadowsocks"},
	})
}

func profileFormat(id string, format *profile.Format, opts sdk.FormatOptions) {
	opts.Cache = wire.CacheRevision
	opts.Prepare = func(req *sdk.PrepareRequest) (sdk.RenderFunc, error) {
		set := format.Prepare(req.Endpoints)
		return func(req *sdk.FormatRequest, reply *sdk.FormatReply) error {
			reply.Body = whole(documents.Fill(set, req.Accounts))
			return nil
		}, nil
	}
	sdk.Format(id, opts, func(req *sdk.FormatRequest, reply *sdk.FormatReply) error {
		reply.Body = whole(documents.Render(format, req))
		return nil
	})
}

// whole passes the document on, and says so if it lacks something. That is nothing to worry about: few apps can do all.
func whole(body []byte, left int) []byte {
	if left > 0 {
		sdk.Log(sdk.LogDebug, "some endpoints are left out, because apps of this format can not use them")
	}
	return body
}
