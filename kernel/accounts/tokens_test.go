package accounts_test

import (
	"context"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/sluicehq/sluice/kernel/accounts"
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

// A token made for somebody belongs to that admin and can do no more than the token that it was made with.
func TestCreateTokenFor(t *testing.T) {
	b := newBench(t)
	boss, err := b.CreateAdmin(t.Context(), "boss", "a good password", true)
	if err != nil {
		t.Fatal(err)
	}
	who := func(scope domain.Scope, expiresAt *int64) accounts.Principal {
		return accounts.Principal{Admin: boss, Token: domain.Token{Scope: scope, ExpiresAt: expiresAt}}
	}
	for _, c := range []struct {
		name  string
		who   accounts.Principal
		scope domain.Scope
	}{
		{"as it is", who(domain.ScopeAdmin, nil), domain.ScopeAdmin},
		{"less", who(domain.ScopeAdmin, nil), domain.ScopeReadonly},
		{"readonly by readonly", who(domain.ScopeReadonly, nil), domain.ScopeReadonly},
		{"longer", who(domain.ScopeAdmin, ptr(start+1)), domain.ScopeAdmin},
	} {
		token, secret, err := b.CreateTokenFor(t.Context(), c.who, c.name, c.scope, nil)
		if err != nil {
			t.Fatal(err)
		}
		got, err := b.Authenticate(t.Context(), secret)
		if err != nil || got.Admin.ID != boss.ID || got.Token != token || token.AdminID != boss.ID || token.Scope != c.scope {
			t.Errorf("%s: %+v, %v", c.name, got, err)
		}
	}
	for _, c := range []struct {
		name, want string
		code       domain.Code
		who        accounts.Principal
	}{
		{"more", "this API token is readonly", domain.CodeForbidden, who(domain.ScopeReadonly, nil)},
		{"of nobody", "this refers to something that does not exist", domain.CodeNotFound, accounts.Principal{Admin: domain.Admin{ID: 99}, Token: domain.Token{Scope: domain.ScopeAdmin}}},
	} {
		t.Run(c.name, func(t *testing.T) {
			b.t = t
			b.refused(c.code, "", c.want, func(ctx context.Context) error {
				_, secret, err := b.CreateTokenFor(ctx, c.who, c.name, domain.ScopeAdmin, nil)
				if secret != "" {
					t.Errorf("the secret %q came with the error", secret)
				}
				return err
			})
		})
	}
}

func TestEnableToken(t *testing.T) {
	b := newBench(t)
	token, secret := b.token("cli", domain.ScopeReadonly, nil)
	_, other := b.token("other", domain.ScopeAdmin, nil)
	for _, c := range []struct {
		expected domain.Scope
		enabled  bool
	}{{"", false}, {domain.ScopeReadonly, false}, {"", true}, {domain.ScopeReadonly, true}} {
		if err := b.EnableToken(t.Context(), token.ID, c.expected, c.enabled); err != nil {
			t.Fatal(err)
		}
		if _, err := b.Authenticate(t.Context(), secret); (err == nil) != c.enabled {
			t.Errorf("enabled %v: %v", c.enabled, err)
		}
		if _, err := b.Authenticate(t.Context(), other); err != nil {
			t.Errorf("the other token: %v", err)
		}
	}
	b.refused(domain.CodeNotFound, "", "token not found", func(ctx context.Context) error { return b.EnableToken(ctx, 99, "", false) })
	b.refused(domain.CodeNotFound, "", "token not found with the scope admin", func(ctx context.Context) error {
		return b.EnableToken(ctx, token.ID, domain.ScopeAdmin, false)
	})
}

func TestDeleteToken(t *testing.T) {
	b := newBench(t)
	token, secret := b.token("cli", domain.ScopeReadonly, nil)
	b.refused(domain.CodeNotFound, "", "token not found with the scope admin", func(ctx context.Context) error {
		return b.DeleteToken(ctx, token.ID, domain.ScopeAdmin)
	})
	if err := b.DeleteToken(t.Context(), token.ID, domain.ScopeReadonly); err != nil {
		t.Fatal(err)
	}
	if _, err := b.Authenticate(t.Context(), secret); domain.CodeOf(err) != domain.CodeForbidden {
		t.Errorf("a deleted token: %v", err)
	}
	b.refused(domain.CodeNotFound, "", "token not found", func(ctx context.Context) error { return b.DeleteToken(ctx, token.ID, "") })
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
