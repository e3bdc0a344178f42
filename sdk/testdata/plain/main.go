package main

import (
	"strconv"

	"github.com/sluicehq/sluice/sdk"
	"github.com/sluicehq/sluice/sdk/wire"
)

func init() {
	sdk.Register(sdk.Info{Name: "vip-names", Version: "1.0.0"})
	sdk.Username("vip", sdk.UsernameOptions{Title: "VIP", Base: wire.BaseRequired}, func(req *sdk.UsernameRequest) ([]string, error) {
		var names []string
		for n := req.Start; n < req.Start+req.Count; n++ {
			names = append(names, req.Base+"-vip-"+strconv.FormatInt(n, 10))
		}
		return names, nil
	})
}

func main() {}
