package domain

import (
	"fmt"
	"os"
	"strconv"
	"strings"
	"testing"
)

// days gives a day of the tests as a moment: they count from day 0.
func days(n int64) *int64 { return ptr(n * day) }

// quotaOf is the quota of every user in the table that has one.
const quotaOf = 100

// subject is a user of the table, with the bytes that it has used and the day that it is.
type subject struct {
	User
	used, today int64
}

// events are the columns of the table.
var events = map[string]func(*subject){
	"day 10": func(*subject) {},
	"day 15 comes": func(s *subject) {
		s.today = 15
		if s.HoldTimeout != nil {
			s.Activate(*s.HoldTimeout)
		}
	},
	"day 20 comes": func(s *subject) { s.today = 20 },
	"first use": func(s *subject) {
		s.today = 11
		if s.HoldSince != nil {
			s.Activate(*days(11))
		}
	},
	"quota used":   func(s *subject) { s.used = quotaOf },
	"usage reset":  func(s *subject) { s.used = 0 },
	"disable":      func(s *subject) { s.Enabled = false },
	"enable":       func(s *subject) { s.Enabled = true },
	"expiry to 25": func(s *subject) { s.HoldSince, s.HoldTimeout, s.ExpireAt = nil, nil, days(25) },
	"quota raised": func(s *subject) {
		if s.Quota != nil {
			s.Quota = ptr(s.used + 1)
		}
	},
	"put on hold": func(s *subject) { s.Hold(*days(s.today), *days(30), days(18)) },
	"renewed": func(s *subject) {
		s.used = 0
		s.RenewCount++
		if s.ExpireAt != nil {
			s.ExpireAt = ptr(*s.ExpireAt + *days(30))
		}
	},
	"boundary 12": func(s *subject) { s.NextResetAt = days(12) },
}

// subjectOf makes the user of a line, of which facts are the first five cells.
func subjectOf(t *testing.T, facts []string) *subject {
	t.Helper()
	on := func(cell string) *int64 {
		if cell == "-" {
			return nil
		}
		n, err := strconv.ParseInt(cell, 10, 64)
		if err != nil {
			t.Fatal(err)
		}
		return days(n)
	}
	s := &subject{User: User{Enabled: facts[0] == "yes", ExpireAt: on(facts[2]), RenewMax: 1}, used: 40, today: 10}
	since, timeout, ends := strings.Cut(facts[1], " to ")
	if s.HoldSince = on(since); s.HoldSince != nil {
		s.HoldDuration = *days(30)
	}
	if ends {
		s.HoldTimeout = on(timeout)
	}
	if facts[3] != "-" {
		s.Quota = ptr(int64(quotaOf))
	}
	if facts[3] == "met" {
		s.used = quotaOf
	}
	if facts[4] == "once" {
		s.RenewDays = 30
	}
	s.Settle(*days(s.today), s.used)
	return s
}

// outcome is a cell of the table.
func (s *subject) outcome() string {
	s.Settle(*days(s.today), s.used)
	if due := s.DueAt(false); due != 0 {
		return fmt.Sprintf("%s %d", s.Status, due/day)
	}
	return string(s.Status)
}

func TestLife(t *testing.T) {
	table, err := os.ReadFile("testdata/life.txt")
	if err != nil {
		t.Fatal(err)
	}
	const facts = 5
	var head []string
	seen := map[string]bool{}
	for line := range strings.Lines(string(table)) {
		if strings.HasPrefix(line, "#") {
			continue
		}
		cells := strings.Split(line, "|")
		for i := range cells {
			cells[i] = strings.TrimSpace(cells[i])
		}
		if head == nil {
			head = cells
			continue
		}
		seen[strings.Join(cells[:facts], "|")] = true
		for i := facts; i < len(head); i++ {
			s := subjectOf(t, cells[:facts])
			events[head[i]](s)
			if got := s.outcome(); got != cells[i] {
				t.Errorf("%v, %s: %s, want %s", cells[:facts], head[i], got, cells[i])
			}
		}
	}
	if len(seen) != 2*3*3*3*2 || len(head) != facts+len(events) {
		t.Errorf("the table has %d combinations of facts and %d events", len(seen), len(head)-facts)
	}
}

// Disabling a user on hold changes nothing about the hold, and its clock goes on (decisions.md §1.1).
func TestDisabledHold(t *testing.T) {
	s := subjectOf(t, []string{"yes", "8 to 15", "-", "-", "-"})
	s.Enabled = false
	if got := s.outcome(); got != "disabled 15" {
		t.Errorf("disabled: %s", got)
	}
	s.Enabled = true
	if got := s.outcome(); got != "on_hold 15" || *s.HoldSince != *days(8) || s.HoldDuration != *days(30) {
		t.Errorf("enabled again: %s since %d for %d", got, *s.HoldSince, s.HoldDuration)
	}
	s.Enabled, s.today = false, 15
	s.Activate(*s.HoldTimeout)
	if got := s.outcome(); got != "disabled" || *s.ExpireAt != *days(45) {
		t.Errorf("the timeout of a disabled user: %s, expires at %d", got, *s.ExpireAt)
	}
}

