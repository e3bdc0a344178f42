// Package auth decides who a request acts for and whether that may be.
package auth

import (
	"context"
	"strings"

	"github.com/gofiber/fiber/v2"

	"github.com/sluicehq/sluice/kernel/accounts"
	"github.com/sluicehq/sluice/kernel/domain"
)

// Denial is why a request was turned away, before any handler saw it.
type Denial struct {
	Status  int    // 401 or 403, or 503 when the database does not answer
	Message string // one sentence, safe to show
}

// Answer writes a denial in a dialect's own form.
type Answer func(*fiber.Ctx, Denial) error

// Rule says who may pass.
type Rule struct {
	Accounts *accounts.Service
	Sudo     bool // only a sudo admin's token passes
	Answer   Answer
	Reads    func(path string) bool // says of a route that is no GET that it only reads, nil = of none
}

// key finds the Principal in a request's context.
type key struct{}

// Handler lets a request pass with its Principal in the context, or answers with the denial.
func (r Rule) Handler(c *fiber.Ctx) error {
	who, denial := r.check(c)
	if denial != nil {
		if denial.Status == fiber.StatusUnauthorized {
			c.Set(fiber.HeaderWWWAuthenticate, "Bearer")
		}
		return r.Answer(c, *denial)
	}
	c.SetUserContext(context.WithValue(c.UserContext(), key{}, who))
	return c.Next()
}

func (r Rule) check(c *fiber.Ctx) (accounts.Principal, *Denial) {
	who, err := r.Accounts.Authenticate(c.UserContext(), Bearer(c))
	switch {
	case domain.CodeOf(err) == domain.CodeForbidden:
		return who, &Denial{fiber.StatusUnauthorized, err.Error()}
	case err != nil:
		return who, &Denial{fiber.StatusServiceUnavailable, "the token can not be checked now, because the database does not answer"}
	case r.Sudo && !who.Admin.Sudo:
		return who, &Denial{fiber.StatusForbidden, "this route needs a token of a sudo admin"}
	case who.Token.Scope == domain.ScopeReadonly && !r.onlyReads(c):
		return who, &Denial{fiber.StatusForbidden, "this API token is readonly"}
	}
	return who, nil
}

// onlyReads says whether a request changes nothing, whatever is in it.
func (r Rule) onlyReads(c *fiber.Ctx) bool {
	return c.Method() == fiber.MethodGet || c.Method() == fiber.MethodHead || r.Reads != nil && r.Reads(c.Path())
}

// Bearer is the token of the Authorization header, "" when there is none. The scheme's case does not matter.
func Bearer(c *fiber.Ctx) string {
	scheme, token, _ := strings.Cut(c.Get(fiber.HeaderAuthorization), " ")
	if !strings.EqualFold(scheme, "bearer") {
		return ""
	}
	return strings.TrimSpace(token)
}

// From returns who the request acts for; ok is false outside of a Rule.
func From(ctx context.Context) (who accounts.Principal, ok bool) {
	who, ok = ctx.Value(key{}).(accounts.Principal)
	return who, ok
}

// Allows says whether a request would pass, for routes that show more to who may see it.
func (r Rule) Allows(c *fiber.Ctx) bool {
	if Bearer(c) == "" {
		return false
	}
	_, denial := r.check(c)
	return denial == nil
}
