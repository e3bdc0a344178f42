package accounts_test

import (
	"fmt"
	"slices"
	"testing"

	"github.com/sluicehq/sluice/kernel/accounts"
	"github.com/sluicehq/sluice/kernel/domain"
	"github.com/sluicehq/sluice/storage"
)

// usersOf are the users of an inbound as EachInboundUser shows them, at most some.
func (b *bench) usersOf(inboundID int64, some int) (list []accounts.Listed) {
	b.t.Helper()
	err := b.EachInboundUser(b.t.Context(), inboundID, func(l accounts.Listed) bool {
		list = append(list, l)
		return len(list) < some
	})
	if err != nil {
		b.t.Fatal(err)
	}
	return list
}

func TestEachInboundUser(t *testing.T) {
	b := newBench(t)
	b.inbounds(3)
	var quota int64 = 10
	for _, n := range []accounts.NewUser{
		{Username: "alice", Inbounds: []int64{1, 2}, Enabled: true, GroupNames: []string{"vip", "b", "a", "b"}},
		{Username: "bob", Inbounds: []int64{2}},
		{Username: "carol", Inbounds: []int64{1}, Enabled: true, Quota: &quota},
	} {
		n.AdminID = b.admin.ID
		b.create(n)
	}
	b.counters.move(3, 6, 4) // not flushed yet
	for _, c := range []struct {
		inbound int64
		some    int
		want    []string
	}{
		{1, 9, []string{`alice vip ["vip" "b" "a"] active`, "carol  [] limited"}},
		{1, 1, []string{`alice vip ["vip" "b" "a"] active`}},
		{2, 9, []string{`alice vip ["vip" "b" "a"] active`, "bob  [] disabled"}},
		{3, 9, nil},
		{4, 9, nil},
	} {
		var got []string
		for _, l := range b.usersOf(c.inbound, c.some) {
			got = append(got, fmt.Sprintf("%s %s %q %s", l.User.Username, l.Group, l.GroupNames, l.Status))
		}
		if !slices.Equal(got, c.want) {
			t.Errorf("%d of inbound %d: %q, want %q", c.some, c.inbound, got, c.want)
		}
	}
}

// Users beyond one portion follow in order, none twice; so do those who come while the list is read.
func TestEachInboundUserInPortions(t *testing.T) {
	b := newBench(t)
	b.inbounds(2)
	var users []*storage.NewUser
	for i := range 2500 {
		name := fmt.Sprintf("user%d", i)
		users = append(users, &storage.NewUser{Inbounds: []int64{int64(1 + i%5/4)}, User: domain.User{
			Username: name, UsernameKey: name, SubID: name, AdminID: b.admin.ID, Credentials: domain.Credentials{
				VLESSID: fmt.Sprintf("%08d-0000-4000-8000-000000000000", i), VMessID: fmt.Sprintf("%08d-0000-4000-8000-000000000000", i),
				TrojanPassword: name, ShadowsocksPassword: name, HysteriaAuth: name,
			},
		}})
	}
	insert := func(some []*storage.NewUser) {
		b.write(func(tx *storage.Tx) error { return tx.InsertUsers(t.Context(), some) })
	}
	insert(users[:2400])
	var got []string
	err := b.EachInboundUser(t.Context(), 1, func(l accounts.Listed) bool {
		if got = append(got, l.User.Username); len(got) == 1 {
			insert(users[2400:])
		}
		return true
	})
	var want []string
	for i, u := range users {
		if i%5 != 4 {
			want = append(want, u.User.Username)
		}
	}
	if err != nil || !slices.Equal(got, want) {
		t.Errorf("%d users, want %d; %v", len(got), len(want), err)
	}
}

func TestEachInboundUserOfABrokenDatabase(t *testing.T) {
	b := newBench(t)
	b.inbounds(1)
	if err := b.db.Close(); err != nil {
		t.Fatal(err)
	}
	err := b.EachInboundUser(t.Context(), 1, func(accounts.Listed) bool { return true })
	if domain.CodeOf(err) != domain.CodeUnavailable {
		t.Errorf("got %v", err)
	}
}
