package accounts_test

import (
	"reflect"
	"slices"
	"testing"

	"github.com/sluicehq/sluice/kernel/accounts"
	"github.com/sluicehq/sluice/kernel/directory"
	"github.com/sluicehq/sluice/kernel/domain"
	"github.com/sluicehq/sluice/storage"
)

// root is the sudo admin of the bench.
func (b *bench) root() accounts.Principal { return accounts.Principal{Admin: b.admin} }

// reseller is a new admin without sudo who may have so many users, nil = any number.
func (b *bench) reseller(name string, limit *int) accounts.Principal {
	b.t.Helper()
	admin := domain.Admin{Username: name, PasswordHash: "none", Enabled: true, UserLimit: limit}
	b.write(func(tx *storage.Tx) error { return tx.InsertAdmin(b.t.Context(), &admin) })
	return accounts.Principal{Admin: admin}
}

// doAs are all the functions about one user by name, in an order in which each has something to do.
var doAs = []struct {
	name string
	do   func(ctx ctx, b *bench, who accounts.Principal, user string) error
}{
	{"read", func(ctx ctx, b *bench, who accounts.Principal, user string) error {
		v, err := b.UserOf(ctx, who, user)
		if err == nil && v.Owner != "op" {
			b.t.Errorf("the owner is %q", v.Owner)
		}
		return err
	}},
	{"usage", func(ctx ctx, b *bench, who accounts.Principal, user string) error {
		_, err := b.UsageOf(ctx, who, user, 0, start)
		return err
	}},
	{"fetches", func(ctx ctx, b *bench, who accounts.Principal, user string) error {
		_, _, err := b.SubFetchesOf(ctx, who, user, 0, 10)
		return err
	}},
	{"update", func(ctx ctx, b *bench, who accounts.Principal, user string) error {
		v, err := b.UpdateUserOf(ctx, who, user, func(v *accounts.UserView) error { v.Note = "new"; return nil })
		if err == nil && (v.Owner != "op" || v.Note != "new") {
			b.t.Errorf("updated to %+v", v)
		}
		return err
	}},
	{"revoke", func(ctx ctx, b *bench, who accounts.Principal, user string) error {
		_, err := b.RevokeSubOf(ctx, who, user)
		return err
	}},
	{"activate", func(ctx ctx, b *bench, who accounts.Principal, user string) error {
		_, err := b.ActivateNextOf(ctx, who, user)
		return err
	}},
	{"reset", func(ctx ctx, b *bench, who accounts.Principal, user string) error {
		_, err := b.ResetUsageOf(ctx, who, user)
		return err
	}},
	{"apply", func(ctx ctx, b *bench, who accounts.Principal, user string) error {
		v, err := b.ApplyTemplate(ctx, who, user, 1, nil)
		if err == nil && v.Owner != "op" {
			b.t.Errorf("the owner is %q", v.Owner)
		}
		return err
	}},
	{"delete", func(ctx ctx, b *bench, who accounts.Principal, user string) error {
		return b.DeleteUserOf(ctx, who, user)
	}},
}

// Another admin's user is as if there were none, but for a sudo admin.
func TestOwners(t *testing.T) {
	for _, mine := range []bool{true, false} {
		b := newDoors(t)
		b.template("Plan", func(*domain.Template) {})
		owner, other := b.reseller("op", nil), b.reseller("other", nil)
		who := owner
		if !mine {
			who = b.root()
		}
		n := b.user("bob")
		next(&n)
		if v, err := b.CreateUserOf(t.Context(), owner, n); err != nil || v.Owner != "op" || v.AdminID != owner.Admin.ID {
			t.Fatalf("made %+v, %v", v, err)
		}
		for _, c := range doAs {
			b.refused(domain.CodeNotFound, "", "client not found", func(ctx ctx) error { return c.do(ctx, b, other, "bob") })
			if err := c.do(t.Context(), b, who, "BOB"); err != nil {
				t.Errorf("%s: %v", c.name, err)
			}
			b.agree()
		}
		if _, err := b.db.UserByName(t.Context(), "bob"); domain.CodeOf(err) != domain.CodeNotFound {
			t.Errorf("bob is there still: %v", err)
		}
	}
}

