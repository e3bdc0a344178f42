package xui

import (
	"context"
	"slices"

	"github.com/sluicehq/sluice/kernel/accounts"
)

const clientsTag = "clients"

func (r routes) clients() {
	handle(r, get("/clients/get/{email}", "Get a client", clientsTag), r.getClient)
	handle(r, get("/clients/get/tgId/{tgId}", "Get the clients with a Telegram id", clientsTag), r.clientsByTgID)
	handle(r, post("/clients/update/{email}", "Change a client; absent fields stay, null clears", clientsTag), r.updateClient)
	handle(r, post("/clients/del/{email}", "Delete a client", clientsTag), r.deleteClient)
	handle(r, get("/clients/links/{email}", "Share links of a client", clientsTag), r.clientLinks)
	handle(r, get("/clients/subLinks/{subId}", "Share links of a subscription", clientsTag), r.subLinks)
}

// ofOne are the routes that begin with a client's name. They come last: resetTraffic/attach is about a client called attach,
// and nothing but these can not be asked about a client called resetTraffic.
func (r routes) ofOne() {
	handle(r, post("/clients/{email}/attach", "Let a client into more inbounds", clientsTag), r.attachClient)
	handle(r, post("/clients/{email}/detach", "Take inbounds from a client", clientsTag), r.detachClient)
	handle(r, post("/clients/{email}/externalLinks", "Replace what a client's subscription has besides the inbounds", clientsTag), r.setExternalLinks)
}

func (r routes) getClient(ctx context.Context, in *EmailPath) (client, string, error) {
	view, err := r.Accounts.User(ctx, in.Email)
	if err != nil {
		return client{}, "", err
	}
	return newClient(view), "", nil
}

func (r routes) clientsByTgID(ctx context.Context, in *struct {
	TgID int64 `path:"tgId" minimum:"1"`
},
) ([]client, string, error) {
	views, err := r.Accounts.UsersByTgID(ctx, in.TgID)
	if err != nil {
		return nil, "", err
	}
	list := make([]client, len(views))
	for i, v := range views {
		list[i] = newClient(v)
	}
	return list, "", nil
}

// updateClientRequest names the client in its path; the email of the body renames it.
type updateClientRequest struct {
	EmailPath
	InboundIDs []int64 `query:"inboundIds" doc:"3x-ui changes its copies of the client in these inbounds; here there is one client and no copy"`
	Body       ClientInput
}

func (r routes) updateClient(ctx context.Context, in *updateClientRequest) (none, string, error) {
	_, err := r.Accounts.UpdateUser(ctx, in.Email, in.Body.edit)
	return none{}, "Client updated", err
}

type attachRequest struct {
	EmailPath
	Body struct {
		InboundIDs []int64 `json:"inboundIds"`
	}
}

func (r routes) attachClient(ctx context.Context, in *attachRequest) (none, string, error) {
	if err := checkInboundIDs(in.Body.InboundIDs); err != nil {
		return none{}, "", err
	}
	_, err := r.Accounts.UpdateUser(ctx, in.Email, func(v *accounts.UserView) error {
		v.Inbounds = append(v.Inbounds, in.Body.InboundIDs...)
		return nil
	})
	return none{}, "", err
}

func (r routes) detachClient(ctx context.Context, in *attachRequest) (none, string, error) {
	if err := checkInboundIDs(in.Body.InboundIDs); err != nil {
		return none{}, "", err
	}
	_, err := r.Accounts.UpdateUser(ctx, in.Email, func(v *accounts.UserView) error {
		v.Inbounds = slices.DeleteFunc(v.Inbounds, func(id int64) bool { return slices.Contains(in.Body.InboundIDs, id) })
		return nil
	})
	return none{}, "", err
}

func (r routes) deleteClient(ctx context.Context, in *struct {
	EmailPath
	KeepTraffic bool `query:"keepTraffic" doc:"1 = keep the counters under the name, for the next client of that name"`
},
) (none, string, error) {
	return none{}, "Client deleted", r.Accounts.DeleteUser(ctx, in.Email, in.KeepTraffic)
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
