package main

import (
	"bytes"
	"regexp"
	"slices"
	"testing"

	"github.com/sluicehq/sluice/sdk"
	"github.com/sluicehq/sluice/sdk/wire"
)

// ask sends a request to the plugin natively, as the host does to the one that is built.
func ask(t *testing.T, entropy byte) []string {
	t.Helper()
	req := wire.UsernameRequest{ID: "pronounceable", Entropy: bytes.Repeat([]byte{entropy}, wire.EntropySize), Count: 20}
	b, err := sdk.Call(wire.OpUsername, req.Append(nil))
	if err != nil {
		t.Fatal(err)
	}
	var reply wire.UsernameReply
	if err := reply.Decode(b); err != nil {
		t.Fatal(err)
	}
	return reply.Names
}

func TestNames(t *testing.T) {
	names := slices.Clone(ask(t, 1))
	if len(names) != 20 {
		t.Errorf("%d names", len(names))
	}
	spoken := regexp.MustCompile(`^([bdfgklmnprstvz][aeiou]){3}$`)
	for _, name := range names {
		if !spoken.MatchString(name) {
			t.Errorf("%q", name)
		}
	}
	if again := ask(t, 1); !slices.Equal(again, names) {
		t.Errorf("the same request gives %q and %q", names, again)
	}
	if others := ask(t, 2); slices.Equal(others, names) {
		t.Errorf("other entropy gives the same names %q", others)
	}
}
