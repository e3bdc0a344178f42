package sub

import (
	"net/url"
	"strings"
	"testing"
)

func TestReadTarget(t *testing.T) {
	for _, c := range []struct {
		name, id, suffix, query string
		want                    target
		rest                    string
	}{
		{"the id alone", "abc", "", "", target{token: "abc"}, ""},
		{"with a suffix", "abc", "info", "", target{token: "abc", suffix: "info"}, ""},
		{"with a format", "abc", "", "format=links", target{token: "abc"}, "format=links"},
		{"escaped", "a%20b", "in%66o", "", target{token: "a b", suffix: "info"}, ""},
		{"a + in the path", "a+b", "", "", target{token: "a+b"}, ""},
		{"a name", "alice", "", "token=abc", target{token: "abc", username: "alice"}, "token=abc"},
		{"a name and a suffix", "alice", "links", "token=abc", target{token: "abc", username: "alice", suffix: "links"}, "token=abc"},
		{"appended", "alice", "", "token=abc/info", target{token: "abc", username: "alice", suffix: "info"}, "token=abc%2Finfo"},
		{"appended and escaped", "alice", "", "token=abc%2Finfo", target{token: "abc", username: "alice", suffix: "info"}, "token=abc%2Finfo"},
		{"appended with a slash behind", "alice", "", "token=abc/info/", target{token: "abc", username: "alice", suffix: "info"}, "token=abc%2Finfo%2F"},
		{"a slash alone", "alice", "", "token=abc/", target{token: "abc", username: "alice"}, "token=abc%2F"},
		{"a slash alone, and a suffix in the path", "alice", "info", "token=abc/", target{token: "abc", username: "alice", suffix: "info"}, "token=abc%2F"},
		{"appended twice", "alice", "links", "token=abc/info", target{token: "abc", username: "alice", suffix: "info"}, "token=abc%2Finfo"},
		{"two parts", "alice", "", "token=abc/a/b", target{token: "abc", username: "alice", suffix: "a/b"}, "token=abc%2Fa%2Fb"},
		{
			"appended with a query of its own", "alice", "", "token=abc/usage?period=day&start=1",
			target{token: "abc", username: "alice", suffix: "usage"},
			"period=day&start=1&token=abc%2Fusage%3Fperiod%3Dday",
		},
		{"in front of another parameter", "alice", "", "token=abc/info&x=1", target{token: "abc", username: "alice", suffix: "info"}, "token=abc%2Finfo&x=1"},
		{"behind another parameter", "alice", "", "x=1&token=abc", target{token: "abc", username: "alice"}, "token=abc&x=1"},
		{"an unescaped +", "alice", "", "token=a+b", target{token: "a+b", username: "alice"}, "token=a+b"},
		{"an escaped +", "alice", "", "token=a%2Bb", target{token: "a+b", username: "alice"}, "token=a%2Bb"},
		{"no token in it", "alice", "", "token=", target{username: "alice"}, "token="},
		{"two tokens", "alice", "", "token=abc&token=def", target{token: "abc", username: "alice"}, "token=abc&token=def"},
		{"a token of another case is another parameter", "alice", "", "Token=abc", target{token: "alice"}, "Token=abc"},
		{"a broken parameter", "alice", "", "a=%zz&token=abc", target{token: "abc", username: "alice"}, "token=abc"},
	} {
		t.Run(c.name, func(t *testing.T) {
			got, ok := readTarget(c.id, c.suffix, c.query)
			if !ok || got.token != c.want.token || got.username != c.want.username || got.suffix != c.want.suffix || got.query.Encode() != c.rest {
				t.Errorf("got %+v with %s, %v", got, got.query.Encode(), ok)
			}
		})
	}
	for _, bad := range [][2]string{{"%zz", ""}, {"abc", "%z"}} {
		if _, ok := readTarget(bad[0], bad[1], ""); ok {
			t.Errorf("%q can be read", bad)
		}
	}
}

// FuzzReadTarget sends anything. Whatever comes, the token ends at the first slash, and what a token is written as is
// what it is read as, in both forms and with a suffix appended.
func FuzzReadTarget(f *testing.F) {
	for _, seed := range [][4]string{
		{"abc", "info", "", "x"},
		{"alice", "", "token=abc/info", "a+b"},
		{"%zz", "%", "token=a%2Fb?c=d&token=", "é;=&"},
		{"", "", "token=///", "?"},
		{"a", "links", "&&token=abc?x&format=y", "%2F"},
	} {
		f.Add(seed[0], seed[1], seed[2], seed[3])
	}
	f.Fuzz(func(t *testing.T, id, suffix, query, token string) {
		if got, ok := readTarget(id, suffix, query); ok && got.query.Has("token") && strings.Contains(got.token, "/") {
			t.Errorf("%q %q %q: the token is %q", id, suffix, query, got.token)
		}
		if strings.ContainsAny(token, "/? ") { // none has them
			return
		}
		for _, c := range []struct{ id, query string }{
			{url.PathEscape(token), ""}, {"alice", "token=" + url.QueryEscape(token)}, {"alice", "token=" + url.QueryEscape(token) + "/info"},
		} {
			got, ok := readTarget(c.id, "", c.query)
			if !ok || got.token != token {
				t.Errorf("%q?%s: the token is %q, %v, want %q", c.id, c.query, got.token, ok, token)
			}
		}
	})
}

func TestUnchanged(t *testing.T) {
	for header, want := range map[string]bool{
		"": false, `"a"`: true, `W/"a"`: true, `"b", "a"`: true, `"b",W/"a"`: true, "*": true, "a": false, `"b"`: false, `w/"a"`: false,
	} {
		if got := unchanged(header, `"a"`); got != want {
			t.Errorf("%s: %v", header, got)
		}
	}
}
