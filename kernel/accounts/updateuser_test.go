package accounts_test

import (
	"context"
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/sluicehq/sluice/kernel/accounts"
	"github.com/sluicehq/sluice/kernel/domain"
)

// Only what the edit touches is another afterwards, and the directory and the core have it when UpdateUser returns.
func TestUpdateUser(t *testing.T) {
	for _, c := range []struct {
		name   string
		change func(v *accounts.UserView)
		told   []string
	}{
		{"note", func(v *accounts.UserView) { v.Note = "new" }, []string{"user 1 [1]"}},
		{"name", func(v *accounts.UserView) { v.Username, v.UsernameKey = "Alicia", "alicia" }, []string{"user 1 [1]"}},
		{"the case of the name", func(v *accounts.UserView) { v.Username = "ALICE" }, []string{"user 1 [1]"}},
		{"sub id", func(v *accounts.UserView) { v.SubID = "other" }, []string{"user 1 [1]"}},
		{"uuid", func(v *accounts.UserView) { v.VLESSID = someUUID }, []string{"user 1 [1]"}},
		{"password", func(v *accounts.UserView) { v.TrojanPassword = "other" }, []string{"user 1 [1]"}},
		{"shadowsocks method", func(v *accounts.UserView) { v.Method = ptr("aes-128-gcm") }, []string{"user 1 [1]"}},
		{"quota", func(v *accounts.UserView) { v.Quota = ptr(int64(500)) }, []string{"user 1 [1]"}},
		{"no quota", func(v *accounts.UserView) { v.Quota = nil }, []string{"user 1 [1]"}},
		{"expiry", func(v *accounts.UserView) { v.ExpireAt = ptr(start + 99*day) }, []string{"user 1 [1]"}},
		{"renewal", func(v *accounts.UserView) { v.RenewDays, v.RenewDay, v.RenewMax = 1, 2, 3 }, []string{"user 1 [1]"}},
		{"deletion", func(v *accounts.UserView) { v.AutoDelete = ptr(7) }, []string{"user 1 [1]"}},
		{"limits and labels", func(v *accounts.UserView) { v.LimitIP, v.TgID, v.Flow = 3, -5, domain.FlowVision }, []string{"user 1 [1]"}},
		{"more inbounds", func(v *accounts.UserView) { v.Inbounds = []int64{2, 1, 2} }, []string{"user 1 [1 2]"}},
		{"other inbounds", func(v *accounts.UserView) { v.Inbounds = []int64{2} }, []string{"user 1 [2]"}},
		{"no inbounds", func(v *accounts.UserView) { v.Inbounds = nil }, []string{"user 1 []"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			b := newBench(t)
			b.inbounds(2)
			n := b.user("Alice")
			with(expiring(5*day), quota, every)(&n)
			before := b.create(n)
			want := before
			c.change(&want)
			b.clock.Advance(oneHour)
			after := b.edit("alice", c.change)
			if after.Revision <= before.Revision || after.UpdatedAt != start+hour {
				t.Errorf("revision %d after %d, updated at %s", after.Revision, before.Revision, when(after.UpdatedAt))
			}
			want.Revision, want.UpdatedAt, want.Now = after.Revision, after.UpdatedAt, after.Now
			want.Inbounds = append([]int64{}, slices.Compact(slices.Sorted(slices.Values(want.Inbounds)))...)
			if !reflect.DeepEqual(after, want) {
				t.Errorf("alice\n got %+v\nwant %+v", after, want)
			}
			b.core.wantTold(t, append([]string{"user 1 [1]"}, c.told...)...)
			b.agree()
		})
	}
}

func TestRename(t *testing.T) {
	b := newBench(t)
	b.inbounds(1)
	id := b.create(b.user("alice")).ID
	b.edit("ALICE", func(v *accounts.UserView) { v.Username = "Bob" })
	if _, found := b.directory.ByName("alice"); found || b.id("bob") != id {
		t.Error("the directory finds the old name, or not the new one")
	}
	if again := b.create(b.user("alice")); again.ID == id {
		t.Error("the old name is not free")
	}
}

// An edit that changes nothing, or has its own reason not to, writes nothing.
func TestUpdateUserNothing(t *testing.T) {
	b := newBench(t)
	b.inbounds(1)
	id := b.create(b.user("alice")).ID
	b.counters.move(id, 1, 2)
	before := b.lastChange()
	view := b.edit("alice", func(v *accounts.UserView) { v.Note, v.Inbounds = "", []int64{1, 1} })
	if view.Traffic.Up != 1 || view.Traffic.Down != 2 || b.lastChange() != before {
		t.Errorf("traffic %+v, change %d after %d", view.Traffic, b.lastChange(), before)
	}
	why := errors.New("no reason")
	if _, err := b.UpdateUser(t.Context(), "alice", func(v *accounts.UserView) error { v.Note = "new"; return why }); !errors.Is(err, why) {
		t.Errorf("got %v", err)
	}
	if b.lastChange() != before {
		t.Error("a refused edit is written")
	}
	b.core.wantTold(t, "user 1 [1]")
}

