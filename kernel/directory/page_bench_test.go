package directory

import (
	"fmt"
	"testing"
	"time"

	"github.com/sluicehq/sluice/kernel/domain"
)

// benchNow is the moment of the pages, ms UTC.
const benchNow = 1_800_000_000_000

// town is like crowd, with users as they are in life: names in no order, all buckets, usage, notes, groups.
var town = func() func(n int64) *Directory {
	made := map[int64]*Directory{}
	return func(n int64) *Directory {
		if made[n] == nil {
			d := New()
			for id := range n {
				d.Put(citizen(id, 1))
			}
			made[n] = d
		}
		return made[n]
	}
}()

// Some have few users, or users who came last.
const (
	rareGroup = 99
	rareAdmin = 8
	newAdmin  = 9
)

// mixed spreads the number over 32 bits.
func mixed(id int64) int64 { return id * 2_654_435_761 & 0xffff_ffff }

func citizen(id, revision int64) domain.Account {
	const day = 86_400_000
	random := mixed(id)
	return with(id, revision, func(a *domain.Account) {
		u := &a.User
		u.Username = fmt.Sprintf("%08x_%s", random, []string{"ann", "bob", "zoe", "max"}[id%4])
		u.SubID = fmt.Sprintf("%016x", mixed(random))
		u.Enabled = id%17 != 0
		if id%3 != 0 {
			u.ExpireAt = ptr(benchNow + random%(60*day) - 10*day + day/2)
		}
		if id%2 != 0 {
			u.Quota = ptr((1 + random%100) << 30)
		}
		if id%10 == 0 {
			u.Note = "Paid by card"
		}
		u.CreatedAt, u.UpdatedAt = benchNow-random, benchNow-random
		a.Traffic.Up, a.Traffic.Down, a.Traffic.OnlineAt = random<<1, random<<2, benchNow-random%day
		a.Inbounds, a.Groups = []int64{1, 2 + random%8}, []int64{1 + random%20}
		if id%50_000 == 3 {
			a.Groups = append(a.Groups, rareGroup)
		}
		u.ResetPolicy = []string{"", "", "month", "week"}[random>>8%4]
		switch u.AdminID = 1 + random>>4%3; {
		case id%100_000 == 5:
			u.AdminID = rareAdmin
		case id >= 980_000: // the last of a million
			u.AdminID = newAdmin
		}
	})
}

// sizes are the numbers of users that are compared. Each operation takes turns on all of them, so that a busy machine slows
// all alike.
var sizes = []int64{1_000, 100_000, 1_000_000}

func compareSizes(b *testing.B, do func(d *Directory, now int64)) {
	b.Helper()
	took := make([][]time.Duration, len(sizes))
	for _, n := range sizes {
		do(town(n), benchNow)
	}
	const times = 20
	now := int64(benchNow)
	for b.Loop() {
		now += times
		for i, n := range sizes {
			d := town(n)
			took[i] = append(took[i], timed(func() {
				for j := range int64(times) {
					do(d, now+j)
				}
			}))
		}
	}
	for i, n := range sizes {
		b.ReportMetric(float64(median(took[i]).Nanoseconds())/1000/times, fmt.Sprintf("us-%dk", n/1000))
	}
	b.ReportMetric(float64(median(took[len(sizes)-1]))/float64(median(took[0])), "ratio-1M/1k")
	b.ReportMetric(0, "ns/op") // of all together it says nothing
}

