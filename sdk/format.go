package sdk

import (
	"bytes"

	"github.com/sluicehq/sluice/sdk/wire"
)

// RenderFunc renders req into reply. reply.Body comes empty with the room of the last call: append to it, or replace it
// by a buffer of your own, which must stay as it is until the next call.
type RenderFunc func(req *FormatRequest, reply *FormatReply) error

// PrepareFunc does once what is the same for all users of a set of endpoints and returns what renders the rest:
// requests that reach it have User and Accounts, but no Endpoints. req is its to keep. It is called for the sets that the
// kernel prepares, and for one without a name that comes twice in a row.
type PrepareFunc func(req *PrepareRequest) (RenderFunc, error)

// FormatOptions describe a format item.
type FormatOptions struct {
	Title       string      // for the operator, "" = the id
	Description string      // one sentence, "" = none
	Params      string      // JSON Schema of req.Settings, "" = takes none
	ContentType string      // of the body, unless the reply names another
	UserAgents  []string    // parts of the User-Agents that get this format by themselves, without regard to case
	Cache       string      // wire.CacheNone ("" too) or wire.CacheRevision
	Prepare     PrepareFunc // nil = endpoints come with every request
}

// Format registers a subscription format; id is a-z, 0-9, _ and -.
func Format(id string, opts FormatOptions, render RenderFunc) { guest.format(id, opts, render) }

// format is a registered format with the sets that were prepared for it.
type format struct {
	render  RenderFunc
	prepare PrepareFunc
	sets    []preparedSet // oldest first, at most wire.MaxPreparedSets
	known   knownSets     // what requests without a set have brought
}

type preparedSet struct {
	handle    uint64
	endpoints int // how many
	render    RenderFunc
}

func (p *plugin) format(id string, opts FormatOptions, render RenderFunc) {
	p.provide(wire.Item{
		Kind: wire.KindFormat, ID: id, Title: opts.Title, Description: opts.Description,
		Params: wire.RawJSON(opts.Params), ContentType: opts.ContentType, UserAgents: opts.UserAgents,
		Cache: opts.Cache, Prepare: opts.Prepare != nil,
	})
	add(&p.formats, id, &format{render: render, prepare: opts.Prepare})
}

func (p *plugin) callFormat(request, b []byte) ([]byte, error) {
	req, reply := &p.formatRequest, &p.formatReply
	endpoints, err := req.DecodeRest(request)
	if err != nil {
		return nil, err
	}
	f := p.formats[req.ID]
	if f == nil {
		return nil, noItem(wire.KindFormat, req.ID)
	}
	set, err := f.choose(req, endpoints)
	if err != nil {
		return nil, err
	}
	if len(req.Accounts) != set.endpoints {
		return nil, Invalid("the request has not one account for each endpoint")
	}
	*reply = wire.FormatReply{Body: reply.Body[:0], Headers: reply.Headers[:0]}
	if err := set.render(req, reply); err != nil {
		return nil, err
	}
	return reply.Append(b), nil
}

// choose finds what renders the request; endpoints is the part that has not been decoded yet.
func (f *format) choose(req *FormatRequest, endpoints []byte) (preparedSet, error) {
	if req.Prepared != 0 {
		if set := f.prepared(req.Prepared); set != nil {
			return *set, nil
		}
		return preparedSet{}, &wire.Error{Code: wire.CodeNotPrepared, Message: "the prepared set is not here"}
	}
	if f.prepare != nil {
		if set := f.known.find(req.Settings, endpoints); set != nil {
			return *set, nil
		}
		if f.known.again(req.Settings, endpoints) {
			if set, err := f.learn(req, endpoints); err == nil {
				return set, nil
			}
		}
	}
	err := req.DecodeEndpoints(endpoints)
	return preparedSet{endpoints: len(req.Endpoints), render: f.render}, err
}

// callPrepare keeps a copy of the request: the strings of the set live in it, and the input buffer is used again.
func (p *plugin) callPrepare(request []byte) error {
	req := new(wire.PrepareRequest)
	if err := req.Decode(bytes.Clone(request)); err != nil {
		return err
	}
	f := p.formats[req.ID]
	switch {
	case f == nil:
		return noItem(wire.KindFormat, req.ID)
	case f.prepare == nil:
		return unimplemented("format " + req.ID + " does not prepare")
	case req.Handle == 0:
		return Invalid("the handle of a prepared set must not be 0")
	}
	render, err := f.prepare(req)
	if err != nil {
		return err
	}
	f.keep(preparedSet{req.Handle, len(req.Endpoints), render})
	return nil
}

// prepared is the set of that handle, nil if it is not here. The newest are the likeliest.
func (f *format) prepared(handle uint64) *preparedSet {
	for i := len(f.sets) - 1; i >= 0; i-- {
		if f.sets[i].handle == handle {
			return &f.sets[i]
		}
	}
	return nil
}

func (f *format) keep(set preparedSet) {
	kept := f.sets[:0]
	for _, s := range f.sets {
		if s.handle != set.handle {
			kept = append(kept, s)
		}
	}
	if len(kept) == wire.MaxPreparedSets {
		kept = append(kept[:0], kept[1:]...)
	}
	f.sets = append(kept, set)
}
