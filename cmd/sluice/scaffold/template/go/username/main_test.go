package main

import (
	"slices"
	"testing"

	"github.com/sluicehq/sluice/sdk"
	"github.com/sluicehq/sluice/sdk/wire"
)

func TestNames(t *testing.T) {
	for _, c := range []struct {
		name string
		req  sdk.UsernameRequest
		want []string
	}{
		{"a base", sdk.UsernameRequest{Base: "alice", Start: 7, Count: 2}, []string{"alice-7", "alice-8"}},
		{"no base", sdk.UsernameRequest{Count: 1}, []string{"user-0"}},
		{"nothing wanted", sdk.UsernameRequest{Base: "alice"}, nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			c.req.ID = "my-plugin"
			b, err := sdk.Call(wire.OpUsername, c.req.Append(nil))
			if err != nil {
				t.Fatal(err)
			}
			var reply wire.UsernameReply
			if err := reply.Decode(b); err != nil || !slices.Equal(reply.Names, c.want) {
				t.Errorf("got %q, want %q (%v)", reply.Names, c.want, err)
			}
		})
	}
}
