package sdk

import "github.com/sluicehq/sluice/sdk/wire"

// PeriodFunc returns the next boundary after req.Now.
type PeriodFunc func(req *PeriodRequest) (PeriodReply, error)

// PeriodOptions describe a period item. The zero value is a good one.
type PeriodOptions struct {
	Title       string // for the operator, "" = the id
	Description string // one sentence, "" = none
	Params      string // JSON Schema of req.Params, "" = takes none
	QuotaOnly   bool   // only users that have a quota are reset; boundaries pass for the others too
}

// Period registers a rule for when usage resets or a subscription renews; id is a-z, 0-9, _ and -.
func Period(id string, opts PeriodOptions, fn PeriodFunc) { guest.period(id, opts, fn) }

func (p *plugin) period(id string, opts PeriodOptions, fn PeriodFunc) {
	p.provide(wire.Item{
		Kind: wire.KindPeriod, ID: id, Title: opts.Title, Description: opts.Description,
		Params: wire.RawJSON(opts.Params), QuotaOnly: opts.QuotaOnly,
	})
	add(&p.periods, id, fn)
}

func (p *plugin) callPeriod(request, b []byte) ([]byte, error) {
	req := &p.periodRequest
	if err := req.Decode(request); err != nil {
		return nil, err
	}
	fn := p.periods[req.ID]
	if fn == nil {
		return nil, noItem(wire.KindPeriod, req.ID)
	}
	reply, err := fn(req)
	if err != nil {
		return nil, err
	}
	return reply.Append(b), nil
}
