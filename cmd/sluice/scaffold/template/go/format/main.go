// Command my-plugin renders a subscription as a table: remark, protocol, address and port, separated by tabs.
package main

import (
	"strconv"
	"strings"

	"github.com/sluicehq/sluice/sdk"
	"github.com/sluicehq/sluice/sdk/wire"
)

func init() {
	sdk.Register(sdk.Info{Name: "my-plugin", Version: "0.1.0", Description: "Subscriptions as a table."})
	sdk.Format("my-plugin", sdk.FormatOptions{
		Title: "Table", ContentType: "text/plain; charset=utf-8", Cache: wire.CacheRevision,
	}, render)
}

// render writes one line for each endpoint. The body depends on nothing else, so the host may keep it.
func render(req *sdk.FormatRequest, reply *sdk.FormatReply) error {
	for i := range req.Endpoints {
		e := &req.Endpoints[i]
		if e.RawURI != "" { // somebody else's link, to be passed on as it is
			reply.Body = append(append(reply.Body, e.RawURI...), '\n')
			continue
		}
		reply.Body = append(append(reply.Body, line(req.Accounts[i].Remark)...), '\t')
		reply.Body = append(append(reply.Body, e.Protocol...), '\t')
		reply.Body = append(append(reply.Body, e.Address...), '\t')
		reply.Body = append(strconv.AppendUint(reply.Body, uint64(e.Port), 10), '\n')
	}
	return nil
}

// line makes a remark fit into a column: an operator may have put anything into it.
func line(remark string) string {
	return strings.Map(func(r rune) rune {
		if r < ' ' {
			return ' '
		}
		return r
	}, remark)
}

func main() {}
