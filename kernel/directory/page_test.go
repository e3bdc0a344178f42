package directory

import (
	"reflect"
	"slices"
	"testing"

	"github.com/sluicehq/sluice/kernel/domain"
)

const gib = 1 << 30

// street has one user of each kind, at moment 1000. Its users expire soon at 300 ms before.
func street(t *testing.T) *Directory {
	t.Helper()
	d := filled(t,
		with(1, 1, func(a *domain.Account) {
			a.User.Username, a.User.CreatedAt, a.User.UpdatedAt, a.Traffic.OnlineAt = "Zoë", 7, 8, 900
		}),
		with(2, 1, func(a *domain.Account) {
			a.User.Username, a.User.Enabled, a.User.CreatedAt, a.User.UpdatedAt = "bob", false, 7, 9
			a.Traffic.OnlineAt = 901
		}),
		with(3, 1, func(a *domain.Account) { // expiring
			a.User.Username, a.User.ExpireAt, a.Inbounds, a.Groups = "ann", ptr(int64(1_200)), []int64{1, 2}, []int64{9, 8}
		}),
		with(4, 1, func(a *domain.Account) { // expired
			a.User.Username, a.User.ExpireAt, a.Inbounds = "eve", ptr(int64(1_000)), []int64{2}
		}),
		with(5, 1, func(a *domain.Account) { // limited
			a.User.Username, a.User.Quota, a.Traffic.Up, a.Groups = "max", ptr(int64(50)), 60, []int64{8}
			a.User.AdminID = 3
		}),
		with(6, 1, func(a *domain.Account) { // little left
			a.User.Username, a.User.Quota, a.Traffic.Down, a.Inbounds = "kim", ptr(int64(3*gib)), 5*gib/2, []int64{1}
			a.User.AdminID, a.User.ResetPolicy, a.User.UpdatedAt = 4, "month", 10
		}),
		with(7, 1, func(a *domain.Account) {
			a.User.Username, a.User.TgID, a.User.Note = "leo", 5, "ПОЧТА"
			a.User.Hold(500, 100, nil)
		}),
	)
	d.SetExpiring(300, gib)
	return d
}

