package pasarguard

import (
	"context"
	"net/http"

	"github.com/sluicehq/sluice/httpapi/detail"
	"github.com/sluicehq/sluice/kernel/accounts"
	"github.com/sluicehq/sluice/kernel/domain"
)

func (r routes) inbounds() {
	handle(r, get("/inbounds", "List the tags of the inbounds", "inbounds"), r.listInbounds)
	handle(r, get("/inbounds/details", "List the inbounds with how they are reached", "inbounds"), r.inboundDetails)
}

func (r routes) listInbounds(ctx context.Context, _ accounts.Principal, _ *struct{}) ([]string, error) {
	tags := []string{}
	views, err := r.Accounts.Inbounds(ctx)
	for _, v := range views {
		tags = append(tags, v.Tag)
	}
	return tags, err
}

// inboundBody is an inbound as this dialect shows it: without what only who runs the core may know.
type inboundBody struct {
	Tag      string          `json:"tag"`
	Protocol domain.Protocol `json:"protocol"`
	Network  string          `json:"network" doc:"transport: tcp, ws, grpc, httpupgrade, xhttp, kcp or hysteria"`
	Security string          `json:"security" doc:"none, tls or reality"`
	Port     int             `json:"port"`
}

func (r routes) inboundDetails(ctx context.Context, _ accounts.Principal, _ *struct{}) ([]inboundBody, error) {
	bodies := []inboundBody{}
	views, err := r.Accounts.Inbounds(ctx)
	for _, v := range views {
		stream, err := v.Stream()
		if err != nil {
			return nil, err
		}
		bodies = append(bodies, inboundBody{v.Tag, v.Protocol, shownNetwork(stream.Network), stream.Security, v.Port})
	}
	return bodies, err
}

// shownNetwork is PasarGuard's name of a transport.
func shownNetwork(network string) string {
	if network == "raw" {
		return "tcp"
	}
	return network
}

// tagsOf are the tags of all inbounds by id.
func (r routes) tagsOf(ctx context.Context) (map[int64]string, error) {
	views, err := r.Accounts.Inbounds(ctx)
	tags := make(map[int64]string, len(views))
	for _, v := range views {
		tags[v.ID] = v.Tag
	}
	return tags, err
}

// inboundIDs finds the ids of inbounds by tag.
type inboundIDs map[string]int64

func (r routes) inboundIDs(ctx context.Context) (inboundIDs, error) {
	views, err := r.Accounts.Inbounds(ctx)
	ids := make(inboundIDs, len(views))
	for _, v := range views {
		ids[v.Tag] = v.ID
	}
	return ids, err
}

// tagged are the ids of the inbounds with these tags; the first one that there is not is told.
func (known inboundIDs) tagged(tags ...string) ([]int64, error) {
	ids := make([]int64, len(tags))
	for i, tag := range tags {
		id, there := known[tag]
		if !there {
			return nil, detail.Sentence(http.StatusBadRequest, tag+" not found")
		}
		ids[i] = id
	}
	return ids, nil
}
