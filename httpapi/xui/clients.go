package xui

import (
	"context"
	"slices"

	"github.com/sluicehq/sluice/httpapi/auth"
	"github.com/sluicehq/sluice/kernel/accounts"
)

const clientsTag = "clients"

func (r routes) clients() {
	handle(r, post("/clients/add", "Add a client", clientsTag), r.addClient)
	handle(r, get("/clients/get/{email}", "Get a client", clientsTag), r.getClient)
	handle(r, post("/clients/update/{email}", "Change a client; absent fields stay, null clears", clientsTag), r.updateClient)
	handle(r, post("/clients/del/{email}", "Delete a client", clientsTag), r.deleteClient)
	handle(r, post("/clients/{email}/attach", "Let a client into more inbounds", clientsTag), r.attachClient)
	handle(r, post("/clients/{email}/detach", "Take inbounds from a client", clientsTag), r.detachClient)
	handle(r, post("/clients/bulkAdjust", "Add days, bytes or a flow to clients", clientsTag), r.bulkAdjust)
	handle(r, get("/clients/links/{email}", "Share links of a client", clientsTag), r.clientLinks)
	handle(r, get("/clients/subLinks/{subId}", "Share links of a subscription", clientsTag), r.subLinks)
}

type addClientRequest struct {
	Body struct {
		Client     clientInput `json:"client"`
		InboundIDs []int64     `json:"inboundIds" doc:"where the client may connect, at least one"`
	}
}

func (r routes) addClient(ctx context.Context, in *addClientRequest) (client, string, error) {
	n, err := in.Body.Client.newUser()
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

// updateClientRequest names the client in its path; the email of the body renames it.
type updateClientRequest struct {
	EmailPath
	Body clientInput
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
	_, err := r.Accounts.UpdateUser(ctx, in.Email, func(v *accounts.UserView) error {
		v.Inbounds = append(v.Inbounds, in.Body.InboundIDs...)
		return nil
	})
	return none{}, "Client updated", err
}

func (r routes) detachClient(ctx context.Context, in *attachRequest) (none, string, error) {
	_, err := r.Accounts.UpdateUser(ctx, in.Email, func(v *accounts.UserView) error {
		v.Inbounds = slices.DeleteFunc(v.Inbounds, func(id int64) bool { return slices.Contains(in.Body.InboundIDs, id) })
		return nil
	})
	return none{}, "Client updated", err
}

func (r routes) deleteClient(ctx context.Context, in *EmailPath) (none, string, error) {
	return none{}, "Client deleted", r.Accounts.DeleteUser(ctx, in.Email)
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
