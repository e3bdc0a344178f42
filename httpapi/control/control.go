// Package control carries the commands of the command line to where the data is: over the socket of the server that
// runs, or in memory when none does. Whoever can open the socket may do everything; its file mode is the protection.
package control

import (
	"encoding/json"
	"errors"
	"net/url"

	"github.com/gofiber/fiber/v2"
	"github.com/gofiber/fiber/v2/middleware/recover"
	"go.uber.org/zap"

	"github.com/sluicehq/sluice/kernel/accounts"
	"github.com/sluicehq/sluice/kernel/domain"
)

// NewToken asks for an API token.
type NewToken struct {
	Name      string       `json:"name"`
	Scope     domain.Scope `json:"scope"`
	ExpiresAt *int64       `json:"expires_at"` // ms UTC, nil = never
}

// Token is an API token; Secret is there only in the answer to NewToken.
type Token struct {
	ID        int64        `json:"id"`
	Name      string       `json:"name"`
	Scope     domain.Scope `json:"scope"`
	Enabled   bool         `json:"enabled"`
	ExpiresAt *int64       `json:"expires_at"` // ms UTC, nil = never
	CreatedAt int64        `json:"created_at"` // ms UTC
	Secret    string       `json:"secret,omitempty"`
}

// NewAdmin asks for an operator, or with only a password for a new password of one.
type NewAdmin struct {
	Username string `json:"username"`
	Password string `json:"password"`
	Sudo     bool   `json:"sudo"`
}

// AdminEnabled is the word on whether an operator may do anything.
type AdminEnabled struct {
	Username string `json:"username"`
	Enabled  bool   `json:"enabled"`
}

// problem is an error on its way through the socket.
type problem struct {
	Code    domain.Code `json:"code"`
	Message string      `json:"message"`
}

// New returns the application that answers a Client.
func New(a *accounts.Service, log *zap.Logger) *fiber.App {
	app := fiber.New(fiber.Config{
		DisableStartupMessage: true, Immutable: true,
		ErrorHandler: func(c *fiber.Ctx, err error) error { return answer(c, err, log) },
	})
	app.Use(recover.New(recover.Config{EnableStackTrace: true, StackTraceHandler: func(c *fiber.Ctx, p any) {
		log.Error("command panicked", zap.String("path", c.Path()), zap.Any("panic", p), zap.Stack("stack"))
	}}))
	tokens(app, a)
	admins(app, a)
	app.Get("/core", func(c *fiber.Ctx) error {
		config, err := a.CoreConfig(c.UserContext())
		if err != nil {
			return err
		}
		return c.JSON(json.RawMessage(config))
	})
	app.Put("/core", func(c *fiber.Ctx) error {
		return a.SetCoreConfig(c.UserContext(), string(c.Body()))
	})
	return app
}

func tokens(app *fiber.App, a *accounts.Service) {
	app.Get("/tokens", func(c *fiber.Ctx) error {
		tokens, err := a.Tokens(c.UserContext())
		if err != nil {
			return err
		}
		list := make([]Token, 0, len(tokens))
		for _, t := range tokens {
			list = append(list, newToken(t, ""))
		}
		return c.JSON(list)
	})
	app.Post("/tokens", func(c *fiber.Ctx) error {
		var n NewToken
		if err := json.Unmarshal(c.Body(), &n); err != nil {
			return err
		}
		token, secret, err := a.CreateToken(c.UserContext(), n.Name, n.Scope, n.ExpiresAt)
		if err != nil {
			return err
		}
		return c.JSON(newToken(token, secret))
	})
	app.Delete("/tokens/:name", func(c *fiber.Ctx) error {
		name, err := url.PathUnescape(c.Params("name"))
		if err != nil {
			return err
		}
		return a.RevokeToken(c.UserContext(), name)
	})
}

func newToken(t domain.Token, secret string) Token {
	return Token{t.ID, t.Name, t.Scope, t.Enabled, t.ExpiresAt, t.CreatedAt, secret}
}

func admins(app *fiber.App, a *accounts.Service) {
	app.Post("/admins", func(c *fiber.Ctx) error {
		var n NewAdmin
		if err := json.Unmarshal(c.Body(), &n); err != nil {
			return err
		}
		_, err := a.CreateAdmin(c.UserContext(), n.Username, n.Password, n.Sudo)
		return err
	})
	app.Put("/admins/enabled", func(c *fiber.Ctx) error {
		var e AdminEnabled
		if err := json.Unmarshal(c.Body(), &e); err != nil {
			return err
		}
		return a.UpdateAdmin(c.UserContext(), accounts.Root, e.Username, nil, func(admin *domain.Admin) error {
			admin.Enabled = e.Enabled
			return nil
		})
	})
	app.Delete("/admins/:name", func(c *fiber.Ctx) error {
		name, err := url.PathUnescape(c.Params("name"))
		if err != nil {
			return err
		}
		return a.DeleteAdmin(c.UserContext(), accounts.Root, name)
	})
	app.Put("/admins/password", func(c *fiber.Ctx) error {
		var n NewAdmin
		if err := json.Unmarshal(c.Body(), &n); err != nil {
			return err
		}
		return a.SetPassword(c.UserContext(), n.Username, n.Password)
	})
}

func answer(c *fiber.Ctx, err error, log *zap.Logger) error {
	var known *domain.Error
	if errors.As(err, &known) {
		return c.Status(fiber.StatusUnprocessableEntity).JSON(problem{known.Code, known.Error()})
	}
	log.Error("command failed", zap.String("path", c.Path()), zap.Error(err))
	return c.Status(fiber.StatusInternalServerError).JSON(problem{Message: err.Error()})
}
