package pasarguard

import (
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/sluicehq/sluice/httpapi/detail"
	"github.com/sluicehq/sluice/kernel/domain"
)

// Lengths of the name of a group that is made or renamed here, in characters: 3x-ui makes shorter and longer ones.
const (
	minGroupName = 3
	maxGroupName = 64
)

// groupInput is a group as callers send it. Null is the same as absent: in a stored group no change.
type groupInput struct {
	Name        *string  `json:"name" doc:"3 to 64 characters, unique"`
	InboundTags []string `json:"inbound_tags" doc:"of the inbounds that its users are let into"`
	IsDisabled  *bool    `json:"is_disabled" doc:"shut its inbounds for its users"`
}

// missing is what is wrong with it as a new group.
func (in *groupInput) missing() detail.Fields {
	faults := detail.Fields{}
	if in.Name == nil {
		faults["name"] = "Field required"
	} else if fault := groupNameFault(*in.Name); fault != "" {
		faults["name"] = fault
	}
	if len(in.InboundTags) == 0 {
		faults["inbound_tags"] = "you must select at least one inbound"
	}
	return faults
}

func groupNameFault(name string) string {
	name = strings.TrimSpace(name)
	switch {
	case utf8.RuneCountInString(name) < minGroupName:
		return "String should have at least 3 characters"
	case utf8.RuneCountInString(name) > maxGroupName:
		return "String should have at most 64 characters"
	case strings.ContainsFunc(name, unicode.IsControl):
		return invalidCharacters
	}
	return ""
}

// edit changes a stored group. One that 3x-ui made with a name of another length keeps it; an empty list of inbounds lets
// its users in nowhere.
func (in *groupInput) edit(g *domain.Group, inbounds inboundIDs) (err error) {
	if in.Name != nil && *in.Name != g.Name {
		if fault := groupNameFault(*in.Name); fault != "" {
			return detail.Fields{"name": fault}.Of()
		}
		g.Name = strings.TrimSpace(*in.Name) // as the other dialect does with the names of groups, so that both find it
	}
	if in.InboundTags != nil {
		g.Inbounds, err = inbounds.tagged(in.InboundTags...)
	}
	fill(&g.Disabled, in.IsDisabled)
	return err
}
