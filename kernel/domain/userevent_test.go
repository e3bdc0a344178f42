package domain

import (
	"reflect"
	"testing"
)

// everyType wants all types.
func everyType(string) bool { return true }

func typesOf(events []Event) []string {
	types := []string{}
	for _, e := range events {
		types = append(types, e.Type)
	}
	return types
}

func TestUserEvents(t *testing.T) {
	renewal := []UsageReset{{Up: 1, Down: 2, Reason: ResetByRenewal}}
	for _, test := range []struct {
		name   string
		before User // an active user of which this is different
		change func(c *UserChange)
		want   []string
	}{
		{"nothing", User{}, func(*UserChange) {}, []string{}},
		{"created", User{}, func(c *UserChange) { c.Before = nil }, []string{EventUserCreated}},
		{"created disabled", User{}, func(c *UserChange) { c.Before, c.After.User.Enabled = nil, false }, []string{EventUserCreated}},
		{"created and used at once", User{}, func(c *UserChange) { c.Before, c.Online = nil, true }, []string{EventUserCreated, EventUserOnline}},
		{"deleted", User{}, func(c *UserChange) { c.After = nil }, []string{EventUserDeleted}},
		{"reset, then deleted", User{}, func(c *UserChange) { c.After, c.Resets, c.UsageSet, c.Online = nil, renewal, true, true }, []string{EventUserDeleted}},
		{"made and deleted at once", User{}, func(c *UserChange) { c.Before, c.After = nil, nil }, []string{}},
		{"disabled", User{}, func(c *UserChange) {
			c.After.User.Enabled, c.After.User.Status, c.After.User.StatusSince = false, StatusDisabled, 9
		}, []string{EventUserDisabled}},
		{"enabled", User{Status: StatusDisabled}, func(c *UserChange) {
			c.Before.User.Enabled = false
			c.After.User.Status = StatusActive
		}, []string{EventUserEnabled}},
		{"enabled with its quota used up", User{Status: StatusDisabled}, func(c *UserChange) {
			c.Before.User.Enabled = false
			c.After.User.Status = StatusLimited
		}, []string{EventUserEnabled, EventUserLimited}},
		{"disabled and annotated", User{}, func(c *UserChange) { c.After.User.Enabled, c.After.User.Note = false, "late" }, []string{EventUserDisabled, EventUserUpdated}},
		{"quota used up", User{}, func(c *UserChange) { c.After.User.Status, c.After.User.Revision = StatusLimited, 9 }, []string{EventUserLimited}},
		{"quota lowered below what is used", User{}, func(c *UserChange) { c.After.User.Status, c.After.User.Quota = StatusLimited, ptr(int64(1)) }, []string{EventUserLimited, EventUserUpdated}},
		{"time over", User{}, func(c *UserChange) { c.After.User.Status = StatusExpired }, []string{EventUserExpired}},
		{"time over although disabled", User{Status: StatusDisabled}, func(c *UserChange) { c.Before.User.Enabled, c.After.User.Enabled = false, false }, []string{}},
		{"extended", User{Status: StatusExpired}, func(c *UserChange) { c.After.User.Status, c.After.User.ExpireAt = StatusActive, ptr(int64(9)) }, []string{EventUserUpdated}},
		{"first use", User{HoldSince: ptr(int64(1)), HoldDuration: 5, HoldTimeout: ptr(int64(7)), Status: StatusOnHold}, func(c *UserChange) {
			c.After.User.Activate(3)
			c.After.User.Status = StatusActive
		}, []string{EventUserActivated}},
		{"put on hold", User{}, func(c *UserChange) {
			c.After.User.Hold(1, 2, nil)
			c.After.User.Status = StatusOnHold
		}, []string{EventUserUpdated}},
		{"renewed", User{Status: StatusExpired, ExpireAt: ptr(int64(1))}, func(c *UserChange) {
			c.After.User.Status, c.After.User.ExpireAt, c.Resets = StatusActive, ptr(int64(9)), renewal
			c.After.User.RenewCount++
		}, []string{EventUserRenewed, EventUserUsageReset}},
		{"next plan", User{NextPlan: NextPlan{HasNextPlan: true, NextQuota: ptr(int64(5))}, Status: StatusLimited, Quota: ptr(int64(1))}, func(c *UserChange) {
			c.After.User.NextPlan, c.After.User.Quota, c.After.User.Status, c.Resets = NextPlan{}, ptr(int64(5)), StatusActive, renewal
		}, []string{EventUserRenewed, EventUserUsageReset}},
		{"next plan that changes the flow", User{NextPlan: NextPlan{HasNextPlan: true}}, func(c *UserChange) {
			c.After.User.NextPlan, c.After.User.Flow, c.Resets = NextPlan{}, FlowVision, renewal
		}, []string{EventUserRenewed, EventUserUsageReset, EventUserUpdated}},
		{"next plan taken away", User{NextPlan: NextPlan{HasNextPlan: true}}, func(c *UserChange) { c.After.User.NextPlan = NextPlan{} }, []string{EventUserUpdated}},
		{"next plan taken away with a reset", User{NextPlan: NextPlan{HasNextPlan: true}}, func(c *UserChange) {
			c.After.User.NextPlan, c.Resets = NextPlan{}, []UsageReset{{Reason: ResetByOperator}}
		}, []string{EventUserUsageReset, EventUserUpdated}},
		{"boundary passed", User{NextResetAt: ptr(int64(1))}, func(c *UserChange) {
			c.After.User.NextResetAt, c.After.User.UpdatedAt = ptr(int64(9)), 9
			c.Resets = []UsageReset{{Reason: ResetByPeriod}}
		}, []string{EventUserUsageReset}},
		{"boundary tried again", User{}, func(c *UserChange) { c.After.User.ResetRetryAt = ptr(int64(9)) }, []string{}},
		{"subscription fetched", User{}, func(c *UserChange) { c.After.User.SubFetchAt, c.After.User.SubAgent = 9, "v2rayNG" }, []string{}},
		{"password changed", User{}, func(c *UserChange) { c.After.User.TrojanPassword = "new" }, []string{EventUserUpdated}},
		{"another group", User{}, func(c *UserChange) { c.After.Groups = []int64{2, 1} }, []string{EventUserUpdated}},
		{"another inbound", User{}, func(c *UserChange) { c.After.Direct = []int64{3} }, []string{EventUserUpdated}},
		{"usage set", User{}, func(c *UserChange) { c.UsageSet, c.After.Traffic.Up = true, 5 }, []string{EventUserUpdated}},
		{"traffic flowed", User{}, func(c *UserChange) { c.After.Traffic.Up = 5 }, []string{}},
		{"came online", User{}, func(c *UserChange) { c.Online = true }, []string{EventUserOnline}},
	} {
		t.Run(test.name, func(t *testing.T) {
			if test.before.Status == "" {
				test.before.Status = StatusActive
			}
			test.before.ID, test.before.Enabled = 7, true
			before := Account{User: test.before, Direct: []int64{1}, Groups: []int64{1, 2}}
			after := before
			c := UserChange{Before: &before, After: &after}
			test.change(&c)
			events := UserEvents(c, everyType)
			if got := typesOf(events); !reflect.DeepEqual(got, test.want) {
				t.Errorf("got %v, want %v", got, test.want)
			}
			for _, e := range events {
				if e.Subject != "user/7" {
					t.Errorf("subject of %s: %s", e.Type, e.Subject)
				}
			}
		})
	}
}

