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
func (h *Host) Render(ctx context.Context, req *wire.FormatRequest) (Rendered, error) {
	c, err := h.begin(ctx, wire.OpFormat, wire.KindFormat, req.ID)
	if err != nil {
		return Rendered{}, err
	}
	var reply wire.FormatReply
	var out Rendered
	if err = c.in.render(&c.item.item, req, &reply); err == nil {
		out, err = rendered(&c.item.item, &reply)
	}
	c.in.format = wire.FormatRequest{}
	return out, c.end(err)
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
func (h *Host) Usernames(ctx context.Context, req *wire.UsernameRequest) ([]string, error) {
	c, err := h.begin(ctx, wire.OpUsername, wire.KindUsername, req.ID)
	if err != nil {
		return nil, err
	}
	c.in.username = *req
	c.in.stamp(&c.in.username.Now, &c.in.username.Entropy)
	var reply wire.UsernameReply
	err = c.in.send(wire.OpUsername, &c.in.username, &reply)
	if err == nil && len(reply.Names) > wire.MaxNames {
		err = fail(ErrReply, "replied with %d names, the limit is %d", len(reply.Names), wire.MaxNames)
	}
	names := make([]string, len(reply.Names))
	for i, name := range reply.Names {
		names[i] = strings.Clone(name)
	}
	c.in.username = wire.UsernameRequest{}
	if err = c.end(err); err != nil {
		return nil, err
	}
	return names, nil
}

// farthest is the first moment whose date has five digits, ms UTC: JSON has no time there.
const farthest = 253_402_300_800_000

// Period asks the period item req.ID for the next boundary. One that is not after the request's Now, or that no calendar
// shows, is an ErrReply.
func (h *Host) Period(ctx context.Context, req *wire.PeriodRequest) (wire.PeriodReply, error) {
	c, err := h.begin(ctx, wire.OpPeriod, wire.KindPeriod, req.ID)
	if err != nil {
		return wire.PeriodReply{}, err
	}
	c.in.period = *req
	c.in.stamp(&c.in.period.Now, &c.in.period.Entropy)
	var reply wire.PeriodReply
	err = c.in.send(wire.OpPeriod, &c.in.period, &reply)
	switch {
	case err != nil || reply.Never:
	case reply.Next <= c.in.period.Now:
		err = fail(ErrReply, "replied with a boundary that is not in the future")
	case reply.Next >= farthest:
		err = fail(ErrReply, "replied with a boundary after the year 9999")
	}
	c.in.period = wire.PeriodRequest{}
	if err = c.end(err); err != nil {
		return wire.PeriodReply{}, err
	}
	return reply, nil
}

// Event hands an event to the event item req.ID.
func (h *Host) Event(ctx context.Context, req *wire.EventRequest) error {
	c, err := h.begin(ctx, wire.OpEvent, wire.KindEvent, req.ID)
	if err != nil {
		return err
	}
	c.in.event = *req
	c.in.stamp(&c.in.event.Now, &c.in.event.Entropy)
	err = c.in.send(wire.OpEvent, &c.in.event, &wire.EventReply{})
	c.in.event = wire.EventRequest{}
	return c.end(err)
}
