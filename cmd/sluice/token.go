package main

import (
	"context"
	"fmt"
	"text/tabwriter"
	"time"

	"github.com/sluicehq/sluice/httpapi/control"
	"github.com/sluicehq/sluice/kernel/domain"
)

type tokenCmd struct {
	Create tokenCreateCmd `cmd:"" help:"Make a token and print its secret, once."`
	List   tokenListCmd   `cmd:"" help:"List the tokens, without secrets."`
	Revoke tokenRevokeCmd `cmd:"" help:"Delete a token; it opens nothing from then on."`
}

type tokenCreateCmd struct {
	dataFlags
	Name    string        `help:"What the token is for; unique." required:""`
	Scope   string        `help:"What it may do: ${enum}." enum:"admin,readonly" default:"admin"`
	Expires time.Duration `help:"How long it is good for, such as 720h; 0 = for ever." default:"0"`
}

// Run makes the token. Only its secret goes to stdout, so that a script can keep it.
func (c *tokenCreateCmd) Run(ctx context.Context, s streams) error {
	n := control.NewToken{Name: c.Name, Scope: domain.Scope(c.Scope)}
	if c.Expires != 0 {
		at := time.Now().Add(c.Expires).UnixMilli()
		n.ExpiresAt = &at
	}
	return c.do(ctx, func(client *control.Client) error {
		token, err := client.CreateToken(ctx, n)
		if err != nil {
			return err
		}
		_, err = fmt.Fprintln(s.out, token.Secret)
		return err
	})
}

type tokenListCmd struct{ dataFlags }

// Run prints a table of the tokens.
func (c *tokenListCmd) Run(ctx context.Context, s streams) error {
	return c.do(ctx, func(client *control.Client) error {
		tokens, err := client.Tokens(ctx)
		if err != nil {
			return err
		}
		w := tabwriter.NewWriter(s.out, 0, 0, 2, ' ', 0)
		fmt.Fprintln(w, "NAME\tSCOPE\tENABLED\tEXPIRES\tCREATED")
		for _, t := range tokens {
			expires := "never"
			if t.ExpiresAt != nil {
				expires = utc(*t.ExpiresAt)
			}
			fmt.Fprintf(w, "%s\t%s\t%v\t%s\t%s\n", t.Name, t.Scope, t.Enabled, expires, utc(t.CreatedAt))
		}
		return w.Flush()
	})
}

// utc shows a time in ms.
func utc(ms int64) string { return time.UnixMilli(ms).UTC().Format(time.RFC3339) }

type tokenRevokeCmd struct {
	dataFlags
	Name string `help:"The token's name." required:""`
}

// Run deletes the token.
func (c *tokenRevokeCmd) Run(ctx context.Context) error {
	return c.do(ctx, func(client *control.Client) error { return client.RevokeToken(ctx, c.Name) })
}
