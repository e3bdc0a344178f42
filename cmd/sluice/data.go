package main

import (
	"context"
	"errors"

	"go.uber.org/zap"

	"github.com/sluicehq/sluice/httpapi/control"
	"github.com/sluicehq/sluice/kernel"
)

// dataFlags say where the data is; every command that touches it has them.
type dataFlags struct {
	Data     kernel.DataDir `help:"Directory with everything: database, plugins, certificates." default:"./data"`
	Database string         `help:"postgres://... instead of the SQLite file in the data directory." placeholder:"DSN"`
}

// do runs fn with a client of the server that has the data directory, or, when none runs, of the data itself.
func (f dataFlags) do(ctx context.Context, fn func(*control.Client) error) (err error) {
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
		return err
	}
	defer func() { err = errors.Join(err, k.Stop(ctx)) }()
	client, stop := control.Local(control.New(k.Accounts, zap.NewNop()))
	defer func() { err = errors.Join(err, stop()) }()
	return fn(client)
}
