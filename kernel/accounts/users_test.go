package accounts_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/sluicehq/sluice/kernel/accounts"
	"github.com/sluicehq/sluice/kernel/domain"
	"github.com/sluicehq/sluice/storage"
)

const someUUID = "b831381d-6324-4d53-ad4f-8cda48b30811"

func ptr[T any](v T) *T { return &v }

func TestCreateUserGeneratesCredentials(t *testing.T) {
	b := newBench(t)
	b.inbounds(1)
	alice, bob := b.create(b.user("Alice")), b.create(b.user("bob"))

	if alice.VLESSID != alice.VMessID || alice.TrojanPassword != alice.ShadowsocksPassword {
		t.Errorf("more than one uuid or password: %+v", alice.Credentials)
	}
	if len(alice.VLESSID) != 36 || alice.VLESSID == bob.VLESSID {
		t.Errorf("uuids %q and %q", alice.VLESSID, bob.VLESSID)
	}
	secrets := []string{
		alice.TrojanPassword, alice.HysteriaAuth, alice.SubID, bob.TrojanPassword, bob.HysteriaAuth, bob.SubID,
	}
	for i, secret := range secrets {
		if len(secret) != 26 || strings.Trim(secret, "abcdefghijklmnopqrstuvwxyz234567") != "" {
			t.Errorf("secret %q is not 26 characters of base32", secret) // 130 bits
		}
		if slices.Contains(secrets[:i], secret) {
			t.Errorf("secret %q was made twice", secret)
		}
	}
	if alice.Flow != "" || alice.VMessSecurity != "" || alice.Method != nil {
		t.Errorf("credentials that nobody gave: %+v", alice.Credentials)
	}
}

// What is given for one protocol stays there, and is unique over all users in any spelling.
func TestCreateUserKeepsSeparateCredentials(t *testing.T) {
	b := newBench(t)
	b.inbounds(1)
	alice := b.user("alice")
	alice.VMessID, alice.ShadowsocksPassword, alice.Method = strings.ToUpper(someUUID), "shadow", ptr("aes-128-gcm")
	v := b.create(alice)
	if v.VMessID != someUUID || v.VLESSID == someUUID || v.ShadowsocksPassword != "shadow" || v.TrojanPassword == "shadow" || *v.Method != "aes-128-gcm" {
		t.Errorf("made %+v", v.Credentials)
	}
	for _, c := range []struct {
		field  string
		change func(n *accounts.NewUser)
	}{
		{"uuid", func(n *accounts.NewUser) { n.VMessID = someUUID }},
		{"uuid", func(n *accounts.NewUser) { n.VMessID = strings.ToUpper(someUUID) }},
		{"uuid", func(n *accounts.NewUser) { n.UUID = strings.ToUpper(someUUID) }},
		{"password", func(n *accounts.NewUser) { n.ShadowsocksPassword = "shadow" }},
		{"password", func(n *accounts.NewUser) { n.Password = "shadow" }},
	} {
		n := b.user("bob")
		c.change(&n)
		report, err := b.CreateUsers(t.Context(), []accounts.NewUser{n, b.user("carol")}, accounts.How{DryRun: true})
		if _, skipped := lists(report); err != nil || !slices.Equal(skipped, []string{"bob: " + c.field + " is already in use"}) {
			t.Errorf("%+v, %v", report, err)
		}
	}
}