func TestPage(t *testing.T) {
	yes, no := ptr(true), ptr(false)
	for _, c := range []struct {
		name string
		q    Query
		want []int64
	}{
		{"all", Query{}, []int64{1, 2, 3, 4, 5, 6, 7}},
		{"by name", Query{Sort: SortName}, []int64{3, 2, 4, 6, 7, 5, 1}},
		{"by name, down", Query{Sort: SortName, Descending: true}, []int64{1, 5, 7, 6, 4, 2, 3}},
		{"an unknown order", Query{Sort: "height", Descending: true}, []int64{7, 6, 5, 4, 3, 2, 1}},
		{"admitted last", Query{Sort: SortEnable}, []int64{2, 4, 5, 1, 3, 6, 7}},
		{"admitted first, ties by id", Query{Sort: SortEnable, Descending: true}, []int64{1, 3, 6, 7, 2, 4, 5}},
		{"inbounds", Query{Sort: SortInbounds, Descending: true}, []int64{3, 4, 6, 1, 2, 5, 7}},
		{"remaining, unlimited last", Query{Sort: SortRemaining}, []int64{5, 6, 1, 2, 3, 4, 7}},
		{"remaining, unlimited first", Query{Sort: SortRemaining, Descending: true}, []int64{1, 2, 3, 4, 7, 6, 5}},
		{"expiry, never last", Query{Sort: SortExpiry}, []int64{4, 3, 1, 2, 5, 6, 7}},
		{"traffic", Query{Sort: SortTraffic, Descending: true}, []int64{6, 5, 1, 2, 3, 4, 7}},
		{"created", Query{Sort: SortCreated}, []int64{3, 4, 5, 6, 7, 1, 2}},
		{"created, ties with the direction", Query{Sort: SortCreated, Descending: true}, []int64{2, 1, 7, 6, 5, 4, 3}},
		{"active", Query{Buckets: Active}, []int64{1, 7}},
		{"expiring", Query{Buckets: Expiring}, []int64{3, 6}},
		{"depleted or disabled", Query{Buckets: Depleted | Disabled}, []int64{2, 4, 5}},
		{"online", Query{Buckets: Online, Online: []int64{6, 99, 1, 6}}, []int64{1, 6}},
		{"online or disabled", Query{Buckets: Online | Disabled, Online: []int64{6, 2}}, []int64{2, 6}},
		{"nobody online", Query{Buckets: Online}, []int64{}},
		{"online is of no interest", Query{Online: []int64{6}, Buckets: Active}, []int64{1, 7}},
		{"search a name in another spelling", Query{Search: "ZOE\u0308"}, []int64{1}},
		{"search a part of a sub id", Query{Search: "SUB000", Buckets: Disabled}, []int64{2}},
		{"search a note", Query{Search: "почт"}, []int64{7}},
		{"search across two texts", Query{Search: "leosub"}, []int64{}},
		{"inbounds of one list", Query{Inbounds: [][]int64{{1, 7}}}, []int64{3, 6}},
		{"inbounds of two lists", Query{Inbounds: [][]int64{{1}, {2}}}, []int64{3}},
		{"inbounds of an empty list", Query{Inbounds: [][]int64{{1}, {}}}, []int64{}},
		{"the first group", Query{Groups: []int64{8, 7}}, []int64{5}},
		{"groups of an empty list", Query{Groups: []int64{}}, []int64{}},
		{"inbound and bucket", Query{Inbounds: [][]int64{{2}}, Buckets: Depleted, Sort: SortName}, []int64{4}},
		{"expiry from", Query{ExpireFrom: 1_200}, []int64{3}},
		{"expiry to", Query{ExpireTo: 1_199}, []int64{4}},
		{"used from to", Query{UsedFrom: 60, UsedTo: 60}, []int64{5}},
		{"used to", Query{UsedTo: 59}, []int64{1, 2, 3, 4, 7}},
		{"of a status", Query{Statuses: []domain.Status{domain.StatusActive}}, []int64{1, 3, 6}},
		{"of two statuses", Query{Statuses: []domain.Status{domain.StatusLimited, domain.StatusOnHold}}, []int64{5, 7}},
		{"of no status", Query{Statuses: []domain.Status{}}, []int64{}},
		{"of an unknown status", Query{Statuses: []domain.Status{"tired"}}, []int64{}},
		{"expired, of the depleted", Query{Buckets: Depleted, Statuses: []domain.Status{domain.StatusExpired}}, []int64{4}},
		{"active, of those online", Query{
			Buckets: Online, Online: []int64{2, 3}, Statuses: []domain.Status{domain.StatusActive},
		}, []int64{3}},
		{"active, of those online or disabled", Query{
			Buckets: Online | Disabled, Online: []int64{2, 3, 4}, Statuses: []domain.Status{domain.StatusActive},
		}, []int64{3}},
		{"of the ids", Query{IDs: []int64{6, 99, 4, 6}}, []int64{4, 6}},
		{"of no ids", Query{IDs: []int64{}}, []int64{}},
		{"of the names", Query{Names: []string{"ZOE\u0308", "bo", "max"}, Sort: SortName}, []int64{5, 1}},
		{"of ids and names, searched", Query{
			IDs: []int64{1, 2, 7}, Names: []string{"leo", "bob", "max"}, Search: "Почт", HasTgID: yes,
		}, []int64{7}},
		{"search no sub ids", Query{Search: "sub0", SearchNames: true}, []int64{}},
		{"search names and notes", Query{Search: "o", SearchNames: true}, []int64{1, 2, 7}},
		{"of the admins", Query{Admins: []int64{3, 4}}, []int64{5, 6}},
		{"of no admin", Query{Admins: []int64{}}, []int64{}},
		{"of any of the groups", Query{AnyGroups: []int64{8, 7}}, []int64{3, 5}},
		{"of no group", Query{AnyGroups: []int64{}}, []int64{}},
		{"of a reset policy", Query{Policies: []string{"month", "week"}}, []int64{6}},
		{"that never reset", Query{Policies: []string{""}, HasQuota: yes}, []int64{5}},
		{"without quota", Query{HasQuota: no}, []int64{1, 2, 3, 4, 7}},
		{"that expire", Query{Expires: yes}, []int64{3, 4}},
		{"that do not expire", Query{Expires: no, Buckets: Active}, []int64{1, 7}},
		{"quota from", Query{QuotaFrom: 51}, []int64{6}},
		{"quota from to", Query{QuotaFrom: 50, QuotaTo: 3 * gib}, []int64{5, 6}},
		{"quota to", Query{QuotaTo: 49}, []int64{}},
		{"online from", Query{OnlineFrom: 901}, []int64{2}},
		{"online to", Query{OnlineTo: 900}, []int64{1}},
		{"two bounds", Query{ExpireFrom: 1_000, UsedTo: 9, Sort: SortExpiry, Descending: true}, []int64{3, 4}},
		{"bounds that exclude each other", Query{UsedFrom: 60, UsedTo: 59}, []int64{}},
		{"quota", Query{Sort: SortQuota}, []int64{1, 2, 3, 4, 7, 5, 6}},
		{"quota, down", Query{Sort: SortQuota, Descending: true}, []int64{6, 5, 1, 2, 3, 4, 7}},
		{"edited, never first", Query{Sort: SortEdited}, []int64{3, 4, 5, 7, 1, 2, 6}},
		{"one order of several", Query{Order: []OrderBy{{SortName, true}}, Sort: SortTraffic}, []int64{1, 5, 7, 6, 4, 2, 3}},
		{"orders", Query{Order: []OrderBy{{SortCreated, true}, {SortName, false}}}, []int64{2, 1, 3, 4, 6, 7, 5}},
		{"what comes after the name says nothing", Query{
			Order: []OrderBy{{SortEnable, false}, {SortName, true}, {SortTraffic, false}},
		}, []int64{5, 4, 2, 1, 7, 6, 3}},
		{"orders with ties by id", Query{Order: []OrderBy{{SortEnable, true}, {SortCreated, true}}}, []int64{1, 3, 6, 7, 2, 4, 5}},
		{"with Telegram and note", Query{HasTgID: yes, HasNote: yes, Renews: no}, []int64{7}},
		{"renews", Query{Renews: yes}, []int64{}},
		{"a part", Query{Sort: SortName, Offset: 2, Limit: 2}, []int64{4, 6}},
		{"behind the end", Query{Offset: 7, Limit: 2}, []int64{}},
		{"before the start", Query{Offset: -3, Limit: 1}, []int64{1}},
	} {
		t.Run(c.name, func(t *testing.T) {
			d, filtered := street(t), len(c.want)
			if c.q.Limit == 0 {
				c.q.Limit = 100
			} else {
				filtered = 7
			}
			if got := d.Page(1_000, c.q); got.IDs == nil || !slices.Equal(got.IDs, c.want) || got.Filtered != filtered {
				t.Errorf("%v of %d, want %v of %d", got.IDs, got.Filtered, c.want, filtered)
			}
		})
	}
	if got := street(t).Page(1_000, Query{}); len(got.IDs) != 0 || got.Filtered != 7 {
		t.Errorf("without a limit %+v, want nobody of 7", got)
	}
}

