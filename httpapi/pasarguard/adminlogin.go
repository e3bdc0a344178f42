package pasarguard

import (
	"context"
	"encoding/json"
	"errors"
	"mime"
	"net/http"
	"strconv"
	"strings"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humafiber"
	"github.com/gofiber/fiber/v2"

	"github.com/sluicehq/sluice/httpapi/auth"
	"github.com/sluicehq/sluice/httpapi/detail"
	"github.com/sluicehq/sluice/kernel/accounts"
)

// loginPath is where a password becomes a session.
const loginPath = "/admin/token"

// Open says of a route that it needs no token.
func Open(method, path string) bool {
	return method == http.MethodPost && strings.TrimSuffix(path, "/") == Prefix+loginPath // the router takes both
}

// credentials are what a login sends, as OAuth2's password grant has it (RFC 6749 §4.3.2).
type credentials struct {
	Username  string `json:"username" required:"true"`
	Password  string `json:"password" required:"true"`
	GrantType string `json:"grant_type" doc:"password, or absent"`
}

type login struct {
	Body credentials
	from string // the caller's address
}

// Resolve takes the address of the connection.
func (l *login) Resolve(ctx huma.Context) []error {
	l.from = humafiber.Unwrap(ctx).IP()
	return nil
}

type session struct {
	AccessToken string `json:"access_token" doc:"a JWT, good for 24 hours or until the password changes"`
	TokenType   string `json:"token_type" enum:"bearer"`
}

// login registers the route that hands sessions out.
func (r routes) login() {
	op := post(loginPath, "Log in", adminsTag)
	op.Description = "Ten logins may fail from an address, then one more every six seconds."
	op.Security = []map[string][]string{}
	huma.Register(r.api, op, func(ctx context.Context, in *login) (*reply[session], error) {
		if in.Body.GrantType != "" && in.Body.GrantType != "password" {
			return nil, detail.Fields{"grant_type": "must be password"}.Of()
		}
		token, err := r.Accounts.Login(ctx, in.Body.Username, in.Body.Password, in.from)
		if err != nil {
			return nil, r.loginFailed(ctx, err)
		}
		return &reply[session]{session{token, "bearer"}}, nil
	})
	content := r.api.OpenAPI().Paths[Prefix+loginPath].Post.RequestBody.Content
	for _, kind := range []string{fiber.MIMEApplicationForm, fiber.MIMEMultipartForm} {
		content[kind] = content[fiber.MIMEApplicationJSON]
	}
}

// loginFailed is fail for what only a login can fail with.
func (r routes) loginFailed(ctx context.Context, err error) error {
	var tooMany *accounts.TooManyLogins
	switch {
	case errors.As(err, &tooMany):
		return huma.ErrorWithHeaders(detail.Sentence(http.StatusTooManyRequests, tooMany.Error()),
			http.Header{fiber.HeaderRetryAfter: {strconv.Itoa(tooMany.Seconds())}})
	case errors.Is(err, accounts.ErrLogin):
		return huma.ErrorWithHeaders(detail.Sentence(http.StatusUnauthorized, accounts.ErrLogin.Message),
			http.Header{fiber.HeaderWWWAuthenticate: {"Bearer"}})
	}
	return r.fail(ctx, err)
}

// ReadForm turns the form of a login into the JSON that it stands for. Other bodies pass as they are. What the URL has is
// not looked at: passwords do not belong there.
func ReadForm(c *fiber.Ctx) error {
	if !Open(c.Method(), c.Path()) {
		return c.Next()
	}
	fields := map[string]string{}
	switch kind, _, _ := mime.ParseMediaType(c.Get(fiber.HeaderContentType)); kind { // what can not be read is no form
	case fiber.MIMEApplicationForm:
		for name, value := range c.Request().PostArgs().All() {
			fields[string(name)] = string(value)
		}
	case fiber.MIMEMultipartForm:
		form, err := c.MultipartForm()
		if err != nil {
			return c.Status(http.StatusUnprocessableEntity).JSON(detail.Error{Detail: detail.Fields{"body": "is not a valid form"}})
		}
		for name, values := range form.Value {
			fields[name] = values[0]
		}
	default:
		return c.Next()
	}
	text, err := json.Marshal(fields)
	if err != nil {
		return err
	}
	c.Request().SetBodyRaw(text)
	return c.Next()
}

// inWords is a denial in this dialect's words.
func inWords(d auth.Denial) auth.Denial {
	switch d.Why {
	case auth.Unknown:
		d.Message = "Could not validate credentials"
	case auth.Disabled:
		d.Status, d.Message = http.StatusForbidden, accounts.ErrDisabled.Message
	case auth.NotSudo:
		d.Message = detail.NotAllowed
	}
	return d
}
