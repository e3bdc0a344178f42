package accounts

import (
	"context"
	"fmt"
	"net/netip"
	"net/url"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/sluicehq/sluice/kernel/domain"
	"github.com/sluicehq/sluice/kernel/period"
	"github.com/sluicehq/sluice/kernel/subscription"
	"github.com/sluicehq/sluice/storage"
)

// CurrentSettings returns what is set, defaults elsewhere.
func (s *Service) CurrentSettings(ctx context.Context) (domain.Settings, error) {
	return s.DB.Settings(ctx)
}

// ChangeSettings lets change edit the settings and stores them; links follow at once.
func (s *Service) ChangeSettings(ctx context.Context, change func(*domain.Settings)) (domain.Settings, error) {
	var settings domain.Settings
	err := s.write(ctx, func(tx *storage.Tx) (err error) {
		if settings, err = tx.Settings(ctx); err != nil {
			return err
		}
		change(&settings)
		if err := checkSettings(settings); err != nil {
			return err
		}
		return tx.SaveSettings(ctx, settings)
	}, func(ctx context.Context) {
		s.reload(ctx)
		if s.OnSettings != nil {
			s.OnSettings(settings)
		}
	})
	return settings, err
}

func checkSettings(s domain.Settings) error {
	for i, host := range s.PublicHosts {
		if !validHost(host) {
			return domain.Invalid(fmt.Sprintf("public_hosts[%d]", i), fmt.Sprintf("is not a host name or an IP address: %q", host))
		}
	}
	if err := period.CheckZone(s.TimeZone); err != nil {
		return err
	}
	switch {
	case s.FlushSeconds < 0 || s.FlushSeconds > 60:
		return domain.Invalid("flush_seconds", "must be between 1 and 60, or 0 for the default")
	case s.IPGraceSeconds < 0 || s.IPGraceSeconds > 3600:
		return domain.Invalid("ip_grace_seconds", "must be between 1 and 3600, or 0 for the default")
	case s.ExpireDiffDays < 0 || s.ExpireDiffDays > 365:
		return domain.Invalid("expire_diff_days", "must be between 1 and 365, or 0 for the default")
	case s.TrafficDiffGB < 0 || s.TrafficDiffGB > 1_000_000:
		return domain.Invalid("traffic_diff_gb", "must be between 1 and 1000000, or 0 for the default")
	case s.PublicURL != "" && !validBase(s.PublicURL):
		return domain.Invalid("public_url", "must be like https://example.com or https://example.com/path")
	}
	return checkProfile(s)
}

// validBase says whether a URL can stand in front of a path, as it is written.
func validBase(raw string) bool {
	u, err := url.Parse(raw)
	return err == nil && u.String() == raw && (u.Scheme == "http" || u.Scheme == "https") && u.Host != "" && u.User == nil && u.RawQuery == "" && u.Fragment == ""
}

// What apps show of a profile is one line, and travels in a header of each answer.
const (
	maxTitle        = 100 // characters
	maxAnnouncement = 200 // characters
	maxSupportURL   = 500 // bytes
)

// checkProfile checks what apps are told of the subscription as a whole.
func checkProfile(s domain.Settings) error {
	if why := notOneLine(s.ProfileTitle, maxTitle); why != "" {
		return domain.Invalid("profile_title", why)
	}
	if unknown := subscription.UnknownVariable(s.ProfileTitle); unknown != "" {
		return domain.Invalid("profile_title", "has an unknown variable: "+unknown)
	}
	if why := notOneLine(s.Announcement, maxAnnouncement); why != "" {
		return domain.Invalid("announcement", why)
	}
	if s.SupportURL != "" && !validSupport(s.SupportURL) {
		return domain.Invalid("support_url", "must be like https://example.com/help, tg://resolve?domain=name or mailto:name@example.com")
	}
	if s.UpdateHours < 0 || s.UpdateHours > 168 {
		return domain.Invalid("update_hours", "must be between 1 and 168, or 0 for the default")
	}
	return subscription.CheckRules(s.AgentRules)
}

// notOneLine says why a text can not be shown as one line of at most so many characters, "" = it can.
func notOneLine(text string, most int) string {
	switch {
	case !utf8.ValidString(text) || strings.ContainsFunc(text, unicode.IsControl):
		return "can not have control characters"
	case utf8.RuneCountInString(text) > most:
		return fmt.Sprintf("is longer than %d characters", most)
	}
	return ""
}

// validSupport accepts the URLs that an app may open without a danger to its user, as they can stand in a header.
func validSupport(raw string) bool {
	u, err := url.Parse(raw)
	if err != nil || len(raw) > maxSupportURL || strings.ContainsFunc(raw, notPrintable) {
		return false
	}
	switch u.Scheme {
	case "http", "https":
		return u.Host != "" && u.User == nil
	case "tg":
		return u.Host != ""
	case "mailto":
		return u.Opaque != ""
	}
	return false
}

// notPrintable says of a character that it is none of printable ASCII: others are escaped in a URL.
func notPrintable(r rune) bool { return r <= ' ' || r > '~' }

// validHost accepts an IP address or a DNS name, without a port. A name whose last label is a number is a mistyped
// address: no such top-level domain can exist.
func validHost(host string) bool {
	if ip, err := netip.ParseAddr(host); err == nil {
		return ip.Zone() == ""
	}
	last := host[strings.LastIndexByte(host, '.')+1:]
	if len(host) > 253 || strings.Trim(last, "0123456789") == "" {
		return false
	}
	for label := range strings.SplitSeq(host, ".") {
		if label == "" || len(label) > 63 || strings.HasPrefix(label, "-") || strings.HasSuffix(label, "-") ||
			strings.ContainsFunc(label, notInLabel) {
			return false
		}
	}
	return true
}

func notInLabel(r rune) bool {
	return (r < 'a' || r > 'z') && (r < 'A' || r > 'Z') && (r < '0' || r > '9') && r != '-' && r != '_'
}
