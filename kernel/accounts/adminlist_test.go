package accounts_test

import (
	"slices"
	"testing"
	"time"

	"github.com/sluicehq/sluice/kernel/accounts"
)

// newAdminsBench has the admins root, Zoe, anna and Anton (disabled), made in this order, of whom root has one user and
// anna two, who moved 3, 10 and 20 bytes.
func newAdminsBench(t *testing.T) *bench {
	t.Helper()
	b := newBench(t)
	b.inbounds(1)
	owners := map[string]int64{"root": b.admin.ID}
	for _, name := range []string{"Zoe", "anna", "Anton"} {
		b.clock.Advance(time.Second)
		owners[name] = b.operator(name, false).ID
	}
	anton, err := b.db.AdminByName(t.Context(), "Anton")
	if err != nil {
		t.Fatal(err)
	}
	b.disable(anton)
	for _, u := range []struct {
		name, owner string
		up, down    int64
	}{{"u1", "root", 1, 2}, {"u2", "anna", 4, 6}, {"u3", "anna", 20, 0}} {
		n := b.user(u.name)
		n.AdminID = owners[u.owner]
		b.counters.move(b.create(n).ID, u.up, u.down)
	}
	if err := b.flusher.Flush(t.Context()); err != nil {
		t.Fatal(err)
	}
	return b
}

func TestAdmins(t *testing.T) {
	b := newAdminsBench(t)
	by := func(sorts ...accounts.AdminSort) (order []accounts.AdminOrder) {
		for _, s := range sorts {
			name, descending := s, s[0] == '-'
			if descending {
				name = s[1:]
			}
			order = append(order, accounts.AdminOrder{By: name, Descending: descending})
		}
		return order
	}
	for _, c := range []struct {
		name            string
		q               accounts.AdminQuery
		want            []string
		total, disabled int
	}{
		{"all", accounts.AdminQuery{}, []string{"root", "Zoe", "anna", "Anton"}, 4, 1},
		{"by name", accounts.AdminQuery{Order: by("username")}, []string{"anna", "Anton", "root", "Zoe"}, 4, 1},
		{"by name, descending", accounts.AdminQuery{Order: by("-username")}, []string{"Zoe", "root", "Anton", "anna"}, 4, 1},
		{"by creation, descending", accounts.AdminQuery{Order: by("-created_at")}, []string{"Anton", "anna", "Zoe", "root"}, 4, 1},
		{"by use, then by id", accounts.AdminQuery{Order: by("used_traffic")}, []string{"Zoe", "Anton", "root", "anna"}, 4, 1},
		{"by use, descending, then by id", accounts.AdminQuery{Order: by("-used_traffic")}, []string{"anna", "root", "Zoe", "Anton"}, 4, 1},
		{"by use, then by name", accounts.AdminQuery{Order: by("used_traffic", "username")}, []string{"Anton", "Zoe", "root", "anna"}, 4, 1},
		{"by what there is not", accounts.AdminQuery{Order: by("shoe_size", "username")}, []string{"anna", "Anton", "root", "Zoe"}, 4, 1},
		{"search", accounts.AdminQuery{Search: "AN"}, []string{"anna", "Anton"}, 2, 1},
		{"search in vain", accounts.AdminQuery{Search: "%"}, []string{}, 0, 0},
		{"offset", accounts.AdminQuery{Offset: 3}, []string{"Anton"}, 4, 1},
		{"beyond", accounts.AdminQuery{Offset: 9, Limit: 1}, []string{}, 4, 1},
		{"a page", accounts.AdminQuery{Offset: 1, Limit: 2}, []string{"Zoe", "anna"}, 4, 1},
		{"a page of found ones", accounts.AdminQuery{Search: "an", Limit: 1, Order: by("-username")}, []string{"Anton"}, 2, 1},
	} {
		t.Run(c.name, func(t *testing.T) {
			page, err := b.Admins(t.Context(), c.q)
			if err != nil {
				t.Fatal(err)
			}
			names := make([]string, len(page.Admins))
			for i, a := range page.Admins {
				names[i] = a.Username
			}
			if page.Admins == nil || !slices.Equal(names, c.want) || page.Total != c.total || page.Disabled != c.disabled {
				t.Errorf("%q of %d, %d disabled\nwant %q of %d, %d disabled", names, page.Total, page.Disabled, c.want, c.total, c.disabled)
			}
		})
	}
}

// An admin is shown with what its users are together, as it is now.
func TestAdminTotals(t *testing.T) {
	b := newAdminsBench(t)
	total := func(name string) (users int, used, lifetime int64) {
		v, err := b.Admin(t.Context(), name)
		if err != nil {
			t.Fatal(err)
		}
		return v.Total.Users, v.Total.Up + v.Total.Down, v.Total.Lifetime
	}
	want := func(name string, users int, used, lifetime int64) {
		t.Helper()
		if u, n, l := total(name); u != users || n != used || l != lifetime {
			t.Errorf("%s has %d users, %d and %d bytes; want %d, %d and %d", name, u, n, l, users, used, lifetime)
		}
	}
	want("ANNA", 2, 30, 30)
	want("root", 1, 3, 3)
	want("zoe", 0, 0, 0)
	if _, err := b.ResetTraffics(t.Context(), []string{"u3"}, accounts.How{}); err != nil {
		t.Fatal(err)
	}
	want("anna", 2, 10, 30)
	if err := b.DeleteUser(t.Context(), "u3", false); err != nil {
		t.Fatal(err)
	}
	want("anna", 1, 10, 10)
}

// A process that serves nothing knows no totals.
func TestAdminsWithoutDirectory(t *testing.T) {
	b := newAdminsBench(t)
	page, err := accounts.New(accounts.Options{DB: b.db, Clock: b.clock}).Admins(t.Context(), accounts.AdminQuery{})
	if err != nil || page.Total != 4 || page.Admins[2].Total.Users != 0 {
		t.Errorf("%+v, %v", page, err)
	}
}

func TestAdminRefuses(t *testing.T) {
	b := newBench(t)
	if _, err := b.Admin(t.Context(), "bob"); err == nil || err.Error() != "admin not found" {
		t.Errorf("got %v", err)
	}
	if err := b.db.Close(); err != nil {
		t.Fatal(err)
	}
	if page, err := b.Admins(t.Context(), accounts.AdminQuery{}); err == nil {
		t.Errorf("without a database: %+v", page)
	}
}
