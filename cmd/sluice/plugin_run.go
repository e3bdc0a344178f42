package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/jonboulle/clockwork"

	"github.com/sluicehq/sluice/kernel"
	"github.com/sluicehq/sluice/kernel/guard"
	"github.com/sluicehq/sluice/kernel/period"
	"github.com/sluicehq/sluice/kernel/plugin"
	"github.com/sluicehq/sluice/kernel/plugin/kit"
	"github.com/sluicehq/sluice/sdk/wire"
)

type pluginRunCmd struct {
	pluginFile
	kitFlags
	Kind string `help:"What to ask for: username, period, format or event." enum:"username,period,format,event" required:""`
	ID   string `name:"id" help:"Item to ask; default: the first of the kind." placeholder:"ID"`

	User string `group:"format" help:"User whose subscription is rendered, from the data directory." placeholder:"NAME"`
	dataFlags

	Base  string `group:"username" help:"Base of the names."`
	Start int64  `group:"username" help:"Number of the first one." default:"1"`
	Count int64  `group:"username" help:"How many." default:"5"`

	Anchor time.Time `group:"period" help:"Moment from which boundaries are counted, such as 2026-01-31T10:00:00Z; default: now."`
	Zone   string    `group:"period" help:"Time zone." default:"UTC"`

	Type    string `group:"event" help:"Type of the event." default:"user.created"`
	Payload string `group:"event" help:"Its payload: a JSON object, or @FILE with one." default:"{}"`
	Allow   bool   `group:"event" help:"Grant the permissions that the plugin asks for, with the hosts of the URLs in --settings: its HTTP calls are made, to public addresses; its store is empty and forgotten."`
}

// Run makes the call that the kind asks for.
func (c *pluginRunCmd) Run(ctx context.Context, s streams) error {
	wasm, name, err := c.read()
	if err != nil {
		return err
	}
	o, err := c.options()
	if err != nil {
		return err
	}
	o.Clock, o.Deny, o.HTTP = clockwork.NewRealClock(), !c.Allow, guard.New(guard.Options{UserAgent: "Sluice"})
	loaded, err := kit.Load(ctx, name, wasm, o)
	if errors.Is(err, kit.ErrNotReady) {
		return fmt.Errorf("%w (--allow does)", err)
	}
	if err != nil {
		return err
	}
	defer loaded.Close()
	item, err := c.item(loaded)
	if err != nil {
		return err
	}
	if err := loaded.CheckParams(item.Kind, item.ID, o.Params); err != nil {
		return fmt.Errorf("--params: %w", err)
	}
	return map[string]func(context.Context, streams, *kit.Loaded, *wire.Item, string) error{
		wire.KindUsername: c.usernames, wire.KindPeriod: c.boundaries, wire.KindFormat: c.subscription, wire.KindEvent: c.event,
	}[c.Kind](ctx, s, loaded, item, o.Params)
}

// item finds what is asked.
func (c *pluginRunCmd) item(loaded *kit.Loaded) (*wire.Item, error) {
	at := slices.IndexFunc(loaded.Info.Provides, func(i wire.Item) bool {
		return i.Kind == c.Kind && (c.ID == "" || c.ID == i.ID)
	})
	if at < 0 {
		return nil, fmt.Errorf("%s provides no %s", loaded.Info.Name, strings.TrimSpace(c.Kind+" "+c.ID))
	}
	return &loaded.Info.Provides[at], nil
}

// usernames prints bare names.
func (c *pluginRunCmd) usernames(ctx context.Context, s streams, loaded *kit.Loaded, item *wire.Item, params string) error {
	req := wire.UsernameRequest{ID: item.ID, Params: params, Base: c.Base, Start: c.Start, Count: c.Count}
	if item.Base == wire.BaseNone {
		req.Start = 0
	}
	names, err := loaded.Usernames(ctx, &req)
	for _, name := range names {
		fmt.Fprintln(s.out, name)
	}
	return err
}

// boundaries prints the next five, in the time zone.
func (c *pluginRunCmd) boundaries(ctx context.Context, s streams, loaded *kit.Loaded, item *wire.Item, params string) error {
	zone, err := time.LoadLocation(c.Zone)
	if err != nil {
		return fmt.Errorf("--zone: %w", err)
	}
	q := period.Question{ID: item.ID, Params: params, Now: time.Now().UnixMilli(), TimeZone: c.Zone}
	q.Anchor = q.Now
	if !c.Anchor.IsZero() {
		q.Anchor = c.Anchor.UnixMilli()
	}
	service := period.New(loaded)
	if err := service.Check(item.ID, params); err != nil {
		return err
	}
	for range 5 {
		next, never, err := service.Next(ctx, q)
		if err != nil {
			return err
		}
		if never {
			_, err = fmt.Fprintln(s.out, "never")
			return err
		}
		fmt.Fprintln(s.out, time.UnixMilli(next).In(zone).Format("Mon 2006-01-02 15:04:05 -07:00"))
		q.Last, q.Now = next, next
	}
	return nil
}

// subscription prints the body that the user would get.
func (c *pluginRunCmd) subscription(ctx context.Context, s streams, loaded *kit.Loaded, item *wire.Item, _ string) error {
	if c.User == "" {
		return errors.New("--user is needed: whose subscription is rendered")
	}
	data, err := kernel.Read(ctx, kernel.Options{Dir: c.Data, Database: c.Database, Loopback: true}, loaded)
	if err != nil {
		return explained(err)
	}
	out, err := data.Render(ctx, loaded, c.User, item.ID)
	if err = errors.Join(err, data.Close()); err != nil {
		return err
	}
	fmt.Fprintln(s.err, "content-type:", out.ContentType)
	for _, h := range out.Headers {
		fmt.Fprintf(s.err, "%s: %s\n", h.Name, h.Value)
	}
	_, err = s.out.Write(out.Body)
	return err
}

// event prints what the plugin has logged.
func (c *pluginRunCmd) event(ctx context.Context, s streams, loaded *kit.Loaded, item *wire.Item, _ string) error {
	payload, err := textOr(c.Payload)
	if err != nil {
		return err
	}
	if object := map[string]any(nil); json.Unmarshal([]byte(payload), &object) != nil || object == nil {
		return errors.New("--payload: must be a JSON object")
	}
	now, before := time.Now().UnixMilli(), len(loaded.Log(loaded.Info.Name))
	err = loaded.Event(ctx, &wire.EventRequest{ID: item.ID, Type: c.Type, EventID: 1, Time: now, Payload: payload})
	for _, line := range loaded.Log(loaded.Info.Name)[before:] {
		fmt.Fprintln(s.out, logWord(line), line.Text)
	}
	return err
}

// logWord names the level of a line.
func logWord(line plugin.LogLine) string {
	return map[wire.LogLevel]string{wire.LogDebug: "debug", wire.LogInfo: "info", wire.LogWarn: "warn", wire.LogError: "error"}[line.Level]
}
