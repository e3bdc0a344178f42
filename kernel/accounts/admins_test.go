package accounts_test

import (
	"context"
	"errors"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/alexedwards/argon2id"

	"github.com/sluicehq/sluice/kernel/accounts"
	"github.com/sluicehq/sluice/kernel/domain"
	"github.com/sluicehq/sluice/storage"
	"github.com/sluicehq/sluice/storage/storagetest"
)

func wantPassword(t *testing.T, db *storage.DB, username, password string, want bool) {
	t.Helper()
	admin, err := db.AdminByName(t.Context(), username)
	if err != nil {
		t.Fatal(err)
	}
	if got, err := argon2id.ComparePasswordAndHash(password, admin.PasswordHash); err != nil || got != want {
		t.Errorf("password %q of %s opens: %v, %v; want %v", password, username, got, err, want)
	}
}

// An empty database gets its first admin, once.
func TestFirstAdmin(t *testing.T) {
	b := newBench(t)
	db := storagetest.SQLite(t)
	s := accounts.New(accounts.Options{DB: db, Clock: b.clock})
	password, err := s.FirstAdmin(t.Context())
	if err != nil || !regexp.MustCompile(`^[a-z2-7]{5}(-[a-z2-7]{5}){3}$`).MatchString(password) { // 100 bits
		t.Fatalf("password %q, %v", password, err)
	}
	wantPassword(t, db, "admin", password, true)
	if again, err := s.FirstAdmin(t.Context()); err != nil || again != "" {
		t.Errorf("the second time: %q, %v", again, err)
	}
	list, err := db.Admins(t.Context())
	if err != nil || len(list) != 1 || !list[0].Sudo || !list[0].Enabled || list[0].CreatedAt != start {
		t.Errorf("admins %+v, %v", list, err)
	}
}

// Servers that start on one empty database together make one admin, and each goes on.
func TestFirstAdminOfServers(t *testing.T) {
	b := newBench(t)
	db := storagetest.SQLite(t)
	passwords, errs := make([]string, 4), make([]error, 4)
	var servers sync.WaitGroup
	for i := range passwords {
		servers.Go(func() {
			s := accounts.New(accounts.Options{DB: db, Clock: b.clock})
			passwords[i], errs[i] = s.FirstAdmin(t.Context())
		})
	}
	servers.Wait()
	if err := errors.Join(errs...); err != nil {
		t.Fatal(err)
	}
	passwords = slices.DeleteFunc(passwords, func(p string) bool { return p == "" })
	if len(passwords) != 1 {
		t.Fatalf("passwords %q", passwords)
	}
	wantPassword(t, db, "admin", passwords[0], true)
}

func TestCreateAdmin(t *testing.T) {
	b := newBench(t)
	admin, err := b.CreateAdmin(t.Context(), "Mary", "пароль78", false)
	if err != nil || admin.Sudo || !admin.Enabled || admin.Username != "Mary" {
		t.Fatalf("admin %+v, %v", admin, err)
	}
	if !strings.HasPrefix(admin.PasswordHash, "$argon2id$v=19$m=19456,t=2,p=1$") {
		t.Errorf("hash %q", admin.PasswordHash)
	}
	wantPassword(t, b.db, "mary", "пароль78", true)
	wantPassword(t, b.db, "mary", "пароль79", false)

	if err := b.SetPassword(t.Context(), "MARY", "another one"); err != nil {
		t.Fatal(err)
	}
	wantPassword(t, b.db, "mary", "another one", true)
	wantPassword(t, b.db, "mary", "пароль78", false)
}

func TestAdminsRefuse(t *testing.T) {
	b := newBench(t)
	const good = "a good password"
	create := func(name, password string) func(context.Context) error {
		return func(ctx context.Context) error {
			_, err := b.CreateAdmin(ctx, name, password, true)
			return err
		}
	}
	change := func(name, password string) func(context.Context) error {
		return func(ctx context.Context) error { return b.SetPassword(ctx, name, password) }
	}
	for _, c := range []struct {
		name        string
		do          func(context.Context) error
		code        domain.Code
		field, want string
	}{
		{"create: no name", create("", good), domain.CodeInvalid, "username", "username is required"},
		{"create: seven characters", create("mary", "семьсем"), domain.CodeInvalid, "password", "password is shorter than 8 characters"},
		{"create: 257 bytes", create("mary", strings.Repeat("a", 257)), domain.CodeInvalid, "password", "password is longer than 256 bytes"},
		{"create: taken", create("ROOT", good), domain.CodeConflict, "username", "username already in use: ROOT"},
		{"password: short", change("root", "1234567"), domain.CodeInvalid, "password", "password is shorter than 8 characters"},
		{"password: nobody's", change("mary", good), domain.CodeNotFound, "", "admin not found"},
	} {
		t.Run(c.name, func(t *testing.T) {
			b.t = t
			b.refused(c.code, c.field, c.want, c.do)
		})
	}
}

