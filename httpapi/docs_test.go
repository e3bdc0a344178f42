package httpapi

import (
	"net/http"
	"regexp"
	"strings"
	"testing"
)

// docsPolicy is written out here again: whoever loosens it should have to do so twice.
const docsPolicy = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; " +
	"base-uri 'none'; form-action 'none'; frame-ancestors 'none'"

// The docs page and everything on it comes from this server, without a token.
func TestDocs(t *testing.T) {
	b := newBench(t)
	status, headers, page := httpRequest{method: http.MethodGet, path: "/docs"}.send(t, b.url)
	if status != http.StatusOK || headers.Get("Content-Type") != "text/html; charset=utf-8" || headers.Get("Content-Security-Policy") != docsPolicy {
		t.Errorf("%d, %v", status, headers)
	}
	if strings.Contains(page, "://") || regexp.MustCompile(`(?i)<style| style=|<script>| on\w+=`).MatchString(page) {
		t.Errorf("the page goes elsewhere, or has scripts or styles in itself: %s", page)
	}
	loads := regexp.MustCompile(`(?:src|href)="([^"]*)"`).FindAllStringSubmatch(page, -1)
	kinds := map[string]string{
		"docs/favicon.png": "image/png", "docs/swagger-ui.css": "text/css; charset=utf-8", "docs/swagger-ui.js": "text/javascript; charset=utf-8",
		"docs/start.js": "text/javascript; charset=utf-8", "openapi.json": "application/openapi+json",
	}
	if len(loads) != len(kinds) {
		t.Fatalf("the page loads %q", loads)
	}
	for _, load := range loads {
		path := load[1]
		t.Run(path, func(t *testing.T) {
			status, headers, text := httpRequest{method: http.MethodGet, path: "/" + path}.send(t, b.url)
			if status != http.StatusOK || headers.Get("Content-Type") != kinds[path] || len(text) < 100 {
				t.Errorf("%d with %d bytes of %s", status, len(text), headers.Get("Content-Type"))
			}
			if strings.HasSuffix(path, "start.js") && strings.Contains(text, "://") {
				t.Errorf("the script goes elsewhere: %s", text)
			}
			if strings.HasSuffix(path, ".css") && regexp.MustCompile(`@import|url\(\s*["']?[^"'d\s]|url\(["']?d[^a]`).MatchString(text) {
				t.Error("the stylesheet loads what is not in it")
			}
			etag := map[string]string{"If-None-Match": headers.Get("ETag")}
			if status, _, _ := (httpRequest{method: http.MethodGet, path: "/" + path, headers: etag}).send(t, b.url); status != http.StatusNotModified {
				t.Errorf("what did not change is sent again, with %d", status)
			}
		})
	}
}

// A client that can not unpack gets the same files unpacked.
func TestDocsUnpacked(t *testing.T) {
	b := newBench(t)
	get := func(encoding string) (http.Header, string) {
		headers := map[string]string{"Accept-Encoding": encoding} // said by hand, Go's client does not unpack by itself
		_, got, text := httpRequest{method: http.MethodGet, path: "/docs/swagger-ui.css", headers: headers}.send(t, b.url)
		return got, text
	}
	headers, packed := get("gzip, br")
	if headers.Get("Content-Encoding") != "gzip" || headers.Get("Vary") != "Accept-Encoding" || !strings.HasPrefix(packed, "\x1f\x8b") {
		t.Errorf("packed: %v", headers)
	}
	headers, plain := get("identity")
	if headers.Get("Content-Encoding") != "" || !strings.HasPrefix(plain, ".swagger-ui") || len(plain) < 2*len(packed) {
		t.Errorf("unpacked: %d bytes, packed %d: %v, %.100s", len(plain), len(packed), headers, plain)
	}
}

// Neither the page nor the document is anywhere but on the API's listener, and nothing else is under /docs.
func TestDocsElsewhere(t *testing.T) {
	b := newBench(t)
	for _, path := range []string{"/docs", "/docs/start.js", "/openapi.json"} {
		want := detail("no such route: GET " + path)
		for name, o := range map[string]Options{"subscriptions": {Sub: true}, "metrics": {Metrics: true}} {
			if status, _, body := (httpRequest{method: http.MethodGet, path: path}).send(t, b.serve(o)); status != http.StatusNotFound || body != want {
				t.Errorf("%s on the listener for %s: %d %s", path, name, status, body)
			}
		}
	}
	for _, path := range []string{"/docs/index.html", "/docs/swagger-ui.css.gz", "/docs/..%2fdocs.go", "/docs/start.js/x", "/openapi.yaml"} {
		want := detail("no such route: GET " + path)
		if status, _, body := (httpRequest{method: http.MethodGet, path: path}).send(t, b.url); status != http.StatusNotFound || body != want {
			t.Errorf("%s: %d %s", path, status, body)
		}
	}
}
