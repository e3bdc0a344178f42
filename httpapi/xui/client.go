package xui

import (
	"cmp"
	"strings"

	"github.com/sluicehq/sluice/kernel/accounts"
	"github.com/sluicehq/sluice/kernel/domain"
)

// ClientInput is a client as callers send it, whole or in part. Unknown fields are ignored. It is exported because the API's
// document passes over embedded types that are not.
type ClientInput struct {
	Email      field[string] `json:"email" doc:"name, unique without regard to case"`
	SubID      field[string] `json:"subId" doc:"subscription id, generated when empty"`
	ID         any           `json:"id" doc:"uuid for vless and vmess, generated when empty; a number is ignored"`
	UUID       field[string] `json:"uuid" doc:"the same as id"`
	Password   field[string] `json:"password" doc:"for trojan and shadowsocks, generated when empty"`
	Auth       field[string] `json:"auth" doc:"for hysteria, generated when empty"`
	Flow       field[string] `json:"flow" doc:"xtls-rprx-vision or empty"`
	Security   field[string] `json:"security" doc:"vmess cipher, empty = auto"`
	TotalGB    field[int64]  `json:"totalGB" doc:"quota in bytes, 0 = none"`
	ExpiryTime field[int64]  `json:"expiryTime" doc:"ms since the epoch, 0 = never, below 0 = ms from the first use on"`
	LimitIP    field[int]    `json:"limitIp" doc:"addresses at the same time, 0 = any number"`
	Enable     field[*bool]  `json:"enable" doc:"absent = true for a new client"`
	TgID       field[int64]  `json:"tgId"`
	Comment    field[string] `json:"comment"`
	Group      field[string] `json:"group" doc:"its first group, made if there is none; empty = none"`
	LimitHWID  field[int]    `json:"limitHwid" doc:"kept, not applied; so are reverse, adTag and secret"`
	Reverse    field[object] `json:"reverse"`
	AdTag      field[string] `json:"adTag"`
	Secret     field[string] `json:"secret"`
	CreatedAt  field[int64]  `json:"created_at" doc:"ms since the epoch, of a new client; 0 = now"`

	Reset    field[int] `json:"reset" doc:"days added on expiry, 0 = no renewal"`
	ResetDay field[int] `json:"resetDay" doc:"day of the month to renew to instead, 0 = none"`
	ResetMax field[int] `json:"resetMax" doc:"renewals allowed, 0 = any number"`

	TrafficReset       field[string]         `json:"trafficReset" doc:"never, or the id of a period: hourly, daily, weekly, monthly..."`
	TrafficResetDay    field[int]            `json:"trafficResetDay" doc:"day of the month for monthly"`
	TrafficResetParams field[map[string]any] `json:"trafficResetParams" doc:"parameters of the period"`

	// Nested is the mistake of sending an update as add has it, which would be a success that changes nothing.
	Nested any `json:"client" doc:"not a field: those of a client stand side by side"`

	AutoDeleteInDays field[*int] `json:"autoDeleteInDays" doc:"days after expiry at which the client is deleted, null = never"`
}

// identity is the uuid that was given, "" when none was.
func (c *ClientInput) identity() (string, error) {
	switch id := c.ID.(type) {
	case nil, float64: // absent, or the number of a client as get shows it
		return c.UUID.Value, nil
	case string:
		return cmp.Or(id, c.UUID.Value), nil
	}
	return "", domain.Invalid("id", "must be a uuid")
}

