// A plugin for tests: it renders remarks in capitals, also in the place of the built-in links, and breaks for users whose
// note says so. The version is set when it is built.
package main

import (
	"strings"

	"github.com/sluicehq/sluice/sdk"
)

var version = "1.0.0"

func init() {
	sdk.Register(sdk.Info{Name: "shout", Version: version})
	for _, id := range []string{"links", "shout"} {
		sdk.Format(id, sdk.FormatOptions{ContentType: "text/plain; charset=utf-8", UserAgents: []string{"ShoutApp"}}, shout)
	}
}

func shout(req *sdk.FormatRequest, reply *sdk.FormatReply) error {
	if req.User.Note == "break" {
		panic("out of breath")
	}
	for _, a := range req.Accounts {
		reply.Body = append(reply.Body, version+" "+strings.ToUpper(a.Remark)+"\n"...)
	}
	return nil
}

func main() {}
