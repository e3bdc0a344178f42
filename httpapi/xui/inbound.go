package xui

import (
	"cmp"

	"github.com/sluicehq/sluice/kernel/accounts"
	"github.com/sluicehq/sluice/kernel/domain"
)

// InboundHead is what every answer shows of an inbound besides its settings. It is exported, as the paths are, because the
// API's document passes over embedded types that are not.
type InboundHead struct {
	ID             int64           `json:"id"`
	Remark         string          `json:"remark"`
	Enable         bool            `json:"enable"`
	Listen         string          `json:"listen"`
	Port           int             `json:"port"`
	Protocol       string          `json:"protocol"`
	Tag            string          `json:"tag"`
	ShareAddr      string          `json:"shareAddr" doc:"host that links carry, empty = the public host"`
	Anonymous      bool            `json:"anonymous"`
	Up             int64           `json:"up" doc:"bytes"`
	Down           int64           `json:"down" doc:"bytes"`
	Total          int64           `json:"total" doc:"quota in bytes, 0 = none"`
	ExpiryTime     int64           `json:"expiryTime" doc:"ms since the epoch, 0 = never"`
	ClientStats    []clientTraffic `json:"clientStats" doc:"always empty: clients/list has them"`
	StreamSettings document        `json:"streamSettings"`
	Sniffing       document        `json:"sniffing"`
	Problem        string          `json:"problem" doc:"why it does not serve, empty when it does"`
}

func newInboundHead(v accounts.InboundView) InboundHead {
	return InboundHead{
		ID: v.ID, Remark: v.Remark, Enable: v.Enabled, Listen: v.Listen, Port: v.Port, Protocol: string(v.Protocol), Tag: v.Tag,
		ShareAddr: v.ShareAddress, ClientStats: []clientTraffic{}, Anonymous: v.Anonymous, Up: v.Up, Down: v.Down, Total: orZero(v.Quota),
		ExpiryTime: orZero(v.ExpireAt), StreamSettings: document(v.StreamSettings), Sniffing: document(v.Sniffing), Problem: v.Problem,
	}
}

// inbound is an inbound as a write answers it: without its clients.
type inbound struct {
	InboundHead
	Settings document `json:"settings" doc:"without the clients"`
}

func newInbound(v accounts.InboundView) inbound {
	return inbound{newInboundHead(v), document(v.Settings)}
}

// inboundInput is an inbound as callers send it, whole or in part: absent fields stay, null clears, unknown ones are
// ignored.
type inboundInput struct {
	Remark         field[string]   `json:"remark"`
	Enable         field[*bool]    `json:"enable" doc:"absent = true for a new inbound"`
	Listen         field[string]   `json:"listen" doc:"IP address, empty = all"`
	Port           field[int]      `json:"port"`
	Protocol       field[string]   `json:"protocol" doc:"vless, vmess, trojan, shadowsocks or hysteria"`
	Tag            field[string]   `json:"tag" doc:"when empty it stays, that of a new inbound is made from its port"`
	ShareAddr      field[string]   `json:"shareAddr" doc:"host that links carry, empty = the public host"`
	Anonymous      field[bool]     `json:"anonymous" doc:"let connections without a client in"`
	Total          field[int64]    `json:"total" doc:"quota in bytes, 0 = none"`
	ExpiryTime     field[int64]    `json:"expiryTime" doc:"ms since the epoch, 0 = never"`
	Settings       field[document] `json:"settings"`
	StreamSettings field[document] `json:"streamSettings"`
	Sniffing       field[document] `json:"sniffing"`
}

// edit changes an inbound by what was given, without its clients (splitClients).
func (b *inboundInput) edit(in *domain.Inbound) (err error) {
	b.Remark.Put(&in.Remark)
	b.Listen.Put(&in.Listen)
	b.Port.Put(&in.Port)
	b.ShareAddr.Put(&in.ShareAddress)
	b.Anonymous.Put(&in.Anonymous)
	if b.Enable.Value != nil {
		in.Enabled = *b.Enable.Value
	}
	if b.Protocol.Value != "" {
		in.Protocol = domain.Protocol(b.Protocol.Value)
	}
	if b.Tag.Value != "" {
		in.Tag = b.Tag.Value
	}
	if b.Total.Set {
		in.Quota = noneIfZero(b.Total.Value)
	}
	if b.ExpiryTime.Set {
		in.ExpireAt = noneIfZero(b.ExpiryTime.Value)
	}
	if b.Settings.Set {
		if in.Settings, err = b.Settings.Value.object("settings"); err != nil {
			return err
		}
		in.Settings = cmp.Or(in.Settings, "{}")
	}
	if b.StreamSettings.Set {
		if in.StreamSettings, err = b.StreamSettings.Value.object("streamSettings"); err != nil {
			return err
		}
	}
	if b.Sniffing.Set {
		in.Sniffing, err = b.Sniffing.Value.object("sniffing")
	}
	return err
}
