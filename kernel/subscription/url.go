package subscription

import (
	"net/url"
	"strings"

	"github.com/sluicehq/sluice/kernel/domain"
)

// URL is where the user's app fetches its subscription: <public_url>/sub/<username>?token=<sub id>, or without the part
// in front of /sub while no public_url is set. Whoever has it gets the subscription.
func (s *Service) URL(user *domain.User) string {
	return urlOf(s.current.Load().settings.PublicURL, user)
}

// urlOf is where the subscription is behind a base such as https://example.com.
func urlOf(base string, user *domain.User) string {
	base = strings.TrimSuffix(base, "/")
	if strings.Trim(user.Username, ".") == "" { // . and .. are no names in a path: the sub id stands alone
		return base + "/sub/" + url.PathEscape(user.SubID)
	}
	return base + "/sub/" + url.PathEscape(user.Username) + "?token=" + url.QueryEscape(user.SubID)
}
