package sdk

import "github.com/sluicehq/sluice/sdk/wire"

// UsernameFunc returns up to req.Count bare names; the kernel adds prefix and suffix and decides which are free. The
// names may be parts of req.
type UsernameFunc func(req *UsernameRequest) ([]string, error)

// UsernameOptions describe a username item. The zero value is a good one.
type UsernameOptions struct {
	Title       string // for the operator, "" = the id
	Description string // one sentence, "" = none
	Params      string // JSON Schema of req.Params, "" = takes none
	Base        string // wire.BaseNone, wire.BaseOptional ("" too) or wire.BaseRequired
	Collision   string // wire.CollisionSkip ("" too) or wire.CollisionRetry
}

// Username registers a way to make names; id is a-z, 0-9, _ and -.
func Username(id string, opts UsernameOptions, fn UsernameFunc) { guest.username(id, opts, fn) }

func (p *plugin) username(id string, opts UsernameOptions, fn UsernameFunc) {
	p.provide(wire.Item{
		Kind: wire.KindUsername, ID: id, Title: opts.Title, Description: opts.Description,
		Params: wire.RawJSON(opts.Params), Base: opts.Base, Collision: opts.Collision,
	})
	add(&p.usernames, id, fn)
}

func (p *plugin) callUsername(request, b []byte) ([]byte, error) {
	req := &p.usernameRequest
	if err := req.Decode(request); err != nil {
		return nil, err
	}
	fn := p.usernames[req.ID]
	if fn == nil {
		return nil, noItem(wire.KindUsername, req.ID)
	}
	names, err := fn(req)
	if err != nil {
		return nil, err
	}
	reply := wire.UsernameReply{Names: names}
	return reply.Append(b), nil
}
