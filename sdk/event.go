package sdk

import "github.com/sluicehq/sluice/sdk/wire"

// EventFunc is told what has happened. It may be told more than once: req.EventID is the same each time. An error from
// Retry asks for it again; with any other it is given up and listed as a dead letter.
type EventFunc func(req *EventRequest) error

// EventOptions describe an event item.
type EventOptions struct {
	Title       string   // for the operator, "" = the id
	Description string   // one sentence, "" = none
	Events      []string // the types wanted, such as user.created; "*" = all
}

// Event registers a handler; id is a-z, 0-9, _ and -.
func Event(id string, opts EventOptions, fn EventFunc) { guest.event(id, opts, fn) }

func (p *plugin) event(id string, opts EventOptions, fn EventFunc) {
	p.provide(wire.Item{
		Kind: wire.KindEvent, ID: id, Title: opts.Title, Description: opts.Description, Events: opts.Events,
	})
	add(&p.events, id, fn)
}

func (p *plugin) callEvent(request []byte) error {
	req := &p.eventRequest
	if err := req.Decode(request); err != nil {
		return err
	}
	fn := p.events[req.ID]
	if fn == nil {
		return noItem(wire.KindEvent, req.ID)
	}
	return fn(req)
}
