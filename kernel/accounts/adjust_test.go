package accounts_test

import (
	"context"
	"fmt"
	"math"
	"reflect"
	"testing"

	"github.com/sluicehq/sluice/kernel/accounts"
	"github.com/sluicehq/sluice/kernel/domain"
	"github.com/sluicehq/sluice/storage"
)

// What becomes of a user that is adjusted, and why not all of it is done.
func TestBulkAdjust(t *testing.T) {
	atQuota := func(bytes int64) func(*accounts.NewUser) {
		return func(n *accounts.NewUser) { n.Quota = ptr(bytes) }
	}
	for _, c := range []struct {
		name    string
		user    func(*accounts.NewUser)
		adjust  accounts.Adjustment
		reasons []string
		want    string
		quota   int64 // 0 = none
	}{
		{"days", expiring(5 * day), accounts.Adjustment{Days: 3}, nil, "active since 0d, expires 8d", 0},
		{"days from the stored expiry", expiring(-5 * day), accounts.Adjustment{Days: 3}, nil, "expired since 0d, expires -2d", 0},
		{"days bring back", expiring(-5 * day), accounts.Adjustment{Days: 6}, nil, "active since 0d, expires 1d", 0},
		{"days into the past", expiring(5 * day), accounts.Adjustment{Days: -9}, nil, "expired since 0d, expires -4d", 0},
		{"days without an expiry", quota, accounts.Adjustment{Days: 3}, []string{"unlimited expiry"}, "active since 0d", 100},
		{"days before 1970", expiring(5 * day), accounts.Adjustment{Days: -36500}, []string{"reduction exceeds remaining time"}, "active since 0d, expires 5d", 0},
		{
			"days to 1970", func(n *accounts.NewUser) { n.ExpireAt = ptr(day) },
			accounts.Adjustment{Days: -1},
			[]string{"reduction exceeds remaining time"},
			"expired since 0d, expires " + when(day), 0,
		},
		{
			"days to a moment after 1970", func(n *accounts.NewUser) { n.ExpireAt = ptr(day + 1) },
			accounts.Adjustment{Days: -1},
			nil, "expired since 0d, expires " + when(1), 0,
		},
		{
			"days after the end of time", func(n *accounts.NewUser) { n.ExpireAt = ptr(int64(math.MaxInt64 - day + 1)) },
			accounts.Adjustment{Days: 1},
			[]string{"addition exceeds the largest time"},
			"active since 0d, expires " + when(math.MaxInt64-day+1), 0,
		},
		{
			"days to the end of time", func(n *accounts.NewUser) { n.ExpireAt = ptr(int64(math.MaxInt64 - day)) },
			accounts.Adjustment{Days: 1},
			nil, "active since 0d, expires " + when(math.MaxInt64), 0,
		},
		{"days of a hold", with(held(nil)), accounts.Adjustment{Days: -29}, nil, "on_hold since 0d, held since 0d for 24h0m0s", 0},
		{
			"all days of a hold", held(nil),
			accounts.Adjustment{Days: -30},
			[]string{"reduction exceeds delay window"},
			"on_hold since 0d, held since 0d for 720h0m0s", 0,
		},
		{
			"too many days of a hold", held(nil),
			accounts.Adjustment{Days: 36500},
			[]string{"addition exceeds 100 years"},
			"on_hold since 0d, held since 0d for 720h0m0s", 0,
		},
		{"bytes", quota, accounts.Adjustment{Bytes: 50}, nil, "active since 0d", 150},
		{"fewer bytes", quota, accounts.Adjustment{Bytes: -99}, nil, "active since 0d", 1},
		{"all bytes", quota, accounts.Adjustment{Bytes: -100}, []string{"reduction exceeds remaining quota"}, "active since 0d", 100},
		{"far more than all bytes", quota, accounts.Adjustment{Bytes: math.MinInt64}, []string{"reduction exceeds remaining quota"}, "active since 0d", 100},
		{"bytes without a quota", expiring(day), accounts.Adjustment{Bytes: 5}, []string{"unlimited traffic"}, "active since 0d, expires 1d", 0},
		{
			"more bytes than a number holds", atQuota(math.MaxInt64),
			accounts.Adjustment{Bytes: 1},
			[]string{"addition exceeds the largest quota"},
			"active since 0d", math.MaxInt64,
		},
		{"as many bytes as a number holds", atQuota(math.MaxInt64 - 1), accounts.Adjustment{Bytes: 1}, nil, "active since 0d", math.MaxInt64},
		{
			"every reason", func(*accounts.NewUser) {},
			accounts.Adjustment{Days: 1, Bytes: 1, Flow: ptr(domain.FlowVision)},
			[]string{"unlimited expiry", "unlimited traffic", "flow not supported on inbound"},
			"active since 0d", 0,
		},
		{"one thing is done, another is not", expiring(5 * day), accounts.Adjustment{Days: 3, Bytes: 1}, []string{"unlimited traffic"}, "active since 0d, expires 8d", 0},
		{"the flow is cleared", expiring(day), accounts.Adjustment{Flow: ptr("")}, nil, "active since 0d, expires 1d", 0},
	} {
		t.Run(c.name, func(t *testing.T) {
			b := newBench(t)
			b.inbounds(1)
			n := b.user("alice")
			c.user(&n)
			b.create(n)
			before := b.lastChange()
			report, err := b.BulkAdjust(t.Context(), []string{"Alice"}, c.adjust, accounts.How{})
			want := []string{}
			for _, reason := range c.reasons {
				want = append(want, "Alice: "+reason)
			}
			if err != nil || !reflect.DeepEqual(reasons(report), want) || report.Count == 1 != (b.lastChange() > before) {
				t.Errorf("adjusted %d, skipped %q, %v", report.Count, reasons(report), err)
			}
			got := b.story("alice")
			u, err := b.db.UserByName(t.Context(), "alice")
			if u.HoldSince != nil {
				got += fmt.Sprintf(" for %dh0m0s", u.HoldDuration/hour)
			}
			if u.Quota == nil {
				u.Quota = new(int64)
			}
			if err != nil || got != c.want || *u.Quota != c.quota {
				t.Errorf("alice is %s, quota %d\nwant     %s, quota %d", got, *u.Quota, c.want, c.quota)
			}
			b.agree()
		})
	}
}