func TestAddAdmin(t *testing.T) {
	b := newBench(t)
	admin, err := b.AddAdmin(t.Context(), domain.Admin{
		ID: 99, Username: "Mary", Sudo: true, UserLimit: ptr(5), Profile: `{"note":"x"}`, PasswordHash: "none", CreatedAt: 1,
	}, password)
	if err != nil {
		t.Fatal(err)
	}
	stored, err := b.db.AdminByName(t.Context(), "mary")
	want := domain.Admin{
		ID: 2, Username: "Mary", UsernameKey: "mary", PasswordHash: stored.PasswordHash, Sudo: true, UserLimit: ptr(5),
		Profile: `{"note":"x"}`, PasswordAt: start, Revision: b.lastChange(), CreatedAt: start,
	}
	if err != nil || !reflect.DeepEqual(stored, want) || !reflect.DeepEqual(admin, want) {
		t.Errorf("added  %+v, %v\nstored %+v\nwant   %+v", admin, err, stored, want)
	}
	wantPassword(t, b.db, "mary", password, true)
}

// update changes an admin in root's name.
func (b *bench) update(name string, password *string, change func(*domain.Admin)) error {
	return b.UpdateAdmin(b.t.Context(), accounts.Principal{Admin: b.admin}, name, password, func(a *domain.Admin) error {
		change(a)
		return nil
	})
}

func TestUpdateAdmin(t *testing.T) {
	b := newBench(t)
	before := b.operator("mary", false)
	b.clock.Advance(time.Second)
	other := "another password"
	err := b.update("MARY", &other, func(a *domain.Admin) {
		a.Sudo, a.Enabled, a.UserLimit, a.Profile = true, false, ptr(0), "{}"
		a.ID, a.Username, a.PasswordHash, a.PasswordAt, a.CreatedAt = 99, "bob", "none", 1, 1 // stay as they are
	})
	if err != nil {
		t.Fatal(err)
	}
	after, err := b.db.AdminByName(t.Context(), "mary")
	want := before
	want.Sudo, want.Enabled, want.UserLimit, want.Profile = true, false, ptr(0), "{}"
	want.PasswordHash, want.PasswordAt, want.Revision = after.PasswordHash, start+1000, b.lastChange()
	if err != nil || !reflect.DeepEqual(after, want) {
		t.Errorf("got  %+v, %v\nwant %+v", after, err, want)
	}
	wantPassword(t, b.db, "mary", other, true)
}

// Without a new password the old one stays, with its sessions.
func TestUpdateAdminWithoutPassword(t *testing.T) {
	b := newBench(t)
	b.operator("mary", false)
	session := b.login("mary")
	b.clock.Advance(time.Second)
	if err := b.update("mary", nil, func(a *domain.Admin) { a.UserLimit = ptr(3) }); err != nil {
		t.Fatal(err)
	}
	wantPassword(t, b.db, "mary", password, true)
	b.wantOpen("after another change", session, true)
}

func TestUpdateAdminRefuses(t *testing.T) {
	b := newBench(t)
	b.operator("mary", false)
	b.operator("boss", true)
	const others = "You're not allowed to modify another sudoer's account. Use the sluice command on the server instead."
	failed := domain.Invalid("profile", "is no profile")
	for _, c := range []struct {
		name, admin string
		password    *string
		change      func(*domain.Admin) error
		code        domain.Code
		field, want string
	}{
		{"nobody", "bob", nil, nil, domain.CodeNotFound, "", "admin not found"},
		{"another sudo admin", "boss", nil, nil, domain.CodeForbidden, "", others},
		{"another sudo admin's password", "boss", ptr("another password"), nil, domain.CodeForbidden, "", others},
		{"a short password", "mary", ptr("1234567"), nil, domain.CodeInvalid, "password", "password is shorter than 8 characters"},
		{"a negative limit", "mary", nil, func(a *domain.Admin) error { a.UserLimit = ptr(-1); return nil }, domain.CodeInvalid, "user_limit", "user_limit must not be negative"},
		{"a long profile", "mary", nil, func(a *domain.Admin) error { a.Profile = strings.Repeat("a", 16<<10+1); return nil }, domain.CodeInvalid, "profile", "profile is longer than 16 KiB"},
		{"what the caller refuses", "mary", nil, func(*domain.Admin) error { return failed }, domain.CodeInvalid, "profile", "profile is no profile"},
	} {
		t.Run(c.name, func(t *testing.T) {
			b.t = t
			b.refused(c.code, c.field, c.want, func(ctx context.Context) error {
				change := c.change
				if change == nil {
					change = func(*domain.Admin) error { return nil }
				}
				return b.UpdateAdmin(ctx, accounts.Principal{Admin: b.admin}, c.admin, c.password, change)
			})
		})
	}
}

