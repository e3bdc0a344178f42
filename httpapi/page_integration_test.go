//go:build integration

package httpapi

import (
	"net/http"
	"strings"
	"testing"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/chromedp"
)

// looks is what a browser makes of the page.
type looks struct {
	Background string `json:"background"`
	Overflow   int    `json:"overflow"` // CSS pixels by which the page is wider than the window
	Codes      int    `json:"codes"`    // QR codes that the browser could draw
	Broken     int    `json:"broken"`
	CodeOpen   bool   `json:"codeOpen"`
	Apps       string `json:"apps"` // those that are shown
	Copied     string `json:"copied"`
}

const look = `(async () => {
	const images = [...document.images];
	await Promise.all(images.map((image) => image.decode().catch(() => {})));
	const drawn = images.filter((image) => image.naturalWidth > 20);
	return {
		background: getComputedStyle(document.body).backgroundColor,
		overflow: document.documentElement.scrollWidth - innerWidth,
		codes: drawn.length,
		broken: images.length - drawn.length,
		codeOpen: document.getElementById("code").open,
		apps: [...document.querySelectorAll(".apps a")].filter((a) => a.checkVisibility()).map((a) => a.textContent).join(" "),
		copied: document.querySelector("[data-copy=url]").textContent,
	};
})()`

// The page of a subscription, as a phone and as a desk see it, by day and by night: the policy that it comes with hinders
// nothing, and it asks for nothing but itself.
func TestPageInABrowser(t *testing.T) {
	b := newBench(t)
	b.inbound(1)
	b.client("alice")
	url := b.url + "/sub/sub-alice?format=html"
	_, headers, _ := httpRequest{method: http.MethodGet, path: "/sub/sub-alice?format=html"}.send(t, b.url)
	if policy := headers.Get("Content-Security-Policy"); !strings.HasPrefix(policy, "default-src 'none'; style-src 'sha256-") {
		t.Errorf("the policy is %q", policy)
	}
	if disposition := headers.Get("Content-Disposition"); strings.HasPrefix(disposition, "attachment") {
		t.Fatalf("a browser would save the page: %s", disposition)
	}
	const light, dark = "rgb(245, 246, 247)", "rgb(16, 19, 21)"
	for _, c := range []struct {
		name, scheme  string
		width, height int64
		want          looks
	}{
		{"phone by day", "light", 360, 740, looks{Background: light}},
		{"phone by night", "dark", 360, 740, looks{Background: dark}},
		{"desk by day", "light", 1280, 900, looks{Background: light, CodeOpen: true}},
		{"desk by night", "dark", 1280, 900, looks{Background: dark, CodeOpen: true}},
	} {
		t.Run(c.name, func(t *testing.T) {
			ctx, browser := openBrowser(t)
			media := emulation.SetEmulatedMediaParams{Features: []*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: c.scheme}}}
			if _, err := chromedp.Call(ctx, emulation.SetEmulatedMedia, media); err != nil {
				t.Fatal(err)
			}
			const button = "[data-copy=url]"
			if err := chromedp.Do(ctx, chromedp.EmulateViewport(c.width, c.height), chromedp.Navigate(url), chromedp.Click(chromedp.CSS(button))); err != nil {
				t.Fatal(err)
			}
			if _, err := chromedp.Run(ctx, chromedp.Poll[bool](`document.querySelector("`+button+`").matches(".done")`)); err != nil {
				t.Fatalf("nothing was copied: %v", err)
			}
			got, err := chromedp.Run(ctx, chromedp.Evaluate[looks](look, chromedp.EvalAwaitPromise))
			if err != nil {
				t.Fatal(err)
			}
			want := c.want
			want.Codes, want.Apps, want.Copied = 2, "Hiddify Happ Karing Clash sing-box", "Copied your subscription link"
			if got != want {
				t.Errorf("got  %+v\nwant %+v", got, want)
			}
			browser.mu.Lock()
			defer browser.mu.Unlock()
			if len(browser.problems) > 0 {
				t.Errorf("the page complains: %q", browser.problems)
			}
			for _, asked := range browser.asked {
				if asked != url && !strings.HasPrefix(asked, "data:image/") {
					t.Errorf("the page asks %s", asked)
				}
			}
		})
	}
}