// The payloads are what plugins are written against: a field that goes or changes its meaning breaks them.
func TestUserPayloads(t *testing.T) {
	account := Account{
		User: User{
			ID: 7, Username: "alice", SubID: "secret", Enabled: true, Status: StatusActive, Note: "a \"b\"", AdminID: 2,
			Credentials: Credentials{VLESSID: "secret", TrojanPassword: "secret"},
		},
		Traffic: Traffic{Up: 3, Down: 4, LifetimeUp: 100},
	}
	const none = `{"user":{"id":7,"username":"alice","status":"active","enabled":true,"quota":null,"used":7,` +
		`"expire_at":null,"note":"a \"b\"","admin_id":2,"groups":[]}}`
	full := account
	full.User.Quota, full.User.ExpireAt, full.Groups = ptr(int64(10)), ptr(int64(20)), []int64{5, 4}
	full.User.Note = ""
	const all = `{"user":{"id":7,"username":"alice","status":"active","enabled":true,"quota":10,"used":7,` +
		`"expire_at":20,"note":"","admin_id":2,"groups":[5,4]}`
	resets := []UsageReset{{ID: 1, UserID: 7, At: 9, Up: 1, Down: 2, Reason: ResetByPeriod}, {Up: 3, Reason: ResetByOperator}}
	for _, test := range []struct {
		name string
		c    UserChange
		want []Event
	}{
		{"created", UserChange{After: &account}, []Event{{EventUserCreated, "user/7", none}}},
		{"deleted", UserChange{Before: &full}, []Event{{EventUserDeleted, "user/7", all + "}"}}},
		{"reset twice", UserChange{Before: &account, After: &full, Resets: resets}, []Event{
			{EventUserUsageReset, "user/7", all + `,"reset":{"reason":"period","up":1,"down":2}}`},
			{EventUserUsageReset, "user/7", all + `,"reset":{"reason":"manual","up":3,"down":0}}`},
			{EventUserUpdated, "user/7", all + "}"},
		}},
	} {
		t.Run(test.name, func(t *testing.T) {
			if got := UserEvents(test.c, everyType); !reflect.DeepEqual(got, test.want) {
				t.Errorf("got  %v\nwant %v", got, test.want)
			}
		})
	}
}

func TestUserEventsThatAreWanted(t *testing.T) {
	before, after := Account{User: User{ID: 1, Enabled: true}}, Account{User: User{ID: 1, Note: "n"}}
	c := UserChange{Before: &before, After: &after, Online: true}
	if got, want := typesOf(UserEvents(c, everyType)), []string{EventUserDisabled, EventUserUpdated, EventUserOnline}; !reflect.DeepEqual(got, want) {
		t.Fatalf("all: got %v, want %v", got, want)
	}
	onlyUpdated := func(eventType string) bool { return eventType == EventUserUpdated }
	if got, want := typesOf(UserEvents(c, onlyUpdated)), []string{EventUserUpdated}; !reflect.DeepEqual(got, want) {
		t.Errorf("one: got %v, want %v", got, want)
	}
}
