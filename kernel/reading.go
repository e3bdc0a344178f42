package kernel

import (
	"context"
	"errors"
	"fmt"
	"os"

	"github.com/sluicehq/sluice/kernel/plugin"
	"github.com/sluicehq/sluice/kernel/subscription"
	"github.com/sluicehq/sluice/storage"
)

// Reading renders what users would get, beside a server that may own the data: it changes nothing and needs no Lock.
// External subscriptions are left out, and usage is what the server has stored last.
type Reading struct {
	db            *storage.DB
	subscriptions *subscription.Service
}

// Read opens the data for rendering with the formats of r. A directory without a database is an error, and so is a
// database of another version: the server that has it would not know its own schema any more.
func Read(ctx context.Context, o Options, r subscription.Renderer) (*Reading, error) {
	if _, err := os.Stat(o.Dir.Database()); o.Database == "" && err != nil {
		return nil, fmt.Errorf("there is no database in %s: %w", o.Dir, errors.Unwrap(err))
	}
	k, err := open(ctx, o, true)
	if err != nil {
		return nil, err
	}
	reading := &Reading{k.db, subscription.New(subscription.Options{
		DB: k.db, Clock: k.o.Clock, Log: k.o.Log.Named("subscription"), Renderer: r, Loopback: o.Loopback, KeepBytes: -1,
	})}
	if err := reading.subscriptions.Reload(ctx); err != nil {
		_ = k.db.Close() // the reason is err
		return nil, err
	}
	return reading, nil
}

// Render makes the subscription of a user, by name, with a format of r. An unknown name is a not_found.
func (r *Reading) Render(ctx context.Context, with subscription.Renderer, username, format string) (plugin.Rendered, error) {
	user, err := r.db.UserByName(ctx, username)
	if err != nil {
		return plugin.Rendered{}, fmt.Errorf("find %s: %w", username, err)
	}
	return r.subscriptions.RenderAs(ctx, with, &user, format)
}

// Close ends the access.
func (r *Reading) Close() error { return r.db.Close() }
