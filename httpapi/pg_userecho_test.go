package httpapi

import (
	"encoding/json"
	"fmt"
	"maps"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/sluicehq/sluice/kernel/accounts"
	"github.com/sluicehq/sluice/kernel/domain"
)

// pgStates are what a user can be beside what the 3x-ui dialect can make of it.
func pgStates() []state {
	inside := func(edit func(*accounts.UserView)) func(*bench, string) {
		return func(b *bench, name string) {
			_, err := b.kernel.Accounts.UpdateUser(b.t.Context(), name, func(v *accounts.UserView) error {
				edit(v)
				return nil
			})
			if err != nil {
				b.t.Fatal(err)
			}
		}
	}
	number := func(n int64) *int64 { return &n }
	list := []state{
		{"a-part-of-a-second", ``, inside(func(v *accounts.UserView) { v.ExpireAt = number(start + 1) })},
		{"far", ``, inside(func(v *accounts.UserView) { v.ExpireAt = number(1 << 60) })},
		{"hold-of-a-part", ``, inside(func(v *accounts.UserView) { v.Hold(start, 1, number(start+1)) })},
		{"hold-of-a-second-and-a-part", ``, inside(func(v *accounts.UserView) { v.Hold(start, 1001, number(1)) })},
		{"a-long-note", ``, inside(func(v *accounts.UserView) { v.Note = strings.Repeat("n", 501) })},
		{"own-credentials", ``, inside(func(v *accounts.UserView) {
			method := "xchacha20-ietf-poly1305"
			v.VMessID, v.ShadowsocksPassword, v.Method = "2f6f0b6e-0c5c-4f43-9a3a-7a4a2f6c5d11", "one more", &method
		})},
		{"in-both-groups", `"group_ids":[2,1]`, nil},
		{"next-plan", `"next_plan":{"data_limit":5,"expire":60,"add_remaining_traffic":true}`, nil},
		{"next-plan-of-nothing", `"next_plan":{}`, nil},
		{"next-plan-of-a-part", ``, inside(func(v *accounts.UserView) {
			v.NextPlan = domain.NextPlan{HasNextPlan: true, NextDuration: 1500}
		})},
		{"hwid", `"hwid_limit":4`, nil},
	}
	for _, policy := range []string{"no_reset", "day", "week", "month", "year", "hourly", "daily"} {
		list = append(list, state{"strategy-" + policy, fmt.Sprintf(`"data_limit":9,"data_limit_reset_strategy":%q`, policy), nil})
	}
	return append(list, state{"strategy-with-params", `"data_limit_reset_strategy":"every","data_limit_reset_params":{"days":2}`, nil})
}

// everyPGState is a bench with a user in each state of both dialects, and their names.
func everyPGState(t *testing.T) (b *bench, names []string) {
	t.Helper()
	b = everyState(t)
	for _, s := range states() {
		names = append(names, s.name)
	}
	b.group("with inbounds", b.tag(1))
	for _, s := range pgStates() {
		b.pg("POST", "/user", strings.Replace(`{"username":"`+s.name+`",`+s.members+`}`, ",}", "}", 1), 201)
		if s.change != nil {
			s.change(b, s.name)
		}
		names = append(names, s.name)
	}
	b.clock.Advance(time.Millisecond) // a change would show in edit_at
	return b, names
}

// What is shown of a user is no change, whole or member by member, in any state (decisions.md §1.2, echo rule).
func TestPGEcho(t *testing.T) {
	b, names := everyPGState(t)
	for _, name := range names {
		t.Run(name, func(t *testing.T) {
			path := "/user/" + url.PathEscape(name)
			shown, before, row := b.pg("GET", path, "", 200), b.version(), b.row(name)
			var members map[string]json.RawMessage
			if err := json.Unmarshal([]byte(shown), &members); err != nil {
				t.Fatal(err)
			}
			bodies := []string{shown}
			for _, member := range slices.Sorted(maps.Keys(members)) {
				bodies = append(bodies, fmt.Sprintf(`{%q:%s}`, member, members[member]))
			}
			for _, body := range bodies {
				if after := b.pg("PUT", path, body, 200); after != shown {
					t.Errorf("%s\nmakes it %s\nit was   %s", body, after, shown)
				}
				if b.version() != before {
					t.Fatalf("%s is a change\nof %v\nto %v", body, row, b.row(name))
				}
			}
		})
	}
}

// A whole user that is sent back with one member changed changes nothing else, also of what is not shown.
func TestPGEchoWithAChange(t *testing.T) {
	life := []string{"expire_at", "hold_since", "hold_duration", "hold_timeout", "status", "status_since"}
	for _, changes := range [][]struct {
		member, value string
		columns       []string // that may change
	}{
		{ // one after the other, because none of them brings a user into another state, but for the last
			{"note", `"changed"`, []string{"note"}},
			{"hwid_limit", `7`, []string{"limit_hwid"}},
			{"group_ids", `[1,2]`, []string{"groups"}},
			{"next_plan", `{"data_limit":77}`, []string{"has_next_plan", "next_template", "next_quota", "next_duration", "next_carries_over"}},
			{"data_limit_reset_strategy", `"year"`, []string{"reset_policy", "reset_params", "reset_anchor", "next_reset_at"}},
			{"data_limit", `123456`, []string{"quota", "status", "status_since"}},
		},
		{{"status", `"disabled"`, []string{"enabled", "status", "status_since"}}},
		{{"status", `"active"`, append([]string{"enabled"}, life...)}},
	} {
		b, names := everyPGState(t)
		for _, name := range names {
			path := "/user/" + url.PathEscape(name)
			for _, c := range changes {
				t.Run(c.member+" of "+name, func(t *testing.T) {
					before := b.row(name)
					var body map[string]json.RawMessage
					if err := json.Unmarshal([]byte(b.pg("GET", path, "", 200)), &body); err != nil {
						t.Fatal(err)
					}
					body[c.member] = json.RawMessage(c.value)
					text, err := json.Marshal(body)
					if err != nil {
						t.Fatal(err)
					}
					b.pg("PUT", path, string(text), 200)
					for column, is := range b.row(name) {
						if was := before[column]; fmt.Sprint(is) != fmt.Sprint(was) && !slices.Contains(c.columns, column) {
							t.Errorf("the column %s was %v and is %v", column, was, is)
						}
					}
				})
			}
		}
	}
}