// A user that is given away while its admin acts on it is another's.
func TestOwnerChangesMeanwhile(t *testing.T) {
	b := newDoors(t)
	owner, other := b.reseller("op", nil), b.reseller("other", nil)
	if _, err := b.CreateUserOf(t.Context(), owner, b.user("bob")); err != nil {
		t.Fatal(err)
	}
	_, err := b.UpdateUserOf(t.Context(), owner, "bob", func(v *accounts.UserView) error {
		v.Note = "mine"
		_, err := b.SetOwner(t.Context(), b.root(), "bob", "other")
		return err
	})
	wantError(t, err, domain.CodeNotFound, "", "client not found")
	if v, err := b.UserOf(t.Context(), other, "bob"); err != nil || v.Owner != "other" || v.Note != "" {
		t.Errorf("bob %+v, %v", v, err)
	}
}

// Lists and selections have the own users only, whatever is asked for.
func TestListsOfOwners(t *testing.T) {
	b := newDoors(t)
	owner, other := b.reseller("op", nil), b.reseller("other", nil)
	for _, name := range []string{"bob", "carol"} {
		if _, err := b.CreateUserOf(t.Context(), owner, b.user(name)); err != nil {
			t.Fatal(err)
		}
	}
	b.counters.move(b.id("carol"), 1, 2)
	for _, c := range []struct {
		name   string
		who    accounts.Principal
		admins []int64
		want   []string
	}{
		{"all", b.root(), nil, []string{"alice root", "bob op", "carol op"}},
		{"all of one", b.root(), []int64{owner.Admin.ID}, []string{"bob op", "carol op"}},
		{"all of nobody", b.root(), []int64{}, nil},
		{"own", owner, nil, []string{"bob op", "carol op"}},
		{"own of all", owner, []int64{b.admin.ID, owner.Admin.ID}, []string{"bob op", "carol op"}},
		{"of another", owner, []int64{b.admin.ID}, nil},
		{"of nobody", owner, []int64{}, nil},
		{"none", other, nil, nil},
	} {
		q := directory.Query{Admins: c.admins, Limit: 10}
		page, err := b.ListUsers(t.Context(), c.who, q)
		var got []string
		var ids []int64
		for _, u := range page.Users {
			got, ids = append(got, u.User.Username+" "+u.Owner), append(ids, u.User.ID)
			if u.User.Username == "carol" && u.Traffic.Used() != 3 {
				t.Errorf("carol used %+v", u.Traffic)
			}
		}
		if err != nil || page.Filtered != len(c.want) || !slices.Equal(got, c.want) {
			t.Errorf("%s: %d users, %q, %v", c.name, page.Filtered, got, err)
		}
		if selected := b.SelectUsers(c.who, q); !slices.Equal(selected, ids) {
			t.Errorf("%s: selected %v, listed %v", c.name, selected, ids)
		}
	}
}

// Of a group an admin is told how many of its own users are in it, and a sudo admin of all.
func TestGroupsOfOwners(t *testing.T) {
	b := newDoors(t)
	owner, other := b.reseller("op", nil), b.reseller("other", nil)
	n := b.user("bob")
	n.Groups = []int64{2, 1}
	if _, err := b.CreateUserOf(t.Context(), owner, n); err != nil {
		t.Fatal(err)
	}
	if err := b.SetTraffic(t.Context(), "alice", ptr(int64(1)), ptr(int64(2))); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		name string
		who  accounts.Principal
		want []int // users of the groups 1 to 3
	}{
		{"all", b.root(), []int{2, 1, 0}},
		{"own", owner, []int{1, 1, 0}},
		{"none", other, []int{0, 0, 0}},
	} {
		list, err := b.GroupsOf(t.Context(), c.who)
		if err != nil || len(list) != len(c.want) {
			t.Fatalf("%s: %d groups, %v", c.name, len(list), err)
		}
		for _, listed := range list {
			one, err := b.GroupOf(t.Context(), c.who, listed.ID)
			if err != nil || listed.Users != c.want[listed.ID-1] || !reflect.DeepEqual(one, listed) {
				t.Errorf("%s: %+v in the list, alone %+v, %v", c.name, listed, one, err)
			}
			if told := listed.Up + listed.Down; (told != 0) != (c.who.Admin.Sudo && listed.ID == 1) {
				t.Errorf("%s: of group %d is told that it moved %d", c.name, listed.ID, told)
			}
		}
	}
	b.refused(domain.CodeNotFound, "", "group not found", func(ctx ctx) error { _, err := b.GroupOf(ctx, owner, 9); return err })
}

