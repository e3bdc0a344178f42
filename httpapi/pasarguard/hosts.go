package pasarguard

import (
	"context"

	"github.com/sluicehq/sluice/kernel/accounts"
	"github.com/sluicehq/sluice/kernel/domain"
)

const hostsTag = "hosts"

func (r routes) hosts() {
	handle(r, r.sudo(get("/hosts", "List the hosts in the order of their priority", hostsTag)), r.listHosts)
	handle(r, r.sudo(put("/hosts", "Replace hosts by id, and make those without one", hostsTag)), r.replaceHosts)
	handle(r, r.sudo(get("/host/{host_id}", "Read a host", hostsTag)), r.getHost)
	handle(r, r.sudo(created("/host", "Make a host", hostsTag)), r.createHost) // with a slash at its end too
	handle(r, r.sudo(put("/host/{host_id}", "Change a host", hostsTag)), r.updateHost)
	handleEmpty(r, r.sudo(remove("/host/{host_id}", "Delete a host", hostsTag)), r.deleteHost)
}

// HostPath is a path with the id of a host.
type HostPath struct {
	ID int64 `path:"host_id"`
}

func (r routes) listHosts(ctx context.Context, _ accounts.Principal, in *Paging) ([]hostBody, error) {
	hosts, err := r.Accounts.Hosts(ctx)
	if err != nil {
		return nil, err
	}
	return r.hostBodies(ctx, page(hosts, *in))
}

func (r routes) hostBodies(ctx context.Context, hosts []domain.Host) ([]hostBody, error) {
	tags, err := r.tagsOf(ctx)
	bodies := make([]hostBody, len(hosts))
	for i := range hosts {
		bodies[i] = newHostBody(&hosts[i], tags)
	}
	return bodies, err
}

// hostOf is what a route about one host answers.
func (r routes) hostOf(ctx context.Context, h domain.Host, err error) (hostBody, error) {
	if err != nil {
		return hostBody{}, err
	}
	bodies, err := r.hostBodies(ctx, []domain.Host{h})
	return bodies[0], err
}

func (r routes) getHost(ctx context.Context, _ accounts.Principal, in *HostPath) (hostBody, error) {
	h, err := r.Accounts.Host(ctx, in.ID)
	return r.hostOf(ctx, h, err)
}

type newHost struct{ Body hostInput }

func (r routes) createHost(ctx context.Context, _ accounts.Principal, in *newHost) (hostBody, error) {
	inbounds, err := r.inboundIDs(ctx)
	if err != nil {
		return hostBody{}, err
	}
	h, err := in.Body.host(inbounds)
	if err == nil {
		h, err = r.Accounts.CreateHost(ctx, h)
	}
	return r.hostOf(ctx, h, err)
}

type hostChange struct {
	HostPath
	Body hostInput
}

func (r routes) updateHost(ctx context.Context, _ accounts.Principal, in *hostChange) (hostBody, error) {
	inbounds, err := r.inboundIDs(ctx)
	if err != nil {
		return hostBody{}, err
	}
	h, err := r.Accounts.UpdateHost(ctx, in.ID, func(h *domain.Host) error { return in.Body.edit(h, inbounds) })
	return r.hostOf(ctx, h, err)
}

func (r routes) deleteHost(ctx context.Context, _ accounts.Principal, in *HostPath) error {
	return r.Accounts.DeleteHost(ctx, in.ID)
}

type hostsChange struct{ Body []hostInput }

// replaceHosts stores a list of hosts. Each is a whole one: what is absent is none.
func (r routes) replaceHosts(ctx context.Context, _ accounts.Principal, in *hostsChange) ([]hostBody, error) {
	inbounds, err := r.inboundIDs(ctx)
	if err != nil {
		return nil, err
	}
	hosts := make([]domain.Host, len(in.Body))
	for i := range in.Body {
		if hosts[i], err = in.Body[i].host(inbounds); err != nil {
			return nil, err
		}
		fill(&hosts[i].ID, in.Body[i].ID)
	}
	if hosts, err = r.Accounts.ReplaceHosts(ctx, hosts); err != nil {
		return nil, err
	}
	return r.hostBodies(ctx, hosts)
}
