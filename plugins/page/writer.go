package page

import (
	"html"
	"strings"
)

// writer builds a document. Whatever comes from outside goes through text, which is safe between tags and inside of
// quoted attributes; html/template would do that too, for 2.5 MB.
type writer struct{ buf []byte }

// raw writes markup of this package.
func (w *writer) raw(markup string) { w.buf = append(w.buf, markup...) }

// text writes what somebody else has written.
func (w *writer) text(s string) { w.raw(html.EscapeString(s)) }

// link writes a link with a class and a plain label.
func (w *writer) link(class, url, label string) {
	w.raw(`<a class="` + class + `" rel="noreferrer" href="`)
	w.text(url)
	w.raw(`">`)
	w.text(label)
	w.raw(`</a>`)
}

// copyButton writes a button that copies the text of the element with that id. It is hidden where the script does
// not run.
func (w *writer) copyButton(id, what string) {
	w.raw(`<button type="button" class="copy" data-copy="` + id + `">Copy<span class="unseen"> `)
	w.text(what)
	w.raw(`</span></button>`)
}

// webURL is url if it is of http or https, else "".
func webURL(url string) string { return ofScheme(url, "https", "http") }

// supportURL is url if it is one that a page may lead to, else "": nothing that runs in the page.
func supportURL(url string) string { return ofScheme(url, "https", "http", "tg", "mailto") }

// ofScheme is url without the spaces around it, or "" if its scheme is none of the allowed.
func ofScheme(url string, allowed ...string) string {
	url = strings.TrimSpace(url)
	scheme, _, found := strings.Cut(url, ":")
	for _, s := range allowed {
		if found && strings.EqualFold(scheme, s) {
			return url
		}
	}
	return ""
}