// An edit that others overtake is made again on what they left; nothing of either is lost.
func TestUpdateUserIsOvertaken(t *testing.T) {
	b := newBench(t)
	b.inbounds(1)
	b.create(b.user("alice"))
	tries := 0
	view := b.edit("alice", func(v *accounts.UserView) {
		if tries++; tries < 4 {
			b.edit("alice", func(v *accounts.UserView) { v.LimitIP++ })
		}
		v.Note += "x"
	})
	if tries != 4 || view.Note != "x" || view.LimitIP != 3 {
		t.Errorf("%d tries, note %q, limit %d", tries, view.Note, view.LimitIP)
	}
	_, err := b.UpdateUser(t.Context(), "alice", func(v *accounts.UserView) error {
		b.edit("alice", func(v *accounts.UserView) { v.LimitIP++ })
		v.Note = "never"
		return nil
	})
	wantError(t, err, domain.CodeConflict, "", "the user is being changed by others: try again")
	if view, err := b.User(t.Context(), "alice"); err != nil || view.Note != "x" || view.LimitIP != 13 {
		t.Errorf("note %q, limit %d, %v", view.Note, view.LimitIP, err)
	}
	_, err = b.UpdateUser(t.Context(), "alice", func(v *accounts.UserView) error {
		v.Note = "gone"
		return b.DeleteUser(t.Context(), "alice", false)
	})
	wantError(t, err, domain.CodeNotFound, "", "client not found")
	b.agree()
}

// A policy that is new has its next boundary from the user's creation, and never resets at once.
func TestUpdateResetPolicy(t *testing.T) {
	policy := func(id, params string) step {
		return edits(func(v *accounts.UserView) { v.ResetPolicy, v.ResetParams = id, params })
	}
	tell(t, []tale{
		{"new", quota, []step{moves(1, 2), pass(13 * oneDay), policy("every", `{"days":10}`)}, "active since 0d, resets 20d, used 1+2"},
		{"other parameters", every, []step{moves(1, 2), pass(7 * oneDay), policy("every", `{"days":3}`)}, "active since 0d, resets 9d, used 1+2"},
		{"another policy", every, []step{moves(1, 2), pass(7 * oneDay), policy("week", "")}, "active since 0d, resets 14d, used 1+2"},
		{"none", every, []step{moves(1, 2), policy("", "")}, "active since 0d, used 1+2"},
		{"no_reset is none", every, []step{moves(1, 2), policy("no_reset", "")}, "active since 0d, used 1+2"},
		{"the same stays", every, []step{pass(7 * oneDay), policy("every", `{"days":10}`), pass(3 * oneDay)}, "active since 0d, resets 20d, period reset of 0+0 at 10d"},
	})
}

// no_reset is stored as no policy, so that there is one way to have none.
func TestNoReset(t *testing.T) {
	b := newBench(t)
	b.inbounds(1)
	n := b.user("alice")
	n.ResetPolicy, n.ResetParams = "no_reset", "{}"
	if view := b.create(n); view.ResetPolicy != "" || view.ResetParams != "" {
		t.Errorf("created with %q and %q", view.ResetPolicy, view.ResetParams)
	}
	bob, carol := n, n
	bob.Username, carol.Username = "bob", "carol"
	if _, err := b.CreateUsers(t.Context(), []accounts.NewUser{bob, carol}, accounts.How{}); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"bob", "carol"} {
		if view, err := b.User(t.Context(), name); err != nil || view.ResetPolicy != "" || view.ResetParams != "" {
			t.Errorf("%s was created with %q and %q, %v", name, view.ResetPolicy, view.ResetParams, err)
		}
	}
	b.edit("alice", func(v *accounts.UserView) { v.ResetPolicy = "week" })
	view := b.edit("alice", func(v *accounts.UserView) { v.ResetPolicy, v.ResetParams = "no_reset", "{}" })
	if view.ResetPolicy != "" || view.ResetParams != "" || view.NextResetAt != nil {
		t.Errorf("changed to %q and %q", view.ResetPolicy, view.ResetParams)
	}
}

