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
	Create adminCreateCmd `cmd:"" help:"Make an operator."`
	Passwd adminPasswdCmd `cmd:"" help:"Give an operator a new password."`
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
