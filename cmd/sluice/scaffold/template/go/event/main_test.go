package main

import (
	"slices"
	"testing"

	"github.com/sluicehq/sluice/sdk"
	"github.com/sluicehq/sluice/sdk/wire"
)

func TestHandle(t *testing.T) {
	var lines []string
	sdk.Native.Log = func(_ wire.LogLevel, message string) { lines = append(lines, message) }
	req := sdk.EventRequest{ID: "my-plugin", Type: "user.created", EventID: 1, Payload: `{"username":"alice"}`}
	if _, err := sdk.Call(wire.OpEvent, req.Append(nil)); err != nil {
		t.Fatal(err)
	}
	if want := []string{`user.created {"username":"alice"}`}; !slices.Equal(lines, want) {
		t.Errorf("logged %q, want %q", lines, want)
	}
}
