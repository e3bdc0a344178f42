// Package auth decides who a request acts for and whether that may be.
package auth

import (
	"context"
	"errors"
	"strings"

	"github.com/gofiber/fiber/v2"

	"github.com/sluicehq/sluice/kernel/accounts"
	"github.com/sluicehq/sluice/kernel/domain"
)

// Why is the reason of a denial, for dialects with words of their own.
type Why int

// The reasons.
const (
	Unknown     Why = iota // the token is missing, unknown or expired
	Disabled               // the token would do, but its admin is disabled
	NotSudo                // only sudo admins pass
	Readonly               // the token changes nothing
	Unavailable            // the database does not answer
)

// Denial is why a request was turned away, before any handler saw it.
type Denial struct {
	Status  int    // 401 or 403, or 503 when the database does not answer
	Message string // one sentence, safe to show
	Why     Why
}

// Answer writes a denial in a dialect's own form.
type Answer func(*fiber.Ctx, Denial) error

// Rule says who may pass: who has an API token, or a session that a login gave.
type Rule struct {
	Accounts *accounts.Service
	Sudo     bool // only sudo admins pass
	Answer   Answer
	Reads    func(path string) bool         // says of a route that is no GET that it only reads, nil = of none
	Open     func(method, path string) bool // says of a route that it is for everybody, nil = of none
}

// key finds the Principal in a request's context.
type key struct{}

// Handler lets a request pass with its Principal in the context, or answers with the denial.
func (r Rule) Handler(c *fiber.Ctx) error {
	if r.Open != nil && r.Open(c.Method(), c.Path()) {
		return c.Next()
	}
	who, denial := r.check(c)
	if denial != nil {
		err := r.Answer(c, *denial)
		if c.Response().StatusCode() == fiber.StatusUnauthorized { // a dialect may have made a 403 of it
			c.Set(fiber.HeaderWWWAuthenticate, "Bearer")
		}
		return err
	}
	c.SetUserContext(context.WithValue(c.UserContext(), key{}, who))
	return c.Next()
}

func (r Rule) check(c *fiber.Ctx) (accounts.Principal, *Denial) {
	who, err := r.Accounts.Authenticate(c.UserContext(), secret(c))
	switch {
	case errors.Is(err, accounts.ErrDisabled):
		return who, &Denial{fiber.StatusUnauthorized, err.Error(), Disabled}
	case domain.CodeOf(err) == domain.CodeForbidden:
		return who, &Denial{fiber.StatusUnauthorized, err.Error(), Unknown}
	case err != nil:
		return who, &Denial{fiber.StatusServiceUnavailable, "the token can not be checked now, because the database does not answer", Unavailable}
	case r.Sudo && !who.Admin.Sudo:
		return who, &Denial{fiber.StatusForbidden, "this route needs a token of a sudo admin", NotSudo}
	case who.Token.Scope == domain.ScopeReadonly && !r.onlyReads(c):
		return who, &Denial{fiber.StatusForbidden, "this API token is readonly", Readonly}
	}
	return who, nil
}

// onlyReads says whether a request changes nothing, whatever is in it.
func (r Rule) onlyReads(c *fiber.Ctx) bool {
	return c.Method() == fiber.MethodGet || c.Method() == fiber.MethodHead || r.Reads != nil && r.Reads(c.Path())
}

// secret is the token or the session of a request, "" when there is none. The scheme's case does not matter. ApiKey and
// X-Api-Key are how later versions of PasarGuard send what is no session; the header also counts beside an Authorization of
// another scheme, which is that of a proxy in front.
func secret(c *fiber.Ctx) string {
	scheme, token, _ := strings.Cut(c.Get(fiber.HeaderAuthorization), " ")
	if strings.EqualFold(scheme, "bearer") || strings.EqualFold(scheme, "apikey") {
		return strings.TrimSpace(token)
	}
	return c.Get("X-Api-Key")
}

// From returns who the request acts for; ok is false outside of a Rule.
func From(ctx context.Context) (who accounts.Principal, ok bool) {
	who, ok = ctx.Value(key{}).(accounts.Principal)
	return who, ok
}

// Allows says whether a request would pass, for routes that show more to who may see it.
func (r Rule) Allows(c *fiber.Ctx) bool {
	if secret(c) == "" {
		return false
	}
	_, denial := r.check(c)
	return denial == nil
}
