package pasarguard

import (
	"reflect"
	"unicode/utf8"

	"github.com/sluicehq/sluice/httpapi/detail"
	"github.com/sluicehq/sluice/kernel/accounts"
	"github.com/sluicehq/sluice/kernel/domain"
	"github.com/sluicehq/sluice/kernel/username"
)

// UserInput is a user as callers send it, whole or in part. What is absent stays as it is; null is none, or the same as
// absent where there is no none. It is exported because the API's document passes over embedded types that are not.
type UserInput struct {
	Proxies   field[proxyInput] `json:"proxy_settings" doc:"any part of them; what a new user lacks is generated"`
	Expire    field[instant]    `json:"expire" doc:"ISO-8601, in UTC without a zone, or seconds since the epoch; 0 or null = never"`
	DataLimit field[int64]      `json:"data_limit" doc:"bytes, 0 or null = none"`
	PolicyInput
	Note         field[string]    `json:"note" doc:"at most 500 characters"`
	Status       *domain.Status   `json:"status" doc:"active, on_hold, and disabled for who is there already"`
	HoldDuration field[int64]     `json:"on_hold_expire_duration" doc:"seconds that a user on hold gets; not heeded of others"`
	HoldTimeout  field[instant]   `json:"on_hold_timeout" doc:"when a hold ends by itself: ISO-8601, or seconds from now on; 0 or null = never; not heeded of others"`
	GroupIDs     []int64          `json:"group_ids" doc:"in order; empty = as they are"`
	AutoDelete   field[*int]      `json:"auto_delete_in_days" doc:"days after expiry at which the user is deleted, null = never"`
	HWIDLimit    field[int]       `json:"hwid_limit" doc:"kept, not applied; 0 or null = none"`
	NextPlan     field[*nextPlan] `json:"next_plan" doc:"null = nothing follows"`
}

// newUserInput is a user to be made.
type newUserInput struct {
	Username string `json:"username" required:"true" doc:"3 to 128 letters, digits and - _ @ . but not two of these side by side"`
	UserInput
}

// proxyInput are credentials as callers send them.
type proxyInput struct {
	VMess struct {
		ID *string `json:"id"`
	} `json:"vmess"`
	VLESS struct {
		ID   *string       `json:"id"`
		Flow field[string] `json:"flow" doc:"xtls-rprx-vision; none, empty or null = none"`
	} `json:"vless"`
	Trojan struct {
		Password *string `json:"password"`
	} `json:"trojan"`
	Shadowsocks struct {
		Password *string        `json:"password"`
		Method   field[*string] `json:"method" doc:"null = the inbound's"`
	} `json:"shadowsocks"`
	Hysteria struct {
		Auth *string `json:"auth"`
	} `json:"hysteria"`
}

// What is said of a request, beside what the fields themselves say (decisions.md §3).
const (
	badQuota   = "Data limit must be 0 or greater"
	badNote    = "String should have at most 500 characters"
	badGroups  = "you must select at least one group"
	noDuration = "User cannot be on hold without a valid on_hold_expire_duration"
	noExpire   = "User cannot be on hold with specified expire"
)

// newUser is the user to be made at now (ms UTC).
func (in *newUserInput) newUser(now int64) (accounts.NewUser, error) {
	faults := detail.Fields{}
	if err := username.Check(in.Username); err != nil {
		faults["username"] = err.Error()
	}
	if in.GroupIDs != nil && len(in.GroupIDs) == 0 {
		faults["group_ids"] = badGroups
	}
	if in.Status != nil && *in.Status != domain.StatusActive && *in.Status != domain.StatusOnHold {
		faults["status"] = "Input should be 'active' or 'on_hold'"
	}
	if err := faults.Of(); err != nil {
		return accounts.NewUser{}, err
	}
	v := accounts.UserView{User: domain.User{Enabled: true}, Status: domain.StatusActive, Now: now}
	if err := in.edit(&v); err != nil {
		return accounts.NewUser{}, err
	}
	return accounts.NewUser{
		Username: in.Username, UUID: v.VLESSID, VMessID: v.VMessID, Password: v.TrojanPassword,
		ShadowsocksPassword: v.ShadowsocksPassword, Auth: v.HysteriaAuth, Flow: v.Flow, Method: v.Method, Enabled: true,
		HoldDuration: v.HoldDuration, HoldTimeout: v.HoldTimeout, ExpireAt: v.ExpireAt, Quota: v.Quota,
		ResetPolicy: v.ResetPolicy, ResetParams: v.ResetParams, Note: v.Note, AutoDelete: v.AutoDelete, LimitHWID: v.LimitHWID,
		Groups: v.GroupIDs, NextPlan: v.NextPlan, Orphan: true,
	}, nil
}