func TestSummary(t *testing.T) {
	d := street(t)
	want := Summary{
		Total: 7, Active: 2, Expiring: 2, Depleted: 2, Disabled: 1,
		ExpiringNames: []string{"ann"}, DepletedNames: []string{"eve"}, DisabledNames: []string{"bob"},
	}
	if got := d.Summary(1_000, 1); !reflect.DeepEqual(got, want) {
		t.Errorf("%+v, want %+v", got, want)
	}
	none := Summary{ExpiringNames: []string{}, DepletedNames: []string{}, DisabledNames: []string{}}
	if got := New().Summary(5, 9); !reflect.DeepEqual(got, none) {
		t.Errorf("of nobody %+v, want %+v", got, none)
	}
	if got := d.Names([]int64{7, 99, 1}); !slices.Equal(got, []string{"leo", "Zoë"}) {
		t.Errorf("names %q", got)
	}
	if got, want := d.OrphanIDs(), []int64{1, 2, 7}; !slices.Equal(got, want) {
		t.Errorf("orphans %v, want %v", got, want)
	}
	d.Moved([]domain.TrafficDelta{{UserID: 3, Up: 4, Down: 2}})
	totals := map[int64]GroupTotal{8: {2, 64, 2}, 9: {1, 4, 2}}
	if got := d.GroupTotals(); !reflect.DeepEqual(got, totals) {
		t.Errorf("group totals %v, want %v", got, totals)
	}
	d.Remove(3, 5)
	if got := d.GroupTotals(); len(got) != 0 {
		t.Errorf("groups without members have totals %v", got)
	}
}

