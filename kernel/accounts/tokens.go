package accounts

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/sluicehq/sluice/kernel/domain"
	"github.com/sluicehq/sluice/storage"
)

// tokenPrefix lets secret scanners find a leaked token.
const tokenPrefix = "sluice_"

const maxTokenName = 64 // characters

// Principal is who a request acts for.
type Principal struct {
	Admin domain.Admin
	Token domain.Token
}

// CreateToken makes an API token of the first sudo admin and returns its secret: the one time that it can be read.
// expiresAt is in ms UTC, nil = never.
func (s *Service) CreateToken(ctx context.Context, name string, scope domain.Scope, expiresAt *int64) (domain.Token, string, error) {
	switch {
	case name == "":
		return domain.Token{}, "", domain.Invalid("name", "is required")
	case utf8.RuneCountInString(name) > maxTokenName:
		return domain.Token{}, "", domain.Invalid("name", "is longer than 64 characters")
	case strings.ContainsFunc(name, unicode.IsControl):
		return domain.Token{}, "", domain.Invalid("name", "must not contain control characters")
	case scope != domain.ScopeAdmin && scope != domain.ScopeReadonly:
		return domain.Token{}, "", domain.Invalid("scope", "must be admin or readonly")
	case expiresAt != nil && *expiresAt <= s.now():
		return domain.Token{}, "", domain.Invalid("expires_at", "is in the past")
	}
	secret := newTokenSecret()
	token := domain.Token{Name: name, Hash: hashToken(secret), Scope: scope, Enabled: true, ExpiresAt: expiresAt, CreatedAt: s.now()}
	err := s.write(ctx, func(tx *storage.Tx) error {
		admin, err := tx.FirstSudo(ctx)
		if err != nil {
			return noSudo(err)
		}
		token.AdminID = admin.ID
		return tx.InsertToken(ctx, &token)
	}, nil)
	if domain.CodeOf(err) == domain.CodeConflict {
		err = domain.Conflict("name", "already in use: "+name).Because(err)
	}
	if err != nil {
		return domain.Token{}, "", err
	}
	return token, secret, nil
}

func noSudo(err error) error {
	if domain.CodeOf(err) != domain.CodeNotFound {
		return err
	}
	return domain.NotFound("there is no sudo admin yet: start the server once, or create one with `sluice admin create --sudo`").Because(err)
}

// Tokens returns every token by id, without secrets.
func (s *Service) Tokens(ctx context.Context) ([]domain.Token, error) { return s.DB.Tokens(ctx) }

// RevokeToken deletes the token of that name; it opens nothing from then on.
func (s *Service) RevokeToken(ctx context.Context, name string) error {
	return s.write(ctx, func(tx *storage.Tx) error {
		tokens, err := tx.Tokens(ctx)
		if err != nil {
			return err
		}
		for _, t := range tokens {
			if t.Name == name {
				return tx.DeleteToken(ctx, t.ID)
			}
		}
		return domain.NotFound("token not found: " + name)
	}, nil)
}

// Authenticate returns who a token's secret acts for. Every token that opens nothing (unknown, disabled, expired, of a
// disabled admin) answers with the same error.
func (s *Service) Authenticate(ctx context.Context, secret string) (Principal, error) {
	refused := domain.Forbidden("the API token is missing, unknown, expired or disabled")
	token, admin, err := s.DB.TokenByHash(ctx, hashToken(secret))
	switch {
	case domain.CodeOf(err) == domain.CodeNotFound:
		return Principal{}, refused.Because(err)
	case err != nil:
		return Principal{}, err
	case !token.UsableAt(s.now()) || !admin.Enabled:
		return Principal{}, refused
	}
	return Principal{admin, token}, nil
}

// newTokenSecret is 256 random bits, which need no slow hash.
func newTokenSecret() string {
	var b [32]byte
	_, _ = rand.Read(b[:]) // never fails
	return tokenPrefix + base64.RawURLEncoding.EncodeToString(b[:])
}

func hashToken(secret string) string {
	sum := sha256.Sum256([]byte(secret))
	return hex.EncodeToString(sum[:])
}
