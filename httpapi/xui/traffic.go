package xui

import (
	"context"

	"github.com/sluicehq/sluice/kernel/domain"
)

func (r routes) traffic() {
	handle(r, get("/clients/traffic/{email}", "Traffic of a client", clientsTag), r.clientTraffic)
	handle(r, post("/clients/updateTraffic/{email}", "Set the traffic of a client; an absent side stays", clientsTag), r.updateTraffic)
	handle(r, post("/clients/resetTraffic/{email}", "Set the traffic of a client to zero", clientsTag), r.resetTraffic)
}

// clientTraffic is the traffic row of a client.
type clientTraffic struct {
	ID           int64  `json:"id"`
	InboundID    int64  `json:"inboundId" doc:"the first inbound, 0 = none"`
	Enable       bool   `json:"enable" doc:"whether it may connect now"`
	Email        string `json:"email"`
	UUID         string `json:"uuid"`
	SubID        string `json:"subId"`
	Up           int64  `json:"up" doc:"bytes"`
	Down         int64  `json:"down" doc:"bytes"`
	ExpiryTime   int64  `json:"expiryTime" doc:"ms since the epoch, 0 = never, below 0 = ms from the first use on"`
	Total        int64  `json:"total" doc:"quota in bytes, 0 = none"`
	Reset        int    `json:"reset"`
	ResetDay     int    `json:"resetDay"`
	ResetMax     int    `json:"resetMax"`
	ResetCount   int    `json:"resetCount" doc:"renewals so far"`
	LastOnline   int64  `json:"lastOnline" doc:"ms since the epoch, 0 = never"`
	LastSubFetch int64  `json:"lastSubFetch" doc:"ms since the epoch, 0 = never"`
	IPRefused    int64  `json:"ipRefused" doc:"connections refused for the IP limit since the server started"`
}

func (r routes) clientTraffic(ctx context.Context, in *EmailPath) (clientTraffic, string, error) {
	v, err := r.Accounts.User(ctx, in.Email)
	if err != nil {
		return clientTraffic{}, "", err
	}
	return r.newClientTraffic(&domain.Account{User: v.User, Traffic: v.Traffic, Inbounds: v.Inbounds}, v.Status), "", nil
}

func (r routes) newClientTraffic(a *domain.Account, status domain.Status) clientTraffic {
	u := &a.User
	t := clientTraffic{
		ID: u.ID, Enable: status.Admitted(), Email: u.Username, UUID: u.VLESSID, SubID: u.SubID,
		Up: a.Traffic.Up, Down: a.Traffic.Down, ExpiryTime: shownExpiry(u), Total: orZero(u.Quota),
		Reset: u.RenewDays, ResetDay: u.RenewDay, ResetMax: u.RenewMax, ResetCount: u.RenewCount,
		LastOnline: a.Traffic.OnlineAt, LastSubFetch: u.SubFetchAt, IPRefused: r.Accounts.Refused(u.ID),
	}
	if len(a.Inbounds) > 0 {
		t.InboundID = a.Inbounds[0]
	}
	return t
}

type updateTrafficRequest struct {
	EmailPath
	Body struct {
		Upload   *int64 `json:"upload" doc:"bytes"`
		Download *int64 `json:"download" doc:"bytes"`
	}
}

func (r routes) updateTraffic(ctx context.Context, in *updateTrafficRequest) (none, string, error) {
	return none{}, "", r.Accounts.SetTraffic(ctx, in.Email, in.Body.Upload, in.Body.Download)
}

func (r routes) resetTraffic(ctx context.Context, in *EmailPath) (none, string, error) {
	return none{}, "", r.Accounts.ResetTraffic(ctx, in.Email)
}
