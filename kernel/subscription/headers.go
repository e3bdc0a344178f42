package subscription

import (
	"encoding/base64"
	"fmt"
	"mime"
	"net/url"
	"strconv"
	"strings"

	"github.com/sluicehq/sluice/kernel/domain"
	"github.com/sluicehq/sluice/kernel/plugin"
	"github.com/sluicehq/sluice/sdk/wire"
)

// headers are those that change without the body, which is why they are the kernel's: usage first of all. Units in
// them: bytes, and seconds UTC for expire (absent quota and expiry are 0, as clients expect).
func headers(user *domain.User, t domain.Traffic, r plugin.Rendered, publicURL string) []wire.Pair {
	var total, expire int64
	if user.Quota != nil {
		total = *user.Quota
	}
	if user.ExpireAt != nil {
		expire = *user.ExpireAt / 1000
	}
	name := r.Filename
	if name == "" {
		name = user.Username
	}
	list := []wire.Pair{
		{Name: "subscription-userinfo", Value: fmt.Sprintf("upload=%d; download=%d; total=%d; expire=%d", t.Up, t.Down, total, expire)},
		{Name: "profile-update-interval", Value: strconv.Itoa(updateInterval)},
		{Name: "profile-title", Value: "base64:" + base64.StdEncoding.EncodeToString([]byte(user.Username))},
		{Name: "content-disposition", Value: disposition(name)},
	}
	if publicURL != "" {
		page := strings.TrimSuffix(publicURL, "/") + "/sub/" + url.PathEscape(user.SubID)
		list = append(list, wire.Pair{Name: "profile-web-page-url", Value: page})
	}
	return list
}

// updateInterval is how often apps are asked to fetch again, in hours.
const updateInterval = 12

// disposition names the file that a browser saves, in the RFC 2231 form where the name is not ASCII.
func disposition(name string) string {
	if v := mime.FormatMediaType("attachment", map[string]string{"filename": name}); v != "" {
		return v
	}
	return "attachment"
}
