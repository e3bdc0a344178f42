package page

import (
	"cmp"
	"strconv"
	"strings"

	"github.com/sluicehq/sluice/plugins/links"
	"github.com/sluicehq/sluice/sdk"
	"github.com/sluicehq/sluice/sdk/wire"
)

// subscription writes the URL with its QR code.
func (r *Renderer) subscription(w *writer, url string) {
	w.raw(`<section class="card" aria-labelledby="link"><h2 id="link">Your subscription link</h2>` +
		`<p class="hint">For any other app: paste it or scan it, and the app keeps itself up to date.</p>` +
		`<div class="field"><code id="url" dir="ltr" translate="no">`)
	w.text(url)
	w.raw(`</code>`)
	w.copyButton("url", "your subscription link")
	w.raw(`</div><details class="code" id="code"><summary>Show QR code</summary>`)
	r.code(w, url, "QR code of your subscription link")
	w.raw(`</details></section>`)
}

// connections writes every endpoint that has a link, with its QR code.
func (r *Renderer) connections(w *writer, req *sdk.FormatRequest) {
	w.raw(`<section class="card" aria-labelledby="connections"><h2 id="connections">Connections</h2>`)
	set := links.Prepare(req.Endpoints)
	shown := 0
	for i := range set {
		if statusEntry(&req.Endpoints[i]) { // the page says it in words
			continue
		}
		link, left := r.links.List(set[i:i+1], req.Accounts[i:i+1])
		if left > 0 {
			continue
		}
		if shown == 0 {
			w.raw(`<p class="hint">One by one, with QR codes, for apps that take no subscription.</p><ul class="connections">`)
		}
		shown++
		r.connection(w, &req.Endpoints[i], cmp.Or(req.Accounts[i].Remark, "Connection "+strconv.Itoa(shown)),
			strings.TrimSuffix(string(link), "\n"), "l"+strconv.Itoa(shown))
	}
	if shown > 0 {
		w.raw(`</ul>`)
	} else {
		w.raw(`<p class="hint">There are none at the moment.</p>`)
	}
	w.raw(`</section>`)
}

// statusEntry says whether an endpoint is the one that tells apps why the user may not connect.
func statusEntry(e *wire.Endpoint) bool { return e.Address == "127.0.0.1" && e.Port == 1 }

// connection writes one row. The button stands beside the summary, not in it, so that both can be reached by keyboard.
func (r *Renderer) connection(w *writer, e *wire.Endpoint, name, link, id string) {
	w.raw(`<li><details class="code"><summary><span class="words"><bdi>`)
	w.text(name)
	w.raw(`</bdi><small>`)
	w.text(kind(e, link))
	w.raw(`</small></span></summary><code id="` + id + `" dir="ltr" translate="no">`)
	w.text(link)
	w.raw(`</code>`)
	r.code(w, link, "QR code of "+name)
	w.raw(`</details>`)
	w.copyButton(id, name)
	w.raw(`</li>`)
}

// kind says in a few words how an endpoint connects.
func kind(e *wire.Endpoint, link string) string {
	if e.RawURI != "" {
		scheme, _, _ := strings.Cut(link, ":")
		return scheme
	}
	words := []string{e.Protocol}
	for _, word := range []string{e.Transport.Network, e.Security.Kind} {
		switch word {
		case "", "raw", "none", e.Protocol: // what goes without saying
		default:
			words = append(words, word)
		}
	}
	return strings.Join(words, " · ")
}
