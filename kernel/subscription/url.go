package subscription

import (
	"net/url"
	"strings"

	"github.com/sluicehq/sluice/kernel/domain"
)

// URL is where the user's app fetches its subscription: <public_url>/sub/<username>?token=<sub id>, or without the part
// in front of /sub while no public_url is set. Whoever has it gets the subscription.
func (s *Service) URL(user *domain.User) string {
	base := strings.TrimSuffix(s.current.Load().settings.PublicURL, "/")
	if strings.Trim(user.Username, ".") == "" { // . and .. are no names in a path: the sub id stands alone
		return base + "/sub/" + url.PathEscape(user.SubID)
	}
	return base + "/sub/" + url.PathEscape(user.Username) + "?token=" + url.QueryEscape(user.SubID)
}