// The counts follow time in both directions, and usage, without anything else being told.
func TestBucketsFollowTime(t *testing.T) {
	d := filled(t,
		expiring(1, 1, 1_000),
		expiring(2, 1, 1_300),
		with(3, 1, func(a *domain.Account) { a.User.Quota = ptr(int64(2 * gib)) }),
	)
	d.SetExpiring(100, gib)
	at := func(now int64, want [4]int) {
		t.Helper()
		s := d.Summary(now, 9)
		if got := [4]int{s.Active, s.Expiring, s.Depleted, s.Disabled}; got != want {
			t.Errorf("at %d %v, want %v", now, got, want)
		}
	}
	at(0, [4]int{3, 0, 0, 0})
	at(900, [4]int{3, 0, 0, 0})
	at(901, [4]int{2, 1, 0, 0})
	at(999, [4]int{2, 1, 0, 0})
	at(1_000, [4]int{2, 0, 1, 0})
	at(1_201, [4]int{1, 1, 1, 0})
	at(900, [4]int{3, 0, 0, 0})
	at(1<<50, [4]int{1, 0, 2, 0})
	at(950, [4]int{2, 1, 0, 0})
	d.Put(expiring(2, 2, 960)) // sooner than anything that was known
	at(950, [4]int{1, 2, 0, 0})
	at(960, [4]int{1, 1, 1, 0})
	d.Moved([]domain.TrafficDelta{{UserID: 3, Down: gib}})
	at(960, [4]int{1, 1, 1, 0})
	d.Moved([]domain.TrafficDelta{{UserID: 3, Down: 1}})
	at(960, [4]int{0, 2, 1, 0})
	d.Moved([]domain.TrafficDelta{{UserID: 3, Down: gib}})
	at(960, [4]int{0, 1, 2, 0})
	d.SetExpiring(10, 0)
	at(960, [4]int{1, 0, 2, 0})
	if got, want := d.DepletedIDs(960), []int64{2, 3}; !slices.Equal(got, want) {
		t.Errorf("depleted %v, want %v", got, want)
	}
}

// The thresholds are those of the settings until somebody says otherwise.
func TestExpiringPreset(t *testing.T) {
	const day = 86_400_000
	d := filled(t, expiring(1, 1, 10*day))
	for now, want := range map[int64]int{7 * day: 0, 7*day + 1: 1} {
		if got := d.Summary(now, 0).Expiring; got != want {
			t.Errorf("at %d %d users expire, want %d", now, got, want)
		}
	}
}