// BenchmarkPage asks for pages of 25 once their order is built.
func BenchmarkPage(b *testing.B) {
	for _, c := range []struct {
		name string
		q    Query
	}{
		{"first", Query{}},
		{"page300", Query{Offset: 300 * 25}},
		{"name", Query{Sort: SortName, Descending: true, Offset: 300 * 25}},
		{"traffic", Query{Sort: SortTraffic, Offset: 300 * 25}},
		{"active", Query{Buckets: Active, Sort: SortName}},
		{"expiring", Query{Buckets: Expiring, Sort: SortTraffic}},
		{"depleted", Query{Buckets: Depleted, Offset: 300}},
		{"disabled", Query{Buckets: Disabled, Sort: SortName, Offset: 300}},
		{"inbound", Query{Inbounds: [][]int64{{5}}, Sort: SortName}},
		{"inboundPage40", Query{Inbounds: [][]int64{{5}}, Sort: SortName, Offset: 40 * 25}},
		{"groupOfActive", Query{Groups: []int64{3}, Buckets: Active, Sort: SortTraffic}},
	} {
		b.Run(c.name, func(b *testing.B) {
			c.q.Limit = 25
			compareSizes(b, func(d *Directory, now int64) { d.Page(now, c.q) })
		})
	}
}

// BenchmarkFilter asks for pages of 25 by a single filter, once the orders that they are answered from are built.
func BenchmarkFilter(b *testing.B) {
	const hour, day = 3_600_000, 86_400_000
	yes, no := ptr(true), ptr(false)
	for _, c := range []struct {
		name string
		q    Query
	}{
		{"status", Query{Statuses: []domain.Status{domain.StatusLimited}}},
		{"statusByName", Query{Statuses: []domain.Status{domain.StatusExpired}, Sort: SortName, Offset: 300 * 25}},
		{"admin", Query{Admins: []int64{2}}},
		{"rareAdmin", Query{Admins: []int64{rareAdmin}}},
		{"rareAdminByName", Query{Admins: []int64{rareAdmin}, Sort: SortName}},
		{"newAdmin", Query{Admins: []int64{newAdmin}}},
		{"newAdminByTraffic", Query{Admins: []int64{newAdmin}, Sort: SortTraffic, Descending: true}},
		{"group", Query{AnyGroups: []int64{3}}},
		{"groupByName", Query{AnyGroups: []int64{3}, Sort: SortName, Descending: true}},
		{"groupPage40", Query{AnyGroups: []int64{3}, Offset: 40 * 25}},
		{"rareGroup", Query{AnyGroups: []int64{rareGroup}}},
		{"policy", Query{Policies: []string{"month"}}},
		{"noQuota", Query{HasQuota: no}},
		{"expires", Query{Expires: yes, Sort: SortTraffic}},
		{"name", Query{Names: []string{"nobody", "00000000_ANN"}}},
		{"ids", Query{IDs: []int64{1, 500, 999_999}}},
		{"expiresToday", Query{ExpireFrom: benchNow, ExpireTo: benchNow + hour}},
		{"expiresLater", Query{ExpireFrom: benchNow + 40*day}},
		{"expiresLaterByExpiry", Query{ExpireFrom: benchNow + 40*day, Sort: SortExpiry}},
		{"quota", Query{QuotaFrom: 99 << 30}},
		{"quotaByName", Query{QuotaTo: 50 << 30, Sort: SortName}},
		{"used", Query{UsedFrom: 1 << 33}},
		{"usedByUsage", Query{UsedFrom: 1 << 33, Sort: SortTraffic, Descending: true}},
		{"onlineLately", Query{OnlineFrom: benchNow - 60_000}},
		{"onlineBefore", Query{OnlineTo: benchNow - hour}},
	} {
		b.Run(c.name, func(b *testing.B) {
			c.q.Limit = 25
			compareSizes(b, func(d *Directory, now int64) { d.Page(now, c.q) })
		})
	}
}