func TestCreateUserKeepsWhatIsGiven(t *testing.T) {
	b := newBench(t)
	b.inbounds(2)
	view := b.create(accounts.NewUser{
		Username: "Alice@Example.com", SubID: "my-sub", UUID: strings.ToUpper(someUUID), Password: "pass word", Auth: "auth",
		Flow: domain.FlowVision, VMessSecurity: "zero", Quota: ptr(int64(10)), ExpireAt: ptr(start - 1), LimitIP: 3,
		Note: "a\nnote", TgID: -7, AdminID: b.admin.ID, Inbounds: []int64{2, 1, 2},
	})
	want := domain.User{
		ID: 1, Username: "Alice@Example.com", UsernameKey: "alice@example.com", SubID: "my-sub",
		Credentials: domain.Credentials{
			VLESSID: someUUID, VMessID: someUUID, TrojanPassword: "pass word", ShadowsocksPassword: "pass word",
			HysteriaAuth: "auth", Flow: domain.FlowVision, VMessSecurity: "zero",
		},
		Quota: ptr(int64(10)), ExpireAt: ptr(start - 1), LimitIP: 3, Note: "a\nnote", TgID: -7, AdminID: b.admin.ID,
		ResetAnchor: start, Status: domain.StatusDisabled, StatusSince: start, Revision: view.Revision, CreatedAt: start, UpdatedAt: start,
	}
	if got, want := show(view.User), show(want); got != want {
		t.Errorf("user\n got %s\nwant %s", got, want)
	}
	if !slices.Equal(view.Inbounds, []int64{1, 2}) || view.Status != domain.StatusDisabled || view.Traffic.Used() != 0 {
		t.Errorf("inbounds %v, status %s, used %d", view.Inbounds, view.Status, view.Traffic.Used())
	}
	again, err := b.User(t.Context(), "ALICE@EXAMPLE.COM")
	if err != nil || show(again.User) != show(view.User) {
		t.Errorf("read again: %s, %v", show(again.User), err)
	}
	b.core.wantTold(t, "user 1 [1 2]")
}

// show writes a user with what its pointers point to.
func show(u domain.User) string {
	quota, expire := *u.Quota, *u.ExpireAt
	u.Quota, u.ExpireAt = nil, nil
	return fmt.Sprintf("%+v quota %d expire %d", u, quota, expire)
}

func TestCreateUserRefuses(t *testing.T) {
	b := newBench(t)
	b.inbounds(1)
	const badUUID = "uuid is not a valid UUID"
	const noInbound = "inbounds must name at least one inbound"
	for _, c := range []struct {
		name   string
		change func(*accounts.NewUser)
		field  string
		want   string
	}{
		{"no name", func(n *accounts.NewUser) { n.Username = "" }, "username", "username is required"},
		{
			"a name that is no path segment", func(n *accounts.NewUser) { n.Username = "a/b" },
			"username", "username must not contain spaces, control characters, / or \\",
		},
		{
			"a sub id that is no path segment", func(n *accounts.NewUser) { n.SubID = "a?b" },
			"sub_id", "sub_id must be 1 to 128 characters without spaces, control characters, / \\ ? # % or &",
		},
		{"no uuid", func(n *accounts.NewUser) { n.UUID = "alice" }, "uuid", badUUID},
		{"a uuid without hyphens", func(n *accounts.NewUser) { n.UUID = strings.ReplaceAll(someUUID, "-", "") }, "uuid", badUUID},
		{"a uuid in braces", func(n *accounts.NewUser) { n.UUID = "{" + someUUID + "}" }, "uuid", badUUID},
		{"a uuid as a URN", func(n *accounts.NewUser) { n.UUID = "urn:uuid:" + someUUID }, "uuid", badUUID},
		{"a long password", func(n *accounts.NewUser) { n.Password = strings.Repeat("a", 129) }, "password", "password is longer than 128 bytes"},
		{"a password with NUL", func(n *accounts.NewUser) { n.Password = "a\x00" }, "password", "password must not contain control characters"},
		{"a long auth", func(n *accounts.NewUser) { n.Auth = strings.Repeat("a", 129) }, "auth", "auth is longer than 128 bytes"},
		{"an auth with DEL", func(n *accounts.NewUser) { n.Auth = "a\x7f" }, "auth", "auth must not contain control characters"},
		{"an unknown flow", func(n *accounts.NewUser) { n.Flow = "xtls-rprx-direct" }, "flow", `flow must be "" or "xtls-rprx-vision"`},
		{
			"an unknown vmess cipher", func(n *accounts.NewUser) { n.VMessSecurity = "rot13" },
			"security", "security must be one of auto, aes-128-gcm, chacha20-poly1305, none, zero",
		},
		{"a negative quota", func(n *accounts.NewUser) { n.Quota = ptr(int64(-1)) }, "quota", "quota must not be negative"},
		{"a quota of nothing", func(n *accounts.NewUser) { n.Quota = ptr(int64(0)) }, "quota", "quota must be more than 0 bytes"},
		{"a negative expiry", func(n *accounts.NewUser) { n.ExpireAt = ptr(int64(-1)) }, "expire_at", "expire_at must not be negative"},
		{"a negative hold", func(n *accounts.NewUser) { n.HoldDuration = -1 }, "hold_duration", "hold_duration must be more than 0 and at most 100 years"},
		{"a negative renewal", func(n *accounts.NewUser) { n.RenewDays = -1 }, "renew_days", "renew_days must not be negative"},
		{"a negative deletion", func(n *accounts.NewUser) { n.AutoDelete = ptr(-1) }, "auto_delete", "auto_delete must be between 0 and 3650 days"},
		{
			"a policy without its parameters", func(n *accounts.NewUser) { n.ResetPolicy = "every" },
			"reset_params.days", "reset_params.days is required",
		},
		{"a negative limit", func(n *accounts.NewUser) { n.LimitIP = -1 }, "limit_ip", "limit_ip must not be negative"},
		{"a note with NUL", func(n *accounts.NewUser) { n.Note = "a\x00" }, "note", "note must not contain NUL"},
		{"a long note", func(n *accounts.NewUser) { n.Note = strings.Repeat("a", 4097) }, "note", "note is longer than 4096 bytes"},
		{"no inbounds", func(n *accounts.NewUser) { n.Inbounds = []int64{} }, "inbounds", noInbound},
		{"nil inbounds", func(n *accounts.NewUser) { n.Inbounds = nil }, "inbounds", noInbound},
	} {
		t.Run(c.name, func(t *testing.T) {
			b.t = t
			n := b.user("alice")
			c.change(&n)
			b.refused(domain.CodeInvalid, c.field, c.want, func(ctx context.Context) error { return create(ctx, b, n) })
		})
	}
	b.t = t
	b.create(b.user("alice")) // nothing of the refused ones is in its way
}

