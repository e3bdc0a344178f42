package xui

import (
	"cmp"
	"context"

	"github.com/sluicehq/sluice/httpapi/auth"
	"github.com/sluicehq/sluice/kernel/accounts"
	"github.com/sluicehq/sluice/kernel/domain"
)

const clientsTag = "clients"

func (r routes) clients() {
	handle(r, post("/clients/add", "Add a client", clientsTag), r.addClient)
	handle(r, get("/clients/get/{email}", "Get a client", clientsTag), r.getClient)
	handle(r, post("/clients/del/{email}", "Delete a client", clientsTag), r.deleteClient)
	handle(r, get("/clients/traffic/{email}", "Traffic of a client", clientsTag), r.clientTraffic)
	handle(r, get("/clients/links/{email}", "Share links of a client", clientsTag), r.clientLinks)
	handle(r, get("/clients/subLinks/{subId}", "Share links of a subscription", clientsTag), r.subLinks)
}

// clientInput is a client as callers send it. Unknown fields are ignored.
type clientInput struct {
	Email      string `json:"email" doc:"name, unique without regard to case"`
	SubID      string `json:"subId" doc:"subscription id, generated when empty"`
	ID         any    `json:"id" doc:"uuid for vless and vmess, generated when empty; a number is ignored"`
	UUID       string `json:"uuid" doc:"the same as id"`
	Password   string `json:"password" doc:"for trojan and shadowsocks, generated when empty"`
	Auth       string `json:"auth" doc:"for hysteria, generated when empty"`
	Flow       string `json:"flow" doc:"xtls-rprx-vision or empty"`
	Security   string `json:"security" doc:"vmess cipher, empty = auto"`
	TotalGB    int64  `json:"totalGB" doc:"quota in bytes, 0 = none"`
	ExpiryTime int64  `json:"expiryTime" doc:"ms since the epoch, 0 = never"`
	LimitIP    int    `json:"limitIp" doc:"addresses at the same time, 0 = any number"`
	Enable     *bool  `json:"enable" doc:"absent = true"`
	TgID       int64  `json:"tgId"`
	Comment    string `json:"comment"`
	Group      string `json:"group"`

	Reset        int    `json:"reset" doc:"days added on expiry"`
	ResetDay     int    `json:"resetDay"`
	ResetMax     int    `json:"resetMax"`
	TrafficReset string `json:"trafficReset" doc:"never"`
}

// unserved refuses what a client may ask for elsewhere and this version does not do: a field that is taken and then
// not kept would be worse.
func (c *clientInput) unserved() error {
	switch {
	case c.ExpiryTime < 0:
		return domain.Invalid("expiryTime", "below 0 (start on first use) is not served yet")
	case c.Reset != 0:
		return domain.Invalid("reset", "other than 0 (renewal on expiry) is not served yet")
	case c.ResetDay != 0:
		return domain.Invalid("resetDay", "other than 0 (renewal on expiry) is not served yet")
	case c.ResetMax != 0:
		return domain.Invalid("resetMax", "other than 0 (renewal on expiry) is not served yet")
	case c.TrafficReset != "" && c.TrafficReset != "never":
		return domain.Invalid("trafficReset", "must be one of never")
	case c.Group != "":
		return domain.Invalid("group", "is not served yet")
	}
	return nil
}

func (c *clientInput) user() (accounts.NewUser, error) {
	if err := c.unserved(); err != nil {
		return accounts.NewUser{}, err
	}
	n := accounts.NewUser{
		Username: c.Email, SubID: c.SubID, UUID: c.UUID, Password: c.Password, Auth: c.Auth, Flow: c.Flow,
		VMessSecurity: c.Security, Enabled: c.Enable == nil || *c.Enable, LimitIP: c.LimitIP, Note: c.Comment, TgID: c.TgID,
	}
	switch id := c.ID.(type) {
	case nil, float64: // absent, or the number of a client as get shows it
	case string:
		n.UUID = cmp.Or(id, n.UUID)
	default:
		return n, domain.Invalid("id", "must be a uuid")
	}
	if c.TotalGB != 0 {
		n.Quota = &c.TotalGB
	}
	if c.ExpiryTime != 0 {
		n.ExpireAt = &c.ExpiryTime
	}
	return n, nil
}

