package external

import (
	"encoding/base64"
	"encoding/json"
	"net/url"
	"slices"
	"strings"
)

// schemes are those of the share links that are handed on: of what the apps of this core's family speak.
var schemes = []string{"vmess", "vless", "trojan", "ss", "hysteria2", "hy2", "wireguard", "wg"}

// isShareLink says whether an app could make sense of the link. Any host will do, a placeholder too.
func isShareLink(link string) bool {
	scheme, rest, found := strings.Cut(link, "://")
	if scheme = strings.ToLower(scheme); !found || !slices.Contains(schemes, scheme) {
		return false
	}
	body := until(rest, "?#")
	if (scheme == "vmess" || scheme == "ss") && !strings.Contains(body, "@") {
		return isOldForm(body)
	}
	return host(body) != ""
}

// isOldForm says whether body is what vmess and ss links were before they were URLs: base64 of an object with an
// address, or of user@host:port.
func isOldForm(body string) bool {
	if object := vmessObject(body); object != nil {
		return object.text("add") != ""
	}
	decoded, ok := decodeBase64(body)
	return ok && strings.Contains(decoded, "@") && host(decoded) != ""
}

// host is that of user@host:port/path. url.Parse would not do: the port of hysteria2 may be a list.
func host(body string) string {
	authority := until(body, "/")
	authority = authority[strings.LastIndexByte(authority, '@')+1:]
	if inner, ok := strings.CutPrefix(authority, "["); ok {
		return until(inner, "]")
	}
	return until(authority, ":")
}

// until is what comes before the first of the characters.
func until(s, chars string) string {
	if i := strings.IndexAny(s, chars); i >= 0 {
		return s[:i]
	}
	return s
}

// object is a JSON object of which a name or two matter here; the rest is passed on as it is.
type object map[string]json.RawMessage

// vmessObject is what the body of a vmess link has in its base64, nil if that is no object.
func vmessObject(body string) (o object) {
	decoded, ok := decodeBase64(body)
	if !ok || json.Unmarshal([]byte(decoded), &o) != nil {
		return nil
	}
	return o
}

// text is the string under key, "" when it is absent or something else.
func (o object) text(key string) (s string) {
	_ = json.Unmarshal(o[key], &s)
	return s
}

// decodeBase64 reads all the forms that are found in the wild: with either alphabet, padded or not, in lines or in one.
func decodeBase64(s string) (string, bool) {
	s = strings.TrimRight(oneAlphabet.Replace(s), "=")
	decoded, err := base64.RawStdEncoding.DecodeString(s)
	return string(decoded), err == nil
}

var oneAlphabet = strings.NewReplacer("-", "+", "_", "/", " ", "", "\t", "", "\r", "", "\n", "")

// rename gives a share link the name that change makes of its own. A vmess link in its old form has the name in its
// object, all others have it in the fragment.
func rename(link string, change func(name string) string) string {
	scheme, rest, _ := strings.Cut(link, "://")
	if o := vmessObject(until(rest, "?#")); o != nil {
		o["ps"], _ = json.Marshal(change(o.text("ps"))) // a string always has JSON
		if text, err := json.Marshal(o); err == nil {
			return scheme + "://" + base64.StdEncoding.EncodeToString(text)
		}
	}
	link, fragment, _ := strings.Cut(link, "#")
	name, err := url.PathUnescape(fragment)
	if err != nil { // it was not encoded
		name = fragment
	}
	return link + "#" + url.PathEscape(change(name))
}
