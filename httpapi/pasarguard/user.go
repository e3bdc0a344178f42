package pasarguard

import (
	"github.com/sluicehq/sluice/httpapi/parameters"
	"github.com/sluicehq/sluice/kernel/accounts"
	"github.com/sluicehq/sluice/kernel/domain"
)

// PublicUser is what a user may know of itself. It is exported because the API's document passes over embedded types that
// are not.
type PublicUser struct {
	ID            int64         `json:"id"`
	Username      string        `json:"username"`
	Status        domain.Status `json:"status" enum:"active,on_hold,limited,expired,disabled"`
	ProxySettings proxySettings `json:"proxy_settings"`
	Expire        *moment       `json:"expire" doc:"null = never"`
	DataLimit     *int64        `json:"data_limit" doc:"bytes, null = none"`

	DataLimitResetStrategy string         `json:"data_limit_reset_strategy" doc:"no_reset, day, week, month, year, or the id of another period"`
	DataLimitResetParams   map[string]any `json:"data_limit_reset_params" doc:"parameters of the strategy, null = none"`
	ResetPolicy            *policyState   `json:"reset_policy" doc:"the strategy as it is stored, null = no reset"`

	OnHoldExpireDuration *int64    `json:"on_hold_expire_duration" doc:"seconds that a user on hold gets, null = it is not on hold"`
	OnHoldTimeout        *moment   `json:"on_hold_timeout" doc:"when a hold ends by itself, null = never"`
	GroupIDs             []int64   `json:"group_ids" nullable:"false" doc:"in order"`
	HWIDLimit            *int      `json:"hwid_limit" doc:"kept, not applied"`
	NextPlan             *nextPlan `json:"next_plan" doc:"what follows when time or data are used up, null = nothing"`
	UsedTraffic          int64     `json:"used_traffic" doc:"bytes since the last reset"`
	LifetimeUsedTraffic  int64     `json:"lifetime_used_traffic" doc:"bytes"`
	CreatedAt            moment    `json:"created_at"`
	EditAt               *moment   `json:"edit_at" doc:"null = never changed"`
	OnlineAt             *moment   `json:"online_at" doc:"null = never"`
}

// userBody is a user as its admin sees it.
type userBody struct {
	PublicUser
	Note             *string  `json:"note" doc:"null = none"`
	AutoDeleteInDays *int     `json:"auto_delete_in_days" doc:"days after expiry at which the user is deleted, null = never"`
	SubscriptionURL  string   `json:"subscription_url"`
	Admin            ownerRef `json:"admin"`
}

// ownerRef is the admin that a user belongs to.
type ownerRef struct {
	ID       int64  `json:"id"`
	Username string `json:"username"`
}

// proxySettings are a user's credentials, by protocol.
type proxySettings struct {
	VMess       vmessSettings       `json:"vmess"`
	VLESS       vlessSettings       `json:"vless"`
	Trojan      trojanSettings      `json:"trojan"`
	Shadowsocks shadowsocksSettings `json:"shadowsocks"`
	Hysteria    hysteriaSettings    `json:"hysteria"`
}

type vmessSettings struct {
	ID string `json:"id" format:"uuid"`
}

type vlessSettings struct {
	ID   string `json:"id" format:"uuid"`
	Flow string `json:"flow" doc:"xtls-rprx-vision or empty"`
}

type trojanSettings struct {
	Password string `json:"password"`
}

type shadowsocksSettings struct {
	Password string  `json:"password"`
	Method   *string `json:"method" doc:"null = the inbound's"`
}

type hysteriaSettings struct {
	Auth string `json:"auth"`
}

// policyState is a reset policy as it is stored.
type policyState struct {
	ID     string         `json:"id"`
	Params map[string]any `json:"params" doc:"null = none"`
	NextAt *moment        `json:"next_at" doc:"of the next reset, null = none"`
}

// nextPlan is what a user gets when its time or its data are used up, in both directions.
type nextPlan struct {
	UserTemplateID      *int64 `json:"user_template_id" doc:"the template that is applied, null = the other fields are"`
	DataLimit           *int64 `json:"data_limit" minimum:"0" doc:"bytes, 0 or null = none"`
	Expire              *int64 `json:"expire" minimum:"0" doc:"seconds, 0 or null = for ever"`
	AddRemainingTraffic bool   `json:"add_remaining_traffic" doc:"what is left of the old limit is added to the new one"`
}

// viewBody is a user as its admin sees it.
func (r routes) viewBody(v accounts.OwnedView) userBody {
	return userBody{
		PublicUser: publicUser(&v.User, v.Traffic, v.Status, v.GroupIDs), Note: noneIfEmpty(v.Note),
		AutoDeleteInDays: v.AutoDelete, SubscriptionURL: r.Subscriptions.URL(&v.User), Admin: ownerRef{v.AdminID, v.Owner},
	}
}

// listedBody is viewBody for a list.
func (r routes) listedBody(l *accounts.OwnedUser) userBody {
	return r.viewBody(accounts.OwnedView{
		UserView: accounts.UserView{User: l.User, Traffic: l.Traffic, Status: l.Status, GroupIDs: list(l.Groups)},
		Owner:    l.Owner,
	})
}

func publicUser(u *domain.User, t domain.Traffic, status domain.Status, groups []int64) PublicUser {
	p := PublicUser{
		ID: u.ID, Username: u.Username, Status: status, ProxySettings: shownProxies(&u.Credentials),
		Expire: shownMoment(u.ExpireAt), DataLimit: u.Quota, DataLimitResetStrategy: shownPolicy(u.ResetPolicy),
		DataLimitResetParams: parameters.Of(u.ResetParams), ResetPolicy: shownPolicyState(u), GroupIDs: groups,
		NextPlan: shownNextPlan(u.NextPlan), UsedTraffic: t.Used(), LifetimeUsedTraffic: t.LifetimeUp + t.LifetimeDown,
		CreatedAt: moment(u.CreatedAt), OnlineAt: shownMoment(noneIfZero(t.OnlineAt)),
	}
	if u.HoldSince != nil {
		duration := seconds(u.HoldDuration)
		p.OnHoldExpireDuration, p.OnHoldTimeout = &duration, shownMoment(u.HoldTimeout)
	}
	if u.UpdatedAt != u.CreatedAt {
		p.EditAt = shownMoment(&u.UpdatedAt)
	}
	if u.LimitHWID != 0 {
		p.HWIDLimit = &u.LimitHWID
	}
	return p
}

func shownProxies(c *domain.Credentials) proxySettings {
	return proxySettings{
		VMess: vmessSettings{c.VMessID}, VLESS: vlessSettings{c.VLESSID, c.Flow}, Trojan: trojanSettings{c.TrojanPassword},
		Shadowsocks: shadowsocksSettings{c.ShadowsocksPassword, shownMethod(c.Method)}, Hysteria: hysteriaSettings{c.HysteriaAuth},
	}
}

func shownPolicyState(u *domain.User) *policyState {
	if u.ResetPolicy == "" {
		return nil
	}
	return &policyState{u.ResetPolicy, parameters.Of(u.ResetParams), shownMoment(u.NextResetAt)}
}

func shownNextPlan(n domain.NextPlan) *nextPlan {
	if !n.HasNextPlan {
		return nil
	}
	return &nextPlan{n.NextTemplate, n.NextQuota, noneIfZero(seconds(n.NextDuration)), n.NextCarriesOver}
}

func noneIfEmpty(text string) *string {
	if text == "" {
		return nil
	}
	return &text
}
