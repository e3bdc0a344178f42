package xui

import (
	"context"

	"github.com/sluicehq/sluice/kernel/accounts"
	"github.com/sluicehq/sluice/kernel/domain"
)

const inboundsTag = "inbounds"

func (r routes) inbounds() {
	handleStream[[]fullInbound](r, get("/inbounds/list", "List the inbounds with their clients", inboundsTag), r.listInbounds)
	handleStream[[]slimInbound](r, get("/inbounds/list/slim", "List the inbounds with the names of their clients", inboundsTag), r.listSlimInbounds)
	handleStream[fullInbound](r, get("/inbounds/get/{id}", "Get an inbound with its clients", inboundsTag), r.getInbound)
	handle(r, get("/inbounds/options", "What a client may be attached to", inboundsTag), r.inboundOptions)
	handle(r, post("/inbounds/add", "Add an inbound; it serves at once", inboundsTag), r.addInbound)
	handle(r, post("/inbounds/update/{id}", "Change an inbound; absent fields stay", inboundsTag), r.updateInbound)
	handle(r, post("/inbounds/setEnable/{id}", "Open or close an inbound", inboundsTag), r.enableInbound)
	handle(r, post("/inbounds/{id}/resetTraffic", "Set the traffic of an inbound to zero; its clients keep theirs", inboundsTag), r.resetInbound)
	handle(r, post("/inbounds/del/{id}", "Delete an inbound; its clients stay", inboundsTag), r.deleteInbound)
	r.takeForms("/inbounds/add", "/inbounds/update/{id}", "/inbounds/setEnable/{id}")
}

// IDPath is a path with the id of an inbound.
type IDPath struct {
	ID int64 `path:"id" minimum:"1"`
}

type addInboundRequest struct{ Body inboundInput }

func (r routes) addInbound(ctx context.Context, in *addInboundRequest) (inbound, string, error) {
	clients, _, err := r.splitClients(&in.Body)
	if err != nil {
		return inbound{}, "", err
	}
	added := domain.Inbound{Enabled: true, Settings: "{}"}
	if err := in.Body.edit(&added); err != nil {
		return inbound{}, "", err
	}
	view, err := r.Accounts.CreateInbound(ctx, added, inboundClients(ctx, &added, clients))
	if err != nil {
		return inbound{}, "", err
	}
	return newInbound(view), "Inbound added", nil
}

type updateInboundRequest struct {
	IDPath
	Body inboundInput
}

func (r routes) updateInbound(ctx context.Context, in *updateInboundRequest) (inbound, string, error) {
	view, err := r.changeInbound(ctx, in.ID, &in.Body)
	if err != nil {
		return inbound{}, "", err
	}
	return newInbound(view), "Inbound updated", nil
}

// changeInbound changes an inbound, with its clients if the settings have a list of them.
func (r routes) changeInbound(ctx context.Context, id int64, b *inboundInput) (accounts.InboundView, error) {
	clients, given, err := r.splitClients(b)
	if err != nil {
		return accounts.InboundView{}, err
	}
	if !given {
		return r.Accounts.UpdateInbound(ctx, id, b.edit)
	}
	shown, err := r.Accounts.Inbound(ctx, id)
	if err != nil {
		return accounts.InboundView{}, err
	}
	return r.Accounts.UpdateInboundWith(ctx, id, b.edit, inboundClients(ctx, &shown.Inbound, clients))
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
