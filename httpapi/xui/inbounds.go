package xui

import (
	"context"
	"encoding/json"
	"errors"

	"github.com/danielgtaylor/huma/v2"

	"github.com/sluicehq/sluice/kernel/accounts"
	"github.com/sluicehq/sluice/kernel/domain"
)

const inboundsTag = "inbounds"

func (r routes) inbounds() {
	handle(r, get("/inbounds/list", "List the inbounds", inboundsTag), r.listInbounds)
	handle(r, get("/inbounds/get/{id}", "Get an inbound", inboundsTag), r.getInbound)
	handle(r, post("/inbounds/add", "Add an inbound; it serves at once", inboundsTag), r.addInbound)
	handle(r, post("/inbounds/update/{id}", "Change an inbound; absent fields stay", inboundsTag), r.updateInbound)
	handle(r, post("/inbounds/setEnable/{id}", "Open or close an inbound", inboundsTag), r.enableInbound)
	handle(r, post("/inbounds/{id}/resetTraffic", "Set the traffic of an inbound to zero; its clients keep theirs", inboundsTag), r.resetInbound)
	handle(r, post("/inbounds/del/{id}", "Delete an inbound; its clients stay", inboundsTag), r.deleteInbound)
}

// document is a JSON object that callers may also send as a string with JSON in it, as 3x-ui's own page does.
type document json.RawMessage

// Schema tells the validation to let any JSON through: UnmarshalJSON refuses what is no object.
func (document) Schema(huma.Registry) *huma.Schema {
	return &huma.Schema{Description: "a JSON object, a string that holds one, or null"}
}

// UnmarshalJSON keeps the object.
func (d *document) UnmarshalJSON(data []byte) error {
	var text string
	if json.Unmarshal(data, &text) == nil {
		data = []byte(text)
	}
	if len(data) == 0 || string(data) == "null" {
		*d = nil
		return nil
	}
	var object map[string]json.RawMessage
	if err := json.Unmarshal(data, &object); err != nil {
		return errors.New("settings, streamSettings and sniffing must be JSON objects, or strings that hold one")
	}
	*d = append((*d)[:0], data...)
	return nil
}

// MarshalJSON writes the object, null when there is none.
func (d document) MarshalJSON() ([]byte, error) {
	if len(d) == 0 {
		return []byte("null"), nil
	}
	return d, nil
}

// inbound is an inbound as callers see it.
type inbound struct {
	ID             int64    `json:"id"`
	Remark         string   `json:"remark"`
	Enable         bool     `json:"enable"`
	Listen         string   `json:"listen" doc:"IP address, empty = all"`
	Port           int      `json:"port"`
	Protocol       string   `json:"protocol"`
	Tag            string   `json:"tag"`
	ShareAddr      string   `json:"shareAddr" doc:"host that links carry, empty = the public host"`
	Anonymous      bool     `json:"anonymous" doc:"connections without a client are let in"`
	Up             int64    `json:"up" doc:"bytes"`
	Down           int64    `json:"down" doc:"bytes"`
	Total          int64    `json:"total" doc:"quota in bytes, 0 = none"`
	ExpiryTime     int64    `json:"expiryTime" doc:"ms since the epoch, 0 = never"`
	Settings       document `json:"settings"`
	StreamSettings document `json:"streamSettings"`
	Sniffing       document `json:"sniffing"`
	Problem        string   `json:"problem" doc:"why the core does not serve it, empty when it does"`
}

func newInbound(v accounts.InboundView) inbound {
	return inbound{
		ID: v.ID, Remark: v.Remark, Enable: v.Enabled, Listen: v.Listen, Port: v.Port, Protocol: string(v.Protocol), Tag: v.Tag,
		ShareAddr: v.ShareAddress, Anonymous: v.Anonymous, Up: v.Up, Down: v.Down, Total: orZero(v.Quota),
		ExpiryTime: orZero(v.ExpireAt), Settings: document(v.Settings),
		StreamSettings: document(v.StreamSettings), Sniffing: document(v.Sniffing), Problem: v.Problem,
	}
}

type addInboundRequest struct {
	Body struct {
		Remark         string   `json:"remark"`
		Enable         *bool    `json:"enable" doc:"absent = true"`
		Listen         string   `json:"listen" doc:"IP address, empty = all"`
		Port           int      `json:"port"`
		Protocol       string   `json:"protocol" doc:"vless, vmess, trojan, shadowsocks or hysteria"`
		Tag            string   `json:"tag" doc:"made from the port when empty"`
		ShareAddr      string   `json:"shareAddr" doc:"host that links carry, empty = the public host"`
		Anonymous      bool     `json:"anonymous" doc:"let connections without a client in"`
		Total          int64    `json:"total" doc:"quota in bytes, 0 = none"`
		ExpiryTime     int64    `json:"expiryTime" doc:"ms since the epoch, 0 = never"`
		Settings       document `json:"settings"`
		StreamSettings document `json:"streamSettings"`
		Sniffing       document `json:"sniffing"`
	}
}

