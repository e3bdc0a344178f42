package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strings"

	"go.uber.org/zap"

	"github.com/sluicehq/sluice/httpapi/control"
	"github.com/sluicehq/sluice/kernel"
	"github.com/sluicehq/sluice/kernel/domain"
)

// dataFlags say where the data is; every command that touches it has them.
type dataFlags struct {
	Data     kernel.DataDir `help:"Directory with everything: database, plugins, certificates." default:"./data"`
	Database string         `help:"postgres://... instead of the SQLite file in the data directory." placeholder:"DSN"`
}

// do runs fn with a client of the server that has the data directory, or, when none runs, of the data itself. A
// directory that is not there is a typing error, not a wish for a new one.
func (f dataFlags) do(ctx context.Context, fn func(*control.Client) error) error {
	if _, err := os.Stat(string(f.Data)); errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("there is no data directory %s: start the server once, or make one with `sluice admin create --sudo`", f.Data)
	}
	return f.provision(ctx, fn)
}

// provision is do with a data directory that is made if it is not there.
func (f dataFlags) provision(ctx context.Context, fn func(*control.Client) error) (err error) {
	if client, err := control.Dial(ctx, f.Data.Socket()); err == nil {
		return fn(client)
	}
	lock, err := f.Data.Acquire()
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, lock.Release()) }()
	k, err := kernel.Open(ctx, kernel.Options{Dir: f.Data, Database: f.Database})
	if err != nil {
		return explained(err)
	}
	defer func() { err = errors.Join(err, k.Stop(ctx)) }()
	client, stop := control.Local(control.New(k.Accounts, zap.NewNop()))
	defer func() { err = errors.Join(err, stop()) }()
	return fn(client)
}

// explained adds the cause that a domain error hides from callers of the API: who starts Sluice may see it.
func explained(err error) error {
	var e *domain.Error
	if !errors.As(err, &e) || errors.Unwrap(e) == nil {
		return err
	}
	cause := strings.Join(strings.Fields(errors.Unwrap(e).Error()), " ") // on one line
	return fmt.Errorf("%w: %s", err, cause)
}
