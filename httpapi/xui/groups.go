package xui

import (
	"context"
	"strings"

	"github.com/danielgtaylor/huma/v2"

	"github.com/sluicehq/sluice/httpapi/request"
	"github.com/sluicehq/sluice/kernel/domain"
)

const groupsTag = "groups"

func (r routes) groups() {
	handle(r, get("/clients/groups", "List the groups", groupsTag), r.listGroups)
	handle(r, get("/clients/groups/{name}/emails", "Clients of a group", groupsTag), r.groupEmails)
	handle(r, post("/clients/groups/create", "Add a group without clients", groupsTag), r.createGroup)
	handle(r, post("/clients/groups/rename", "Give a group another name", groupsTag), r.renameGroup)
	handle(r, post("/clients/groups/delete", "Delete a group; its clients stay", groupsTag), r.deleteGroup)
	handle(r, post("/clients/groups/bulkAdd", "Put clients into a group, which is made if there is none", groupsTag), r.groupClients)
	handle(r, post("/clients/groups/bulkRemove", "Take clients out of their group", groupsTag), r.ungroupClients)
	handle(r, post("/clients/groups/resetTraffic", "Count a group's traffic from now on; its clients keep theirs", groupsTag), r.resetGroup)
}

// group is a group as callers see it.
type group struct {
	Name        string `json:"name"`
	ClientCount int    `json:"clientCount"`
	TrafficUsed int64  `json:"trafficUsed" doc:"bytes of its clients since the group's count was reset, up and down"`
	Up          int64  `json:"up" doc:"bytes"`
	Down        int64  `json:"down" doc:"bytes"`
}

func (r routes) listGroups(ctx context.Context, _ *struct{}) ([]group, string, error) {
	groups, err := r.Accounts.Groups(ctx)
	if err != nil {
		return nil, "", err
	}
	list := make([]group, len(groups))
	for i, g := range groups {
		list[i] = group{Name: g.Name, ClientCount: g.Users, TrafficUsed: g.Up + g.Down, Up: g.Up, Down: g.Down}
	}
	return list, "", nil
}

// NamePath is a path with the name of a group.
type NamePath struct {
	Name string `path:"name" doc:"the group's name, URL-encoded"`
}

// Resolve decodes the name.
func (p *NamePath) Resolve(huma.Context) []error { return request.Segment(&p.Name, "name") }

func (r routes) groupEmails(ctx context.Context, in *NamePath) ([]string, string, error) {
	names, err := r.Accounts.GroupMembers(ctx, strings.TrimSpace(in.Name))
	return names, "", err
}

// groupName is the body of a route about one group.
type groupName struct {
	Name string `json:"name"`
}

type groupRequest struct{ Body groupName }

// trimmed is the group's name without spaces around it.
func (g *groupName) trimmed() string { return strings.TrimSpace(g.Name) }

func (r routes) createGroup(ctx context.Context, in *groupRequest) (groupName, string, error) {
	name := in.Body.trimmed()
	return groupName{name}, "", r.Accounts.CreateGroup(ctx, name)
}

// affectedCount is the number of clients that something happened to.
type affectedCount struct {
	Affected int `json:"affected"`
}

type renameGroupRequest struct {
	Body struct {
		OldName string `json:"oldName"`
		NewName string `json:"newName"`
	}
}

func (r routes) renameGroup(ctx context.Context, in *renameGroupRequest) (affectedCount, string, error) {
	from, to := strings.TrimSpace(in.Body.OldName), strings.TrimSpace(in.Body.NewName)
	switch {
	case from == "":
		return affectedCount{}, "", domain.Invalid("oldName", "is required")
	case to == "":
		return affectedCount{}, "", domain.Invalid("newName", "is required")
	}
	n, err := r.Accounts.RenameGroup(ctx, from, to)
	return affectedCount{n}, "", err
}

func (r routes) deleteGroup(ctx context.Context, in *groupRequest) (affectedCount, string, error) {
	name := in.Body.trimmed()
	if name == "" {
		return affectedCount{}, "", domain.Invalid("name", "is required")
	}
	n, err := r.Accounts.DeleteGroup(ctx, name)
	return affectedCount{n}, "", err
}

type groupClientsRequest struct {
	Bulk
	Body struct {
		Emails
		Group string `json:"group"`
	}
}

func (r routes) groupClients(ctx context.Context, in *groupClientsRequest) (affected, string, error) {
	name := strings.TrimSpace(in.Body.Group)
	if name == "" {
		return affected{}, "", domain.Invalid("group", "is required")
	}
	return r.label(ctx, &in.Body.Emails, name, &in.Bulk)
}

func (r routes) ungroupClients(ctx context.Context, in *bulkRequest) (affected, string, error) {
	return r.label(ctx, &in.Body, "", &in.Bulk)
}

func (r routes) label(ctx context.Context, emails *Emails, group string, bulk *Bulk) (affected, string, error) {
	names, err := emails.names()
	if err != nil {
		return affected{}, "", err
	}
	report, err := r.Accounts.Label(ctx, names, group, bulk.how())
	return affected{report.Count, newSkipped(report.Skipped)}, "", err
}

func (r routes) resetGroup(ctx context.Context, in *groupRequest) (groupName, string, error) {
	name := in.Body.trimmed()
	if name == "" {
		return groupName{}, "", domain.Invalid("name", "is required")
	}
	return groupName{name}, "", r.Accounts.ResetGroup(ctx, name)
}
