package subscription

import (
	"context"
	"encoding/base64"
	"mime"
	"net/url"
	"strconv"
	"strings"

	"github.com/sluicehq/sluice/sdk/wire"
)

// headers are what the plugin set and, over it, what changes without the body and is therefore the kernel's: usage first
// of all. Units in them: bytes, hours, and seconds UTC for expire (absent quota and expiry are 0, as clients expect).
func (s *Service) headers(ctx context.Context, f *fetch, b *body) ([]wire.Pair, error) {
	v, err := s.viewer(ctx, f.snap, &f.user, f.traffic)
	if err != nil {
		return nil, err
	}
	user, settings := &f.user, &f.snap.settings
	title, name := f.snap.title.tell(&v), b.Filename
	if title == "" {
		title = user.Username
	}
	if name == "" {
		name = user.Username
	}
	list := make(headerList, len(b.Headers), len(b.Headers)+8)
	copy(list, b.Headers)
	list.set("subscription-userinfo", f.userinfo())
	list.set("profile-update-interval", strconv.Itoa(settings.UpdateInterval()))
	list.set("profile-title", encoded(title))
	list.set("content-disposition", disposition(b.ContentType, name))
	if settings.SupportURL != "" {
		list.set("support-url", settings.SupportURL)
	}
	if settings.Announcement != "" {
		list.set("announce", encoded(settings.Announcement))
	}
	if settings.PublicURL != "" {
		list.set("profile-web-page-url", strings.TrimSuffix(settings.PublicURL, "/")+"/sub/"+url.PathEscape(user.SubID))
	}
	if !f.trusts(b) {
		list.sandbox()
	}
	return list, nil
}

// userinfo is how much the user has moved and may move.
func (f *fetch) userinfo() string {
	var total, expire int64
	if f.user.Quota != nil {
		total = *f.user.Quota
	}
	if f.user.ExpireAt != nil {
		expire = *f.user.ExpireAt / 1000
	}
	text := strconv.AppendInt([]byte("upload="), f.traffic.Up, 10)
	text = strconv.AppendInt(append(text, "; download="...), f.traffic.Down, 10)
	text = strconv.AppendInt(append(text, "; total="...), total, 10)
	return string(strconv.AppendInt(append(text, "; expire="...), expire, 10))
}

// trusts says whether a part of the binary made the body.
func (f *fetch) trusts(b *body) bool { return b.Fallback || f.item.Builtin }

// headerList is a list of headers with names in lower case.
type headerList []wire.Pair

// set makes the header's value that and nothing else.
func (l *headerList) set(name, value string) {
	for i := range *l {
		if (*l)[i].Name == name {
			(*l)[i].Value = value
			return
		}
	}
	*l = append(*l, wire.Pair{Name: name, Value: value})
}

// sandbox takes from a page that a stranger has made what could hurt who opens it: scripts, forms, and the origin of this
// server. Of several policies a browser applies every one, so the plugin's own can only forbid more.
func (l *headerList) sandbox() {
	policy := "sandbox"
	for _, h := range *l {
		if h.Name == "content-security-policy" && h.Value != "" {
			policy = h.Value + ", sandbox"
		}
	}
	l.set("content-security-policy", policy)
}

// encoded is a text as apps take it in a header: base64, since it may have any letters.
func encoded(text string) string { return "base64:" + base64.StdEncoding.EncodeToString([]byte(text)) }

// disposition has a browser show a page and save everything else, under that name: in the RFC 2231 form where it is not
// ASCII.
func disposition(contentType, name string) string {
	kind := "attachment"
	if strings.HasPrefix(strings.ToLower(contentType), "text/html") {
		kind = "inline"
	}
	if v := mime.FormatMediaType(kind, map[string]string{"filename": name}); v != "" {
		return v
	}
	return kind
}
