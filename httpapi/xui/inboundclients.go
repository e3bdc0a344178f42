package xui

import (
	"context"
	"encoding/json"
	"errors"
	"strings"

	"github.com/sluicehq/sluice/httpapi/stream"
	"github.com/sluicehq/sluice/kernel/accounts"
	"github.com/sluicehq/sluice/kernel/domain"
)

// inboundClient is a client as it stands in the settings of an inbound, under the keys that 3x-ui keeps there. What proves
// its identity is what this inbound's protocol uses.
type inboundClient struct {
	ID              *string `json:"id,omitempty" doc:"uuid, on vless and vmess"`
	Security        *string `json:"security,omitempty" doc:"cipher, on vmess; empty = auto"`
	Password        *string `json:"password,omitempty" doc:"on trojan and shadowsocks; on shadowsocks 2022 the key"`
	Method          *string `json:"method,omitempty" doc:"cipher, on shadowsocks before 2022"`
	Flow            *string `json:"flow,omitempty" doc:"the one in effect, on vless"`
	Auth            *string `json:"auth,omitempty" doc:"on hysteria"`
	Email           string  `json:"email"`
	LimitIP         int     `json:"limitIp"`
	TotalGB         int64   `json:"totalGB" doc:"quota in bytes, 0 = none"`
	ExpiryTime      int64   `json:"expiryTime" doc:"ms since the epoch, 0 = never, below 0 = ms from the first use on"`
	Enable          bool    `json:"enable" doc:"whether it may connect now"`
	TgID            int64   `json:"tgId"`
	SubID           string  `json:"subId"`
	Group           string  `json:"group"`
	Comment         string  `json:"comment"`
	Reset           int     `json:"reset"`
	ResetDay        int     `json:"resetDay"`
	ResetMax        int     `json:"resetMax"`
	TrafficReset    string  `json:"trafficReset"`
	TrafficResetDay int     `json:"trafficResetDay"`
	CreatedAt       int64   `json:"created_at" doc:"ms since the epoch"`
	UpdatedAt       int64   `json:"updated_at" doc:"ms since the epoch"`
}

// shownIn shows clients as an inbound has them. What is the same for all of them is found out once.
func shownIn(in *domain.Inbound) func(u *domain.User, status domain.Status, group string) inboundClient {
	method, carriesFlow := in.Method(), in.EffectiveFlow(domain.FlowVision) != ""
	return func(u *domain.User, status domain.Status, group string) inboundClient {
		c := inboundClient{
			Email: u.Username, LimitIP: u.LimitIP, TotalGB: orZero(u.Quota), ExpiryTime: shownExpiry(u),
			Enable: status.Admitted(), TgID: u.TgID, SubID: u.SubID, Group: group, Comment: u.Note,
			Reset: u.RenewDays, ResetDay: u.RenewDay, ResetMax: u.RenewMax,
			TrafficReset: shownReset(u.ResetPolicy), TrafficResetDay: shownResetDay(u.ResetPolicy, u.ResetParams),
			CreatedAt: u.CreatedAt, UpdatedAt: u.UpdatedAt,
		}
		switch in.Protocol {
		case domain.VLESS:
			flow := ""
			if carriesFlow {
				flow = u.Flow
			}
			c.ID, c.Flow = &u.VLESSID, &flow
		case domain.VMess:
			c.ID, c.Security = &u.VMessID, &u.VMessSecurity
		case domain.Trojan:
			c.Password = &u.TrojanPassword
		case domain.Shadowsocks:
			key, cipher := u.ShadowsocksKey(method), u.ShadowsocksMethod(method)
			if c.Password = &key; domain.ShadowsocksKeySize(method) == 0 {
				c.Method = &cipher
			}
		case domain.Hysteria:
			c.Auth = &u.HysteriaAuth
		}
		return c
	}
}

func encodeClients(in *domain.Inbound) encodeUser {
	show := shownIn(in)
	return func(buf []byte, l accounts.Listed) ([]byte, error) {
		c := show(&l.User, l.Status, l.Group)
		return stream.Append(buf, &c)
	}
}

// slimClient is a client in list/slim.
type slimClient struct {
	Email   string `json:"email"`
	Enable  bool   `json:"enable" doc:"whether it may connect now"`
	Comment string `json:"comment"`
}

func encodeSlimClient(buf []byte, l accounts.Listed) ([]byte, error) {
	return stream.Append(buf, &slimClient{l.User.Username, l.Status.Admitted(), l.User.Note})
}

// splitClients takes the clients out of an inbound's settings, where callers of 3x-ui send them: they are users and never
// a part of the settings. given is false when the settings have no list, or null, which leaves the clients alone.
func (r routes) splitClients(b *inboundInput) (clients []ClientInput, given bool, err error) {
	text, err := b.Settings.Value.object("settings")
	if err != nil || text == "" {
		return nil, false, err
	}
	var members map[string]json.RawMessage
	if err := json.Unmarshal([]byte(text), &members); err != nil {
		return nil, false, err
	}
	for _, key := range []string{"clients", "users"} { // the core knows both names
		raw := members[key]
		delete(members, key)
		if len(raw) == 0 || string(raw) == "null" {
			continue
		}
		list, err := read[[]ClientInput](r, "settings."+key, raw)
		if err != nil {
			return nil, false, err
		}
		clients, given = append(clients, list...), true
	}
	b.Settings.Value, err = json.Marshal(members)
	return clients, given, errors.Join(err, checkBulk("settings.clients", len(clients)))
}

// inboundClients are clients of an inbound as its settings have them; shown is the inbound as the caller knows it.
func inboundClients(ctx context.Context, shown *domain.Inbound, given []ClientInput) []accounts.InboundClient {
	show := shownIn(shown)
	list := make([]accounts.InboundClient, len(given))
	for i := range given {
		c := &given[i]
		c.Email.Value = strings.TrimSpace(c.Email.Value)
		made, err := (&newClientInput{Client: wholeInput{ClientInput: *c}}).newUser(ctx)
		made.Username, made.Refused = c.Email.Value, err
		list[i] = accounts.InboundClient{New: made, Edit: func(v *accounts.UserView) error {
			return c.without(show(&v.User, v.Status, v.Group)).edit(v)
		}}
	}
	return list
}

// without is the client less what an inbound shows of it in its own way: that is no change.
func (c *ClientInput) without(shown inboundClient) *ClientInput {
	rest := *c
	if id, ok := c.ID.(string); ok && same(shown.ID, id) {
		rest.ID, rest.UUID = nil, field[string]{}
	}
	for _, f := range []struct {
		given *field[string]
		shown *string
	}{{&rest.Password, shown.Password}, {&rest.Flow, shown.Flow}, {&rest.Security, shown.Security}, {&rest.Auth, shown.Auth}} {
		if same(f.shown, f.given.Value) {
			*f.given = field[string]{}
		}
	}
	return &rest
}

func same(shown *string, given string) bool { return shown != nil && *shown == given }
