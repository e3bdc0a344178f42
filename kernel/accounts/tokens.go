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
	Token domain.Token // of a session it is none, with the scope of its admin
}

// Caller tells requests of different callers apart: it is the id of the token, or below 0 that of the admin of a session.
func (p Principal) Caller() int64 {
	if p.Token.ID != 0 {
		return p.Token.ID
	}
	return -p.Admin.ID
}

// CreateToken makes an API token of the first sudo admin and returns its secret: the one time that it can be read.
// expiresAt is in ms UTC, nil = never.
func (s *Service) CreateToken(ctx context.Context, name string, scope domain.Scope, expiresAt *int64) (domain.Token, string, error) {
	token := domain.Token{Name: name, Scope: scope, ExpiresAt: expiresAt}
	return s.createToken(ctx, token, func(tx *storage.Tx) (int64, error) {
		admin, err := tx.FirstSudo(ctx)
		return admin.ID, noSudo(err)
	})
}

// CreateTokenFor is CreateToken for the admin that who acts for. A readonly token makes readonly ones only; one that
// expires may make one that does not, because that is how a script renews its own.
func (s *Service) CreateTokenFor(ctx context.Context, who Principal, name string, scope domain.Scope, expiresAt *int64) (domain.Token, string, error) {
	if who.Token.Scope == domain.ScopeReadonly && scope != domain.ScopeReadonly {
		return domain.Token{}, "", domain.Forbidden("this API token is readonly")
	}
	token := domain.Token{Name: name, Scope: scope, ExpiresAt: expiresAt}
	return s.createToken(ctx, token, func(*storage.Tx) (int64, error) { return who.Admin.ID, nil })
}

// createToken completes token, with the admin that owner names, and stores it.
func (s *Service) createToken(
	ctx context.Context, token domain.Token, owner func(*storage.Tx) (adminID int64, err error),
) (domain.Token, string, error) {
	if err := s.checkToken(token); err != nil {
		return domain.Token{}, "", err
	}
	secret := newTokenSecret()
	token.Hash, token.Enabled, token.CreatedAt = hashToken(secret), true, s.now()
	err := s.write(ctx, func(tx *storage.Tx) (err error) {
		if token.AdminID, err = owner(tx); err != nil {
			return err
		}
		return tx.InsertToken(ctx, &token)
	}, nil)
	if domain.CodeOf(err) == domain.CodeConflict {
		err = domain.Conflict("name", "already in use: "+token.Name).Because(err)
	}
	if err != nil {
		return domain.Token{}, "", err
	}
	return token, secret, nil
}

func (s *Service) checkToken(t domain.Token) error {
	switch {
	case t.Name == "":
		return domain.Invalid("name", "is required")
	case utf8.RuneCountInString(t.Name) > maxTokenName:
		return domain.Invalid("name", "is longer than 64 characters")
	case strings.ContainsFunc(t.Name, unicode.IsControl):
		return domain.Invalid("name", "must not contain control characters")
	case t.Scope != domain.ScopeAdmin && t.Scope != domain.ScopeReadonly:
		return domain.Invalid("scope", "must be admin or readonly")
	case t.ExpiresAt != nil && *t.ExpiresAt <= s.now():
		return domain.Invalid("expires_at", "is in the past")
	}
	return nil
}

// noSudo says in err's place what to do when there is no sudo admin.
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
	return s.withToken(ctx, func(t *domain.Token) bool { return t.Name == name }, "token not found: "+name,
		func(tx *storage.Tx, t *domain.Token) error { return tx.DeleteToken(ctx, t.ID) })
}

// EnableToken lets a token in again or keeps it out, from the next request on. With an expected scope ("" = any) a token
// of another one is not found: the caller has something else in mind than what is there.
func (s *Service) EnableToken(ctx context.Context, id int64, expected domain.Scope, enabled bool) error {
	return s.withTokenID(ctx, id, expected, func(tx *storage.Tx, t *domain.Token) error {
		if t.Enabled == enabled {
			return nil
		}
		t.Enabled = enabled
		return tx.UpdateToken(ctx, t)
	})
}

// DeleteToken is RevokeToken by id, under EnableToken's rule about the scope.
func (s *Service) DeleteToken(ctx context.Context, id int64, expected domain.Scope) error {
	return s.withTokenID(ctx, id, expected, func(tx *storage.Tx, t *domain.Token) error { return tx.DeleteToken(ctx, t.ID) })
}

func (s *Service) withTokenID(ctx context.Context, id int64, expected domain.Scope, do func(*storage.Tx, *domain.Token) error) error {
	missing := "token not found"
	if expected != "" {
		missing += " with the scope " + string(expected)
	}
	wanted := func(t *domain.Token) bool { return t.ID == id && (expected == "" || t.Scope == expected) }
	return s.withToken(ctx, wanted, missing, do)
}

// withToken runs do on the first token that is wanted, in one transaction. There are few tokens, so all are read.
func (s *Service) withToken(
	ctx context.Context, wanted func(*domain.Token) bool, missing string, do func(*storage.Tx, *domain.Token) error,
) error {
	return s.write(ctx, func(tx *storage.Tx) error {
		tokens, err := tx.Tokens(ctx)
		if err != nil {
			return err
		}
		for i := range tokens {
			if wanted(&tokens[i]) {
				return do(tx, &tokens[i])
			}
		}
		return domain.NotFound(missing)
	}, nil)
}

// errRefused is what everybody is told whose token or session opens nothing.
var errRefused = domain.Forbidden("the API token is missing, unknown, expired or disabled")

// notThere refuses in err's place if what a token or a session rests on does not exist.
func notThere(err error) error {
	if domain.CodeOf(err) == domain.CodeNotFound {
		return errRefused.Because(err)
	}
	return err
}

// Authenticate returns who the secret of a token, or a session, acts for. Every one that opens nothing (unknown, disabled,
// expired, of a disabled admin) answers with the same sentence; one that would, but for its disabled admin, has ErrDisabled
// as its cause.
func (s *Service) Authenticate(ctx context.Context, secret string) (who Principal, err error) {
	if isSession(secret) {
		who.Token.Scope = domain.ScopeAdmin
		who.Admin, err = s.sessionAdmin(ctx, secret)
	} else {
		who.Token, who.Admin, err = s.DB.TokenByHash(ctx, hashToken(secret))
		err = notThere(err)
	}
	switch {
	case err != nil:
		return Principal{}, err
	case who.Token.ID != 0 && !who.Token.UsableAt(s.now()):
		return Principal{}, errRefused
	case !who.Admin.Enabled:
		return Principal{}, errRefused.Because(ErrDisabled)
	}
	return who, nil
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