// The last sudo admin who is enabled stays that, and may change whatever else it likes.
func TestLastSudoAdmin(t *testing.T) {
	b := newBench(t)
	b.disable(b.operator("boss", true))
	b.operator("mary", false)
	const want = "this is the last enabled sudo admin: it can not be disabled, deleted or lose sudo"
	for name, change := range map[string]func(*domain.Admin){
		"sudo":    func(a *domain.Admin) { a.Sudo = false },
		"enabled": func(a *domain.Admin) { a.Enabled = false },
	} {
		t.Run(name, func(t *testing.T) {
			b.t = t
			b.refused(domain.CodeConflict, "", want, func(context.Context) error { return b.update("root", nil, change) })
		})
	}
	b.t = t
	if err := b.update("root", nil, func(a *domain.Admin) { a.UserLimit = ptr(1) }); err != nil {
		t.Error(err)
	}
	b.operator("chief", true)
	if err := b.update("root", nil, func(a *domain.Admin) { a.Sudo = false }); err != nil {
		t.Error(err)
	}
}

// A deleted admin's users go on, as those of who deleted it.
func TestDeleteAdmin(t *testing.T) {
	b := newBench(t)
	b.inbounds(1)
	mary := b.operator("mary", false)
	for _, name := range []string{"ann", "bob"} {
		n := b.user(name)
		n.AdminID = mary.ID
		b.create(n)
	}
	b.create(b.user("carl"))
	calls := len(b.core.told())
	if err := b.DeleteAdmin(t.Context(), accounts.Principal{Admin: b.admin}, "MARY"); err != nil {
		t.Fatal(err)
	}
	if got, want := b.core.told()[calls:], []string{"user 1 [1]", "user 2 [1]"}; !slices.Equal(got, want) {
		t.Errorf("the core is told %q, want %q", got, want)
	}
	for id := range int64(3) {
		if r, _ := b.directory.ByID(id + 1); r.AdminID != b.admin.ID {
			t.Errorf("user %d is admin %d's in the directory", id+1, r.AdminID)
		}
		if u, err := b.db.UserByID(t.Context(), id+1); err != nil || u.AdminID != b.admin.ID {
			t.Errorf("user %d is admin %d's, %v", id+1, u.AdminID, err)
		}
	}
	if _, err := b.db.AdminByName(t.Context(), "mary"); domain.CodeOf(err) != domain.CodeNotFound {
		t.Errorf("the admin: %v", err)
	}
}

func TestDeleteAdminRefuses(t *testing.T) {
	b := newBench(t)
	b.operator("boss", true)
	for _, c := range []struct {
		name string
		code domain.Code
		want string
	}{
		{"bob", domain.CodeNotFound, "admin not found"},
		{"boss", domain.CodeForbidden, "You're not allowed to remove sudoer's account. Use the sluice command on the server instead."},
		{"root", domain.CodeForbidden, "You're not allowed to remove sudoer's account. Use the sluice command on the server instead."},
	} {
		t.Run(c.name, func(t *testing.T) {
			b.t = t
			b.refused(c.code, "", c.want, func(ctx context.Context) error {
				return b.DeleteAdmin(ctx, accounts.Principal{Admin: b.admin}, c.name)
			})
		})
	}
}

// Who has no principal is not taken for Root.
func TestNobodyIsNotRoot(t *testing.T) {
	b := newBench(t)
	b.operator("boss", true)
	var nobody accounts.Principal
	b.refused(domain.CodeForbidden, "", "You're not allowed to modify another sudoer's account. Use the sluice command on the server instead.",
		func(ctx context.Context) error {
			return b.UpdateAdmin(ctx, nobody, "boss", nil, func(a *domain.Admin) error { a.Enabled = false; return nil })
		})
	b.refused(domain.CodeForbidden, "", "You're not allowed to remove sudoer's account. Use the sluice command on the server instead.",
		func(ctx context.Context) error { return b.DeleteAdmin(ctx, nobody, "boss") })
}

// Root deletes a sudo admin too; its users go to the first other one that is enabled.
func TestRootDeletesASudoAdmin(t *testing.T) {
	b := newBench(t)
	b.inbounds(1)
	boss := b.operator("boss", true)
	n := b.user("alice")
	n.AdminID = boss.ID
	b.create(n)
	if err := b.DeleteAdmin(t.Context(), accounts.Root, "BOSS"); err != nil {
		t.Fatal(err)
	}
	if r, _ := b.directory.ByName("alice"); r.AdminID != b.admin.ID {
		t.Errorf("alice is admin %d's", r.AdminID)
	}
	b.refused(domain.CodeConflict, "", "this is the last enabled sudo admin: it can not be disabled, deleted or lose sudo",
		func(ctx context.Context) error { return b.DeleteAdmin(ctx, accounts.Root, "root") })
}