// On every way to another user an admin has only as many as it may have; what is refused leaves nothing behind.
func TestUserLimit(t *testing.T) {
	const full = "User limit reached (2)"
	b := newDoors(t)
	b.template("Plan", func(*domain.Template) {})
	who := b.reseller("op", ptr(2))
	if _, err := b.CreateUserOf(t.Context(), who, b.user("bob")); err != nil {
		t.Fatal(err)
	}
	of := func(name string) accounts.NewUser {
		n := b.user(name)
		n.AdminID = who.Admin.ID
		return n
	}
	many := func(ctx ctx, n int) error {
		_, err := b.ManyFromTemplate(ctx, who, accounts.Batch{TemplateID: 1, Count: n, Strategy: "sequence", Base: "user"})
		return err
	}
	b.refused(domain.CodeInvalid, "", full, func(ctx ctx) error { return many(ctx, 2) })
	b.create(b.user("frank"))
	b.refused(domain.CodeInvalid, "", full, func(ctx ctx) error {
		_, err := b.SetOwners(ctx, b.root(), []int64{1, b.id("frank")}, "op")
		return err
	})
	report, err := b.CreateUsers(t.Context(), []accounts.NewUser{of("bob"), of("carol"), b.user("mine"), of("dave")}, accounts.How{})
	if _, skipped := lists(report); err != nil || !slices.Equal(report.Done, []string{"carol", "mine"}) ||
		!slices.Equal(skipped, []string{"bob: username already in use: bob", "dave: " + full}) {
		t.Errorf("made %q, skipped %q, %v", report.Done, skipped, err)
	}
	for _, c := range []struct {
		name string
		do   func(ctx) error
	}{
		{"one", func(ctx ctx) error { _, err := b.CreateUserOf(ctx, who, b.user("eve")); return err }},
		{"one by another dialect", func(ctx ctx) error { _, err := b.CreateUser(ctx, of("eve"), nil); return err }},
		{"one of a template", func(ctx ctx) error { _, err := b.FromTemplate(ctx, who, 1, "eve", ""); return err }},
		{"many of a template", func(ctx ctx) error { return many(ctx, 1) }},
		{"a gift", func(ctx ctx) error { _, err := b.SetOwner(ctx, b.root(), "alice", "op"); return err }},
		{"gifts", func(ctx ctx) error { _, err := b.SetOwners(ctx, b.root(), []int64{1}, "op"); return err }},
	} {
		t.Run(c.name, func(t *testing.T) { b.refused(domain.CodeInvalid, "", full, c.do) })
	}
	b.refused(domain.CodeInvalid, "settings.clients[0]", "settings.clients[0] "+full, func(ctx ctx) error {
		_, err := b.UpdateInboundWith(ctx, 5, func(*domain.Inbound) error { return nil }, []accounts.InboundClient{{New: of("eve")}})
		return err
	})
	if _, err := b.SetOwners(t.Context(), b.root(), []int64{b.id("bob"), b.id("carol")}, "op"); err != nil {
		t.Errorf("gifts to who has them: %v", err)
	}
	b.write(func(tx *storage.Tx) error {
		admin, err := tx.AdminByID(t.Context(), who.Admin.ID)
		if err != nil {
			return err
		}
		admin.UserLimit = ptr(1) // less than it has
		return tx.UpdateAdmin(t.Context(), &admin)
	})
	if _, err := b.SetOwners(t.Context(), b.root(), []int64{b.id("bob")}, "op"); err != nil {
		t.Errorf("gifts to who has too many of them: %v", err)
	}
	if err := b.DeleteUserOf(t.Context(), who, "carol"); err != nil {
		t.Error(err)
	}
	if _, err := b.UpdateUserOf(t.Context(), who, "bob", func(v *accounts.UserView) error { v.Note = "new"; return nil }); err != nil {
		t.Error(err)
	}
	b.agree()
}
