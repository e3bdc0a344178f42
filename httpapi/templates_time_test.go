package httpapi

import (
	"fmt"
	"net/http"
	"reflect"
	"testing"
	"time"

	"github.com/jonboulle/clockwork"

	"github.com/sluicehq/sluice/kernel"
)

// templateStory is a kernel whose clock starts at the seed's 2024-01-01, with a group and its inbound.
type templateStory struct{ *bench }

func newTemplateStory(t *testing.T) templateStory {
	t.Helper()
	clock := clockwork.NewFakeClockAt(time.Date(2024, 1, 1, 0, 0, 0, 0, time.UTC))
	b := newBench(t, func(o *kernel.Options) { o.Clock = clock })
	b.clock = clock
	b.inbound(1)
	b.group("basic", b.tag(1))
	return templateStory{b}
}

// sell makes a template, the first, and a user from it.
func (s templateStory) sell(template, name string) {
	s.t.Helper()
	s.pg(http.MethodPost, "/user_template", template, http.StatusCreated)
	s.pg(http.MethodPost, "/user/from_template", fmt.Sprintf(`{"user_template_id":1,"username":%q}`, name), http.StatusCreated)
}

// at moves the clock to a moment.
func (s templateStory) at(moment string) {
	s.t.Helper()
	to, err := time.Parse(time.RFC3339, moment)
	if err != nil {
		s.t.Fatal(err)
	}
	s.clock.Advance(to.Sub(s.clock.Now()))
}

// wantSoon waits until the user shows these members, and fails with what it shows instead.
func (s templateStory) wantSoon(name string, members map[string]any) {
	s.t.Helper()
	var differ string
	for deadline := time.Now().Add(20 * time.Second); time.Now().Before(deadline); {
		differ = ""
		shown := s.userJSON(name)
		for member, want := range members {
			if !reflect.DeepEqual(shown[member], want) {
				differ += fmt.Sprintf("%s is %v, want %v; ", member, shown[member], want)
			}
		}
		if differ == "" {
			return
		}
	}
	s.t.Fatalf("%s at %s: %s", name, s.clock.Now().UTC(), differ)
}

// Seed: user templates, "Trial Plan": an hour on hold, then 30 days.
func TestTemplateOnHold(t *testing.T) {
	s := newTemplateStory(t)
	const trial = `{"name":"Trial Plan","status":"on_hold","expire_duration":2592000,"on_hold_timeout":3600,"group_ids":[1]}`
	s.sell(trial, "john")
	waiting := map[string]any{
		"status": "on_hold", "expire": nil, "on_hold_expire_duration": 2592000.0, "on_hold_timeout": "2024-01-01T01:00:00Z",
	}
	s.wantSoon("john", waiting)
	s.at("2024-01-01T00:59:59Z")
	s.wantSoon("john", waiting)
	s.at("2024-01-01T01:00:00Z")
	// decisions.md S1: 30 days after the activation, not after the creation.
	s.wantSoon("john", map[string]any{
		"status": "active", "expire": "2024-01-31T01:00:00Z", "on_hold_expire_duration": nil, "on_hold_timeout": nil,
	})
	s.at("2024-01-31T00:59:59Z")
	s.wantSoon("john", map[string]any{"status": "active"})
	s.at("2024-01-31T01:00:00Z")
	s.wantSoon("john", map[string]any{"status": "expired"})
}

// Seed: user templates, "Reset strategy": made on 2024-01-01, a month's usage is reset on 2024-01-31 and 2024-03-01.
func TestTemplateResets(t *testing.T) {
	s := newTemplateStory(t)
	const monthly = `{"name":"Monthly Plan","data_limit":5368709120,"data_limit_reset_strategy":"month","group_ids":[1]}`
	s.sell(monthly, "john")
	usage := func(bytes int64) {
		s.do("/clients/updateTraffic/john", fmt.Sprintf(`{"upload":%d,"download":0}`, bytes), "")
	}
	shows := func(status string, used float64, next string) {
		t.Helper()
		s.wantSoon("john", map[string]any{
			"status": status, "used_traffic": used, "data_limit_reset_strategy": "month",
			"reset_policy": map[string]any{"id": "month", "params": nil, "next_at": next},
		})
	}
	usage(7)
	shows("active", 7, "2024-01-31T00:00:00Z")
	s.at("2024-01-30T23:59:59Z")
	shows("active", 7, "2024-01-31T00:00:00Z")
	s.at("2024-01-31T00:00:00Z")
	shows("active", 0, "2024-03-01T00:00:00Z")
	usage(5368709120)
	shows("limited", 5368709120, "2024-03-01T00:00:00Z")
	s.at("2024-02-29T23:59:59Z") // 2024 is a leap year
	shows("limited", 5368709120, "2024-03-01T00:00:00Z")
	s.at("2024-03-01T00:00:00Z")
	shows("active", 0, "2024-03-31T00:00:00Z")
	if log := s.rows("SELECT COUNT(*) FROM usage_resets"); log != "[2]\n" {
		t.Errorf("the log of resets has %s", log)
	}
	// A server that was away for two periods resets once, and drifts by nothing.
	usage(9)
	s.at("2024-06-15T12:00:00Z")
	shows("active", 0, "2024-06-29T00:00:00Z")
	if log := s.rows("SELECT COUNT(*) FROM usage_resets"); log != "[3]\n" {
		t.Errorf("the log of resets has %s", log)
	}
}
