package accounts_test

import (
	"context"
	"regexp"
	"strings"
	"testing"

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