func TestUpdateUserRefuses(t *testing.T) {
	b := newBench(t)
	b.inbounds(1)
	bob := b.user("bob")
	bob.UUID, bob.Password, bob.Auth, bob.SubID = someUUID, "password", "auth", "sub"
	b.create(bob)
	b.create(b.user("alice"))
	const used = " is already in use"
	for _, c := range []struct {
		name   string
		change func(v *accounts.UserView)
		code   domain.Code
		field  string
		want   string
	}{
		{"name of another", func(v *accounts.UserView) { v.Username = "BOB" }, domain.CodeConflict, "username", "username already in use: BOB"},
		{"sub id of another", func(v *accounts.UserView) { v.SubID = "sub" }, domain.CodeConflict, "sub_id", "sub_id" + used},
		{"vless id of another", func(v *accounts.UserView) { v.VLESSID = someUUID }, domain.CodeConflict, "uuid", "uuid" + used},
		{"vmess id of another", func(v *accounts.UserView) { v.VMessID = strings.ToUpper(someUUID) }, domain.CodeConflict, "uuid", "uuid" + used},
		{"trojan password of another", func(v *accounts.UserView) { v.TrojanPassword = "password" }, domain.CodeConflict, "password", "password" + used},
		{"shadowsocks password of another", func(v *accounts.UserView) { v.ShadowsocksPassword = "password" }, domain.CodeConflict, "password", "password" + used},
		{"auth of another", func(v *accounts.UserView) { v.HysteriaAuth = "auth" }, domain.CodeConflict, "auth", "auth" + used},
		{"unknown inbound", func(v *accounts.UserView) { v.Inbounds = []int64{1, 9} }, domain.CodeNotFound, "", "inbound 9: not found"},
		{"no name", func(v *accounts.UserView) { v.Username = "" }, domain.CodeInvalid, "username", "username is required"},
		{"no uuid", func(v *accounts.UserView) { v.VMessID = "" }, domain.CodeInvalid, "uuid", "uuid is not a valid UUID"},
		{"no password", func(v *accounts.UserView) { v.TrojanPassword = "" }, domain.CodeInvalid, "password", "password must not be empty"},
		{"no sub id", func(v *accounts.UserView) { v.SubID = "" }, domain.CodeInvalid, "sub_id", "sub_id must be 1 to 128 characters without spaces, control characters, / \\ ? # % or &"},
		{"hold without end", func(v *accounts.UserView) { v.Hold(v.Now, 101*365*day, nil) }, domain.CodeInvalid, "hold_duration", "hold_duration must be more than 0 and at most 100 years"},
		{"hold for nothing", func(v *accounts.UserView) { v.Hold(v.Now, 0, nil) }, domain.CodeInvalid, "hold_duration", "hold_duration must be more than 0 and at most 100 years"},
		{"timeout before 1970", func(v *accounts.UserView) { v.Hold(v.Now, 1, ptr(int64(-1))) }, domain.CodeInvalid, "hold_timeout", "hold_timeout must not be negative"},
		{"negative renewal", func(v *accounts.UserView) { v.RenewDays = -1 }, domain.CodeInvalid, "renew_days", "renew_days must not be negative"},
		{"long renewal", func(v *accounts.UserView) { v.RenewDays = 3651 }, domain.CodeInvalid, "renew_days", "renew_days must be at most 3650"},
		{"day 32", func(v *accounts.UserView) { v.RenewDay = 32 }, domain.CodeInvalid, "renew_day", "renew_day must be between 0 and 31"},
		{"negative renewals", func(v *accounts.UserView) { v.RenewMax = -1 }, domain.CodeInvalid, "renew_max", "renew_max must not be negative"},
		{"negative deletion", func(v *accounts.UserView) { v.AutoDelete = ptr(-1) }, domain.CodeInvalid, "auto_delete", "auto_delete must be between 0 and 3650 days"},
		{
			"unknown policy", func(v *accounts.UserView) { v.ResetPolicy = "fortnight" }, domain.CodeInvalid, "reset_policy",
			`reset_policy must be one of calendar, daily, day, every, hourly, month, monthly, no_reset, week, weekly, year: "fortnight" is not loaded`,
		},
		{
			"bad parameters", func(v *accounts.UserView) { v.ResetPolicy, v.ResetParams = "every", `{"days":0}` }, domain.CodeInvalid, "reset_params.days",
			"reset_params.days must be at least 1",
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			b.t = t
			b.refused(c.code, c.field, c.want, func(ctx context.Context) error {
				_, err := b.UpdateUser(ctx, "alice", func(v *accounts.UserView) error { c.change(v); return nil })
				return err
			})
		})
	}
	b.t = t
	b.refused(domain.CodeNotFound, "", "client not found", func(ctx context.Context) error {
		_, err := b.UpdateUser(ctx, "nobody", func(*accounts.UserView) error { return nil })
		return err
	})
	b.agree()
}

// A user that others change all the time is still theirs and ours: each of many edits counts.
func TestUpdateUserAtTheSameTime(t *testing.T) {
	b := newBench(t)
	b.inbounds(1)
	b.create(b.user("alice"))
	done := make(chan error)
	for i := range 4 {
		go func() {
			_, err := b.UpdateUser(t.Context(), "alice", func(v *accounts.UserView) error { v.Note += fmt.Sprint(i); return nil })
			done <- err
		}()
	}
	for range 4 {
		if err := <-done; err != nil {
			t.Error(err)
		}
	}
	view, err := b.User(t.Context(), "alice")
	if letters := slices.Sorted(slices.Values(strings.Split(view.Note, ""))); err != nil || strings.Join(letters, "") != "0123" {
		t.Errorf("note %q, %v", view.Note, err)
	}
}