func TestActivate(t *testing.T) {
	for _, c := range []struct {
		name     string
		at, want int64
	}{
		{"first use an hour after the start", *days(8) + 3_600_000, *days(38) + 3_600_000},
		{"timeout", *days(15), *days(45)},
	} {
		t.Run(c.name, func(t *testing.T) {
			u := subjectOf(t, []string{"yes", "8 to 15", "-", "left", "-"}).User
			u.Activate(c.at)
			if u.HoldSince != nil || u.HoldTimeout != nil || u.HoldDuration != 0 || *u.ExpireAt != c.want {
				t.Errorf("%+v, expires at %d, want %d", u, *u.ExpireAt, c.want)
			}
		})
	}
}

func TestSettle(t *testing.T) {
	u := User{Enabled: true, Quota: ptr(int64(10))}
	for _, c := range []struct {
		name          string
		now, used     int64
		before, after Status
		since         int64
	}{
		{"the first look", 100, 0, "", StatusActive, 100},
		{"the same", 200, 9, StatusActive, StatusActive, 100},
		{"the quota is met", 300, 10, StatusActive, StatusLimited, 300},
		{"still", 400, 11, StatusLimited, StatusLimited, 300},
		{"reset", 500, 0, StatusLimited, StatusActive, 500},
	} {
		if before := u.Settle(c.now, c.used); before != c.before || u.Status != c.after || u.StatusSince != c.since {
			t.Errorf("%s: %q before, %s since %d after; want %q, %s since %d",
				c.name, before, u.Status, u.StatusSince, c.before, c.after, c.since)
		}
	}
}

func TestRenewable(t *testing.T) {
	for _, c := range []struct {
		name string
		u    User
		want bool
	}{
		{"nothing asked", User{Enabled: true}, false},
		{"days", User{Enabled: true, RenewDays: 30}, true},
		{"a day of the month", User{Enabled: true, RenewDay: 31}, true},
		{"any number of times", User{Enabled: true, RenewDays: 30, RenewCount: 1000}, true},
		{"one left", User{Enabled: true, RenewDays: 30, RenewMax: 2, RenewCount: 1}, true},
		{"none left", User{Enabled: true, RenewDays: 30, RenewMax: 2, RenewCount: 2}, false},
		{"disabled", User{RenewDays: 30}, false},
	} {
		if got := c.u.Renewable(); got != c.want {
			t.Errorf("%s: %v", c.name, got)
		}
	}
}

func TestDeleteAt(t *testing.T) {
	expired := User{Enabled: true, Status: StatusExpired, StatusSince: *days(10), AutoDelete: ptr(3)}
	limited := expired
	limited.Status = StatusLimited
	active, disabled, never, atOnce, renewed, spent := expired, expired, expired, expired, expired, expired
	active.Status, disabled.Status, never.AutoDelete, atOnce.AutoDelete = StatusActive, StatusDisabled, nil, ptr(0)
	renewed.RenewDays = 30
	spent.RenewDays, spent.RenewMax, spent.RenewCount = 30, 1, 1
	for _, c := range []struct {
		name         string
		u            User
		without, too int64 // without and with limitedToo
	}{
		{"expired", expired, 13, 13},
		{"limited", limited, 0, 13},
		{"active", active, 0, 0},
		{"disabled", disabled, 0, 0},
		{"never", never, 0, 0},
		{"at once", atOnce, 10, 10},
		{"expired, to be renewed", renewed, 0, 0},
		{"expired, all renewals used", spent, 13, 13},
	} {
		if without, too := c.u.DeleteAt(false), c.u.DeleteAt(true); without != c.without*day || too != c.too*day {
			t.Errorf("%s: %d and %d, want %d and %d", c.name, without/day, too/day, c.without, c.too)
		}
	}
}

