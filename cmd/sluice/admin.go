package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/sluicehq/sluice/httpapi/control"
)

type adminCmd struct {
	Create  adminCreateCmd  `cmd:"" help:"Make an operator."`
	Passwd  adminPasswdCmd  `cmd:"" help:"Give an operator a new password."`
	Disable adminDisableCmd `cmd:"" help:"Keep an operator out, with its tokens and sessions. Its users go on."`
	Enable  adminEnableCmd  `cmd:"" help:"Let an operator in again."`
	Delete  adminDeleteCmd  `cmd:"" help:"Remove an operator. Its users go to the first other sudo admin."`
}

// passwordFlag makes the command line say where the password comes from: never from an argument, which other users of
// the machine could read.
type passwordFlag struct {
	PasswordStdin bool `help:"Read the password from the first line of standard input." required:""`
}

func (passwordFlag) read(in io.Reader) (string, error) {
	line, err := bufio.NewReader(in).ReadString('\n')
	if err != nil && !errors.Is(err, io.EOF) {
		return "", fmt.Errorf("read password: %w", err)
	}
	return strings.TrimRight(line, "\r\n"), nil
}

type adminCreateCmd struct {
	dataFlags
	passwordFlag
	Username string `help:"The operator's name; unique." required:""`
	Sudo     bool   `help:"May do everything; others see only their own users."`
}

// Run makes the operator.
func (c *adminCreateCmd) Run(ctx context.Context, s streams) error {
	password, err := c.read(s.in)
	if err != nil {
		return err
	}
	return c.provision(ctx, func(client *control.Client) error {
		return client.CreateAdmin(ctx, control.NewAdmin{Username: c.Username, Password: password, Sudo: c.Sudo})
	})
}

type adminPasswdCmd struct {
	dataFlags
	passwordFlag
	Username string `help:"The operator's name." required:""`
}

// Run sets the password.
func (c *adminPasswdCmd) Run(ctx context.Context, s streams) error {
	password, err := c.read(s.in)
	if err != nil {
		return err
	}
	return c.do(ctx, func(client *control.Client) error { return client.SetPassword(ctx, c.Username, password) })
}

// adminName is the operator that a command is about.
type adminName struct {
	dataFlags
	Username string `help:"The operator's name." required:""`
}

type adminDisableCmd struct{ adminName }

// Run keeps the operator out.
func (c *adminDisableCmd) Run(ctx context.Context) error {
	return c.do(ctx, func(client *control.Client) error { return client.EnableAdmin(ctx, c.Username, false) })
}

type adminEnableCmd struct{ adminName }

// Run lets the operator in.
func (c *adminEnableCmd) Run(ctx context.Context) error {
	return c.do(ctx, func(client *control.Client) error { return client.EnableAdmin(ctx, c.Username, true) })
}

type adminDeleteCmd struct{ adminName }

// Run removes the operator.
func (c *adminDeleteCmd) Run(ctx context.Context) error {
	return c.do(ctx, func(client *control.Client) error { return client.DeleteAdmin(ctx, c.Username) })
}
