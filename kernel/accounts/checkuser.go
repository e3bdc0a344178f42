package accounts

import (
	"encoding/json"
	"slices"
	"strings"

	"github.com/google/uuid"

	"github.com/sluicehq/sluice/kernel/domain"
)

// Limits of what a user's fields may hold.
const (
	maxNote   = 4096 // bytes
	maxSecret = 128  // bytes of a password: what every client and link can carry
	maxDays   = 3650 // of a renewal or a deletion
	maxHold   = 100 * 365 * 24 * 60 * 60 * 1000
)

// vmessSecurities are the ciphers that clients of a vmess inbound may be told to use.
var vmessSecurities = []string{"", "auto", "aes-128-gcm", "chacha20-poly1305", "none", "zero"}

// checkUser checks everything about a user that does not need the database, and brings uuids and methods into their
// canonical spelling.
func checkUser(u *domain.User) error {
	if err := domain.CheckName(u.Username); err != nil {
		return err
	}
	if err := domain.CheckSubID(u.SubID); err != nil {
		return err
	}
	if err := checkCredentials(&u.Credentials); err != nil {
		return err
	}
	if err := checkTimes(u); err != nil {
		return err
	}
	switch {
	case u.Quota != nil && *u.Quota < 0:
		return domain.Invalid("quota", "must not be negative")
	case u.Quota != nil && *u.Quota == 0: // none is nil: arithmetic can not cross into unlimited
		return domain.Invalid("quota", "must be more than 0 bytes")
	case u.LimitIP < 0:
		return domain.Invalid("limit_ip", "must not be negative")
	case strings.ContainsRune(u.Note, 0):
		return domain.Invalid("note", "must not contain NUL")
	case len(u.Note) > maxNote:
		return domain.Invalid("note", "is longer than 4096 bytes")
	}
	return checkStored(u)
}

// checkStored checks what is only kept for scripts.
func checkStored(u *domain.User) error {
	var object map[string]json.RawMessage
	switch {
	case u.LimitHWID < 0:
		return domain.Invalid("limit_hwid", "must not be negative")
	case len(u.Reverse) > maxNote:
		return domain.Invalid("reverse", "is longer than 4096 bytes")
	case u.Reverse != "" && json.Unmarshal([]byte(u.Reverse), &object) != nil:
		return domain.Invalid("reverse", "must be a JSON object")
	case u.CreatedAt < 0:
		return domain.Invalid("created_at", "must not be negative")
	}
	for _, s := range []struct{ field, text string }{{"ad_tag", u.AdTag}, {"secret", u.Secret}} {
		if s.text == "" {
			continue
		}
		if err := checkSecret(s.field, s.text); err != nil {
			return err
		}
	}
	return nil
}

// checkTimes checks what a user's life is made of.
func checkTimes(u *domain.User) error {
	switch {
	case u.ExpireAt != nil && *u.ExpireAt < 0:
		return domain.Invalid("expire_at", "must not be negative")
	case u.HoldSince != nil && (u.HoldDuration <= 0 || u.HoldDuration > maxHold):
		return domain.Invalid("hold_duration", "must be more than 0 and at most 100 years")
	case u.HoldTimeout != nil && *u.HoldTimeout < 0:
		return domain.Invalid("hold_timeout", "must not be negative")
	case u.RenewDays < 0:
		return domain.Invalid("renew_days", "must not be negative")
	case u.RenewDays > maxDays:
		return domain.Invalid("renew_days", "must be at most 3650")
	case u.RenewDay < 0 || u.RenewDay > 31:
		return domain.Invalid("renew_day", "must be between 0 and 31")
	case u.RenewMax < 0:
		return domain.Invalid("renew_max", "must not be negative")
	case u.AutoDelete != nil && (*u.AutoDelete < 0 || *u.AutoDelete > maxDays):
		return domain.Invalid("auto_delete", "must be between 0 and 3650 days")
	case u.NextQuota != nil && *u.NextQuota <= 0:
		return domain.Invalid("next_quota", "must be more than 0 bytes")
	case u.NextDuration < 0 || u.NextDuration > maxDuration:
		return domain.Invalid("next_duration", "must be between 0 and 100 years")
	}
	return nil
}

func checkCredentials(c *domain.Credentials) (err error) {
	if c.VLESSID, err = canonicalUUID(c.VLESSID); err != nil {
		return err
	}
	if c.VMessID, err = canonicalUUID(c.VMessID); err != nil {
		return err
	}
	for _, s := range []struct{ field, text string }{
		{"password", c.TrojanPassword}, {"password", c.ShadowsocksPassword}, {"auth", c.HysteriaAuth},
	} {
		if err := checkSecret(s.field, s.text); err != nil {
			return err
		}
	}
	switch {
	case c.Flow != "" && c.Flow != domain.FlowVision:
		return domain.Invalid("flow", `must be "" or "`+domain.FlowVision+`"`)
	case !slices.Contains(vmessSecurities, c.VMessSecurity):
		return domain.Invalid("security", "must be one of auto, aes-128-gcm, chacha20-poly1305, none, zero")
	}
	return normalizeMethod(&c.Method)
}

// normalizeMethod gives a shadowsocks method, nil = the inbound's, its one spelling.
func normalizeMethod(method **string) error {
	if *method == nil {
		return nil
	}
	normal, known := domain.NormalMethod(**method)
	if !known {
		return domain.Invalid("method", "must be one of aes-128-gcm, aes-256-gcm, chacha20-ietf-poly1305, xchacha20-poly1305")
	}
	*method = &normal
	return nil
}

func canonicalUUID(text string) (string, error) {
	id, err := uuid.Parse(text)
	if err != nil || len(text) != 36 { // Parse also takes braces and urn:, which no client does
		return "", domain.Invalid("uuid", "is not a valid UUID")
	}
	return id.String(), nil
}

func checkSecret(field, text string) error {
	switch {
	case text == "":
		return domain.Invalid(field, "must not be empty")
	case len(text) > maxSecret:
		return domain.Invalid(field, "is longer than 128 bytes")
	case strings.ContainsFunc(text, func(r rune) bool { return r < ' ' || r == 0x7f }):
		return domain.Invalid(field, "must not contain control characters")
	}
	return nil
}