// edit changes a user by what was given. A field that has exactly the value that is shown for it is no change
// (decisions.md §1.2, echo rule).
func (in *UserInput) edit(v *accounts.UserView) error {
	shown := publicUser(&v.User, v.Traffic, v.Status, v.GroupIDs)
	faults := detail.Fields{}
	if quota := in.DataLimit.Value; quota < 0 {
		faults["data_limit"] = badQuota
	} else if in.DataLimit.Set {
		v.Quota = noneIfZero(quota)
	}
	if note := in.Note.Value; note != v.Note && utf8.RuneCountInString(note) > maxNote {
		faults["note"] = badNote
	} else if in.Note.Set {
		v.Note = note
	}
	if err := faults.Of(); err != nil {
		return err
	}
	if len(in.GroupIDs) > 0 {
		v.GroupIDs = once(in.GroupIDs)
	}
	if in.AutoDelete.Set {
		v.AutoDelete = in.AutoDelete.Value
	}
	if in.HWIDLimit.Set {
		v.LimitHWID = in.HWIDLimit.Value
	}
	in.PolicyInput.edit(&v.ResetPolicy, &v.ResetParams)
	in.editNextPlan(&v.NextPlan)
	if err := in.Proxies.Value.edit(&v.Credentials); err != nil {
		return err
	}
	return in.editLife(v, &shown)
}

// editNextPlan changes what follows; what is shown in seconds is kept in ms.
func (in *UserInput) editNextPlan(plan *domain.NextPlan) {
	given := domain.NextPlan{}
	if n := in.NextPlan.Value; n != nil {
		given = domain.NextPlan{
			HasNextPlan: true, NextTemplate: n.UserTemplateID, NextQuota: noneIfZero(orZero(n.DataLimit)),
			NextDuration: milliseconds(orZero(n.Expire)), NextCarriesOver: n.AddRemainingTraffic,
		}
	}
	if in.NextPlan.Set && !reflect.DeepEqual(shownNextPlan(given), shownNextPlan(*plan)) {
		*plan = given
	}
}

// edit changes credentials by what was given.
func (in *proxyInput) edit(c *domain.Credentials) error {
	fill(&c.VMessID, in.VMess.ID)
	fill(&c.VLESSID, in.VLESS.ID)
	fill(&c.TrojanPassword, in.Trojan.Password)
	fill(&c.ShadowsocksPassword, in.Shadowsocks.Password)
	fill(&c.HysteriaAuth, in.Hysteria.Auth)
	if in.VLESS.Flow.Set {
		flow, ok := givenFlow(&in.VLESS.Flow.Value)
		if !ok {
			return detail.Fields{"flow": flowFault}
		}
		c.Flow = *flow
	}
	if given := in.Shadowsocks.Method; given.Set && !reflect.DeepEqual(given.Value, shownMethod(c.Method)) {
		method, ok := givenMethod(given.Value)
		if !ok {
			return detail.Fields{"method": methodFault}
		}
		c.Method = method
	}
	return nil
}

// once leaves out what is there already.
func once(ids []int64) []int64 {
	var each []int64
	seen := map[int64]bool{}
	for _, id := range ids {
		if !seen[id] {
			seen[id], each = true, append(each, id)
		}
	}
	return each
}
