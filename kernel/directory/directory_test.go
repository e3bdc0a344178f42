package directory

import (
	"fmt"
	"reflect"
	"slices"
	"testing"

	"github.com/sluicehq/sluice/kernel/domain"
)

func ptr[T any](v T) *T { return &v }

// account is an active user without limits.
func account(id, revision int64) domain.Account {
	a := domain.Account{User: domain.User{
		ID: id, Username: fmt.Sprintf("user%08d", id), SubID: fmt.Sprintf("sub%023d", id), Enabled: true,
		Status: domain.StatusActive, Revision: revision,
	}}
	a.Traffic.UserID = id
	return a
}

// with is account with a change.
func with(id, revision int64, change func(*domain.Account)) domain.Account {
	a := account(id, revision)
	change(&a)
	return a
}

// filled is a directory with the accounts.
func filled(t *testing.T, accounts ...domain.Account) *Directory {
	t.Helper()
	d := New()
	for _, a := range accounts {
		if !d.Put(a) {
			t.Fatalf("account %d was refused", a.User.ID)
		}
	}
	return d
}

func TestPutKeepsEveryFact(t *testing.T) {
	full := domain.Account{
		User: domain.User{
			ID: 7, Username: "Zoë", UsernameKey: "zoë", SubID: "k7v1", Enabled: true, ExpireAt: ptr(int64(9_000)),
			Quota: ptr(int64(50)), ResetPolicy: "monthly", RenewDay: 3, LimitIP: 2, Note: "paid by card", TgID: -5,
			AdminID: 4, Status: domain.StatusLimited, StatusSince: 800, Revision: 12, CreatedAt: 100, UpdatedAt: 200,
			NextPlan: domain.NextPlan{HasNextPlan: true},
		},
		Traffic: domain.Traffic{UserID: 7, Up: 20, Down: 30, LifetimeUp: 21, LifetimeDown: 33, OnlineAt: 700}, Inbounds: []int64{1, 5},
	}
	held := with(8, 1, func(a *domain.Account) {
		a.User.Hold(1_000, 86_400_000, ptr(int64(5_000)))
		a.User.RenewDays, a.User.Status = 30, domain.StatusOnHold
	})
	for _, c := range []struct {
		name string
		put  domain.Account
		want Record
	}{
		{"all facts", full, Record{
			ID: 7, Revision: 12, Username: "Zoë", SubID: "k7v1", Note: "paid by card", AdminID: 4, TgID: -5, LimitIP: 2,
			Enabled: true, ExpireAt: ptr(int64(9_000)), Quota: ptr(int64(50)), Status: domain.StatusLimited,
			Renews: true, HasNextPlan: true, ResetPolicy: "monthly", Up: 20, Down: 30, Lifetime: 54, OnlineAt: 700, CreatedAt: 100, UpdatedAt: 200,
			DueAt: 800, Inbounds: []int64{1, 5},
		}},
		{"on hold", held, Record{
			ID: 8, Revision: 1, Username: "user00000008", SubID: held.User.SubID, Enabled: true, HoldSince: ptr(int64(1_000)),
			HoldDuration: 86_400_000, HoldTimeout: ptr(int64(5_000)), Status: domain.StatusOnHold, Renews: true, DueAt: 5_000,
		}},
		{"on hold for ever", with(9, 1, func(a *domain.Account) { a.User.Hold(1_000, 60, nil) }), Record{
			ID: 9, Revision: 1, Username: "user00000009", SubID: account(9, 1).User.SubID, Enabled: true,
			HoldSince: ptr(int64(1_000)), HoldDuration: 60, Status: domain.StatusActive,
		}},
		{"a quota of zero is not none", with(10, 1, func(a *domain.Account) {
			a.User.Quota, a.User.ExpireAt, a.User.Enabled, a.User.Status = ptr(int64(0)), ptr(int64(0)), false, ""
		}), Record{
			ID: 10, Revision: 1, Username: "user00000010", SubID: account(10, 1).User.SubID, Quota: ptr(int64(0)),
			ExpireAt: ptr(int64(0)),
		}},
		{"more addresses than there are", with(11, 1, func(a *domain.Account) { a.User.LimitIP = 1 << 40 }), Record{
			ID: 11, Revision: 1, Username: "user00000011", SubID: account(11, 1).User.SubID, Enabled: true,
			Status: domain.StatusActive, LimitIP: 1<<31 - 1,
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			d := filled(t, account(1, 1), c.put)
			wantRecord(t, d, c.want)
		})
	}
}

