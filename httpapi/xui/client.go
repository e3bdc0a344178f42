package xui

import (
	"cmp"
	"encoding/json"

	"github.com/sluicehq/sluice/kernel/accounts"
	"github.com/sluicehq/sluice/kernel/domain"
)

// clientInput is a client as callers send it, whole or in part. Unknown fields are ignored.
type clientInput struct {
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
	Group      field[string] `json:"group"`

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
func (c *clientInput) identity() (string, error) {
	switch id := c.ID.(type) {
	case nil, float64: // absent, or the number of a client as get shows it
		return c.UUID.Value, nil
	case string:
		return cmp.Or(id, c.UUID.Value), nil
	}
	return "", domain.Invalid("id", "must be a uuid")
}

// unserved refuses what this version does not do: a field that is taken and then not kept would be worse.
func (c *clientInput) unserved() error {
	switch {
	case c.Group.Value != "":
		return domain.Invalid("group", "is not served yet")
	case c.Nested != nil:
		return domain.Invalid("client", "is not a field here: its fields stand at the top level of the body")
	}
	return nil
}

// newUser is the client to be made.
func (c *clientInput) newUser() (accounts.NewUser, error) {
	if err := c.unserved(); err != nil {
		return accounts.NewUser{}, err
	}
	id, err := c.identity()
	if err != nil {
		return accounts.NewUser{}, err
	}
	n := accounts.NewUser{
		Username: c.Email.Value, SubID: c.SubID.Value, UUID: id, Password: c.Password.Value, Auth: c.Auth.Value,
		Flow: c.Flow.Value, VMessSecurity: c.Security.Value, LimitIP: c.LimitIP.Value, Note: c.Comment.Value,
		TgID: c.TgID.Value, Enabled: c.Enable.Value == nil || *c.Enable.Value, AutoDelete: c.AutoDeleteInDays.Value,
		RenewDays: c.Reset.Value, RenewDay: c.ResetDay.Value, RenewMax: c.ResetMax.Value, Quota: noneIfZero(c.TotalGB.Value),
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
func (c *clientInput) edit(v *accounts.UserView) error {
	if err := c.unserved(); err != nil {
		return err
	}
	id, err := c.identity()
	if err != nil {
		return err
	}
	shown := newClient(*v).Client
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
	c.Flow.put(&v.Flow)
	c.Security.put(&v.VMessSecurity)
	c.LimitIP.put(&v.LimitIP)
	c.Comment.put(&v.Note)
	c.TgID.put(&v.TgID)
	c.Reset.put(&v.RenewDays)
	c.ResetDay.put(&v.RenewDay)
	c.ResetMax.put(&v.RenewMax)
	c.AutoDeleteInDays.put(&v.AutoDelete)
	if c.TotalGB.or(shown.TotalGB) != shown.TotalGB {
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
func (c *clientInput) editExpiry(v *accounts.UserView, shown clientRecord) {
	switch at := c.ExpiryTime.or(shown.ExpiryTime); {
	case at == shown.ExpiryTime:
	case at < 0:
		v.Hold(v.Now, -at, nil)
	default:
		v.HoldSince, v.HoldTimeout, v.HoldDuration, v.ExpireAt = nil, nil, 0, noneIfZero(at)
	}
}

// never is this dialect's name of the policy that never resets.
const never = "never"

// resetNames are this dialect's names of the other dialect's periods.
var resetNames = map[string]string{"": never, "no_reset": never, "day": "daily", "week": "weekly", "month": "monthly"}

func shownReset(policy string) string {
	if name, ok := resetNames[policy]; ok {
		return name
	}
	return policy
}

// resetPolicy is the policy and its parameters after a change of the given ones. What is given is compared with what was
// shown before: another policy with the old parameters sent back has none.
func (c *clientInput) resetPolicy(policy, params string) (string, string, error) {
	shownDay, shownParams := shownResetDay(policy, params), toJSON(paramsOf(params))
	if given := c.TrafficReset.or(shownReset(policy)); given != shownReset(policy) {
		policy, params = given, ""
	}
	if policy == never {
		policy = ""
	}
	switch day := c.TrafficResetDay.or(shownDay); {
	case day < 0 || day > 31:
		return "", "", domain.Invalid("trafficResetDay", "must be between 0 and 31")
	case day == shownDay || shownReset(policy) != "monthly":
	case day == 0:
		params = ""
	default: // of the calendar, also for who had months of 30 days
		policy, params = "monthly", toJSON(map[string]any{"day": day})
	}
	if given := toJSON(c.TrafficResetParams.Value); c.TrafficResetParams.Set && given != shownParams {
		params = given
	}
	return policy, params, nil
}

// shownResetDay is the day of the month on which usage is reset, 1 for everything that is not monthly, as 3x-ui has it.
func shownResetDay(policy, params string) int {
	if day, ok := paramsOf(params)["day"].(float64); ok && policy == "monthly" {
		return int(day)
	}
	return 1
}

// paramsOf reads the parameters of a period as they are stored.
func paramsOf(params string) map[string]any {
	object := map[string]any{}
	if params != "" {
		_ = json.Unmarshal([]byte(params), &object) // it was checked before it was stored
	}
	return object
}

// toJSON writes parameters with their keys in order; none are "".
func toJSON(params map[string]any) string {
	if len(params) == 0 {
		return ""
	}
	text, _ := json.Marshal(params) // it came out of JSON
	return string(text)
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

// clientRecord is a client as callers see it.
type clientRecord struct {
	ID                 int64          `json:"id"`
	Email              string         `json:"email"`
	SubID              string         `json:"subId"`
	UUID               string         `json:"uuid"`
	Password           string         `json:"password"`
	Auth               string         `json:"auth"`
	Flow               string         `json:"flow"`
	Security           string         `json:"security"`
	LimitIP            int            `json:"limitIp"`
	TotalGB            int64          `json:"totalGB" doc:"quota in bytes, 0 = none"`
	ExpiryTime         int64          `json:"expiryTime" doc:"ms since the epoch, 0 = never, below 0 = ms from the first use on"`
	Enable             bool           `json:"enable" doc:"whether it may connect now"`
	TgID               int64          `json:"tgId"`
	Comment            string         `json:"comment"`
	Reset              int            `json:"reset"`
	ResetDay           int            `json:"resetDay"`
	ResetMax           int            `json:"resetMax"`
	ResetCount         int            `json:"resetCount" doc:"renewals so far"`
	TrafficReset       string         `json:"trafficReset"`
	TrafficResetDay    int            `json:"trafficResetDay"`
	TrafficResetParams map[string]any `json:"trafficResetParams"`
	ResetPolicy        *resetPolicy   `json:"reset_policy" doc:"when usage is reset, null = never"`
	AutoDeleteInDays   *int           `json:"autoDeleteInDays"`
	Status             domain.Status  `json:"status" doc:"active, on_hold, limited, expired or disabled"`
	CreatedAt          int64          `json:"createdAt" doc:"ms since the epoch"`
	UpdatedAt          int64          `json:"updatedAt" doc:"ms since the epoch"`
}

// resetPolicy is a reset policy as it is stored.
type resetPolicy struct {
	ID     string         `json:"id"`
	Params map[string]any `json:"params"`
	NextAt int64          `json:"next_at" doc:"ms since the epoch of the next reset, 0 = none"`
}

// client is what get answers.
type client struct {
	Client      clientRecord `json:"client"`
	InboundIDs  []int64      `json:"inboundIds"`
	UsedTraffic int64        `json:"usedTraffic" doc:"bytes, up and down"`
}

func newClient(v accounts.UserView) client {
	return client{InboundIDs: v.Inbounds, UsedTraffic: v.Traffic.Used(), Client: clientRecord{
		ID: v.ID, Email: v.Username, SubID: v.SubID, UUID: v.VLESSID, Password: v.TrojanPassword, Auth: v.HysteriaAuth,
		Flow: v.Flow, Security: v.VMessSecurity, LimitIP: v.LimitIP, TotalGB: orZero(v.Quota), ExpiryTime: shownExpiry(&v.User),
		Enable: v.Status.Admitted(), Status: v.Status, TgID: v.TgID, Comment: v.Note,
		Reset: v.RenewDays, ResetDay: v.RenewDay, ResetMax: v.RenewMax, ResetCount: v.RenewCount,
		TrafficReset: shownReset(v.ResetPolicy), TrafficResetDay: shownResetDay(v.ResetPolicy, v.ResetParams),
		TrafficResetParams: paramsOf(v.ResetParams), ResetPolicy: newResetPolicy(&v.User), AutoDeleteInDays: v.AutoDelete,
		CreatedAt: v.CreatedAt, UpdatedAt: v.UpdatedAt,
	}}
}

// shownExpiry is when a client's time ends; what a client on hold will get is below 0.
func shownExpiry(u *domain.User) int64 {
	if u.HoldSince != nil {
		return -u.HoldDuration
	}
	return orZero(u.ExpireAt)
}

func newResetPolicy(u *domain.User) *resetPolicy {
	if u.ResetPolicy == "" {
		return nil
	}
	return &resetPolicy{u.ResetPolicy, paramsOf(u.ResetParams), orZero(u.NextResetAt)}
}
