// Command builtin is the plugin that comes with Sluice. It is built for wasip1 by plugins/build and embedded by package
// plugins, and speaks the same ABI as any other.
package main

import (
	"github.com/sluicehq/sluice/plugins/links"
	"github.com/sluicehq/sluice/plugins/names"
	"github.com/sluicehq/sluice/plugins/page"
	"github.com/sluicehq/sluice/plugins/periods"
	"github.com/sluicehq/sluice/sdk"
	"github.com/sluicehq/sluice/sdk/wire"
)

// renderer keeps its buffers between calls; a guest runs one call at a time.
var renderer links.Renderer

func init() {
	sdk.Register(sdk.Info{
		Name: "sluice-builtin", Version: "1.0.0", Description: "The formats, periods and username strategies that come with Sluice.",
	})
	register("links", sdk.FormatOptions{Title: "Links", Description: "One share link per line."},
		func(list []byte) []byte { return list })
	register("links-base64", sdk.FormatOptions{
		Title: "Links, base64", Description: "The share links as one base64 word, which most apps subscribe to.",
		UserAgents: []string{
			"v2ray", "xray", "happ", "streisand", "shadowrocket", "foxray", "v2box", "nekobox", "nekoray", "hiddify",
			"karing", "throne",
		},
	}, renderer.Base64)
	registerProfiles()
	sdk.Format("html", page.Options(), new(page.Renderer).Render)
	for _, rule := range periods.Rules() {
		sdk.Period(rule.ID, rule.Options, rule.Next)
	}
	for _, strategy := range names.Strategies() {
		sdk.Username(strategy.ID, strategy.Options, strategy.Names)
	}
}

// register adds a format that is the link list in some encoding.
func register(id string, opts sdk.FormatOptions, encode func(list []byte) []byte) {
	opts.ContentType, opts.Cache = "text/plain; charset=utf-8", wire.CacheRevision
	opts.Prepare = func(req *sdk.PrepareRequest) (sdk.RenderFunc, error) {
		set := links.Prepare(req.Endpoints)
		return func(req *sdk.FormatRequest, reply *sdk.FormatReply) error {
			reply.Body = encode(complete(renderer.List(set, req.Accounts)))
			return nil
		}, nil
	}
	sdk.Format(id, opts, func(req *sdk.FormatRequest, reply *sdk.FormatReply) error {
		reply.Body = encode(complete(renderer.Links(req)))
		return nil
	})
}

// complete passes the list on, and says so if it lacks something.
func complete(list []byte, left int) []byte {
	if left > 0 {
		sdk.Log(sdk.LogWarn, "some endpoints have no share link and are left out")
	}
	return list
}

func main() {}