// newUser is the client to be made.
func (c *ClientInput) newUser() (accounts.NewUser, error) {
	id, err := c.identity()
	if err != nil {
		return accounts.NewUser{Username: c.Email.Value}, err
	}
	n := accounts.NewUser{
		Username: c.Email.Value, SubID: c.SubID.Value, UUID: id, Password: c.Password.Value, Auth: c.Auth.Value,
		Flow: c.Flow.Value, VMessSecurity: c.Security.Value, LimitIP: c.LimitIP.Value, Note: c.Comment.Value,
		TgID: c.TgID.Value, Enabled: c.Enable.Value == nil || *c.Enable.Value, AutoDelete: c.AutoDeleteInDays.Value,
		RenewDays: c.Reset.Value, RenewDay: c.ResetDay.Value, RenewMax: c.ResetMax.Value, Quota: noneIfZero(c.TotalGB.Value),
		LimitHWID: c.LimitHWID.Value, Reverse: c.Reverse.Value.text(), AdTag: c.AdTag.Value, Secret: c.Secret.Value,
		CreatedAt: c.CreatedAt.Value,
	}
	if group := strings.TrimSpace(c.Group.Value); group != "" {
		n.GroupNames = []string{group}
	}
	if n.ResetPolicy, n.ResetParams, err = c.resetPolicy("", ""); err != nil {
		return n, err
	}
	if c.ExpiryTime.Value < 0 {
		n.HoldDuration = -c.ExpiryTime.Value
	} else {
		n.ExpireAt = noneIfZero(c.ExpiryTime.Value)
	}
	return n, nil
}

// edit changes a client by what was given. A field that has exactly the value that is shown for it is no change
// (decisions.md §1.2, echo rule).
func (c *ClientInput) edit(v *accounts.UserView) error {
	if c.Nested != nil {
		return domain.Invalid("client", "is not a field here: its fields stand at the top level of the body")
	}
	id, err := c.identity()
	if err != nil {
		return err
	}
	shown := newClientRecord(&v.User, v.Status, v.Group)
	if c.Email.Value != "" {
		v.Username = c.Email.Value
	}
	if c.SubID.Value != "" {
		v.SubID = c.SubID.Value
	}
	if id != "" && id != shown.UUID {
		v.VLESSID, v.VMessID = id, id
	}
	if c.Password.Value != "" && c.Password.Value != shown.Password {
		v.TrojanPassword, v.ShadowsocksPassword = c.Password.Value, c.Password.Value
	}
	if c.Auth.Value != "" {
		v.HysteriaAuth = c.Auth.Value
	}
	c.Flow.Put(&v.Flow)
	c.Security.Put(&v.VMessSecurity)
	c.LimitIP.Put(&v.LimitIP)
	c.Comment.Put(&v.Note)
	c.TgID.Put(&v.TgID)
	c.LimitHWID.Put(&v.LimitHWID)
	c.AdTag.Put(&v.AdTag)
	c.Secret.Put(&v.Secret)
	if c.Group.Set && c.Group.Value != v.Group {
		v.Group = strings.TrimSpace(c.Group.Value)
	}
	if given := c.Reverse.Value.text(); c.Reverse.Set && given != newObject(v.Reverse).text() {
		v.Reverse = given
	}
	c.Reset.Put(&v.RenewDays)
	c.ResetDay.Put(&v.RenewDay)
	c.ResetMax.Put(&v.RenewMax)
	c.AutoDeleteInDays.Put(&v.AutoDelete)
	if c.TotalGB.Or(shown.TotalGB) != shown.TotalGB {
		v.Quota = noneIfZero(c.TotalGB.Value)
	}
	if enable := c.Enable.Value; enable != nil && *enable != shown.Enable {
		v.Enabled = *enable
	}
	c.editExpiry(v, shown)
	v.ResetPolicy, v.ResetParams, err = c.resetPolicy(v.ResetPolicy, v.ResetParams)
	return err
}

// editExpiry changes when a client's time ends; below 0 it is put on hold from now on.
func (c *ClientInput) editExpiry(v *accounts.UserView, shown ClientRecord) {
	switch at := c.ExpiryTime.Or(shown.ExpiryTime); {
	case at == shown.ExpiryTime:
	case at < 0:
		v.Hold(v.Now, -at, nil)
	default:
		v.HoldSince, v.HoldTimeout, v.HoldDuration, v.ExpireAt = nil, nil, 0, noneIfZero(at)
	}
}

func noneIfZero(n int64) *int64 {
	if n == 0 {
		return nil
	}
	return &n
}

func orZero(n *int64) int64 {
	if n == nil {
		return 0
	}
	return *n
}
