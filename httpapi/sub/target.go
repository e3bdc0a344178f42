package sub

import (
	"net/url"
	"strings"
)

// target is what a URL asks for: whose subscription, and what of it.
type target struct {
	token    string // the subscription id
	username string // of whom it must be, "" = the URL names nobody
	suffix   string // info, usage, apps or a format; "" = none
	query    url.Values
}

// readTarget reads the two forms of a subscription URL,
//
//	/sub/<token>[/<suffix>]
//	/sub/<username>[/<suffix>]?token=<token>[/<suffix>]
//
// of which the second ends in a suffix where an app has appended it to the URL that it was given; what that suffix has
// behind a ? belongs to the query. Source: decisions.md §3. id and suffix are of the path and still escaped; ok is false
// if they can not be read.
func readTarget(id, suffix, query string) (t target, ok bool) {
	id, errID := url.PathUnescape(id)
	suffix, errSuffix := url.PathUnescape(suffix)
	t = target{token: id, suffix: suffix}
	t.query, _ = url.ParseQuery(query) // what can not be read is left out
	if t.query.Has("token") {
		t.username = id
		t.readToken(t.query.Get("token"))
	}
	return t, errID == nil && errSuffix == nil
}

// readToken takes apart what stands behind token=.
func (t *target) readToken(value string) {
	value, more, queried := strings.Cut(value, "?")
	if queried {
		name, text, _ := strings.Cut(more, "=")
		t.query.Set(name, text)
	}
	token, suffix, _ := strings.Cut(value, "/")
	t.token = strings.ReplaceAll(token, " ", "+") // no id has a space: somebody has put a + in unescaped
	if suffix = strings.Trim(suffix, "/"); suffix != "" {
		t.suffix = suffix
	}
}