// clientRecord is a client as callers see it.
type clientRecord struct {
	ID         int64  `json:"id"`
	Email      string `json:"email"`
	SubID      string `json:"subId"`
	UUID       string `json:"uuid"`
	Password   string `json:"password"`
	Auth       string `json:"auth"`
	Flow       string `json:"flow"`
	Security   string `json:"security"`
	LimitIP    int    `json:"limitIp"`
	TotalGB    int64  `json:"totalGB" doc:"quota in bytes, 0 = none"`
	ExpiryTime int64  `json:"expiryTime" doc:"ms since the epoch, 0 = never"`
	Enable     bool   `json:"enable" doc:"whether it may connect now"`
	TgID       int64  `json:"tgId"`
	Comment    string `json:"comment"`
	Reset      int    `json:"reset"`
	ResetDay   int    `json:"resetDay"`
	ResetMax   int    `json:"resetMax"`
	CreatedAt  int64  `json:"createdAt" doc:"ms since the epoch"`
	UpdatedAt  int64  `json:"updatedAt" doc:"ms since the epoch"`
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
		Flow: v.Flow, Security: v.VMessSecurity, LimitIP: v.LimitIP, TotalGB: orZero(v.Quota), ExpiryTime: orZero(v.ExpireAt),
		Enable: v.Status.Admitted(), TgID: v.TgID, Comment: v.Note,
		Reset: v.RenewDays, ResetDay: v.RenewDay, ResetMax: v.RenewMax, CreatedAt: v.CreatedAt, UpdatedAt: v.UpdatedAt,
	}}
}

func orZero(n *int64) int64 {
	if n == nil {
		return 0
	}
	return *n
}

type addClientRequest struct {
	Body struct {
		Client     clientInput `json:"client"`
		InboundIDs []int64     `json:"inboundIds" doc:"where the client may connect, at least one"`
	}
}

func (r routes) addClient(ctx context.Context, in *addClientRequest) (client, string, error) {
	n, err := in.Body.Client.user()
	if err != nil {
		return client{}, "", err
	}
	n.Inbounds = in.Body.InboundIDs
	if who, ok := auth.From(ctx); ok {
		n.AdminID = who.Admin.ID
	}
	view, err := r.Accounts.CreateUser(ctx, n)
	if err != nil {
		return client{}, "", err
	}
	return newClient(view), "Client added", nil
}

func (r routes) getClient(ctx context.Context, in *EmailPath) (client, string, error) {
	view, err := r.Accounts.User(ctx, in.Email)
	if err != nil {
		return client{}, "", err
	}
	return newClient(view), "", nil
}

func (r routes) deleteClient(ctx context.Context, in *EmailPath) (none, string, error) {
	return none{}, "Client deleted", r.Accounts.DeleteUser(ctx, in.Email)
}

// clientTraffic is the traffic row of a client.
type clientTraffic struct {
	ID         int64  `json:"id"`
	InboundID  int64  `json:"inboundId" doc:"the first inbound, 0 = none"`
	Enable     bool   `json:"enable"`
	Email      string `json:"email"`
	UUID       string `json:"uuid"`
	SubID      string `json:"subId"`
	Up         int64  `json:"up" doc:"bytes"`
	Down       int64  `json:"down" doc:"bytes"`
	ExpiryTime int64  `json:"expiryTime" doc:"ms since the epoch, 0 = never"`
	Total      int64  `json:"total" doc:"quota in bytes, 0 = none"`
	Reset      int    `json:"reset"`
	LastOnline int64  `json:"lastOnline" doc:"ms since the epoch, 0 = never"`
}

func (r routes) clientTraffic(ctx context.Context, in *EmailPath) (clientTraffic, string, error) {
	v, err := r.Accounts.User(ctx, in.Email)
	if err != nil {
		return clientTraffic{}, "", err
	}
	t := clientTraffic{
		ID: v.ID, Enable: v.Status.Admitted(), Email: v.Username, UUID: v.VLESSID, SubID: v.SubID,
		Up: v.Traffic.Up, Down: v.Traffic.Down, ExpiryTime: orZero(v.ExpireAt), Total: orZero(v.Quota),
		Reset: v.RenewDays, LastOnline: v.Traffic.OnlineAt,
	}
	if len(v.Inbounds) > 0 {
		t.InboundID = v.Inbounds[0]
	}
	return t, "", nil
}

func (r routes) clientLinks(ctx context.Context, in *struct {
	EmailPath
	Hosted
},
) ([]string, string, error) {
	v, err := r.Accounts.User(ctx, in.Email)
	if err != nil {
		return nil, "", err
	}
	links, err := r.Links.Links(ctx, &v.User, in.host)
	return links, "", err
}

func (r routes) subLinks(ctx context.Context, in *struct {
	SubPath
	Hosted
},
) ([]string, string, error) {
	links, err := r.Links.LinksBySubID(ctx, in.SubID, in.host)
	return links, "", err
}
