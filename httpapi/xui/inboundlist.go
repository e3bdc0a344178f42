package xui

import (
	"bytes"
	"cmp"
	"context"
	"iter"

	"github.com/sluicehq/sluice/httpapi/stream"
	"github.com/sluicehq/sluice/kernel/accounts"
	"github.com/sluicehq/sluice/kernel/domain"
)

// fullInbound is an inbound with its clients, for the API's document: it may have too many of them for memory.
type fullInbound struct {
	InboundHead
	Settings struct {
		Clients []inboundClient `json:"clients"`
	} `json:"settings" doc:"the settings of its protocol, with the clients"`
}

// slimInbound is the same with as little of the clients as makes a list of them.
type slimInbound struct {
	InboundHead
	Settings struct {
		Clients []slimClient `json:"clients"`
	} `json:"settings" doc:"the settings of its protocol, with the clients"`
}

// encodeUser appends the JSON of a user to buf.
type encodeUser = func(buf []byte, l accounts.Listed) ([]byte, error)

func (r routes) listInbounds(ctx context.Context, _ *struct{}) iter.Seq2[[]byte, error] {
	return r.inboundsText(ctx, encodeClients)
}

func (r routes) listSlimInbounds(ctx context.Context, _ *struct{}) iter.Seq2[[]byte, error] {
	return r.inboundsText(ctx, func(*domain.Inbound) encodeUser { return encodeSlimClient })
}

func (r routes) getInbound(ctx context.Context, in *IDPath) iter.Seq2[[]byte, error] {
	return func(yield func([]byte, error) bool) {
		view, err := r.Accounts.Inbound(ctx, in.ID)
		if err != nil {
			yield(nil, err)
			return
		}
		r.inboundText(ctx, "", view, encodeClients(&view.Inbound), yield)
	}
}

// inboundsText is the list of all inbounds; clients says how those of one are written.
func (r routes) inboundsText(ctx context.Context, clients func(*domain.Inbound) encodeUser) iter.Seq2[[]byte, error] {
	return func(yield func([]byte, error) bool) {
		views, err := r.Accounts.Inbounds(ctx)
		if err != nil {
			yield(nil, err)
			return
		}
		before := "["
		for _, v := range views {
			if !r.inboundText(ctx, before, v, clients(&v.Inbound), yield) {
				return
			}
			before = ","
		}
		if len(views) == 0 {
			yield([]byte("[]"), nil)
			return
		}
		yield([]byte("]"), nil)
	}
}

// inboundText yields one inbound after the text before it, with its clients put into its settings. It says whether to go on.
func (r routes) inboundText(
	ctx context.Context, before string, v accounts.InboundView, encode encodeUser, yield func([]byte, error) bool,
) bool {
	text, err := stream.Append([]byte(before), newInboundHead(v))
	if err == nil {
		text = append(bytes.TrimSuffix(text, []byte("}")), `,"settings":`...)
		text, err = stream.Append(text, document(cmp.Or(v.Settings, "{}")))
	}
	if err != nil {
		yield(nil, err)
		return false
	}
	text = bytes.TrimSuffix(text, []byte("}"))
	if !bytes.HasSuffix(text, []byte("{")) {
		text = append(text, ',')
	}
	if !yield(append(text, `"clients":`...), nil) {
		return false
	}
	users := stream.Sequence(func(yield func(accounts.Listed) bool) error { return r.Accounts.EachInboundUser(ctx, v.ID, yield) })
	for piece, err := range stream.List(users, encode) {
		if !yield(piece, err) || err != nil {
			return false
		}
	}
	return yield([]byte("}}"), nil)
}

// inboundOption is an inbound as forms offer it to a client.
type inboundOption struct {
	ID             int64  `json:"id"`
	Remark         string `json:"remark"`
	Tag            string `json:"tag"`
	Protocol       string `json:"protocol"`
	Listen         string `json:"listen"`
	Port           int    `json:"port"`
	Enable         bool   `json:"enable"`
	TLSFlowCapable bool   `json:"tlsFlowCapable" doc:"whether a client's flow has an effect on it"`
	SSMethod       string `json:"ssMethod" doc:"of shadowsocks, else empty"`
}

func (r routes) inboundOptions(ctx context.Context, _ *struct{}) ([]inboundOption, string, error) {
	views, err := r.Accounts.Inbounds(ctx)
	if err != nil {
		return nil, "", err
	}
	options := make([]inboundOption, len(views))
	for i, v := range views {
		options[i] = inboundOption{
			ID: v.ID, Remark: v.Remark, Tag: v.Tag, Protocol: string(v.Protocol), Listen: v.Listen, Port: v.Port, Enable: v.Enabled,
			TLSFlowCapable: v.EffectiveFlow(domain.FlowVision) != "",
		}
		if v.Protocol == domain.Shadowsocks {
			options[i].SSMethod = v.Method()
		}
	}
	return options, "", nil
}
