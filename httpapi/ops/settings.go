package ops

import (
	"context"
	"net/http"

	"github.com/danielgtaylor/huma/v2"

	"github.com/sluicehq/sluice/httpapi/optional"
	"github.com/sluicehq/sluice/kernel/domain"
)

// settingsBody is the one table of settings.
type settingsBody struct {
	PublicHosts []string `json:"public_hosts" doc:"hosts that clients reach this server by; links carry the first"`
	PublicURL   string   `json:"public_url" doc:"base of subscription URLs, such as https://example.com; empty = the request's own"`

	TimeZone          string `json:"time_zone" doc:"IANA name, such as Europe/Berlin, in which calendar boundaries fall; empty = UTC"`
	FlushSeconds      int    `json:"flush_seconds" doc:"seconds between two writes of traffic, 0 = 5"`
	IPGraceSeconds    int    `json:"ip_grace_seconds" doc:"seconds for which an address counts against the IP limit after its last connection, 0 = 30"`
	AutoDeleteLimited bool   `json:"auto_delete_limited" doc:"users are deleted by themselves after a used up quota too, not only after expiry"`

	ExpireDiffDays int `json:"expire_diff_days" doc:"days before its expiry from which on a client counts as expiring, 0 = 3"`
	TrafficDiffGB  int `json:"traffic_diff_gb" doc:"GiB left of its quota from which on a client counts as expiring, 0 = 1"`

	ProfileTitle string      `json:"profile_title" doc:"what apps call the subscription, with variables such as {USERNAME}; empty = the username"`
	SupportURL   string      `json:"support_url" doc:"where users ask for help: http, https, tg or mailto"`
	UpdateHours  int         `json:"update_hours" doc:"hours after which apps are asked to fetch their subscription again, 0 = 12"`
	Announcement string      `json:"announcement" doc:"one line that apps show above their list"`
	StatusEntry  bool        `json:"status_entry" doc:"who may not connect gets a first entry in its list that says why"`
	AgentRules   []agentRule `json:"user_agent_rules" nullable:"true" doc:"which app gets which format when it names none, the first match counts; null = those that come with Sluice, which /api/subscription/explain shows"`
}

// agentRule is one of the ordered rules by which an app gets its format.
type agentRule struct {
	Agent  string `json:"agent" doc:"part of the User-Agent, or /a regular expression of RE2/; case does not matter"`
	Format string `json:"format" doc:"id of a format; while it is not loaded the rule is passed over"`
}

type settingsReply struct{ Body settingsBody }

func newSettingsReply(s domain.Settings) *settingsReply {
	return &settingsReply{settingsBody{
		PublicHosts: append([]string{}, s.PublicHosts...), PublicURL: s.PublicURL, TimeZone: s.TimeZone,
		FlushSeconds: s.FlushSeconds, IPGraceSeconds: s.IPGraceSeconds, AutoDeleteLimited: s.AutoDeleteLimited,
		ExpireDiffDays: s.ExpireDiffDays, TrafficDiffGB: s.TrafficDiffGB,
		ProfileTitle: s.ProfileTitle, SupportURL: s.SupportURL, UpdateHours: s.UpdateHours, Announcement: s.Announcement,
		StatusEntry: s.StatusEntry, AgentRules: asRules[agentRule](s.AgentRules),
	}}
}

// settingsChange is settingsBody with absence: what is not there stays as it is.
type settingsChange struct {
	Body struct {
		PublicHosts *[]string `json:"public_hosts"`
		PublicURL   *string   `json:"public_url"`

		TimeZone          *string `json:"time_zone"`
		FlushSeconds      *int    `json:"flush_seconds"`
		IPGraceSeconds    *int    `json:"ip_grace_seconds"`
		AutoDeleteLimited *bool   `json:"auto_delete_limited"`

		ExpireDiffDays *int `json:"expire_diff_days"`
		TrafficDiffGB  *int `json:"traffic_diff_gb"`

		ProfileTitle *string                     `json:"profile_title"`
		SupportURL   *string                     `json:"support_url"`
		UpdateHours  *int                        `json:"update_hours"`
		Announcement *string                     `json:"announcement"`
		StatusEntry  *bool                       `json:"status_entry"`
		AgentRules   optional.Field[[]agentRule] `json:"user_agent_rules,omitzero" doc:"null = those that come with Sluice"`
	}
}

// asRules copies rules and keeps none at all apart from none that were set, which is nil.
func asRules[To, From agentRule | domain.AgentRule](given []From) []To {
	if given == nil {
		return nil
	}
	rules := make([]To, len(given))
	for i, r := range given {
		rules[i] = To(r)
	}
	return rules
}

func (o Options) settings(api huma.API) {
	huma.Register(api, operation(api, http.MethodGet, "/settings", "Read the settings", "settings"),
		func(ctx context.Context, _ *struct{}) (*settingsReply, error) {
			s, err := o.Accounts.CurrentSettings(ctx)
			if err != nil {
				return nil, o.fail(ctx, err)
			}
			return newSettingsReply(s), nil
		})
	huma.Register(api, operation(api, http.MethodPut, "/settings", "Change settings; absent ones stay", "settings"),
		func(ctx context.Context, in *settingsChange) (*settingsReply, error) {
			s, err := o.Accounts.ChangeSettings(ctx, in.apply)
			if err != nil {
				return nil, o.fail(ctx, err)
			}
			return newSettingsReply(s), nil
		})
}

// apply takes over what a request gave.
func (in *settingsChange) apply(s *domain.Settings) {
	b := &in.Body
	set(&s.PublicHosts, b.PublicHosts)
	set(&s.PublicURL, b.PublicURL)
	set(&s.TimeZone, b.TimeZone)
	set(&s.FlushSeconds, b.FlushSeconds)
	set(&s.IPGraceSeconds, b.IPGraceSeconds)
	set(&s.AutoDeleteLimited, b.AutoDeleteLimited)
	set(&s.ExpireDiffDays, b.ExpireDiffDays)
	set(&s.TrafficDiffGB, b.TrafficDiffGB)
	set(&s.ProfileTitle, b.ProfileTitle)
	set(&s.SupportURL, b.SupportURL)
	set(&s.UpdateHours, b.UpdateHours)
	set(&s.Announcement, b.Announcement)
	set(&s.StatusEntry, b.StatusEntry)
	if b.AgentRules.Set {
		s.AgentRules = asRules[domain.AgentRule](b.AgentRules.Value)
	}
}

// set takes over what a request gave.
func set[T any](to *T, given *T) {
	if given != nil {
		*to = *given
	}
}
