package domain

import (
	"fmt"
	"reflect"
)

// OnlineAfter is how long a user must not have been online for that it comes online again, in ms.
const OnlineAfter = 5 * 60 * 1000

// UserChange is what one transaction does to a user, however often it writes the user.
type UserChange struct {
	Before, After *Account     // nil = it was not there, it is not there any more
	Resets        []UsageReset // of its usage, in order
	UsageSet      bool         // its usage was set to what the operator said
	Online        bool         // it came online
}

// UserFacts are what an event tells of a user: nothing that lets anybody connect.
type UserFacts struct {
	ID       int64   `json:"id"`
	Username string  `json:"username"`
	Status   Status  `json:"status"`
	Enabled  bool    `json:"enabled"`
	Quota    *int64  `json:"quota"`     // bytes, null = none
	Used     int64   `json:"used"`      // bytes since the last reset, without what is not flushed yet
	ExpireAt *int64  `json:"expire_at"` // ms UTC, null = never
	Note     string  `json:"note"`
	AdminID  int64   `json:"admin_id"` // the owner
	Groups   []int64 `json:"groups"`   // ids of the groups that it is in, the first one first
}

// ResetFacts are what an event tells of a reset of usage.
type ResetFacts struct {
	Reason ResetReason `json:"reason"`
	Up     int64       `json:"up"`   // bytes that were counted until then
	Down   int64       `json:"down"` // bytes that were counted until then
}

type userPayload struct {
	User  UserFacts   `json:"user"`
	Reset *ResetFacts `json:"reset,omitempty"` // of user.usage_reset
}

// UserEvents returns the events that follow from what a transaction did to a user, in the order in which they are told,
// of the types that wanted says yes to. What one of the other types tells is not told as user.updated again.
func UserEvents(c UserChange, wanted func(eventType string) bool) []Event {
	told := c.After
	if told == nil {
		told = c.Before
	}
	events := []Event{}
	tell := func(eventType string, reset *ResetFacts) {
		if wanted(eventType) {
			events = append(events, newEvent(eventType, fmt.Sprint("user/", told.User.ID), userPayload{factsOf(told), reset}))
		}
	}
	for _, eventType := range c.turns() {
		tell(eventType, nil)
	}
	if c.After == nil {
		return events
	}
	for _, r := range c.Resets {
		tell(EventUserUsageReset, &ResetFacts{Reason: r.Reason, Up: r.Up, Down: r.Down})
	}
	if c.edited() {
		tell(EventUserUpdated, nil)
	}
	if c.Online {
		tell(EventUserOnline, nil)
	}
	return events
}

func factsOf(a *Account) UserFacts {
	u := &a.User
	return UserFacts{
		ID: u.ID, Username: u.Username, Status: u.Status, Enabled: u.Enabled, Quota: u.Quota, Used: a.Traffic.Used(),
		ExpireAt: u.ExpireAt, Note: u.Note, AdminID: u.AdminID, Groups: append([]int64{}, a.Groups...),
	}
}

// turns are the types of what happened to the user's life.
func (c *UserChange) turns() (types []string) {
	switch {
	case c.Before == nil && c.After == nil: // made and deleted at once
		return nil
	case c.Before == nil:
		return []string{EventUserCreated}
	case c.After == nil:
		return []string{EventUserDeleted}
	}
	before, after := &c.Before.User, &c.After.User
	if before.Enabled != after.Enabled {
		types = append(types, map[bool]string{true: EventUserEnabled, false: EventUserDisabled}[after.Enabled])
	}
	if c.activated() {
		types = append(types, EventUserActivated)
	}
	if c.renewed() || c.succeeded() {
		types = append(types, EventUserRenewed)
	}
	if before.Status != after.Status {
		switch after.Status {
		case StatusLimited:
			types = append(types, EventUserLimited)
		case StatusExpired:
			types = append(types, EventUserExpired)
		}
	}
	return types
}

// activated says whether a hold ended.
func (c *UserChange) activated() bool {
	return c.Before.User.HoldSince != nil && c.After.User.HoldSince == nil
}

// renewed says whether the user was renewed on expiry.
func (c *UserChange) renewed() bool { return c.After.User.RenewCount > c.Before.User.RenewCount }

// succeeded says whether the next plan began: it is gone, and the usage starts anew with it. One that an operator takes
// away leaves the usage alone.
func (c *UserChange) succeeded() bool {
	if !c.Before.User.HasNextPlan || c.After.User.HasNextPlan {
		return false
	}
	for _, r := range c.Resets {
		if r.Reason == ResetByRenewal {
			return true
		}
	}
	return false
}

// edited says whether anything changed that neither time, traffic nor another type of event accounts for.
func (c *UserChange) edited() bool {
	if c.Before == nil || c.After == nil {
		return false
	}
	before, after := c.Before.User, c.After.User
	// What follows from the rest, and what time moves.
	before.Revision, before.UpdatedAt = after.Revision, after.UpdatedAt
	before.Status, before.StatusSince = after.Status, after.StatusSince
	before.NextResetAt, before.ResetRetryAt = after.NextResetAt, after.ResetRetryAt
	before.SubFetchAt, before.SubAgent = after.SubFetchAt, after.SubAgent
	before.Enabled = after.Enabled
	if c.activated() {
		before.HoldSince, before.HoldDuration, before.HoldTimeout = after.HoldSince, after.HoldDuration, after.HoldTimeout
	}
	if c.activated() || c.renewed() || c.succeeded() {
		before.ExpireAt = after.ExpireAt
	}
	if c.renewed() {
		before.RenewCount = after.RenewCount
	}
	if c.succeeded() {
		before.NextPlan, before.Quota = after.NextPlan, after.Quota
	}
	return c.UsageSet || !reflect.DeepEqual(before, after) ||
		!reflect.DeepEqual(c.Before.Direct, c.After.Direct) || !reflect.DeepEqual(c.Before.Groups, c.After.Groups)
}
