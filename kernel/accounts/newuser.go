package accounts

import (
	"cmp"
	"crypto/rand"
	"strings"

	"github.com/google/uuid"

	"github.com/sluicehq/sluice/kernel/domain"
)

// NewUser is a user to be made. Empty credentials and an empty SubID are generated.
type NewUser struct {
	Username            string
	SubID               string
	UUID                string // for vless, and for vmess without its own
	VMessID             string
	Password            string // for trojan, and for shadowsocks without its own
	ShadowsocksPassword string
	Auth                string // for hysteria
	Flow                string
	VMessSecurity       string
	Method              *string // of shadowsocks, nil = the inbound's

	Enabled      bool
	HoldDuration int64  // ms that the user gets from its first use on, 0 = it is not on hold
	HoldTimeout  *int64 // ms UTC at which a hold ends by itself, nil = never
	ExpireAt     *int64 // ms UTC, nil = never; a past time is accepted and is expired
	Quota        *int64 // bytes, nil = none

	ResetPolicy string // id of a period plugin, "" = usage is never reset
	ResetParams string // JSON object for it, "" = {}
	RenewDays   int    // days that are added on expiry, 0 = no renewal
	RenewDay    int    // day of the month to renew to instead, 0 = none
	RenewMax    int    // renewals allowed, 0 = any number

	LimitIP    int  // addresses at the same time, 0 = any number
	AutoDelete *int // days after expiry at which the user is deleted, nil = never
	Note       string
	TgID       int64
	LimitHWID  int    // stored, not used; so are the next three
	Reverse    string // a JSON object, "" = none
	AdTag      string
	Secret     string
	AdminID    int64 // the owner
	CreatedAt  int64 // ms UTC, 0 = now
	Inbounds   []int64
	GroupNames []string // of the groups that it is in, which are made if there are none; the first one first
	Groups     []int64  // their ids instead, if it has no GroupNames
	NextPlan   domain.NextPlan
	Orphan     bool  // it may have neither an inbound nor a group
	Refused    error // why it can not be made, nil = nothing is known against it
}

// user fills in what was not given and checks the whole.
func (n *NewUser) user(now int64) (domain.User, error) {
	if n.Refused != nil {
		return domain.User{}, n.Refused
	}
	u := domain.User{
		Username: n.Username, UsernameKey: domain.NameKey(n.Username), SubID: orElse(n.SubID, secret),
		Credentials: n.credentials(), Enabled: n.Enabled, ExpireAt: n.ExpireAt, Quota: n.Quota,
		ResetPolicy: n.ResetPolicy, ResetParams: n.ResetParams, ResetAnchor: now,
		RenewDays: n.RenewDays, RenewDay: n.RenewDay, RenewMax: n.RenewMax,
		LimitIP: n.LimitIP, AutoDelete: n.AutoDelete, Note: n.Note, TgID: n.TgID, AdminID: n.AdminID,
		LimitHWID: n.LimitHWID, Reverse: n.Reverse, AdTag: n.AdTag, Secret: n.Secret,
		CreatedAt: cmp.Or(n.CreatedAt, now), UpdatedAt: now, NextPlan: n.NextPlan,
	}
	if n.HoldDuration != 0 {
		u.Hold(now, n.HoldDuration, n.HoldTimeout)
	}
	u.Settle(now, 0)
	if err := checkUser(&u); err != nil {
		return u, err
	}
	if len(n.Inbounds) == 0 && len(n.GroupNames) == 0 && len(n.Groups) == 0 && !n.Orphan {
		return u, domain.Invalid("inbounds", "must name at least one inbound")
	}
	for _, name := range n.GroupNames {
		if err := domain.CheckGroupName(name); err != nil {
			return u, err
		}
	}
	return u, nil
}

// credentials makes one uuid and one password out of what was given (decisions.md §1.2, credentials).
func (n *NewUser) credentials() domain.Credentials {
	id, password := orElse(n.UUID, uuid.NewString), orElse(n.Password, secret)
	return domain.Credentials{
		VLESSID: id, VMessID: cmp.Or(n.VMessID, id),
		TrojanPassword: password, ShadowsocksPassword: cmp.Or(n.ShadowsocksPassword, password),
		HysteriaAuth: orElse(n.Auth, secret), Flow: n.Flow, VMessSecurity: n.VMessSecurity, Method: n.Method,
	}
}

func orElse(given string, generate func() string) string {
	if given == "" {
		return generate()
	}
	return given
}

// secret returns 128 or more bits of randomness in lower-case letters and digits, which every link can carry as they
// are.
func secret() string { return strings.ToLower(rand.Text()) }
