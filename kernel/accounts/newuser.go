package accounts

import (
	"crypto/rand"
	"slices"
	"strings"

	"github.com/google/uuid"

	"github.com/sluicehq/sluice/kernel/domain"
)

// user checks what was given and fills in what was not.
func (n *NewUser) user(now int64) (domain.User, error) {
	credentials, err := n.credentials()
	if err != nil {
		return domain.User{}, err
	}
	subID := n.SubID
	if subID == "" {
		subID = secret()
	}
	if err := n.check(subID); err != nil {
		return domain.User{}, err
	}
	return domain.User{
		Username: n.Username, UsernameKey: domain.NameKey(n.Username), SubID: subID, Credentials: credentials,
		Enabled: n.Enabled, ExpireAt: n.ExpireAt, Quota: n.Quota, LimitIP: n.LimitIP,
		Note: n.Note, TgID: n.TgID, AdminID: n.AdminID, CreatedAt: now, UpdatedAt: now,
	}, nil
}

func (n *NewUser) check(subID string) error {
	if err := domain.CheckName(n.Username); err != nil {
		return err
	}
	if err := domain.CheckSubID(subID); err != nil {
		return err
	}
	switch {
	case n.Quota != nil && *n.Quota < 0:
		return domain.Invalid("quota", "must not be negative")
	case n.ExpireAt != nil && *n.ExpireAt < 0:
		return domain.Invalid("expire_at", "must not be negative")
	case n.LimitIP < 0:
		return domain.Invalid("limit_ip", "must not be negative")
	case strings.ContainsRune(n.Note, 0):
		return domain.Invalid("note", "must not contain NUL")
	case len(n.Note) > maxNote:
		return domain.Invalid("note", "is longer than 4096 bytes")
	case len(n.Inbounds) == 0:
		return domain.Invalid("inbounds", "must name at least one inbound")
	}
	return nil
}

const (
	maxNote   = 4096 // bytes
	maxSecret = 128  // bytes of a password: what every client and link can carry
)

// vmessSecurities are the ciphers that clients of a vmess inbound may be told to use.
var vmessSecurities = []string{"", "auto", "aes-128-gcm", "chacha20-poly1305", "none", "zero"}

// credentials makes one uuid and one password out of what was given (decisions.md §1.2, credentials).
func (n *NewUser) credentials() (domain.Credentials, error) {
	id, err := userID(n.UUID)
	if err != nil {
		return domain.Credentials{}, err
	}
	password, err := given("password", n.Password)
	if err != nil {
		return domain.Credentials{}, err
	}
	auth, err := given("auth", n.Auth)
	if err != nil {
		return domain.Credentials{}, err
	}
	switch {
	case n.Flow != "" && n.Flow != domain.FlowVision:
		return domain.Credentials{}, domain.Invalid("flow", `must be "" or "`+domain.FlowVision+`"`)
	case !slices.Contains(vmessSecurities, n.VMessSecurity):
		return domain.Credentials{}, domain.Invalid("security", "must be one of auto, aes-128-gcm, chacha20-poly1305, none, zero")
	}
	return domain.Credentials{
		VLESSID: id, VMessID: id, TrojanPassword: password, ShadowsocksPassword: password, HysteriaAuth: auth,
		Flow: n.Flow, VMessSecurity: n.VMessSecurity,
	}, nil
}

// userID returns the canonical spelling of a given uuid, or a new one.
func userID(text string) (string, error) {
	if text == "" {
		return uuid.NewString(), nil
	}
	id, err := uuid.Parse(text)
	if err != nil || len(text) != 36 { // Parse also takes braces and urn:, which no client does
		return "", domain.Invalid("uuid", "is not a valid UUID")
	}
	return id.String(), nil
}

// given returns the secret that was given, or a new one.
func given(field, text string) (string, error) {
	switch {
	case text == "":
		return secret(), nil
	case len(text) > maxSecret:
		return "", domain.Invalid(field, "is longer than 128 bytes")
	case strings.ContainsFunc(text, func(r rune) bool { return r < ' ' || r == 0x7f }):
		return "", domain.Invalid(field, "must not contain control characters")
	}
	return text, nil
}

// secret returns 128 or more bits of randomness in lower-case letters and digits, which every link can carry as they
// are.
func secret() string { return strings.ToLower(rand.Text()) }
