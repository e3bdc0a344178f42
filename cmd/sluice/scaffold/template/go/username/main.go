// Command my-plugin makes usernames: base-1, base-2 and so on.
package main

import (
	"strconv"

	"github.com/sluicehq/sluice/sdk"
)

func init() {
	sdk.Register(sdk.Info{Name: "my-plugin", Version: "0.1.0", Description: "Numbers behind a dash."})
	sdk.Username("my-plugin", sdk.UsernameOptions{Title: "Numbers behind a dash"}, names)
}

// names returns bare names; the host adds prefix and suffix and leaves out those that are taken.
func names(req *sdk.UsernameRequest) ([]string, error) {
	if req.Count < 0 {
		return nil, sdk.Invalid("the count is negative")
	}
	base := req.Base
	if base == "" {
		base = "user"
	}
	var names []string
	for i := range req.Count {
		names = append(names, base+"-"+strconv.FormatInt(req.Start+i, 10))
	}
	return names, nil
}

func main() {}
