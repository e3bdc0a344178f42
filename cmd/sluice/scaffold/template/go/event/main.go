// Command my-plugin writes every event to the operator's log.
package main

import "github.com/sluicehq/sluice/sdk"

func init() {
	sdk.Register(sdk.Info{Name: "my-plugin", Version: "0.1.0", Description: "Logs events."})
	sdk.Event("my-plugin", sdk.EventOptions{Title: "Logs events", Events: []string{"*"}}, handle)
}

// handle may see one event more than once; EventID is the same each time. A type that it does not know is no error:
// new ones are added.
func handle(req *sdk.EventRequest) error {
	sdk.Log(sdk.LogInfo, req.Type+" "+req.Payload)
	return nil
}

func main() {}