// Many users are one transaction; skips come in the order of the request, and who is adjusted counts with all it moved.
func TestBulkAdjustMany(t *testing.T) {
	b := newBench(t)
	b.inbounds(1)
	tls := domain.Inbound{Tag: "tls", Protocol: domain.VLESS, Port: 443, Enabled: true, Settings: "{}", StreamSettings: `{"security":"tls"}`}
	b.write(func(tx *storage.Tx) error { return tx.InsertInbound(t.Context(), &tls) })
	for i, name := range []string{"a", "b", "c"} {
		n := b.user(name)
		if i > 0 {
			quota(&n)
		}
		n.Inbounds = []int64{int64(1 + i%2)}
		b.create(n)
	}
	b.counters.move(2, 60, 60) // over its quota of 100, and not flushed
	told := len(b.core.told())
	report, err := b.BulkAdjust(t.Context(), []string{"c", "nobody", "b", "a"}, accounts.Adjustment{Bytes: 10, Flow: ptr(domain.FlowVision)}, accounts.How{})
	want := []string{
		"c: flow not supported on inbound", "nobody: client not found", "a: unlimited traffic", "a: flow not supported on inbound",
	}
	if got := reasons(report); err != nil || report.Count != 2 || !reflect.DeepEqual(got, want) {
		t.Errorf("adjusted %d, %v, skipped\n got %q\nwant %q", report.Count, err, got, want)
	}
	if got := b.story("b"); got != "limited since 0d, used 60+60" {
		t.Errorf("b is %s", got)
	}
	flush(b)
	if got := b.story("b"); got != "limited since 0d, used 60+60" {
		t.Errorf("after a flush b is %s", got)
	}
	if u, err := b.db.UserByName(t.Context(), "b"); err != nil || u.Flow != domain.FlowVision || *u.Quota != 110 {
		t.Errorf("b has the flow %q and a quota of %d, %v", u.Flow, *u.Quota, err)
	}
	if effects := b.core.told()[told:]; !reflect.DeepEqual(effects, []string{"user 3 [1]", "user 2 [2]"}) {
		t.Errorf("effects %q", effects)
	}
	b.agree()
	before := b.lastChange()
	if report, err := b.BulkAdjust(t.Context(), nil, accounts.Adjustment{Days: 1}, accounts.How{}); report.Count != 0 || len(reasons(report)) != 0 || err != nil || b.lastChange() != before {
		t.Errorf("nobody: %v, %v", report, err)
	}
}

// reasons are what a report skipped, as a dialect without names of its own would say it.
func reasons(r accounts.Report) []string {
	list := []string{}
	for _, s := range r.Skipped {
		list = append(list, s.Name+": "+s.Why.Error())
	}
	return list
}

func TestBulkAdjustRefuses(t *testing.T) {
	b := newBench(t)
	b.inbounds(1)
	b.create(b.user("alice"))
	for _, c := range []struct {
		name        string
		adjust      accounts.Adjustment
		field, want string
	}{
		{"nothing", accounts.Adjustment{}, "", "no adjustment specified"},
		{"too many days", accounts.Adjustment{Days: 36501}, "days", "days must be between -36500 and 36500"},
		{"too few days", accounts.Adjustment{Days: -36501}, "days", "days must be between -36500 and 36500"},
		{"unknown flow", accounts.Adjustment{Flow: ptr("up")}, "flow", `flow must be "", "none" or "xtls-rprx-vision"`},
	} {
		t.Run(c.name, func(t *testing.T) {
			b.t = t
			b.refused(domain.CodeInvalid, c.field, c.want, func(ctx context.Context) error {
				_, err := b.BulkAdjust(ctx, []string{"alice"}, c.adjust, accounts.How{})
				return err
			})
		})
	}
}
