package domain

import (
	"cmp"
	"time"
)

// Settings are what an operator may change while Sluice runs. The zero value is the default.
type Settings struct {
	PublicHosts []string // hosts that clients reach this server by; the first is what links carry
	PublicURL   string   // base of subscription URLs, "" = the request's own

	TimeZone          string // IANA name, "" = UTC: what calendar boundaries are counted in
	FlushSeconds      int    // seconds between two writes of traffic, 0 = 5
	IPGraceSeconds    int    // seconds for which an address counts after its last connection, 0 = 30
	AutoDeleteLimited bool   // auto_delete counts from a used up quota too, not only from expiry

	ExpireDiffDays int // days before its expiry from which on a user is expiring, 0 = 3
	TrafficDiffGB  int // GiB left of its quota from which on a user is expiring, 0 = 1

	ProfileTitle string      // what apps call the subscription, with variables such as {USERNAME}; "" = the username
	SupportURL   string      // where users ask for help: http, https, tg or mailto; "" = nowhere
	UpdateHours  int         // how often apps are asked to fetch again, in hours, 0 = 12
	Announcement string      // one line that apps show above the list, "" = none
	StatusEntry  bool        // who may not connect gets a first entry that says why
	AgentRules   []AgentRule // which app gets which format, the first match counts; nil = those that come with Sluice
}

// AgentRule gives the apps of a User-Agent a format.
type AgentRule struct {
	Agent  string `json:"agent"`  // part of the User-Agent, or /a regular expression of RE2/; case does not matter
	Format string `json:"format"` // id of a format
}

// ExpireDiff is how long before its expiry a user is shown as expiring, in ms.
func (s *Settings) ExpireDiff() int64 { return int64(cmp.Or(s.ExpireDiffDays, 3)) * day }

// TrafficDiff is how little of its quota is left when a user is shown as expiring, in bytes.
func (s *Settings) TrafficDiff() int64 { return int64(cmp.Or(s.TrafficDiffGB, 1)) << 30 }

// UpdateInterval is how often apps are asked to fetch their subscription again, in hours.
func (s *Settings) UpdateInterval() int { return cmp.Or(s.UpdateHours, 12) }

// FlushEvery is the time between two writes of traffic.
func (s *Settings) FlushEvery() time.Duration { return seconds(s.FlushSeconds, 5) }

// IPGrace is how long an address counts against the IP limit after its last connection.
func (s *Settings) IPGrace() time.Duration { return seconds(s.IPGraceSeconds, 30) }

func seconds(n, preset int) time.Duration {
	if n == 0 {
		n = preset
	}
	return time.Duration(n) * time.Second
}
