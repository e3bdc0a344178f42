// A plugin for tests: it handles events and asks for the store.
package main

import "github.com/sluicehq/sluice/sdk"

var (
	version = "1.0.0"
	needs   = "" // the one setting that it must have, "" = it has none
)

func init() {
	sdk.Register(sdk.Info{Name: "bell", Version: version})
	sdk.UseKV("counts")
	if needs != "" {
		sdk.Configure(`{"required":["`+needs+`"],"properties":{"`+needs+`":{}},"additionalProperties":false}`, func(string) error { return nil })
	}
	sdk.Event("ring", sdk.EventOptions{Events: []string{"user.created"}}, func(req *sdk.EventRequest) error {
		return sdk.KVSet("last", []byte(req.Type))
	})
}

func main() {}
