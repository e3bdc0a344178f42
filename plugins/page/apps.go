package page

import (
	"encoding/base64"
	"strings"

	"github.com/sluicehq/sluice/plugins/text"
)

// app is a program that takes a subscription by a link of its own.
type app struct {
	name string
	// link is that link, with {raw} for the subscription's URL, {url} for the URL escaped, {base64} for it as URL-safe
	// base64 without padding, and {name} for the escaped name that the app shows.
	link   string
	format string // "" = the app tells by its User-Agent what it takes; else the format that its URL names
}

// The apps. Source of the links: what each app, or its documentation, says about URL schemes.
var (
	v2rayNG      = app{"v2rayNG", "v2rayng://install-config?url={url}#{name}", ""}
	hiddify      = app{"Hiddify", "hiddify://import/{raw}#{name}", ""}
	happ         = app{"Happ", "happ://add/{raw}", ""}
	v2rayTun     = app{"v2RayTun", "v2raytun://import/{raw}", ""}
	streisand    = app{"Streisand", "streisand://import/{raw}#{name}", ""}
	shadowrocket = app{"Shadowrocket", "shadowrocket://add/sub://{base64}?remark={name}", ""}
	v2box        = app{"V2Box", "v2box://install-sub?url={url}&name={name}", ""}
	nekoBox      = app{"NekoBox", "sn://subscription?url={url}&name={name}", ""}
	karing       = app{"Karing", "karing://install-config?url={url}&name={name}", ""}
	clash        = app{"Clash", "clash://install-config?url={url}&name={name}", "clash"}
	stash        = app{"Stash", "stash://install-config?url={url}&name={name}", "clash"}
	singBox      = app{"sing-box", "sing-box://import-remote-profile?url={url}#{name}", "sing-box"}
)

// platforms are the devices, with the apps that run there. The style names their ids.
var platforms = []struct {
	id, name string
	apps     []app
}{
	{"android", "Android", []app{v2rayNG, hiddify, happ, v2rayTun, karing, nekoBox, clash, singBox}},
	{"apple", "iPhone", []app{streisand, hiddify, happ, v2rayTun, shadowrocket, v2box, karing, stash, singBox}},
	{"computer", "Computer", []app{hiddify, happ, karing, clash, singBox}},
}

// apps writes a button for each app. name is what the apps show.
func (w *writer) apps(subscription, name string) {
	w.raw(`<section class="card" aria-labelledby="apps"><h2 id="apps">Add to your app</h2>` +
		`<p class="hint">Install one of these apps, then choose it here.</p>` +
		`<fieldset class="platforms"><legend class="unseen">Your device</legend>`)
	for i, p := range platforms {
		w.raw(`<label><input type="radio" name="platform" id="` + p.id + `"`)
		if i == 0 {
			w.raw(` checked`)
		}
		w.raw(`><span>` + p.name + `</span></label>`)
	}
	w.raw(`</fieldset>`)
	for _, p := range platforms {
		w.raw(`<ul class="apps of-` + p.id + `" aria-label="Apps for ` + p.name + `">`)
		for _, a := range p.apps {
			w.raw(`<li>`)
			w.link("button", a.deepLink(subscription, name), a.name)
			w.raw(`</li>`)
		}
		w.raw(`</ul>`)
	}
	w.raw(`</section>`)
}

// deepLink is the link that makes the app take the subscription.
func (a app) deepLink(subscription, name string) string {
	if a.format != "" {
		subscription = inFormat(subscription, a.format)
	}
	return strings.NewReplacer(
		"{raw}", subscription, "{url}", escape(subscription), "{name}", escape(name),
		"{base64}", base64.RawURLEncoding.EncodeToString([]byte(subscription)),
	).Replace(a.link)
}

// escape is for any place in a URL.
func escape(s string) string {
	var w text.Writer
	w.Escape(s)
	return string(w.Buf[:w.N])
}

// inFormat is the subscription's URL with a format as its suffix. It works behind a query too: the server ends the token
// at a slash.
func inFormat(subscription, format string) string {
	return strings.TrimRight(subscription, "/") + "/" + format
}

// formats writes a link to the subscription in each format.
func (w *writer) formats(subscription string) {
	w.raw(`<section class="card" aria-labelledby="formats"><h2 id="formats">Other formats</h2>` +
		`<p class="hint">For apps and routers that want a file or an address of their own.</p><ul class="formats">`)
	for _, f := range []struct{ id, name string }{
		{"clash", "Clash, mihomo"},
		{"sing-box", "sing-box"},
		{"xray-json", "Xray"},
		{"outline", "Outline"},
		{"sip008", "SIP008"},
		{"links", "Plain links"},
		{"links-base64", "Base64"},
	} {
		w.raw(`<li>`)
		w.link("quiet", inFormat(subscription, f.id), f.name)
		w.raw(`</li>`)
	}
	w.raw(`</ul></section>`)
}
