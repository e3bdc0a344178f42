package domain

import (
	"encoding/json"
	"fmt"
	"strings"
)

// Event is something that has happened, as event plugins are told of it. It is announced in the transaction that makes
// it happen: there is no event without its change, and no change without its event.
type Event struct {
	Type    string // such as user.created: see EventTypes
	Subject string // what it is about, such as user/12: events of one subject are delivered in their order
	Payload string // JSON object, see UserFacts and the functions that make events
}

// EventHandler is an event item of a loaded plugin.
type EventHandler struct {
	Handler string   // plugin and item: webhook/post
	Events  []string // types that it wants, * = all
}

// AllEvents among the types of a handler stands for every type, also for those of later versions.
const AllEvents = "*"

// The types of events.
const (
	EventUserCreated    = "user.created"
	EventUserUpdated    = "user.updated"
	EventUserDeleted    = "user.deleted"
	EventUserEnabled    = "user.enabled"
	EventUserDisabled   = "user.disabled"
	EventUserLimited    = "user.limited"
	EventUserExpired    = "user.expired"
	EventUserActivated  = "user.activated"
	EventUserUsageReset = "user.usage_reset"
	EventUserRenewed    = "user.renewed"
	EventUserOnline     = "user.online"

	EventInboundCreated  = "inbound.created"
	EventInboundUpdated  = "inbound.updated"
	EventInboundDeleted  = "inbound.deleted"
	EventTemplateCreated = "template.created"
	EventTemplateUpdated = "template.updated"
	EventTemplateDeleted = "template.deleted"
	EventGroupCreated    = "group.created"
	EventGroupUpdated    = "group.updated"
	EventGroupDeleted    = "group.deleted"

	EventAdminLogin = "admin.login"

	EventPluginLoaded      = "plugin.loaded"
	EventPluginRefused     = "plugin.refused"
	EventPluginRemoved     = "plugin.removed"
	EventPluginSwitchedOff = "plugin.switched_off"
	EventPluginRecovered   = "plugin.recovered"
)

// EventType says what a type of events means.
type EventType struct{ Type, Means string }

// EventTypes are all types of this version, in the order in which they are documented. A manifest may name others:
// newer hosts have more.
var EventTypes = []EventType{
	{EventUserCreated, "A user was created."},
	{EventUserUpdated, "A user was changed by an operator in a way that no other type tells, its groups and inbounds too."},
	{EventUserDeleted, "A user was deleted; the payload is its last state."},
	{EventUserEnabled, "A disabled user was enabled."},
	{EventUserDisabled, "A user was disabled."},
	{EventUserLimited, "A user has used up its quota."},
	{EventUserExpired, "The time of a user is over."},
	{EventUserActivated, "A user who was on hold is not any more: its time runs."},
	{EventUserUsageReset, "The usage of a user was set to zero; reset has why and what was counted."},
	{EventUserRenewed, "A user was renewed on expiry, or its next plan began."},
	{EventUserOnline, "A user was seen online after at least five minutes in which it was not."},
	{EventInboundCreated, "An inbound was created."},
	{EventInboundUpdated, "An inbound was changed, or its counters were reset."},
	{EventInboundDeleted, "An inbound was deleted; the payload is its last state."},
	{EventTemplateCreated, "A user template was created."},
	{EventTemplateUpdated, "A user template was changed."},
	{EventTemplateDeleted, "A user template was deleted; the payload is its last state."},
	{EventGroupCreated, "A group was created."},
	{EventGroupUpdated, "A group was changed."},
	{EventGroupDeleted, "A group was deleted; the payload is its last state."},
	{EventAdminLogin, "An admin logged in with a password."},
	{EventPluginLoaded, "A plugin, or a new version of it, was loaded."},
	{EventPluginRefused, "A plugin file was refused; reason says why."},
	{EventPluginRemoved, "A plugin was removed."},
	{EventPluginSwitchedOff, "A plugin was switched off because it kept failing; reason says how."},
	{EventPluginRecovered, "A plugin that was switched off answers again."},
}

// InboundEvent is an event about an inbound. Its settings, which hold keys, stay out.
func InboundEvent(eventType string, in *Inbound) Event {
	return newEvent(eventType, fmt.Sprint("inbound/", in.ID), map[string]any{"inbound": map[string]any{
		"id": in.ID, "tag": in.Tag, "remark": in.Remark, "protocol": in.Protocol, "port": in.Port, "enabled": in.Enabled,
	}})
}

// TemplateEvent is an event about a template.
func TemplateEvent(eventType string, t *Template) Event {
	return newEvent(eventType, fmt.Sprint("template/", t.ID), map[string]any{"template": named{t.ID, t.Name}})
}

// GroupEvent is an event about a group.
func GroupEvent(eventType string, g *Group) Event {
	return newEvent(eventType, fmt.Sprint("group/", g.ID), map[string]any{"group": named{g.ID, g.Name}})
}

// AdminEvent is an event about an admin.
func AdminEvent(eventType string, a *Admin) Event {
	return newEvent(eventType, fmt.Sprint("admin/", a.ID), map[string]any{"admin": map[string]any{
		"id": a.ID, "username": a.Username,
	}})
}

// PluginEvent is an event about the plugin of a name, or about the file of that name if the name of the plugin could not
// be read, which may have any bytes. What is not known is "".
func PluginEvent(eventType, name, version, reason string) Event {
	return newEvent(eventType, "plugin/"+strings.ToValidUTF8(name, "?"), map[string]any{"plugin": map[string]any{
		"name": name, "version": version, "reason": reason,
	}})
}

// named is what an event tells of something that its name is enough for.
type named struct {
	ID   int64  `json:"id"`
	Name string `json:"name"`
}

// newEvent is an event with a payload that can always be JSON: it has texts, numbers and lists of them.
func newEvent(eventType, subject string, payload any) Event {
	text, err := json.Marshal(payload)
	if err != nil {
		panic(fmt.Sprintf("payload of %s: %v", eventType, err))
	}
	return Event{Type: eventType, Subject: subject, Payload: string(text)}
}
