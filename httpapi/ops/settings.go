package ops

import (
	"context"
	"net/http"

	"github.com/danielgtaylor/huma/v2"

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
}

type settingsReply struct{ Body settingsBody }

func newSettingsReply(s domain.Settings) *settingsReply {
	return &settingsReply{settingsBody{
		PublicHosts: append([]string{}, s.PublicHosts...), PublicURL: s.PublicURL, TimeZone: s.TimeZone,
		FlushSeconds: s.FlushSeconds, IPGraceSeconds: s.IPGraceSeconds, AutoDeleteLimited: s.AutoDeleteLimited,
		ExpireDiffDays: s.ExpireDiffDays, TrafficDiffGB: s.TrafficDiffGB,
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
	}
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
			s, err := o.Accounts.ChangeSettings(ctx, func(s *domain.Settings) {
				set(&s.PublicHosts, in.Body.PublicHosts)
				set(&s.PublicURL, in.Body.PublicURL)
				set(&s.TimeZone, in.Body.TimeZone)
				set(&s.FlushSeconds, in.Body.FlushSeconds)
				set(&s.IPGraceSeconds, in.Body.IPGraceSeconds)
				set(&s.AutoDeleteLimited, in.Body.AutoDeleteLimited)
				set(&s.ExpireDiffDays, in.Body.ExpireDiffDays)
				set(&s.TrafficDiffGB, in.Body.TrafficDiffGB)
			})
			if err != nil {
				return nil, o.fail(ctx, err)
			}
			return newSettingsReply(s), nil
		})
}

// set takes over what a request gave.
func set[T any](to *T, given *T) {
	if given != nil {
		*to = *given
	}
}
