package page

import (
	"encoding/base64"
	"net/url"
	"strings"
	"testing"
)

func TestDeepLinks(t *testing.T) {
	const (
		subscription = "https://h.example/sub/alice?token=a+b&x=1"
		inURL        = "https%3A%2F%2Fh.example%2Fsub%2Falice%3Ftoken%3Da%2Bb%26x%3D1"
		name         = "Blue River & Söhne"
		nameInURL    = "Blue%20River%20%26%20S%C3%B6hne"
	)
	for _, c := range []struct {
		app  app
		want string
	}{
		{v2rayNG, "v2rayng://install-config?url=" + inURL + "#" + nameInURL},
		{hiddify, "hiddify://import/" + subscription + "#" + nameInURL},
		{happ, "happ://add/" + subscription},
		{v2rayTun, "v2raytun://import/" + subscription},
		{streisand, "streisand://import/" + subscription + "#" + nameInURL},
		{shadowrocket, "shadowrocket://add/sub://" + base64.RawURLEncoding.EncodeToString([]byte(subscription)) + "?remark=" + nameInURL},
		{v2box, "v2box://install-sub?url=" + inURL + "&name=" + nameInURL},
		{nekoBox, "sn://subscription?url=" + inURL + "&name=" + nameInURL},
		{karing, "karing://install-config?url=" + inURL + "&name=" + nameInURL},
		{clash, "clash://install-config?url=" + inURL + "%2Fclash&name=" + nameInURL},
		{stash, "stash://install-config?url=" + inURL + "%2Fclash&name=" + nameInURL},
		{singBox, "sing-box://import-remote-profile?url=" + inURL + "%2Fsing-box#" + nameInURL},
	} {
		got := c.app.deepLink(subscription, name)
		if got != c.want {
			t.Errorf("%s\ngot  %s\nwant %s", c.app.name, got, c.want)
		}
		u, err := url.Parse(got)
		if err != nil {
			t.Errorf("%s: %v", c.app.name, err)
		} else if v := u.Query().Get("url"); v != "" && !strings.HasPrefix(v, subscription) {
			t.Errorf("%s reads %s", c.app.name, v)
		}
	}
}

func TestAppsOfEachPlatform(t *testing.T) {
	document := parse(t, render(t, sample()).Body)
	for name, want := range map[string]string{
		"android":  "v2rayNG | Hiddify | Happ | v2RayTun | Karing | NekoBox | Clash | sing-box",
		"apple":    "Streisand | Hiddify | Happ | v2RayTun | Shadowrocket | V2Box | Karing | Stash | sing-box",
		"computer": "Hiddify | Happ | Karing | Clash | sing-box",
	} {
		if got := one(t, document, class("apps of-"+name)); got != want {
			t.Errorf("%s: got %s, want %s", name, got, want)
		}
		if len(elements(document, id(name))) != 1 || !strings.Contains(style, "#"+name+":not(:checked)) .of-"+name) {
			t.Errorf("the style does not choose %s", name)
		}
	}
}

func TestFormatsAreSuffixes(t *testing.T) {
	for subscription, want := range map[string]string{
		"https://h.example/sub/abc":             "https://h.example/sub/abc/",
		"https://h.example/sub/abc/":            "https://h.example/sub/abc/",
		"https://h.example/sub/alice?token=abc": "https://h.example/sub/alice?token=abc/",
	} {
		req := sample()
		req.URL = subscription
		var got []string
		for _, a := range elements(elements(parse(t, render(t, req).Body), class("formats"))[0], tag("a")) {
			suffix, found := strings.CutPrefix(attribute(a, "href"), want)
			if !found {
				t.Errorf("%s leads to %s", subscription, attribute(a, "href"))
			}
			got = append(got, suffix)
		}
		if list := strings.Join(got, " "); list != "clash sing-box xray-json outline sip008 links links-base64" {
			t.Errorf("%s: %s", subscription, list)
		}
	}
}

// TestWithoutAnAddress: what needs the URL is left out, and so it is if the URL is not one of the web.
func TestWithoutAnAddress(t *testing.T) {
	for _, subscription := range []string{"", "/sub/abc", "javascript:alert(1)"} {
		req := sample()
		req.URL, req.Title = subscription, ""
		document := parse(t, render(t, req).Body)
		if got := one(t, document, tag("header")); got != "Subscription" {
			t.Errorf("the title is %q", got)
		}
		if n := len(elements(document, class("card"))); n != 2 {
			t.Errorf("%q: %d cards", subscription, n)
		}
	}
}
