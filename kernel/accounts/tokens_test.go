package accounts_test

import (
	"context"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/sluicehq/sluice/kernel/domain"
	"github.com/sluicehq/sluice/storage"
)

func (b *bench) token(name string, scope domain.Scope, expiresAt *int64) (domain.Token, string) {
	b.t.Helper()
	token, secret, err := b.CreateToken(b.t.Context(), name, scope, expiresAt)
	if err != nil {
		b.t.Fatal(err)
	}
	return token, secret
}

func TestCreateToken(t *testing.T) {
	b := newBench(t)
	token, secret := b.token("cli", domain.ScopeReadonly, ptr(start+1))
	if !regexp.MustCompile(`^sluice_[A-Za-z0-9_-]{43}$`).MatchString(secret) { // 256 bits
		t.Errorf("secret %q", secret)
	}
	_, another := b.token("another", domain.ScopeAdmin, nil)
	if another == secret {
		t.Error("a secret was made twice")
	}
	list, err := b.Tokens(t.Context())
	if err != nil || len(list) != 2 {
		t.Fatalf("list %+v, %v", list, err)
	}
	want := domain.Token{
		ID: 1, Name: "cli", Hash: token.Hash, AdminID: b.admin.ID, Scope: domain.ScopeReadonly, Enabled: true,
		ExpiresAt: list[0].ExpiresAt, CreatedAt: start,
	}
	if list[0] != want || *list[0].ExpiresAt != start+1 || list[1].ExpiresAt != nil {
		t.Errorf("list %+v", list)
	}
	for _, stored := range list {
		if strings.Contains(secret, stored.Hash) || len(stored.Hash) != 64 {
			t.Errorf("the stored hash %q of %q", stored.Hash, secret)
		}
	}
}

func TestCreateTokenRefuses(t *testing.T) {
	b := newBench(t)
	b.token("taken", domain.ScopeAdmin, nil)
	for _, c := range []struct {
		name, token string
		scope       domain.Scope
		expires     *int64
		code        domain.Code
		field, want string
	}{
		{"no name", "", domain.ScopeAdmin, nil, domain.CodeInvalid, "name", "name is required"},
		{"long name", strings.Repeat("я", 65), domain.ScopeAdmin, nil, domain.CodeInvalid, "name", "name is longer than 64 characters"},
		{"newline", "a\nb", domain.ScopeAdmin, nil, domain.CodeInvalid, "name", "name must not contain control characters"},
		{"no scope", "a", "", nil, domain.CodeInvalid, "scope", "scope must be admin or readonly"},
		{"unknown scope", "a", "root", nil, domain.CodeInvalid, "scope", "scope must be admin or readonly"},
		{"expires now", "a", domain.ScopeAdmin, ptr(start), domain.CodeInvalid, "expires_at", "expires_at is in the past"},
		{"taken", "taken", domain.ScopeAdmin, nil, domain.CodeConflict, "name", "name already in use: taken"},
	} {
		t.Run(c.name, func(t *testing.T) {
			b.t = t
			b.refused(c.code, c.field, c.want, func(ctx context.Context) error {
				token, secret, err := b.CreateToken(ctx, c.token, c.scope, c.expires)
				if secret != "" || token.ID != 0 {
					t.Errorf("%+v with the secret %q came with the error", token, secret)
				}
				return err
			})
		})
	}
}

// Tokens belong to the oldest sudo admin that is enabled; without one there are none.
func TestCreateTokenWithoutSudoAdmin(t *testing.T) {
	b := newBench(t)
	b.admin.Enabled = false
	b.write(func(tx *storage.Tx) error { return tx.UpdateAdmin(t.Context(), &b.admin) })
	if _, err := b.CreateAdmin(t.Context(), "helper", "a good password", false); err != nil {
		t.Fatal(err)
	}
	const want = "there is no sudo admin yet: start the server once, or create one with `sluice admin create --sudo`"
	b.refused(domain.CodeNotFound, "", want, func(ctx context.Context) error {
		_, _, err := b.CreateToken(ctx, "cli", domain.ScopeAdmin, nil)
		return err
	})
	boss, err := b.CreateAdmin(t.Context(), "boss", "a good password", true)
	if err != nil {
		t.Fatal(err)
	}
	if token, _ := b.token("cli", domain.ScopeAdmin, nil); token.AdminID != boss.ID {
		t.Errorf("the token belongs to admin %d, want %d", token.AdminID, boss.ID)
	}
}

func TestRevokeToken(t *testing.T) {
	b := newBench(t)
	_, secret := b.token("cli", domain.ScopeAdmin, nil)
	_, kept := b.token("kept", domain.ScopeAdmin, nil)
	if err := b.RevokeToken(t.Context(), "cli"); err != nil {
		t.Fatal(err)
	}
	if _, err := b.Authenticate(t.Context(), secret); domain.CodeOf(err) != domain.CodeForbidden {
		t.Errorf("a revoked token: %v", err)
	}
	if _, err := b.Authenticate(t.Context(), kept); err != nil {
		t.Errorf("the other token: %v", err)
	}
	b.refused(domain.CodeNotFound, "", "token not found: cli", func(ctx context.Context) error { return b.RevokeToken(ctx, "cli") })
}

func TestAuthenticate(t *testing.T) {
	b := newBench(t)
	token, secret := b.token("cli", domain.ScopeReadonly, ptr(start+1000))
	who, err := b.Authenticate(t.Context(), secret)
	if err != nil || who.Admin.ID != b.admin.ID || who.Token.ID != token.ID || who.Token.Scope != domain.ScopeReadonly {
		t.Fatalf("%+v, %v", who, err)
	}
	b.clock.Advance(999 * time.Millisecond)
	if _, err := b.Authenticate(t.Context(), secret); err != nil {
		t.Errorf("in its last millisecond: %v", err)
	}
}

// Whatever is wrong with a token, the answer is the same: it tells nothing about tokens that exist.
func TestAuthenticateRefuses(t *testing.T) {
	b := newBench(t)
	hash, secret := b.token("cli", domain.ScopeAdmin, nil)
	_, brief := b.token("brief", domain.ScopeAdmin, ptr(start+1000))
	b.clock.Advance(time.Second)
	_, orphan := b.token("orphan", domain.ScopeAdmin, nil)
	for _, c := range []struct{ name, secret string }{
		{"none", ""},
		{"unknown", "sluice_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"},
		{"the hash instead of the secret", hash.Hash},
		{"another case", strings.ToUpper(secret)},
		{"expired at this millisecond", brief},
		{"of a disabled admin", orphan},
	} {
		t.Run(c.name, func(t *testing.T) {
			b.t = t
			b.admin.Enabled = c.secret != orphan
			b.write(func(tx *storage.Tx) error { return tx.UpdateAdmin(t.Context(), &b.admin) })
			b.refused(domain.CodeForbidden, "", "the API token is missing, unknown, expired or disabled", func(ctx context.Context) error {
				who, err := b.Authenticate(ctx, c.secret)
				if who.Admin.ID != 0 {
					t.Errorf("%+v came with the error", who)
				}
				return err
			})
		})
	}
}
