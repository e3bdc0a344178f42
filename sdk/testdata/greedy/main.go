// Command greedy imports everything that the host offers.
package main

import "github.com/sluicehq/sluice/sdk"

func init() {
	sdk.Register(sdk.Info{Name: "greedy", Version: "1.0.0"})
	sdk.UseKV("counts what it has seen")
	sdk.UseHTTP("tells a shop", "shop.example.com")
	sdk.Event("greedy", sdk.EventOptions{Events: []string{"*"}}, func(req *sdk.EventRequest) error {
		sdk.Log(sdk.LogInfo, req.Type)
		if _, found, err := sdk.KVGet("seen"); err != nil || found {
			return err
		}
		if err := sdk.KVDelete("seen"); err != nil {
			return err
		}
		if _, err := sdk.HTTP(sdk.HTTPRequest{URL: "https://shop.example.com/"}); err != nil {
			return err
		}
		return sdk.KVSet("seen", []byte("1"))
	})
}

func main() {}
