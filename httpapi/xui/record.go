package xui

import (
	"github.com/sluicehq/sluice/kernel/accounts"
	"github.com/sluicehq/sluice/kernel/domain"
)

// ClientRecord is a client as callers see it.
type ClientRecord struct {
	ID                 int64          `json:"id"`
	Email              string         `json:"email"`
	SubID              string         `json:"subId"`
	UUID               string         `json:"uuid"`
	Password           string         `json:"password"`
	Auth               string         `json:"auth"`
	Flow               string         `json:"flow"`
	Security           string         `json:"security"`
	Secret             string         `json:"secret"`
	AdTag              string         `json:"adTag"`
	LimitIP            int            `json:"limitIp"`
	LimitHWID          int            `json:"limitHwid"`
	TotalGB            int64          `json:"totalGB" doc:"quota in bytes, 0 = none"`
	ExpiryTime         int64          `json:"expiryTime" doc:"ms since the epoch, 0 = never, below 0 = ms from the first use on"`
	Enable             bool           `json:"enable" doc:"whether it may connect now"`
	TgID               int64          `json:"tgId"`
	Group              string         `json:"group" doc:"its first group, empty = none"`
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
	Reverse            object         `json:"reverse"`
}

// client is what get answers.
type client struct {
	Client        ClientRecord   `json:"client"`
	InboundIDs    []int64        `json:"inboundIds"`
	ExternalLinks []externalLink `json:"externalLinks"`
	UsedTraffic   int64          `json:"usedTraffic" doc:"bytes, up and down"`
}

func newClient(v accounts.UserView) client {
	return client{
		Client: newClientRecord(&v.User, v.Status, v.Group), InboundIDs: v.Inbounds, UsedTraffic: v.Traffic.Used(),
		ExternalLinks: newExternalLinks(v.External),
	}
}

func newClientRecord(u *domain.User, status domain.Status, group string) ClientRecord {
	return ClientRecord{
		ID: u.ID, Email: u.Username, SubID: u.SubID, UUID: u.VLESSID, Password: u.TrojanPassword, Auth: u.HysteriaAuth,
		Flow: u.Flow, Security: u.VMessSecurity, Secret: u.Secret, AdTag: u.AdTag, LimitIP: u.LimitIP, LimitHWID: u.LimitHWID,
		TotalGB: orZero(u.Quota), ExpiryTime: shownExpiry(u), Enable: status.Admitted(), Status: status, TgID: u.TgID,
		Group: group, Comment: u.Note, Reset: u.RenewDays, ResetDay: u.RenewDay, ResetMax: u.RenewMax, ResetCount: u.RenewCount,
		TrafficReset: shownReset(u.ResetPolicy), TrafficResetDay: shownResetDay(u.ResetPolicy, u.ResetParams),
		TrafficResetParams: shownParams(u.ResetParams), ResetPolicy: newResetPolicy(u), AutoDeleteInDays: u.AutoDelete,
		CreatedAt: u.CreatedAt, UpdatedAt: u.UpdatedAt, Reverse: newObject(u.Reverse),
	}
}

// shownExpiry is when a client's time ends; what a client on hold will get is below 0.
func shownExpiry(u *domain.User) int64 {
	if u.HoldSince != nil {
		return -u.HoldDuration
	}
	return orZero(u.ExpireAt)
}
