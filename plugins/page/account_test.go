package page

import (
	"math"
	"strings"
	"testing"

	"golang.org/x/net/html"

	"github.com/sluicehq/sluice/sdk"
)

func TestAccount(t *testing.T) {
	const (
		gb    = 1 << 30
		facts = "Expires | in 101 days | 1 January 2027, 00:00 UTC | Usage resets | in 9 days | 30 September 2026, 14:13 UTC | " +
			"Last online | 40 minutes ago | 21 September 2026, 13:33 UTC"
		quota   = "92 GB | of 100 GB used | 92 % | 80 GB down | 12 GB up | 8 GB left"
		support = "Contact support"
	)
	for _, c := range []struct {
		name                string
		change              func(*sdk.FormatRequest)
		state, class        string
		advice, usage, fact string
	}{
		{"active", func(*sdk.FormatRequest) {}, "Active", "state good", "", quota, facts},
		{
			"no limits at all",
			func(r *sdk.FormatRequest) {
				r.User.HasQuota, r.User.ExpireAt, r.User.NextResetAt, r.User.OnlineAt = false, 0, 0, 0
			},
			"Active", "state good", "", "92 GB | used, no limit | 80 GB down | 12 GB up", "Expires | Never",
		},
		{
			"expired",
			func(r *sdk.FormatRequest) {
				r.User.Status, r.User.ExpireAt, r.User.NextResetAt, r.User.OnlineAt = "expired", r.Now-25*60*minute, 0, 0
			},
			"Expired", "state bad",
			"Your subscription has ended. Ask for a renewal: what you have set up in your app stays, and works again at once. | " + support,
			quota, "Expired | 1 day ago | 20 September 2026, 13:13 UTC",
		},
		{
			"expires this very moment",
			func(r *sdk.FormatRequest) { r.User.ExpireAt, r.User.NextResetAt, r.User.OnlineAt = r.Now, 0, r.Now },
			"Active", "state good", "", quota,
			"Expired | just now | 21 September 2026, 14:13 UTC | Last online | just now | 21 September 2026, 14:13 UTC",
		},
		{
			"on hold",
			func(r *sdk.FormatRequest) {
				r.User.Status, r.User.ExpireAt, r.User.NextResetAt, r.User.OnlineAt = "on_hold", 0, 0, 0
				r.User.Up, r.User.Down = 0, 0
			},
			"Not started", "state wait", "Your time starts when you connect for the first time.",
			"0 B | of 100 GB used | 0 % | 0 B down | 0 B up | 100 GB left", "Expires | Counted from your first connection",
		},
		{
			"disabled, nobody to ask",
			func(r *sdk.FormatRequest) { r.User.Status, r.SupportURL = "disabled", "" },
			"Switched off", "state off", "This account has been switched off. Ask support if you did not expect that.", quota, facts,
		},
		{
			"limited until the reset",
			func(r *sdk.FormatRequest) { r.User.Status, r.User.Up = "limited", 30*gb },
			"Data used up", "state bad",
			"All of your data is used. You can connect again in 9 days, when your usage starts from zero. | " + support,
			"110 GB | of 100 GB used | 100 % | 80 GB down | 30 GB up | 0 B left", facts,
		},
		{
			"limited for good, with a quota of nothing",
			func(r *sdk.FormatRequest) {
				r.User.Status, r.User.NextResetAt, r.User.OnlineAt, r.User.ExpireAt = "limited", 0, 0, 0
				r.User.Quota, r.User.Up, r.User.Down = 0, 0, 0
			},
			"Data used up", "state bad",
			"All of your data is used. Ask for more: what you have set up in your app stays, and works again at once. | " + support,
			"0 B | of 0 B used | 100 % | 0 B down | 0 B up | 0 B left", "Expires | Never",
		},
		{"a status of tomorrow", func(r *sdk.FormatRequest) { r.User.Status = "<paused>" }, "<paused>", "state off", "", quota, facts},
	} {
		t.Run(c.name, func(t *testing.T) {
			req := sample()
			c.change(req)
			document := parse(t, render(t, req).Body)
			for _, e := range []struct{ what, got, want string }{
				{"name", one(t, document, tag("h1")), "alice_0042"},
				{"state", one(t, document, class("state")), c.state},
				{"class", attribute(elements(document, class("state"))[0], "class"), c.class},
				{"advice", one(t, document, class("advice")), c.advice},
				{"usage", one(t, document, class("usage")), c.usage},
				{"facts", one(t, document, tag("dl")), c.fact},
			} {
				if e.got != e.want {
					t.Errorf("%s\ngot  %s\nwant %s", e.what, e.got, e.want)
				}
			}
		})
	}
}

