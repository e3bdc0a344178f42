// Package page renders the html format: what a user sees who opens the subscription URL in a browser.
//
// A page is one document that asks for nothing else: style, script and QR codes are in it, and its content security
// policy allows just these. It works without the script, which only copies, shows times in the user's zone and opens
// what fits the device.
package page

import (
	"cmp"
	_ "embed" // for style and script

	"github.com/sluicehq/sluice/plugins/links"
	"github.com/sluicehq/sluice/sdk"
	"github.com/sluicehq/sluice/sdk/wire"
)

//go:embed page.css
var style string

//go:embed page.js
var script string

// policy lets nothing run or load but what is in the document. The hashes are written out because crypto/sha256 would
// add half a megabyte to the plugin; a test holds them against the two files.
const policy = "default-src 'none'; style-src '" + styleHash + "'; script-src '" + scriptHash + "'; img-src data:; " +
	"base-uri 'none'; form-action 'none'; frame-ancestors 'none'"

const (
	styleHash  = "sha256-9Qh2VOLTl8EZ8W9H6+rfD6gS68s5d47oA/Nu0TobaRg="
	scriptHash = "sha256-aQvG05rr0Qq8kyeQGsoHrw5OOmb2ZcXgprqQx1J9fqw="
)

// Options describe the format. It is asked for by Accept: text/html, not by a User-Agent, and shows usage and times, so
// that no body is kept.
func Options() sdk.FormatOptions {
	return sdk.FormatOptions{
		Title:       "Page",
		Description: "A page with usage, QR codes and buttons that put the subscription into an app.",
		ContentType: "text/html; charset=utf-8",
		Cache:       wire.CacheNone,
	}
}

// Renderer makes pages. It keeps its buffers from call to call; the zero value is ready. It is not safe for concurrent
// use.
type Renderer struct {
	links links.Renderer
	codes codes
}

// Render writes the page of the request's user into reply. It has no errors: what is not known or can not be shown is
// left out.
func (r *Renderer) Render(req *sdk.FormatRequest, reply *sdk.FormatReply) error {
	w := writer{buf: reply.Body}
	r.codes.made = 0
	w.head(cmp.Or(req.Title, "Subscription"), req.User.Username)
	url := webURL(req.URL)
	w.raw(`<main><div class="first">`)
	w.account(req)
	if url != "" {
		w.apps(url, cmp.Or(req.Title, req.User.Username))
	}
	w.raw(`</div><div class="rest">`)
	if url != "" {
		r.subscription(&w, url)
	}
	r.connections(&w, req)
	if url != "" {
		w.formats(url)
	}
	w.raw(`</div></main>`)
	w.foot(req)
	reply.Body = w.buf
	reply.Headers = append(reply.Headers, sdk.Pair{Name: "content-security-policy", Value: policy})
	return nil
}

// icon is a drop of water.
const icon = `data:image/svg+xml,%3Csvg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 24 24'%3E` +
	`%3Cpath fill='%230b7285' d='M12 2c4 5 7 8.6 7 12.5a7 7 0 0 1-14 0C5 10.6 8 7 12 2z'/%3E%3C/svg%3E`

func (w *writer) head(title, username string) {
	w.raw(`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<meta name="referrer" content="no-referrer">
<meta name="robots" content="noindex, nofollow">
<meta name="format-detection" content="telephone=no">
<link rel="icon" href="` + icon + `">
<title>`)
	w.text(username)
	w.raw(` · `)
	w.text(title)
	w.raw("</title>\n<style>" + style + "</style>\n</head>\n<body>\n<header><p class=\"service\"><bdi>")
	w.text(title)
	w.raw("</bdi></p></header>\n")
}

func (w *writer) foot(req *sdk.FormatRequest) {
	w.raw("\n<footer>")
	if url := supportURL(req.SupportURL); url != "" {
		w.link("quiet", url, "Contact support")
	}
	w.raw(`<p>Keep this page to yourself: whoever has its address can use your subscription.</p></footer>` +
		`<p id="said" class="unseen" role="status"></p>` + "\n<script>" + script + "</script>\n</body>\n</html>\n")
}
