package control

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"

	"github.com/gofiber/fiber/v2"
	"github.com/valyala/fasthttp/fasthttputil"

	"github.com/sluicehq/sluice/kernel/domain"
)

// Client sends the commands.
type Client struct{ http http.Client }

// Dial returns a client of the server that listens on the socket. It fails at once when none does.
func Dial(ctx context.Context, socket string) (*Client, error) {
	dial := func(ctx context.Context, _, _ string) (net.Conn, error) {
		return new(net.Dialer).DialContext(ctx, "unix", socket)
	}
	conn, err := dial(ctx, "", "")
	if err != nil {
		return nil, err
	}
	return newClient(dial), conn.Close()
}

// Local returns a client of the application in this process, and what ends both.
func Local(app *fiber.App) (*Client, func() error) {
	listener, done := fasthttputil.NewInmemoryListener(), make(chan error, 1)
	go func() { done <- app.Listener(listener) }()
	client := newClient(func(context.Context, string, string) (net.Conn, error) { return listener.Dial() })
	return client, func() error {
		client.http.CloseIdleConnections()
		err := app.Shutdown()
		_ = listener.Close() // an application that had not begun to accept would accept for ever
		return errors.Join(err, <-done)
	}
}

func newClient(dial func(context.Context, string, string) (net.Conn, error)) *Client {
	return &Client{http.Client{Transport: &http.Transport{DialContext: dial}}}
}

// CreateToken makes a token and returns it with its secret.
func (c *Client) CreateToken(ctx context.Context, n NewToken) (t Token, err error) {
	return t, c.call(ctx, http.MethodPost, "/tokens", n, &t)
}

// Tokens lists the tokens.
func (c *Client) Tokens(ctx context.Context) (list []Token, err error) {
	return list, c.call(ctx, http.MethodGet, "/tokens", nil, &list)
}

// RevokeToken deletes a token.
func (c *Client) RevokeToken(ctx context.Context, name string) error {
	return c.call(ctx, http.MethodDelete, "/tokens/"+url.PathEscape(name), nil, nil)
}

// CreateAdmin makes an operator.
func (c *Client) CreateAdmin(ctx context.Context, n NewAdmin) error {
	return c.call(ctx, http.MethodPost, "/admins", n, nil)
}

// SetPassword gives an operator a new password.
func (c *Client) SetPassword(ctx context.Context, username, password string) error {
	return c.call(ctx, http.MethodPut, "/admins/password", NewAdmin{Username: username, Password: password}, nil)
}

// EnableAdmin lets an operator in, or keeps it out.
func (c *Client) EnableAdmin(ctx context.Context, username string, enabled bool) error {
	return c.call(ctx, http.MethodPut, "/admins/enabled", AdminEnabled{username, enabled}, nil)
}

// DeleteAdmin removes an operator; its users go to the first other sudo admin.
func (c *Client) DeleteAdmin(ctx context.Context, username string) error {
	return c.call(ctx, http.MethodDelete, "/admins/"+url.PathEscape(username), nil, nil)
}

// CoreConfig reads the core's base configuration.
func (c *Client) CoreConfig(ctx context.Context) (config json.RawMessage, err error) {
	return config, c.call(ctx, http.MethodGet, "/core", nil, &config)
}

// SetCoreConfig replaces it.
func (c *Client) SetCoreConfig(ctx context.Context, config []byte) error {
	return c.call(ctx, http.MethodPut, "/core", json.RawMessage(config), nil)
}

// call sends in as JSON, nil = nothing, and decodes the answer into out, nil = it does not matter. A failure at the
// other end is the domain error that it was there.
func (c *Client) call(ctx context.Context, method, path string, in, out any) error {
	var body io.Reader
	if raw, ok := in.(json.RawMessage); ok { // as it is: Marshal would refuse what the other end has a sentence for
		body = bytes.NewReader(raw)
	} else if in != nil {
		text, err := json.Marshal(in)
		if err != nil {
			return err
		}
		body = bytes.NewReader(text)
	}
	req, err := http.NewRequestWithContext(ctx, method, "http://sluice"+path, body)
	if err != nil {
		return err
	}
	resp, err := c.http.Do(req)
	if err != nil {
		return fmt.Errorf("ask the server: %w", err)
	}
	defer func() { _ = resp.Body.Close() }()
	text, err := io.ReadAll(resp.Body)
	if err != nil {
		return fmt.Errorf("ask the server: %w", err)
	}
	if resp.StatusCode != http.StatusOK {
		return failure(resp.StatusCode, text)
	}
	if out == nil {
		return nil
	}
	return json.Unmarshal(text, out)
}

func failure(status int, text []byte) error {
	var p problem
	if json.Unmarshal(text, &p) != nil || p.Message == "" {
		return fmt.Errorf("the server answered with status %d", status)
	}
	return &domain.Error{Code: p.Code, Message: p.Message}
}
