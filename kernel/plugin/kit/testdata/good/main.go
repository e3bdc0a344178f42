// Command good keeps every rule, with all that a plugin without permissions can have.
package main

import (
	"strconv"
	"strings"

	"github.com/sluicehq/sluice/sdk"
	"github.com/sluicehq/sluice/sdk/wire"
)

const day = 24 * 3600_000 // ms

func init() {
	sdk.Register(sdk.Info{Name: "good", Version: "1.0.0"})
	sdk.Configure(`{"type":"object","additionalProperties":false,"properties":{"sign":{"type":"string"}}}`, func(settings string) error {
		if settings != "" && !strings.HasPrefix(settings, "{") {
			return sdk.Invalid("settings are an object")
		}
		return nil
	})
	sdk.Username("numbered", sdk.UsernameOptions{Base: wire.BaseRequired}, func(r *sdk.UsernameRequest) (names []string, err error) {
		for i := range r.Count {
			names = append(names, r.Base+strconv.FormatInt(r.Start+i, 10))
		}
		return names, nil
	})
	sdk.Username("random", sdk.UsernameOptions{Base: wire.BaseNone, Collision: wire.CollisionRetry}, func(r *sdk.UsernameRequest) (names []string, err error) {
		for i := range r.Count {
			names = append(names, "r"+strconv.Itoa(int(r.Entropy[0]))+"-"+strconv.FormatInt(i, 10))
		}
		return names, nil
	})
	sdk.Period("days", sdk.PeriodOptions{
		Params: `{"type":"object","additionalProperties":false,"required":["days"],"properties":{"days":{"type":"integer","minimum":1}}}`,
	}, func(r *sdk.PeriodRequest) (sdk.PeriodReply, error) {
		next := r.Anchor
		if next <= r.Now {
			next += ((r.Now-r.Anchor)/day + 1) * day
		}
		return sdk.PeriodReply{Next: next, Never: next >= 253_402_300_800_000}, nil
	})
	sdk.Format("addresses", sdk.FormatOptions{Cache: wire.CacheRevision, Prepare: prepare}, func(r *sdk.FormatRequest, reply *sdk.FormatReply) error {
		reply.Body = append(reply.Body, addresses(r.Endpoints)...)
		return nil
	})
	sdk.Event("quiet", sdk.EventOptions{Events: []string{"*"}}, func(*sdk.EventRequest) error { return nil })
}

func prepare(r *sdk.PrepareRequest) (sdk.RenderFunc, error) {
	body := addresses(r.Endpoints)
	return func(_ *sdk.FormatRequest, reply *sdk.FormatReply) error {
		reply.Body = append(reply.Body, body...)
		return nil
	}, nil
}

func addresses(endpoints []sdk.Endpoint) string {
	var b strings.Builder
	for i := range endpoints {
		b.WriteString(endpoints[i].Address + "\n")
	}
	return b.String()
}

func main() {}
