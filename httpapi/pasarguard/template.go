package pasarguard

import (
	"github.com/sluicehq/sluice/httpapi/parameters"
	"github.com/sluicehq/sluice/kernel/domain"
)

// The statuses that a template can give, in this dialect's words.
const (
	activeStatus = string(domain.StatusActive)
	onHoldStatus = string(domain.StatusOnHold)
)

// templateBody is a template as callers see it, its fields in the order of PasarGuard's.
type templateBody struct {
	Name           string         `json:"name"`
	DataLimit      int64          `json:"data_limit" doc:"bytes, 0 = none"`
	ExpireDuration int64          `json:"expire_duration" doc:"seconds, 0 = users never expire"`
	UsernamePrefix *string        `json:"username_prefix"`
	UsernameSuffix *string        `json:"username_suffix"`
	GroupIDs       []int64        `json:"group_ids" nullable:"false"`
	ExtraSettings  *extraSettings `json:"extra_settings"`
	Status         string         `json:"status" enum:"active,on_hold"`
	ResetUsages    bool           `json:"reset_usages"`
	OnHoldTimeout  *int64         `json:"on_hold_timeout" doc:"seconds"`
	Strategy       string         `json:"data_limit_reset_strategy"`
	Params         map[string]any `json:"data_limit_reset_params,omitempty" doc:"parameters of the strategy, absent = none"`
	IsDisabled     bool           `json:"is_disabled"`
	ID             int64          `json:"id"`
}

// extraSettings are what a template sets of single protocols.
type extraSettings struct {
	Flow   *string `json:"flow" doc:"of vless: none, empty or xtls-rprx-vision; null = the user's stays"`
	Method *string `json:"method" doc:"of shadowsocks; null = the user's stays"`
}

func newTemplateBody(t *domain.Template) templateBody {
	b := templateBody{
		Name: t.Name, ExpireDuration: seconds(t.Duration), UsernamePrefix: t.Prefix, UsernameSuffix: t.Suffix,
		GroupIDs: list(t.Groups), Status: activeStatus, ResetUsages: t.ResetUsage,
		Strategy: shownPolicy(t.ResetPolicy), Params: parameters.Of(t.ResetParams), IsDisabled: t.Disabled, ID: t.ID,
	}
	fill(&b.DataLimit, t.Quota)
	if t.HasExtra {
		b.ExtraSettings = &extraSettings{t.Flow, shownMethod(t.Method)}
	}
	if t.Hold {
		b.Status = onHoldStatus
	}
	if t.HoldTimeout != nil {
		timeout := seconds(*t.HoldTimeout)
		b.OnHoldTimeout = &timeout
	}
	return b
}
