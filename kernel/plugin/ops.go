package plugin

import (
	"context"
	"slices"
	"strings"

	"github.com/sluicehq/sluice/sdk/wire"
)

// Bytes of what becomes a header: clients and proxies begin to refuse heads of 8 KiB, file systems names of 255.
const (
	maxHeader   = 4 << 10
	maxFilename = 200
)

// Each of these fills in the request's Now and Entropy if they are zero, without changing the caller's request. Their
// errors are domain errors; ErrNoItem and its neighbours, or a *PluginError, say why.

// Render makes a subscription with the format req.ID. req.Endpoints is always given. A Prepared other than 0 names
// exactly this list of endpoints with these settings: a format that declares prepare is then sent the list only once
// per instance, and all others are sent it without the name.
func (c *caller) Render(ctx context.Context, req *wire.FormatRequest) (Rendered, error) {
	out, by, err := serve(ctx, c, wire.OpFormat, wire.KindFormat, req.ID, func(in *instance, item *wire.Item) (out Rendered, err error) {
		defer func() { in.format = wire.FormatRequest{} }()
		var reply wire.FormatReply
		if err = in.render(item, req, &reply); err == nil {
			out, err = rendered(item, &reply)
		}
		return out, err
	})
	if err != nil {
		return Rendered{}, err
	}
	out.By, out.Fallback = by.plugin.name, by.fallback
	return out, nil
}

// rendered copies a reply out of the guest's memory and checks what is going to be HTTP headers.
func rendered(item *wire.Item, reply *wire.FormatReply) (Rendered, error) {
	out := Rendered{
		Body:        slices.Clone(reply.Body),
		ContentType: "text/plain; charset=utf-8",
		Filename:    strings.Clone(reply.Filename),
	}
	if item.ContentType != "" {
		out.ContentType = item.ContentType
	}
	if reply.ContentType != "" && reply.ContentType != item.ContentType {
		if !typePattern.MatchString(reply.ContentType) {
			return Rendered{}, fail(ErrReply, "replied with the content type %q", plain(reply.ContentType, 100))
		}
		out.ContentType = strings.Clone(reply.ContentType)
	}
	if plain(out.Filename, maxFilename) != out.Filename || strings.ContainsAny(out.Filename, `/\"`) {
		return Rendered{}, fail(ErrReply, "replied with the file name %q", plain(out.Filename, maxFilename))
	}
	for _, header := range reply.Headers {
		name := strings.ToLower(header.Name)
		if !slices.Contains(wire.ReplyHeaders, name) {
			continue // as ReplyHeaders says
		}
		value := plain(header.Value, maxHeader)
		if value != header.Value {
			return Rendered{}, fail(ErrReply, "replied with an unfit value for the header %s", name)
		}
		out.Headers = append(out.Headers, wire.Pair{Name: strings.Clone(name), Value: value})
	}
	return out, nil
}

// Usernames asks the username item req.ID for names. They are bare and unchecked.
func (c *caller) Usernames(ctx context.Context, req *wire.UsernameRequest) ([]string, error) {
	names, _, err := serve(ctx, c, wire.OpUsername, wire.KindUsername, req.ID, func(in *instance, _ *wire.Item) ([]string, error) {
		in.username = *req
		defer func() { in.username = wire.UsernameRequest{} }()
		in.stamp(&in.username.Now, &in.username.Entropy)
		var reply wire.UsernameReply
		if err := in.send(wire.OpUsername, &in.username, &reply); err != nil {
			return nil, err
		}
		if len(reply.Names) > wire.MaxNames {
			return nil, fail(ErrReply, "replied with %d names, the limit is %d", len(reply.Names), wire.MaxNames)
		}
		names := make([]string, len(reply.Names))
		for i, name := range reply.Names {
			names[i] = strings.Clone(name)
		}
		return names, nil
	})
	return names, err
}

// farthest is the first moment whose date has five digits, ms UTC: JSON has no time there.
const farthest = 253_402_300_800_000

// Period asks the period item req.ID for the next boundary. One that is not after the request's Now, or that no calendar
// shows, is an ErrReply.
func (c *caller) Period(ctx context.Context, req *wire.PeriodRequest) (wire.PeriodReply, error) {
	reply, _, err := serve(ctx, c, wire.OpPeriod, wire.KindPeriod, req.ID, func(in *instance, _ *wire.Item) (wire.PeriodReply, error) {
		in.period = *req
		defer func() { in.period = wire.PeriodRequest{} }()
		in.stamp(&in.period.Now, &in.period.Entropy)
		var reply wire.PeriodReply
		err := in.send(wire.OpPeriod, &in.period, &reply)
		switch {
		case err != nil || reply.Never:
		case reply.Next <= in.period.Now:
			err = fail(ErrReply, "replied with a boundary that is not in the future")
		case reply.Next >= farthest:
			err = fail(ErrReply, "replied with a boundary after the year 9999")
		}
		return reply, err
	})
	return reply, err
}

// Event hands an event to the event item req.ID. ctx bounds the HTTP requests that it makes, too.
func (c *caller) Event(ctx context.Context, req *wire.EventRequest) error {
	_, _, err := serve(ctx, c, wire.OpEvent, wire.KindEvent, req.ID, func(in *instance, _ *wire.Item) (struct{}, error) {
		in.event = *req
		in.spent = spending{ctx: ctx, event: req.EventID}
		in.spending = &in.spent
		defer func() { in.event, in.spending, in.spent = wire.EventRequest{}, nil, spending{} }()
		in.stamp(&in.event.Now, &in.event.Entropy)
		return struct{}{}, in.send(wire.OpEvent, &in.event, &wire.EventReply{})
	})
	return err
}

// Items returns what the loaded plugins provide of a kind (wire.KindFormat, ...), sorted by id. Every fetch of a
// subscription asks: the list is made when plugins change, it is everybody's, and must not be changed.
func (c *caller) Items(kind string) []Item { return c.registry.Load().lists[kind] }