func create(ctx context.Context, b *bench, n accounts.NewUser) error {
	_, err := b.CreateUser(ctx, n, nil)
	return err
}

func TestCreateUserBoundaries(t *testing.T) {
	b := newBench(t)
	b.inbounds(1)
	n := b.user(strings.Repeat("я", 128))
	n.Password, n.Auth, n.SubID = strings.Repeat("a", 128), strings.Repeat("b", 128), strings.Repeat("c", 128)
	n.Note, n.Quota, n.ExpireAt = strings.Repeat("a", 4096), ptr(int64(1)), ptr(int64(0))
	if view := b.create(n); view.Status != domain.StatusExpired {
		t.Errorf("a user that expired in 1970 is %s", view.Status)
	}
}

func TestCreateUserConflicts(t *testing.T) {
	b := newBench(t)
	b.inbounds(2)
	alice := b.user("Alice")
	alice.UUID, alice.Password, alice.Auth, alice.SubID = someUUID, "password", "auth", "sub"
	b.create(alice)
	for _, c := range []struct {
		name   string
		change func(*accounts.NewUser)
		field  string
		want   string
	}{
		{"the same name", func(n *accounts.NewUser) { n.Username = "Alice" }, "username", "username already in use: Alice"},
		{"the name in another case", func(n *accounts.NewUser) { n.Username = "aLICE" }, "username", "username already in use: aLICE"},
		{
			"the name with another sub id", func(n *accounts.NewUser) { n.Username, n.SubID = "Alice", "other" },
			"username", "username already in use: Alice",
		},
		{"another name, the same sub id", func(n *accounts.NewUser) { n.SubID = "sub" }, "sub_id", "sub_id is already in use"},
		{"the uuid", func(n *accounts.NewUser) { n.UUID = strings.ToUpper(someUUID) }, "uuid", "uuid is already in use"},
		{"the password", func(n *accounts.NewUser) { n.Password = "password" }, "password", "password is already in use"},
		{"the auth", func(n *accounts.NewUser) { n.Auth = "auth" }, "auth", "auth is already in use"},
	} {
		t.Run(c.name, func(t *testing.T) {
			b.t = t
			n := b.user("bob")
			c.change(&n)
			b.refused(domain.CodeConflict, c.field, c.want, func(ctx context.Context) error { return create(ctx, b, n) })
		})
	}
}