// The table has one thing due at a time, or two; these are about which of several comes first, and about retries.
func TestDueAt(t *testing.T) {
	for _, c := range []struct {
		name   string
		change func(u *User)
		want   int64
	}{
		{"nothing", func(u *User) { u.ExpireAt = nil }, 0},
		{"expiry before the boundary", func(u *User) { u.NextResetAt = days(21) }, 20},
		{"boundary before the expiry", func(u *User) { u.NextResetAt = days(19) }, 19},
		{"boundary of a disabled user", func(u *User) { u.Enabled, u.NextResetAt = false, days(12) }, 12},
		{"boundary of a user on hold", func(u *User) { u.Hold(0, day, days(13)); u.NextResetAt = days(12) }, 12},
		{"hold timeout before the boundary", func(u *User) { u.Hold(0, day, days(11)); u.NextResetAt = days(12) }, 11},
		{"overdue boundary", func(u *User) { u.NextResetAt = days(2) }, 2},
		{"boundary that failed", func(u *User) { u.NextResetAt, u.ResetRetryAt = days(2), days(11) }, 11},
		{"overdue since 1970, in days", func(u *User) { u.ExpireAt = days(0) }, 0},
		{"retry before the boundary", func(u *User) { u.NextResetAt, u.ResetRetryAt = days(12), days(11) }, 12},
		{"a retry does not put off the expiry", func(u *User) { u.NextResetAt, u.ResetRetryAt = days(2), days(30) }, 20},
		{"renewal that failed", func(u *User) {
			u.Status, u.ExpireAt, u.RenewDays, u.ResetRetryAt = StatusExpired, days(5), 30, days(11)
		}, 11},
		{"deletion of an expired user", func(u *User) {
			u.Status, u.StatusSince, u.AutoDelete = StatusExpired, *days(20), ptr(1)
		}, 21},
		{"boundary before the deletion", func(u *User) {
			u.Status, u.StatusSince, u.AutoDelete, u.NextResetAt = StatusExpired, *days(20), ptr(5), days(22)
		}, 22},
		{"next plan of a limited user", func(u *User) { u.Status, u.StatusSince, u.HasNextPlan = StatusLimited, *days(7), true }, 7},
		{"next plan of a limited user, retried", func(u *User) {
			u.Status, u.StatusSince, u.HasNextPlan, u.ResetRetryAt = StatusLimited, *days(7), true, days(9)
		}, 9},
		{"expiry before the retry of a next plan", func(u *User) {
			u.Status, u.StatusSince, u.HasNextPlan, u.ResetRetryAt = StatusLimited, *days(7), true, days(29)
		}, 20},
		{"next plan of an expired user, never deleted", func(u *User) {
			u.Status, u.StatusSince, u.HasNextPlan, u.ResetRetryAt, u.AutoDelete = StatusExpired, *days(20), true, days(25), ptr(0)
		}, 25},
		{"renewal before a next plan", func(u *User) {
			u.Status, u.StatusSince, u.HasNextPlan, u.RenewDays, u.ResetRetryAt = StatusExpired, *days(21), true, 1, days(26)
		}, 26},
		{"next plan of an active user", func(u *User) { u.HasNextPlan = true }, 20},
		{"next plan of a disabled user", func(u *User) {
			u.Enabled, u.Status, u.HasNextPlan, u.NextResetAt = false, StatusDisabled, true, days(12)
		}, 12},
		{"expiry of a limited user before its deletion", func(u *User) {
			u.Status, u.StatusSince, u.AutoDelete = StatusLimited, *days(19), ptr(2)
		}, 20},
	} {
		t.Run(c.name, func(t *testing.T) {
			u := User{Enabled: true, Status: StatusActive, ExpireAt: days(20)}
			c.change(&u)
			if got := u.DueAt(true); got/day != c.want || (got > 0) != (c.name != "nothing") {
				t.Errorf("%d on day %d, want %d", got, got/day, c.want)
			}
		})
	}
}

func TestServes(t *testing.T) {
	for _, c := range []struct {
		name string
		in   Inbound
		want bool
	}{
		{"on", Inbound{Enabled: true}, true},
		{"off", Inbound{}, false},
		{"expires later", Inbound{Enabled: true, ExpireAt: ptr(int64(11))}, true},
		{"expires now", Inbound{Enabled: true, ExpireAt: ptr(int64(10))}, false},
		{"a byte left", Inbound{Enabled: true, Quota: ptr(int64(5)), Up: 2, Down: 2}, true},
		{"quota met", Inbound{Enabled: true, Quota: ptr(int64(5)), Up: 2, Down: 3}, false},
	} {
		if got := c.in.Serves(10); got != c.want {
			t.Errorf("%s: %v", c.name, got)
		}
	}
}

func TestChunkEmpty(t *testing.T) {
	for name, c := range map[string]struct {
		chunk Chunk
		want  bool
	}{
		"numbered only": {Chunk{Node: "node", Seq: 1}, true},
		"users":         {Chunk{Users: []TrafficDelta{{}}}, false},
		"inbounds":      {Chunk{Inbounds: []InboundDelta{{}}}, false},
	} {
		if got := c.chunk.Empty(); got != c.want {
			t.Errorf("%s: %v", name, got)
		}
	}
}

func TestSettingsIntervals(t *testing.T) {
	var preset Settings
	own := Settings{FlushSeconds: 7, IPGraceSeconds: 90}
	for name, c := range map[string]struct{ got, want float64 }{
		"flush preset": {preset.FlushEvery().Seconds(), 5}, "flush": {own.FlushEvery().Seconds(), 7},
		"grace preset": {preset.IPGrace().Seconds(), 30}, "grace": {own.IPGrace().Seconds(), 90},
	} {
		if c.got != c.want {
			t.Errorf("%s: %v s, want %v", name, c.got, c.want)
		}
	}
}