// wantRecord looks the record up in every way.
func wantRecord(t *testing.T, d *Directory, want Record) {
	t.Helper()
	for how, find := range map[string]func() (Record, bool){
		"id":     func() (Record, bool) { return d.ByID(want.ID) },
		"name":   func() (Record, bool) { return d.ByName(want.Username) },
		"sub id": func() (Record, bool) { return d.BySubID(want.SubID) },
	} {
		if got, ok := find(); !ok || !reflect.DeepEqual(got, want) {
			t.Errorf("by %s, found %v:\n got %+v\nwant %+v", how, ok, got, want)
		}
	}
	if got := d.Revision(want.ID); got != want.Revision {
		t.Errorf("Revision = %d, want %d", got, want.Revision)
	}
}

func TestPutTakesOnlyWhatIsNotOlder(t *testing.T) {
	for _, c := range []struct {
		name     string
		do       func(*Directory) bool
		want     bool
		revision int64
	}{
		{"newer", func(d *Directory) bool { return d.Put(account(1, 6)) }, true, 6},
		{"the same again", func(d *Directory) bool { return d.Put(account(1, 5)) }, true, 5},
		{"older", func(d *Directory) bool { return d.Put(account(1, 4)) }, false, 5},
		{"newer, but removed", func(d *Directory) bool {
			d.Remove(1)
			return d.Put(account(1, 9))
		}, false, 0},
		{"removed, then removed again", func(d *Directory) bool {
			d.Remove(1)
			d.Remove(1)
			return d.Put(account(1, 9))
		}, false, 0},
		{"removed before its first record came", func(d *Directory) bool {
			d.Remove(2)
			return d.Put(account(2, 1))
		}, false, 5},
	} {
		t.Run(c.name, func(t *testing.T) {
			d := filled(t, account(1, 5))
			if got := c.do(d); got != c.want {
				t.Errorf("Put = %v, want %v", got, c.want)
			}
			if got := d.Revision(1); got != c.revision {
				t.Errorf("revision %d is known, want %d", got, c.revision)
			}
		})
	}
}

func TestLookups(t *testing.T) {
	rename := func(id, revision int64, name string) domain.Account {
		return with(id, revision, func(a *domain.Account) { a.User.Username = name })
	}
	type find struct {
		name string
		want int64 // 0 = nobody
	}
	for _, c := range []struct {
		name  string
		puts  []domain.Account
		finds []find
	}{
		{"any spelling", []domain.Account{rename(1, 1, "Rene\u0301e")}, []find{{"REN\u00c9E", 1}, {"renee", 0}}},
		{"renamed", []domain.Account{rename(1, 1, "old"), rename(1, 2, "new")}, []find{{"old", 0}, {"new", 1}}},
		{"case changed", []domain.Account{rename(1, 1, "anna"), rename(1, 2, "ANNA")}, []find{{"anna", 1}}},
		{"the name's next owner comes first", []domain.Account{
			rename(1, 1, "a"), rename(2, 3, "a"), rename(1, 2, "b"),
		}, []find{{"a", 2}, {"b", 1}}},
	} {
		t.Run(c.name, func(t *testing.T) {
			d := filled(t, c.puts...)
			for _, f := range c.finds {
				if got, ok := d.ByName(f.name); got.ID != f.want || ok != (f.want != 0) {
					t.Errorf("ByName(%q) = %d, %v, want %d", f.name, got.ID, ok, f.want)
				}
			}
		})
	}
	t.Run("sub ids keep their case", func(t *testing.T) {
		d := filled(t, with(1, 1, func(a *domain.Account) { a.User.SubID = "AbC" }))
		if _, ok := d.BySubID("abc"); ok {
			t.Error("found in another spelling")
		}
	})
	t.Run("sub id changed", func(t *testing.T) {
		d := filled(t, account(1, 1), with(1, 2, func(a *domain.Account) { a.User.SubID = "fresh" }))
		if _, ok := d.BySubID(account(1, 1).User.SubID); ok {
			t.Error("the old sub id still works")
		}
		if r, _ := d.BySubID("fresh"); r.ID != 1 {
			t.Errorf("the new sub id leads to %d", r.ID)
		}
	})
}

func TestRemove(t *testing.T) {
	d := filled(t, account(1, 1), account(2, 1), account(3, 1))
	d.Remove(3, 1, 99)
	if d.Len() != 1 {
		t.Errorf("Len = %d, want 1", d.Len())
	}
	for _, id := range []int64{1, 3, 99} {
		a := account(id, 1).User
		_, byID := d.ByID(id)
		_, byName := d.ByName(a.Username)
		_, bySub := d.BySubID(a.SubID)
		if byID || byName || bySub {
			t.Errorf("%d is found by id %v, name %v, sub id %v", id, byID, byName, bySub)
		}
	}
	// The next user takes the slot of one that is gone, and nothing of what it was.
	if !d.Put(account(4, 1)) {
		t.Fatal("refused")
	}
	want := Record{
		ID: 4, Revision: 1, Username: "user00000004", SubID: account(4, 1).User.SubID, Enabled: true,
		Status: domain.StatusActive,
	}
	wantRecord(t, d, want)
	if got := d.recs.next; got != 4 {
		t.Errorf("three users ever at once took slots up to %d", got-1)
	}
}