// Inbounds that exist are not attached when one does not.
func TestCreateUserWithUnknownInbound(t *testing.T) {
	b := newBench(t)
	b.inbounds(2)
	alice := b.user("alice")
	alice.SubID = "sub"
	b.create(alice)
	for name, username := range map[string]string{"new user": "bob", "attached user": "alice"} {
		t.Run(name, func(t *testing.T) {
			b.t = t
			n := accounts.NewUser{Username: username, SubID: "sub", AdminID: b.admin.ID, Inbounds: []int64{2, 99}}
			b.refused(domain.CodeNotFound, "", "inbound 99: not found", func(ctx context.Context) error { return create(ctx, b, n) })
		})
	}
	if view, err := b.User(t.Context(), "alice"); err != nil || !slices.Equal(view.Inbounds, []int64{1}) {
		t.Errorf("alice is on %v, %v", view.Inbounds, err)
	}
}

// A name that exists with the same sub id is attached to the new inbounds; nothing else of the request counts.
func TestCreateUserAttaches(t *testing.T) {
	b := newBench(t)
	b.inbounds(2)
	n := b.user("Alice")
	n.SubID, n.Quota = "sub", ptr(int64(100))
	before := b.create(n)
	after := b.create(accounts.NewUser{
		Username: "alice", SubID: "sub", UUID: someUUID, Password: "new", Quota: ptr(int64(5)), LimitIP: 9, Inbounds: []int64{2},
	})
	if !slices.Equal(after.Inbounds, []int64{1, 2}) || after.Revision <= before.Revision {
		t.Errorf("inbounds %v, revision %d after %d", after.Inbounds, after.Revision, before.Revision)
	}
	if after.Username != "Alice" || after.Credentials != before.Credentials || *after.Quota != 100 || after.LimitIP != 0 || !after.Enabled {
		t.Errorf("more than the inbounds changed: %+v, then %+v", before, after)
	}
	b.core.wantTold(t, "user 1 [1]", "user 1 [1 2]")
}

func TestUserView(t *testing.T) {
	b := newBench(t)
	b.inbounds(1)
	n := b.user("alice")
	n.Quota = ptr(int64(30))
	id := b.create(n).ID
	deltas := []domain.TrafficDelta{{UserID: id, Up: 10, Down: 20, OnlineAt: start}}
	if err := b.db.FlushTraffic(t.Context(), domain.Chunk{Node: "node", Seq: 1, Users: deltas}); err != nil {
		t.Fatal(err)
	}
	view, err := b.User(t.Context(), "alice")
	if err != nil || view.Traffic.Up != 10 || view.Traffic.Down != 20 || view.Status != domain.StatusLimited {
		t.Fatalf("traffic %+v, status %s, %v", view.Traffic, view.Status, err)
	}
	_, err = b.User(t.Context(), "nobody")
	wantError(t, err, domain.CodeNotFound, "", "client not found")
}

// The core hears of a deletion after its commit, when nobody can read the user any more.
func TestDeleteUser(t *testing.T) {
	b := newBench(t)
	b.inbounds(1)
	b.create(b.user("Alice"))
	b.core.before = func(call string) {
		if _, err := b.db.UserByName(t.Context(), "alice"); domain.CodeOf(err) != domain.CodeNotFound {
			t.Errorf("%s comes before its commit: %v", call, err)
		}
	}
	if err := b.DeleteUser(t.Context(), "aLiCe", false); err != nil {
		t.Fatal(err)
	}
	b.core.before = nil
	b.core.wantTold(t, "user 1 [1]", "no user 1")
	b.refused(domain.CodeNotFound, "", "client not found", func(ctx context.Context) error { return b.DeleteUser(ctx, "alice", false) })
	if again := b.create(b.user("alice")); again.ID != 2 {
		t.Errorf("the id %d is used again", again.ID)
	}
}

// Nothing has an effect when the transaction does not commit.
func TestNoEffectWithoutCommit(t *testing.T) {
	b := newBench(t)
	b.inbounds(1)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := b.CreateUser(ctx, b.user("alice"), nil); !errors.Is(err, context.Canceled) {
		t.Errorf("create: %v", err)
	}
	b.core.wantTold(t)
	var n int
	if err := b.db.EachAccount(t.Context(), func(domain.Account) error { n++; return nil }); err != nil || n != 0 {
		t.Errorf("%d users, %v", n, err)
	}
	b.write(func(*storage.Tx) error { return nil }) // the writer is free again
}
