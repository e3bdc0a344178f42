//go:build integration

package httpapi

import (
	"context"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/cdproto/log"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"
)

// browser is a tab of a Chromium that reaches nothing but this machine.
type browser struct {
	mu       sync.Mutex
	problems []string // what the page, or the browser about it, said on the console
	asked    []string // URLs
}

func (b *browser) heard(event any) {
	b.mu.Lock()
	defer b.mu.Unlock()
	switch e := event.(type) {
	case *runtime.EventExceptionThrown:
		b.problems = append(b.problems, e.ExceptionDetails.Text)
	case *runtime.EventConsoleAPICalled:
		if e.Type == runtime.ConsoleAPICalledTypeError || e.Type == runtime.ConsoleAPICalledTypeWarning {
			b.problems = append(b.problems, "console."+e.Type.String())
		}
	case *log.EventEntryAdded: // refused by the policy, not found...
		b.problems = append(b.problems, e.Entry.Text)
	case *network.EventRequestWillBeSent:
		b.asked = append(b.asked, e.Request.URL)
	}
}

func openBrowser(t *testing.T) (context.Context, *browser) {
	t.Helper()
	options := []chromedp.ExecAllocatorOption{chromedp.Flag("host-resolver-rules", "MAP * ~NOTFOUND, EXCLUDE 127.0.0.1")}
	if os.Getuid() == 0 {
		options = append(options, chromedp.NoSandbox) // Chromium's own does not work for root
	}
	b := &browser{}
	ctx, stop := chromedp.NewContext(t.Context(), chromedp.WithAllocatorOptions(options...), chromedp.WithListener(b.heard))
	t.Cleanup(stop)
	if _, err := chromedp.Call(ctx, network.Enable, network.EnableParams{}); err != nil {
		t.Fatal(err)
	}
	ctx, stop = context.WithTimeout(ctx, 2*time.Minute)
	t.Cleanup(stop)
	return ctx, b
}

// The docs page shows a route and asks it with the token that was typed in, while the browser has no internet.
func TestDocsInABrowser(t *testing.T) {
	b := newBench(t)
	ctx, browser := openBrowser(t)
	do := func(steps ...chromedp.Action[chromedp.Void]) {
		t.Helper()
		if err := chromedp.Do(ctx, steps...); err != nil {
			t.Fatalf("%v; the page said %q", err, browser.problems)
		}
	}
	text := func(css string) string {
		t.Helper()
		shown, err := chromedp.Run(ctx, chromedp.Text(chromedp.CSS(css)))
		if err != nil {
			t.Fatal(err)
		}
		return shown
	}
	click := func(css string) chromedp.Action[chromedp.Void] { return chromedp.Click(chromedp.CSS(css)) }

	const bulk = "#operations-clients-post-clients-bulk-adjust"
	do(chromedp.Navigate(b.url+"/docs#/clients"), click(bulk+" .opblock-summary-control"))
	if shown := text(bulk + " .body-param__example"); !strings.Contains(shown, `"addBytes": 53687091200`) {
		t.Errorf("the example of bulkAdjust is shown as %s", shown)
	}
	do(
		click(".auth-wrapper .authorize"),
		chromedp.SendKeys(chromedp.CSS(".auth-container input"), b.admin),
		click(".auth-btn-wrapper .authorize"),
		click(".auth-btn-wrapper .btn-done"),
	)
	const status = "#operations-server-get-server-status"
	do(click("#operations-tag-server"), click(status+" .opblock-summary-control"), click(status+" .try-out__btn"), click(status+" .execute"))
	if shown := text(status + " .live-responses-table .highlight-code"); !strings.Contains(shown, `"state": "running"`) {
		t.Errorf("the status is shown as %s", shown)
	}

	browser.mu.Lock()
	defer browser.mu.Unlock()
	if len(browser.problems) > 0 {
		t.Errorf("the page complains: %q", browser.problems)
	}
	for _, url := range browser.asked {
		if !strings.HasPrefix(url, b.url+"/") && !strings.HasPrefix(url, "data:") {
			t.Errorf("the page asks %s", url)
		}
	}
	if len(browser.asked) < 6 {
		t.Errorf("the page asked for %q only", browser.asked)
	}
}
