package accounts

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"strings"
	"time"

	"github.com/golang-jwt/jwt/v5"

	"github.com/sluicehq/sluice/kernel/domain"
	"github.com/sluicehq/sluice/storage"
)

const (
	sessionAge = 24 * time.Hour
	// sessionSkew is how far apart the clocks of processes on one database may be (seed: PasarGuard's leeway).
	sessionSkew = 5 * time.Second
	sessionKey  = "session_key" // its name among the secrets
)

// sessionClaims are what a session says about its admin. What it may do is looked up, so that a change holds at once.
type sessionClaims struct {
	jwt.RegisteredClaims        // sub: the name, iat, exp
	Access               string `json:"access"` // "sudo" or "admin", for scripts that look at it; not used
	AdminID              int64  `json:"aid"`    // never reused: another admin of the same name is another
	PasswordAt           int64  `json:"pwd"`    // ms UTC, the admin's PasswordAt: iat has whole seconds only
}

// newSession signs a session.
func (s *Service) newSession(ctx context.Context, admin domain.Admin) (string, error) {
	key, err := s.signingKey(ctx, true)
	if err != nil {
		return "", err
	}
	now := s.Clock.Now()
	claims := sessionClaims{
		RegisteredClaims: jwt.RegisteredClaims{
			Subject: admin.Username, IssuedAt: jwt.NewNumericDate(now), ExpiresAt: jwt.NewNumericDate(now.Add(sessionAge)),
		},
		Access: "admin", AdminID: admin.ID, PasswordAt: admin.PasswordAt,
	}
	if admin.Sudo {
		claims.Access = "sudo"
	}
	return jwt.NewWithClaims(jwt.SigningMethodHS256, claims).SignedString(key)
}

// isSession says of what a caller sent whether it is a JWT and no API token, which has no dots.
func isSession(secret string) bool { return strings.Count(secret, ".") == 2 }

// sessionAdmin returns the admin of a session that is signed and in its time, as it is now. A session that opens nothing
// is forbidden: one that is not ours, one from before the last change of the password, one of an admin who is gone.
func (s *Service) sessionAdmin(ctx context.Context, session string) (domain.Admin, error) {
	key, err := s.signingKey(ctx, false)
	if err != nil {
		return domain.Admin{}, notThere(err)
	}
	var claims sessionClaims
	_, err = jwt.ParseWithClaims(session, &claims, func(*jwt.Token) (any, error) { return key, nil },
		jwt.WithValidMethods([]string{jwt.SigningMethodHS256.Alg()}), jwt.WithExpirationRequired(), jwt.WithIssuedAt(),
		jwt.WithTimeFunc(s.Clock.Now), jwt.WithLeeway(sessionSkew))
	if err != nil {
		return domain.Admin{}, errRefused.Because(err)
	}
	admin, err := s.DB.AdminByID(ctx, claims.AdminID)
	if err != nil {
		return domain.Admin{}, notThere(err)
	}
	if admin.PasswordAt != claims.PasswordAt || admin.UsernameKey != domain.NameKey(claims.Subject) {
		return domain.Admin{}, errRefused
	}
	return admin, nil
}

// signingKey returns the key of sessions. It is made when the first one is, in whichever process that is, and never
// changes; until then, without create, it is not_found.
func (s *Service) signingKey(ctx context.Context, create bool) ([]byte, error) {
	kept := &s.logins.signing
	kept.Lock()
	defer kept.Unlock()
	if kept.key != nil {
		return kept.key, nil
	}
	key, err := s.DB.Secret(ctx, sessionKey)
	if create && domain.CodeOf(err) == domain.CodeNotFound {
		err = s.write(ctx, func(tx *storage.Tx) error {
			key, err = tx.SetSecret(ctx, sessionKey, newSigningKey())
			return err
		}, nil)
	}
	if err != nil {
		return nil, err
	}
	kept.key = []byte(key)
	return kept.key, nil
}

// newSigningKey is 256 random bits, as many as HS256 uses.
func newSigningKey() string {
	var b [32]byte
	_, _ = rand.Read(b[:]) // never fails
	return hex.EncodeToString(b[:])
}
