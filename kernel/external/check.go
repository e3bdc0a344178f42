package external

import (
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/sluicehq/sluice/kernel/domain"
	"github.com/sluicehq/sluice/kernel/guard"
)

// Bounds of what is stored, in bytes.
const (
	maxValue = 8192 // a share link, of which those with post-quantum keys have thousands, or a URL
	maxName  = 256  // a remark or name prefix
)

// Check refuses an external link that could not serve. A kind of "" counts as domain.ExternalShareLink. Nothing is
// resolved or fetched: whether a provider answers shows later. An error is a domain.Error whose field is kind, value,
// remark or namePrefix.
func Check(l *domain.ExternalLink) error {
	if err := checkValue(l.Kind, l.Value); err != nil {
		return err
	}
	if err := checkText("remark", l.Remark, maxName); err != nil {
		return err
	}
	return checkText("namePrefix", l.NamePrefix, maxName)
}

func checkValue(kind domain.ExternalKind, value string) error {
	switch kind {
	case "", domain.ExternalShareLink:
		if !isShareLink(value) {
			return domain.Invalid("value", "must be a share link of vmess, vless, trojan, ss, hysteria2 or wireguard")
		}
	case domain.ExternalSubscription:
		if err := guard.CheckURL(value); err != nil {
			return domain.Invalid("value", "must be an http(s) URL").Because(err)
		}
	default:
		return domain.Invalid("kind", "must be link or subscription")
	}
	return checkText("value", value, maxValue)
}

func checkText(field, text string, limit int) error {
	if len(text) > limit {
		return domain.Invalid(field, fmt.Sprintf("must not be longer than %d bytes", limit))
	}
	if !isText(text) {
		return domain.Invalid(field, "must be text without control characters")
	}
	return nil
}

func isText(s string) bool { return utf8.ValidString(s) && !strings.ContainsFunc(s, unicode.IsControl) }