func (r routes) addInbound(ctx context.Context, in *addInboundRequest) (inbound, string, error) {
	b := &in.Body
	settings, err := withoutClients(b.Settings)
	if err != nil {
		return inbound{}, "", err
	}
	view, err := r.Accounts.CreateInbound(ctx, domain.Inbound{
		Tag: b.Tag, Remark: b.Remark, Protocol: domain.Protocol(b.Protocol), Listen: b.Listen, Port: b.Port,
		Enabled: b.Enable == nil || *b.Enable, Anonymous: b.Anonymous, ShareAddress: b.ShareAddr,
		Quota: noneIfZero(b.Total), ExpireAt: noneIfZero(b.ExpiryTime),
		Settings: string(settings), StreamSettings: string(b.StreamSettings), Sniffing: string(b.Sniffing),
	})
	if err != nil {
		return inbound{}, "", err
	}
	return newInbound(view), "Inbound added", nil
}

// withoutClients cuts an empty list of clients off: clients are users and never a part of an inbound's settings.
func withoutClients(settings document) (document, error) {
	if len(settings) == 0 {
		return document("{}"), nil
	}
	var object map[string]json.RawMessage
	if err := json.Unmarshal(settings, &object); err != nil {
		return nil, err
	}
	for _, key := range []string{"clients", "users"} {
		var list []json.RawMessage
		if raw, ok := object[key]; ok && (json.Unmarshal(raw, &list) != nil || len(list) > 0) {
			return nil, domain.Invalid("settings."+key, "must be an empty list: add the clients with clients/add")
		}
		delete(object, key)
	}
	return json.Marshal(object)
}

func (r routes) listInbounds(ctx context.Context, _ *struct{}) ([]inbound, string, error) {
	views, err := r.Accounts.Inbounds(ctx)
	if err != nil {
		return nil, "", err
	}
	list := make([]inbound, 0, len(views))
	for _, v := range views {
		list = append(list, newInbound(v))
	}
	return list, "", nil
}

// IDPath is a path with the id of an inbound.
type IDPath struct {
	ID int64 `path:"id" minimum:"1"`
}

func (r routes) getInbound(ctx context.Context, in *IDPath) (inbound, string, error) {
	view, err := r.Accounts.Inbound(ctx, in.ID)
	if err != nil {
		return inbound{}, "", err
	}
	return newInbound(view), "", nil
}

type updateInboundRequest struct {
	IDPath
	Body inboundInput
}

// inboundInput is an inbound as callers change it. Absent fields stay, null clears.
type inboundInput struct {
	Remark         field[string]   `json:"remark"`
	Enable         field[*bool]    `json:"enable"`
	Listen         field[string]   `json:"listen" doc:"IP address, empty = all"`
	Port           field[int]      `json:"port"`
	Protocol       field[string]   `json:"protocol"`
	Tag            field[string]   `json:"tag" doc:"stays when empty"`
	ShareAddr      field[string]   `json:"shareAddr"`
	Anonymous      field[bool]     `json:"anonymous"`
	Total          field[int64]    `json:"total" doc:"quota in bytes, 0 = none"`
	ExpiryTime     field[int64]    `json:"expiryTime" doc:"ms since the epoch, 0 = never"`
	Settings       field[document] `json:"settings"`
	StreamSettings field[document] `json:"streamSettings"`
	Sniffing       field[document] `json:"sniffing"`
}

// edit changes an inbound by what was given.
func (b *inboundInput) edit(in *domain.Inbound) error {
	b.Remark.put(&in.Remark)
	b.Listen.put(&in.Listen)
	b.Port.put(&in.Port)
	b.ShareAddr.put(&in.ShareAddress)
	b.Anonymous.put(&in.Anonymous)
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
		settings, err := withoutClients(b.Settings.Value)
		if err != nil {
			return err
		}
		in.Settings = string(settings)
	}
	if b.StreamSettings.Set {
		in.StreamSettings = string(b.StreamSettings.Value)
	}
	if b.Sniffing.Set {
		in.Sniffing = string(b.Sniffing.Value)
	}
	return nil
}

func (r routes) updateInbound(ctx context.Context, in *updateInboundRequest) (inbound, string, error) {
	view, err := r.Accounts.UpdateInbound(ctx, in.ID, in.Body.edit)
	if err != nil {
		return inbound{}, "", err
	}
	return newInbound(view), "Inbound updated", nil
}

type enableInboundRequest struct {
	IDPath
	Body struct {
		Enable bool `json:"enable" doc:"absent = false"`
	}
}

func (r routes) enableInbound(ctx context.Context, in *enableInboundRequest) (none, string, error) {
	_, err := r.Accounts.UpdateInbound(ctx, in.ID, func(changed *domain.Inbound) error {
		changed.Enabled = in.Body.Enable
		return nil
	})
	return none{}, "Inbound updated", err
}

func (r routes) resetInbound(ctx context.Context, in *IDPath) (none, string, error) {
	return none{}, "", r.Accounts.ResetInbound(ctx, in.ID)
}

func (r routes) deleteInbound(ctx context.Context, in *IDPath) (int64, string, error) {
	return in.ID, "Inbound deleted", r.Accounts.DeleteInbound(ctx, in.ID)
}