func TestMoved(t *testing.T) {
	d := filled(t, with(1, 1, func(a *domain.Account) {
		a.User.Quota, a.Traffic.Up, a.Traffic.OnlineAt = ptr(int64(10)), 5, 500
	}), account(2, 1))
	d.Remove(2)
	d.Moved([]domain.TrafficDelta{
		{UserID: 1, Up: 3, Down: 4, OnlineAt: 600}, {UserID: 1, Up: 1, OnlineAt: 400}, {UserID: 2, Up: 9}, {UserID: 3, Up: 9},
	})
	got, _ := d.ByID(1)
	if got.Up != 9 || got.Down != 4 || got.OnlineAt != 600 || got.Status != domain.StatusActive {
		t.Errorf("up %d, down %d, online at %d, %s; want 9, 4, 600, active", got.Up, got.Down, got.OnlineAt, got.Status)
	}
	// A reset sets the counters back, but what was seen was seen.
	d.Put(account(1, 2))
	if got, _ := d.ByID(1); got.Up != 0 || got.Down != 0 || got.OnlineAt != 600 {
		t.Errorf("after the reset up %d, down %d, online at %d; want 0, 0, 600", got.Up, got.Down, got.OnlineAt)
	}
}

func TestEach(t *testing.T) {
	d := New()
	var want []int64
	for _, id := range []int64{900, 3, 255, 256, 1, 100_000, 257} {
		d.Put(account(id, 1))
		want = append(want, id)
	}
	d.Remove(255)
	slices.Sort(want)
	want = slices.DeleteFunc(want, func(id int64) bool { return id == 255 })
	var got []int64
	for r := range d.Each {
		got = append(got, r.ID)
		d.Put(account(r.ID, 2)) // no lock is held
	}
	if !slices.Equal(got, want) {
		t.Errorf("walked over %v, want %v", got, want)
	}
	for r := range d.Each {
		if r.ID != 1 {
			t.Errorf("went on to %d", r.ID)
		}
		break
	}
}

func TestStale(t *testing.T) {
	const now = 1_000
	change := func(id int64, f func(*domain.User)) domain.Account {
		return with(id, 1, func(a *domain.Account) { f(&a.User) })
	}
	d := filled(
		t,
		account(1, 1),
		change(2, func(u *domain.User) { u.ExpireAt = ptr(int64(now)) }),
		change(3, func(u *domain.User) { u.ExpireAt = ptr(int64(now + 1)) }),
		change(4, func(u *domain.User) { u.ExpireAt, u.Status = ptr(int64(now+1)), domain.StatusExpired }),
		change(5, func(u *domain.User) { u.Hold(1, 2, nil) }),
		change(6, func(u *domain.User) { u.Enabled = false }),
		change(7, func(u *domain.User) { u.Enabled, u.Status = false, domain.StatusDisabled }),
		change(8, func(u *domain.User) { u.Quota = ptr(int64(10)) }),
		change(9, func(u *domain.User) { u.Status = "" }),
	)
	d.Moved([]domain.TrafficDelta{{UserID: 8, Down: 10}})
	if got, want := d.Stale(now), []int64{2, 4, 5, 6, 8, 9}; !slices.Equal(got, want) {
		t.Errorf("Stale = %v, want %v", got, want)
	}
}

func TestStaleAllocatesNothingPerUser(t *testing.T) {
	d := New()
	for id := range int64(1_000) {
		d.Put(account(id, 1))
	}
	if n := testing.AllocsPerRun(10, func() { d.Stale(0) }); n > 1 { // the list of pages
		t.Errorf("%v allocations for a scan of a thousand users", n)
	}
}

func TestUsersOf(t *testing.T) {
	d := New()
	for id, inbounds := range map[int64][]int64{1: {10, 20}, 2: {20}, 3: nil, 300: {10, 20}, 301: {30}} {
		d.Put(domain.Account{User: domain.User{ID: id, Revision: 1, Username: fmt.Sprint("u", id), SubID: fmt.Sprint("s", id)}, Inbounds: inbounds})
	}
	d.Remove(301)
	for _, c := range []struct {
		name     string
		inbounds []int64
		want     []int64
	}{
		{"one set", []int64{10}, []int64{1, 300}},
		{"several sets", []int64{20}, []int64{1, 2, 300}},
		{"any of them", []int64{10, 20, 99}, []int64{1, 2, 300}},
		{"of a user who is gone", []int64{30}, nil},
		{"unknown", []int64{99}, nil},
		{"none", nil, nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			if got := d.UsersOf(c.inbounds); !slices.Equal(got, c.want) {
				t.Errorf("%v, want %v", got, c.want)
			}
		})
	}
}