func TestBar(t *testing.T) {
	for _, c := range []struct {
		used, quota  int64
		value, class string
	}{
		{0, 100, "0", "fair"},
		{849, 1000, "84", "fair"},
		{85, 100, "85", "high"},
		{99_999, 100_000, "99", "high"},
		{100, 100, "100", "full"},
		{math.MaxInt64 - 1, math.MaxInt64, "100", "full"}, // what is left is less than a float64 can tell
	} {
		req := sample()
		req.User.Up, req.User.Down, req.User.Quota = 0, c.used, c.quota
		bar := elements(parse(t, render(t, req).Body), tag("progress"))[0]
		if attribute(bar, "value") != c.value || attribute(bar, "class") != c.class || attribute(bar, "max") != "100" {
			t.Errorf("%d of %d: %+v", c.used, c.quota, bar.Attr)
		}
	}
}

func TestSupportIsASafeLink(t *testing.T) {
	for url, want := range map[string]string{
		"https://example.com/help?a=1&b=2": "https://example.com/help?a=1&b=2",
		" HTTP://example.com ":             "HTTP://example.com",
		"tg://resolve?domain=help":         "tg://resolve?domain=help",
		"mailto:help@example.com":          "mailto:help@example.com",
		`https://x/"><script>alert(1)`:     `https://x/"><script>alert(1)`,
		"javascript:alert(1)":              "",
		"JavaScript:alert(1)":              "",
		"java\nscript:alert(1)":            "",
		"\x01javascript:alert(1)":          "",
		"data:text/html,<script>":          "",
		"vbscript:x":                       "",
		"//example.com":                    "",
		"example.com":                      "",
		"https":                            "",
		"":                                 "",
	} {
		req := sample()
		req.SupportURL = url
		found := elements(parse(t, render(t, req).Body), func(n *html.Node) bool { return n.Data == "a" && says(n) == "Contact support" })
		got := ""
		for _, a := range found {
			got = attribute(a, "href")
		}
		if got != want || (want == "") != (len(found) == 0) {
			t.Errorf("%q: got %q in %d links, want %q", url, got, len(found), want)
		}
	}
}

// TestHostileText puts markup wherever text of somebody else is shown, and finds it as text.
func TestHostileText(t *testing.T) {
	const evil = `"'><script>alert(1)</script><img src=x onerror=alert(1)>&amp;</title></style>` + "\u202e\x00\xff`"
	want := strings.NewReplacer("\x00", "", "\xff", "\ufffd").Replace(evil)
	req := sample()
	req.Title, req.User.Username, req.User.Status, req.URL = evil, evil, evil, "https://example.com/"+evil
	for i := range req.Accounts {
		req.Accounts[i].Remark = evil
	}
	req.Endpoints[0].RawURI = evil
	req.Endpoints[1].Protocol, req.Endpoints[1].RawURI = evil, "x:y"
	document := parse(t, render(t, req).Body)
	if n := len(elements(document, tag("script"))); n != 1 {
		t.Errorf("%d scripts", n)
	}
	for _, i := range elements(document, tag("img")) {
		if attribute(i, "class") != "qr" || !strings.HasPrefix(attribute(i, "src"), "data:image/bmp;base64,") {
			t.Errorf("an image %+v", i.Attr)
		}
	}
	for _, shown := range []string{
		one(t, document, tag("h1")), one(t, document, class("service")), one(t, document, class("state")),
		strings.TrimPrefix(one(t, document, id("url")), "https://example.com/"), one(t, document, id("l1")),
	} {
		if got := strings.ReplaceAll(shown, "\x00", ""); strings.ToValidUTF8(got, "\ufffd") != want {
			t.Errorf("got  %q\nwant %q", got, want)
		}
	}
	for _, a := range elements(document, tag("a")) {
		scheme, _, _ := strings.Cut(attribute(a, "href"), ":")
		if strings.Trim(scheme, "abcdefghijklmnopqrstuvwxyz0123456789-") != "" || strings.HasPrefix(scheme, "javascript") {
			t.Errorf("a link to %q", attribute(a, "href"))
		}
	}
}