// BenchmarkScan asks for what nothing is kept of.
func BenchmarkScan(b *testing.B) {
	var online []int64
	for id := range int64(5_000) {
		online = append(online, id*2)
	}
	for _, c := range []struct {
		name string
		q    Query
	}{
		{"searchOne", Query{Search: "0000b"}},
		{"searchNone", Query{Search: "annegret"}},
		{"searchQuarter", Query{Search: "_ZOE", Sort: SortName}},
		{"searchNote", Query{Search: "card", Sort: SortTraffic}},
		{"searchAll", Query{Search: "_"}},
		{"online", Query{Buckets: Online, Online: online}},
		{"onlineOrDepleted", Query{Buckets: Online | Depleted, Online: online}},
		{"note", Query{HasNote: ptr(true)}},
		{"ordersOfFew", Query{AnyGroups: []int64{3}, Order: []OrderBy{{SortQuota, true}, {SortTraffic, false}}}},
		{"ordersOfAll", Query{Order: []OrderBy{{SortQuota, true}, {SortTraffic, false}}}},
	} {
		b.Run(c.name, func(b *testing.B) {
			c.q.Limit = 25
			compareSizes(b, func(d *Directory, now int64) { d.Page(now, c.q) })
		})
	}
}

// BenchmarkSummary counts with 200 names of each bucket.
func BenchmarkSummary(b *testing.B) {
	compareSizes(b, func(d *Directory, now int64) { d.Summary(now, 200) })
}

// BenchmarkGroupTotals adds up twenty groups.
func BenchmarkGroupTotals(b *testing.B) {
	compareSizes(b, func(d *Directory, _ int64) { d.GroupTotals() })
}

// BenchmarkAdminTotals adds up five admins.
func BenchmarkAdminTotals(b *testing.B) {
	compareSizes(b, func(d *Directory, _ int64) { d.AdminTotals() })
}

// BenchmarkMatchingIDs finds the twentieth part of the users for a bulk request.
func BenchmarkMatchingIDs(b *testing.B) {
	compareSizes(b, func(d *Directory, now int64) { d.MatchingIDs(now, Query{AnyGroups: []int64{3}}) })
}

// BenchmarkSetExpiring counts a million users anew.
func BenchmarkSetExpiring(b *testing.B) {
	d := town(1_000_000)
	for within := int64(1); b.Loop(); within++ {
		d.SetExpiring(within, gib)
	}
}

// BenchmarkOrder builds an order of a million users, and moves ten thousand of them after a flush.
func BenchmarkOrder(b *testing.B) {
	d := town(1_000_000)
	now := int64(benchNow)
	ask := func() { d.Page(now, Query{Sort: SortTraffic, Limit: 25}) }
	b.Run("build", func(b *testing.B) {
		for b.Loop() {
			now += 2 * idle
			d.Due(now, 1)
			ask()
		}
	})
	ds := make([]domain.TrafficDelta, 10_000)
	for i := range ds {
		ds[i] = domain.TrafficDelta{UserID: int64(i) * 100, Up: 1 << 20}
	}
	b.Run("10kMoved", func(b *testing.B) {
		for b.Loop() {
			b.StopTimer()
			d.Moved(ds)
			now += lag
			b.StartTimer()
			ask()
		}
	})
	b.Run("boundAfterFlush", func(b *testing.B) {
		q := Query{UsedFrom: 1 << 33, Limit: 25}
		d.Page(now, q)
		d.Moved(ds[:8*batch])
		for b.Loop() {
			d.Page(now, q)
		}
	})
}

// BenchmarkSettle reads users as they are in life, and then lists them for the first question.
func BenchmarkSettle(b *testing.B) {
	for _, n := range []int64{50_000, 100_000, 1_000_000} {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			citizens := make([]domain.Account, n)
			for id := range n {
				citizens[id] = citizen(id, 1)
			}
			var read, settled time.Duration
			for b.Loop() {
				d := New()
				read += timed(func() {
					for _, a := range citizens {
						d.Put(a)
					}
				})
				settled += timed(func() { d.Due(benchNow, 1) })
			}
			b.ReportMetric(float64(read.Milliseconds())/float64(b.N), "ms-read")
			b.ReportMetric(float64(settled.Milliseconds())/float64(b.N), "ms-settle")
			b.ReportMetric(0, "ns/op")
		})
	}
}
