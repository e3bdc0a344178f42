package pasarguard

import (
	"cmp"
	"context"
	"slices"

	"github.com/sluicehq/sluice/kernel/accounts"
	"github.com/sluicehq/sluice/kernel/domain"
)

const groupsTag = "groups"

func (r routes) groups() {
	handle(r, r.sudo(created("/group", "Make a group", groupsTag)), r.createGroup)
	handle(r, get("/groups", "List the groups by id", groupsTag), r.listGroups)
	handle(r, get("/groups/simple", "List names and ids of the groups", groupsTag), r.simpleGroups)
	handle(r, get("/group/{group_id}", "Read a group", groupsTag), r.getGroup)
	handle(r, r.sudo(put("/group/{group_id}", "Change a group; its users are let in as it is then", groupsTag)), r.updateGroup)
	handleEmpty(r, r.sudo(remove("/group/{group_id}", "Delete a group; users and templates lose it", groupsTag)), r.deleteGroup)
	handle(r, r.sudo(post("/groups/bulk/delete", "Delete groups; users and templates lose them", groupsTag)), r.deleteGroups)
	handle(r, r.sudo(post("/groups/bulk/disable", "Shut the inbounds of groups for their users", groupsTag)), r.disableGroups(true))
	handle(r, r.sudo(post("/groups/bulk/enable", "Open the inbounds of groups for their users", groupsTag)), r.disableGroups(false))
	handle(r, r.sudo(post("/groups/bulk/add", "Put users into groups", groupsTag)), r.changeMembers(true))
	handle(r, r.sudo(post("/groups/bulk/remove", "Take users out of groups", groupsTag)), r.changeMembers(false))
}

// GroupPath is a path with the id of a group.
type GroupPath struct {
	ID int64 `path:"group_id"`
}

// groupBody is a group as callers see it.
type groupBody struct {
	Name        string   `json:"name"`
	InboundTags []string `json:"inbound_tags" nullable:"false" doc:"of the inbounds that its users are let into"`
	IsDisabled  bool     `json:"is_disabled"`
	ID          int64    `json:"id"`
	TotalUsers  int      `json:"total_users" doc:"of those that the caller may see"`
}

func newGroupBody(g accounts.GroupView, tags map[int64]string) groupBody {
	b := groupBody{Name: g.Name, InboundTags: []string{}, IsDisabled: g.Disabled, ID: g.ID, TotalUsers: g.Users}
	for _, id := range g.Inbounds {
		if tag, known := tags[id]; known { // else it was deleted since the group was read
			b.InboundTags = append(b.InboundTags, tag)
		}
	}
	return b
}

// groupOf is what a route about one group answers.
func (r routes) groupOf(ctx context.Context, g accounts.GroupView, err error) (groupBody, error) {
	if err != nil {
		return groupBody{}, err
	}
	tags, err := r.tagsOf(ctx)
	return newGroupBody(g, tags), err
}

type newGroup struct{ Body groupInput }

func (r routes) createGroup(ctx context.Context, _ accounts.Principal, in *newGroup) (groupBody, error) {
	if err := in.Body.missing().Of(); err != nil {
		return groupBody{}, err
	}
	inbounds, err := r.inboundIDs(ctx)
	if err != nil {
		return groupBody{}, err
	}
	var g domain.Group
	if err := in.Body.edit(&g, inbounds); err != nil {
		return groupBody{}, err
	}
	v, err := r.Accounts.NewGroup(ctx, g.Name, g.Inbounds, g.Disabled)
	return r.groupOf(ctx, v, err)
}

// groupList is a part of the groups.
type groupList struct {
	Groups []groupBody `json:"groups"`
	Total  int         `json:"total" doc:"before paging"`
}

func (r routes) listGroups(ctx context.Context, who accounts.Principal, in *Paging) (groupList, error) {
	views, err := r.groupsByID(ctx, who)
	if err != nil {
		return groupList{}, err
	}
	tags, err := r.tagsOf(ctx)
	list := groupList{Groups: []groupBody{}, Total: len(views)}
	for _, g := range page(views, *in) {
		list.Groups = append(list.Groups, newGroupBody(g, tags))
	}
	return list, err
}

func (r routes) groupsByID(ctx context.Context, who accounts.Principal) ([]accounts.GroupView, error) {
	views, err := r.Accounts.GroupsOf(ctx, who)
	slices.SortFunc(views, func(a, b accounts.GroupView) int { return cmp.Compare(a.ID, b.ID) })
	return views, err
}

// simpleGroupList is what choices of a group are made of.
type simpleGroupList struct {
	Groups []simple `json:"groups"`
	Total  int      `json:"total" doc:"before paging"`
}

func (r routes) simpleGroups(ctx context.Context, who accounts.Principal, in *SimpleQuery) (simpleGroupList, error) {
	views, err := r.groupsByID(ctx, who)
	if err != nil {
		return simpleGroupList{}, err
	}
	list := make([]simple, len(views))
	for i, g := range views {
		list[i] = simple{g.ID, g.Name}
	}
	list, total, err := in.of(list)
	return simpleGroupList{list, total}, err
}

func (r routes) getGroup(ctx context.Context, who accounts.Principal, in *GroupPath) (groupBody, error) {
	g, err := r.Accounts.GroupOf(ctx, who, in.ID)
	return r.groupOf(ctx, g, err)
}

type groupChange struct {
	GroupPath
	Body groupInput
}

func (r routes) updateGroup(ctx context.Context, _ accounts.Principal, in *groupChange) (groupBody, error) {
	inbounds, err := r.inboundIDs(ctx)
	if err != nil {
		return groupBody{}, err
	}
	g, err := r.Accounts.UpdateGroup(ctx, in.ID, func(g *domain.Group) error { return in.Body.edit(g, inbounds) })
	return r.groupOf(ctx, g, err)
}

func (r routes) deleteGroup(ctx context.Context, _ accounts.Principal, in *GroupPath) error {
	_, err := r.Accounts.DeleteGroups(ctx, []int64{in.ID})
	return err
}

// groupNames are those that something happened to.
type groupNames struct {
	Groups []string `json:"groups"`
	Count  int      `json:"count"`
}

func (r routes) deleteGroups(ctx context.Context, _ accounts.Principal, in *idsRequest) (groupNames, error) {
	names, err := r.Accounts.DeleteGroups(ctx, in.Body.IDs)
	return groupNames{names, len(names)}, err
}

func (r routes) disableGroups(disabled bool) func(context.Context, accounts.Principal, *idsRequest) (groupNames, error) {
	return func(ctx context.Context, _ accounts.Principal, in *idsRequest) (groupNames, error) {
		names, err := r.Accounts.DisableGroups(ctx, in.Body.IDs, disabled)
		return groupNames{names, len(names)}, err
	}
}
